package capture

import (
	"context"
	"io"
)

// Limit ends src after n frames, or where it ends by itself. Closing it closes src.
func Limit(src Source, n int) Source { return &limited{src, n} }

type limited struct {
	Source
	left int
}

func (l *limited) Next(ctx context.Context) (Frame, error) {
	if l.left == 0 {
		return Frame{}, io.EOF
	}
	l.left--
	return l.Source.Next(ctx)
}

func (l *limited) Info() Info {
	info := l.Source.Info()
	if n := info.Expected(); n == 0 || n > l.left {
		info.Frames = l.left
	}
	return info
}
