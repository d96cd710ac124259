package stream

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// pionLog lets pion write to a slog.Logger, one level lower than pion asks for: what is a warning for
// a library that one peer made is of no concern to the one who runs the server.
type pionLog struct{ log *slog.Logger }

func (p pionLog) NewLogger(scope string) logging.LeveledLogger {
	return scopedLog{p.log.With("pion", scope)}
}

type scopedLog struct{ log *slog.Logger }

func (l scopedLog) write(level slog.Level, msg string) { l.log.Log(context.Background(), level, msg) }

// format spares the formatting of what nobody reads.
func (l scopedLog) format(level slog.Level, format string, args ...any) {
	if l.log.Enabled(context.Background(), level) {
		l.write(level, fmt.Sprintf(format, args...))
	}
}

// pion's traces are below slog's lowest level.
const trace = slog.LevelDebug - 4

func (l scopedLog) Trace(msg string)          { l.write(trace, msg) }
func (l scopedLog) Tracef(f string, a ...any) { l.format(trace, f, a...) }
func (l scopedLog) Debug(msg string)          { l.write(trace, msg) }
func (l scopedLog) Debugf(f string, a ...any) { l.format(trace, f, a...) }
func (l scopedLog) Info(msg string)           { l.write(slog.LevelDebug, msg) }
func (l scopedLog) Infof(f string, a ...any)  { l.format(slog.LevelDebug, f, a...) }
func (l scopedLog) Warn(msg string)           { l.write(slog.LevelDebug, msg) }
func (l scopedLog) Warnf(f string, a ...any)  { l.format(slog.LevelDebug, f, a...) }
func (l scopedLog) Error(msg string)          { l.write(slog.LevelInfo, msg) }
func (l scopedLog) Errorf(f string, a ...any) { l.format(slog.LevelInfo, f, a...) }
