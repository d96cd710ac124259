package capture

import (
	"context"
	"io"
	"math/rand/v2"
	"time"
)

// Opener opens a source once more.
type Opener func(context.Context) (Source, error)

// Loop plays src again from the start whenever it ends, by opening it anew. Errors end it, as does
// a source without frames. Seq and PTS go on, and the first frame of each round says that the
// source began Anew. Closing it closes the source that is open.
func Loop(src Source, open Opener) Source { return &again{src: src, open: open} }

// Reconnect opens a live source anew whenever it fails or ends, after half a second, then after
// twice as long each time, up to 30 s, and up to a quarter more or less by chance, so that many do not come back
// at the same moment. A source that had worked for longer than the last wait starts over with half a second.
// Seq and PTS go on, and the first frame of each connection says that the source began Anew. lost,
// which may be nil, is told why and how long is waited. Only ctx ends it.
func Reconnect(src Source, open Opener, lost func(err error, wait time.Duration)) Source {
	if lost == nil {
		lost = func(error, time.Duration) {}
	}
	return &again{src: src, open: open, lost: lost, wait: minWait}
}

const (
	minWait = 500 * time.Millisecond
	maxWait = 30 * time.Second
)

// again is a source that is opened again and again.
type again struct {
	src  Source // nil while there is none
	info Info   // of the last source
	open Opener

	lost func(error, time.Duration) // nil: the end is no reason to wait, and an error is the end
	wait time.Duration              // before the next try

	given  bool          // the source gave a frame
	first  time.Time     // when the first frame of the source was captured
	seq    uint64        // of the next frame
	offset time.Duration // of the PTS of this source
	last   Frame         // without pixels: the frame before
	any    bool          // there is a frame before
}

func (a *again) Next(ctx context.Context) (Frame, error) {
	for {
		if a.src == nil {
			if err := a.reopen(ctx); err != nil {
				return Frame{}, err
			}
		}
		f, err := a.src.Next(ctx)
		if err == nil {
			return a.number(f), nil
		}
		if ctx.Err() != nil || a.lost == nil && (err != io.EOF || !a.given) {
			return Frame{}, err
		}
		a.drop()
		if a.lost != nil {
			if a.given && time.Since(a.first) > a.wait {
				a.wait = minWait
			}
			if err := a.pause(ctx, err); err != nil {
				return Frame{}, err
			}
		}
	}
}

// number makes f follow the frame before.
func (a *again) number(f Frame) Frame {
	if !a.given {
		a.given, a.first = true, f.Captured
		f.Anew = true
		if a.any {
			a.offset = a.last.PTS + a.gap(&f) - f.PTS
			a.seq = a.last.Seq + 1 - f.Seq
		}
	}
	f.Seq += a.seq
	f.PTS += a.offset
	a.any, a.last = true, Frame{Seq: f.Seq, PTS: f.PTS, Captured: f.Captured}
	return f
}

// gap is the time between the frame before, of the source before, and the first of this one.
func (a *again) gap(f *Frame) time.Duration {
	if a.lost != nil {
		return max(f.Captured.Sub(a.last.Captured), time.Millisecond)
	}
	if fps := a.src.Info().FPS; fps > 0 {
		return time.Duration(float64(time.Second) / fps)
	}
	return 40 * time.Millisecond
}

// reopen opens the source once more, and as often as it takes if there are waits.
func (a *again) reopen(ctx context.Context) error {
	for {
		src, err := a.open(ctx)
		if err == nil {
			a.src, a.given = src, false
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if a.lost == nil {
			return err
		}
		if err := a.pause(ctx, err); err != nil {
			return err
		}
	}
}

// pause waits before the next try.
func (a *again) pause(ctx context.Context, err error) error {
	wait := a.wait*3/4 + rand.N(a.wait/2)
	a.wait = min(2*a.wait, maxWait)
	a.lost(err, wait)
	return waitFor(ctx, wait)
}

// drop closes the source.
func (a *again) drop() {
	a.info = a.src.Info()
	a.src.Close() // it has ended, so there is nothing to lose
	a.src = nil
}

// Info tells of the source that is open or was last. It has no end.
func (a *again) Info() Info {
	info := a.info
	if a.src != nil {
		info = a.src.Info()
	}
	info.Frames, info.Duration = 0, 0
	return info
}

func (a *again) Close() error {
	if a.src == nil {
		return nil
	}
	return a.src.Close()
}
