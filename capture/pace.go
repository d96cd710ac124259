package capture

import (
	"context"
	"time"
)

// Pace gives the frames of src when they are due, as a live source would: each one its PTS after
// the first. A frame that is late comes at once, and one that is very late moves the clock, so
// that nothing is rushed through afterwards. Captured becomes the time when the frame was due.
// Closing it closes src.
func Pace(src Source) Source { return &paced{Source: src} }

// maxLate is how late a frame may be without moving the clock.
const maxLate = 200 * time.Millisecond

type paced struct {
	Source
	start time.Time // when the PTS 0 was due; zero before the first frame
}

func (p *paced) Next(ctx context.Context) (Frame, error) {
	f, err := p.Source.Next(ctx)
	if err != nil {
		return f, err
	}
	now := time.Now()
	if p.start.IsZero() || now.Sub(p.start)-f.PTS > maxLate {
		p.start = now.Add(-f.PTS)
	}
	due := p.start.Add(f.PTS)
	if wait := due.Sub(now); wait > 0 {
		if err := waitFor(ctx, wait); err != nil {
			f.Release()
			return Frame{}, err
		}
	}
	f.Captured = due
	return f, nil
}

// waitFor waits, but not longer than ctx lets it, whose cause is then the error.
func waitFor(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
