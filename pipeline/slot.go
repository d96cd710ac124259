package pipeline

import (
	"context"
	"fmt"
	"time"

	"glomstream/capture"
	"glomstream/glom"
	"glomstream/glom/islands"
	"glomstream/overlay"
)

// The batons, in the order in which a frame takes them.
const (
	toLook = iota
	toSettle
	toTrack
	toWrite
	batons
)

// baton is the right to take a stage, and what the stage remembers from frame to frame. It is in
// one place only.
type baton struct {
	stage
	err error // of the frame that failed; the frames after it do not enter the stage
}

// stage is work that is done on the frames in their order.
type stage interface {
	do(s *slot) error
}

// slot is one place in the ring: the scratch space of a frame on its way, the channels on which
// the frame receives its batons, and the slot of the frame after it.
type slot struct {
	next  *slot
	free  chan struct{} // capacity 1
	turns [batons]chan *baton

	pixels []int // levels
	draw   *overlay.Drawer
	canvas *capture.Pool
	clock  func() time.Time
	stop   context.CancelFunc // ends the reading of frames

	res     Result
	err     error             // why there is no result
	resized bool              // the frame before had another size
	reset   bool              // the state was reset after this frame
	state   *glom.State       // a copy, so that the next frame can go on with the original
	unrest  []float32         // (L, N)
	readers []*islands.Reader // (L)
	linker  islands.Linker
	ups     islands.Upsampler
	labels  [][]uint16 // (L) of (H, W); nil for levels that are not in pixels
	spent   Stats      // the busy times of this frame
}

// newRing returns the first slot of a ring whose first batons are those.
func newRing(c *Config, stop context.CancelFunc, first [batons]stage) *slot {
	ring := make([]slot, c.InFlight)
	levels := c.Model.Config().Levels
	pool := capture.NewPool(c.InFlight)
	for i := range ring {
		s := &ring[i]
		*s = slot{
			next:    &ring[(i+1)%len(ring)],
			free:    make(chan struct{}, 1),
			pixels:  c.Pixels,
			draw:    c.Draw,
			canvas:  pool,
			clock:   c.Clock,
			stop:    stop,
			readers: make([]*islands.Reader, levels),
			labels:  make([][]uint16, levels),
		}
		for l := range s.readers {
			s.readers[l] = islands.NewReader(c.Islands[l])
		}
		s.res.Islands = make([]islands.Level, levels)
		s.res.Agreement = make([][]float32, levels)
		s.res.Unrest = make([][]float32, levels)
		s.res.Labels = s.labels
		for k := range s.turns {
			s.turns[k] = make(chan *baton, 1)
		}
		s.free <- struct{}{}
	}
	for k, st := range first {
		ring[0].turns[k] <- &baton{stage: st}
	}
	return &ring[0]
}

// start waits until the slot is free and reads a frame into it.
func (s *slot) start(ctx context.Context, in *intake) error {
	select {
	case <-s.free:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	a, err := in.next(ctx)
	if err != nil {
		return err
	}
	s.res.Frame, s.res.Dropped = a.frame, a.dropped
	s.spent = Stats{Decode: a.decode}
	s.err, s.resized, s.reset = nil, false, false
	s.res.Cut = false
	return nil
}

// run carries the frame through the stages and frees the slot.
func (s *slot) run() {
	s.turn(toLook)
	s.freely((*slot).move)
	s.turn(toSettle)
	s.freely((*slot).readOut)
	s.turn(toTrack)
	s.freely((*slot).link)
	s.freely((*slot).upsample)
	s.freely((*slot).drawCanvas)
	s.turn(toWrite)
	s.res.Canvas.Release()
	s.res.Frame.Release()
	s.free <- struct{}{}
}

// turn takes one of the stages that go in order. The baton is handed on whatever happens, so that
// every frame ends; but an error stays with it, and with the frames that it meets.
func (s *slot) turn(k int) {
	b := <-s.turns[k]
	switch {
	case b.err != nil:
		s.err = b.err // of an earlier frame, so it goes before the frame's own
	case s.err == nil:
		if err := b.do(s); err != nil {
			s.err = fmt.Errorf("frame %d: %w", s.res.Frame.Seq, err)
			s.stop()
		}
	}
	b.err = s.err
	s.next.turns[k] <- b
}

// freely takes a stage that needs nothing from other frames.
func (s *slot) freely(do func(*slot)) {
	if s.err == nil {
		do(s)
	}
}

// since adds the time since began to d. It is meant for defer.
func (s *slot) since(began time.Time, d *time.Duration) {
	*d += s.clock().Sub(began)
}
