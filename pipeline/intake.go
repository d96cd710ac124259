package pipeline

import (
	"context"
	"io"
	"time"

	"glomstream/capture"
)

// intake reads the source, either when it is asked for a frame or, with Config.Latest, ahead of
// that into a mailbox of one frame.
type intake struct {
	src   capture.Source
	clock func() time.Time

	decode  time.Duration // spent in Next
	dropped int           // frames that a newer one replaced

	mail chan arrival // nil without Latest
	err  error        // why fill ended; valid when mail is closed
}

// arrival is a frame with the totals of the intake at that time.
type arrival struct {
	frame   capture.Frame
	decode  time.Duration
	dropped int
}

func newIntake(c *Config) *intake {
	in := &intake{src: c.Source, clock: c.Clock}
	if c.Latest {
		in.mail = make(chan arrival, 1)
	}
	return in
}

// next returns the next frame, or with Latest the newest. It returns io.EOF at the end.
func (in *intake) next(ctx context.Context) (arrival, error) {
	if in.mail == nil {
		return in.read(ctx)
	}
	select {
	case a, ok := <-in.mail:
		if !ok {
			return arrival{}, in.err
		}
		return a, nil
	case <-ctx.Done():
		return arrival{}, context.Cause(ctx)
	}
}

// fill reads until the source ends, and keeps the newest frame in the mailbox.
func (in *intake) fill(ctx context.Context) {
	defer close(in.mail)
	for ctx.Err() == nil {
		var a arrival
		if a, in.err = in.read(ctx); in.err != nil {
			return
		}
		in.post(a)
	}
	in.err = context.Cause(ctx)
}

// post puts a into the mailbox in place of what is there. Nobody else sends.
func (in *intake) post(a arrival) {
	for {
		a.dropped = in.dropped
		select {
		case in.mail <- a:
			return
		default:
		}
		select {
		case old := <-in.mail:
			old.frame.Release()
			in.dropped++
		default: // taken meanwhile
		}
	}
}

func (in *intake) read(ctx context.Context) (arrival, error) {
	began := in.clock()
	f, err := in.src.Next(ctx)
	in.decode += in.clock().Sub(began)
	switch {
	case err == nil:
	case err != io.EOF && ctx.Err() != nil:
		return arrival{}, context.Cause(ctx)
	default:
		return arrival{}, err // a source names itself
	}
	return arrival{frame: f, decode: in.decode, dropped: in.dropped}, nil
}

// drain releases what nobody took. fill has ended.
func (in *intake) drain() {
	if in.mail == nil {
		return
	}
	for a := range in.mail {
		a.frame.Release()
	}
}
