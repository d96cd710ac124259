package baseline

import (
	"errors"
	"fmt"

	"glomstream/capture"
)

// Follower follows one thing through a video, from a mask of it on the first frame.
type Follower interface {
	// Start takes the mask (H*W) of the thing on f, and forgets what it followed before.
	Start(mask []bool, f *capture.Frame) error
	// Next writes into dst (H*W) where the thing is on f, the frame after the last one. ev is the
	// front end's evidence for f; without its flow nothing is known to have moved. A frame of
	// another size than the last one is an error, and so is Next before Start.
	Next(dst []bool, f *capture.Frame, ev *capture.Evidence) error
}

// Carry returns a Follower that moves the mask by the optical flow and does nothing else: each
// pixel takes what was where it came from. Errors add up, and what the thing uncovers, which did
// not move and was the thing before, stays as a trail.
func Carry() Follower { return new(carried) }

// carried is a mask that moves. It is kept soft, since a hard one would not move at all by less
// than half a pixel a frame.
type carried struct {
	view  view
	alpha []float32 // (H, W) 0 to 1
	next  []float32 // (H, W)
}

// Start is of Follower.
func (c *carried) Start(mask []bool, f *capture.Frame) error {
	if f.W <= 0 || f.H <= 0 {
		return errors.New("the frame has no pixels")
	}
	if len(mask) != f.W*f.H {
		panic("baseline: Start: mask does not fit the frame")
	}
	c.view.w, c.view.h = f.W, f.H
	c.set(mask)
	return nil
}

func (c *carried) set(mask []bool) {
	c.alpha = resize(c.alpha, len(mask))
	clear(c.alpha)
	for i, in := range mask {
		if in {
			c.alpha[i] = 1
		}
	}
}

// Next is of Follower.
func (c *carried) Next(dst []bool, f *capture.Frame, ev *capture.Evidence) error {
	v := &c.view
	if len(dst) != f.W*f.H {
		panic("baseline: Next: mask does not fit the frame")
	}
	if f.W != v.w || f.H != v.h {
		return fmt.Errorf("the frame has %dx%d pixels and the mask to follow %dx%d: start anew", f.W, f.H, v.w, v.h)
	}
	if err := v.follow(f, ev); err != nil {
		return err
	}
	if v.flow != nil {
		c.next = resize(c.next, len(c.alpha))
		for i := range c.next {
			c.next[i] = c.at(float32(i%v.w)-v.flow[2*i], float32(i/v.w)-v.flow[2*i+1])
		}
		c.alpha, c.next = c.next, c.alpha
	}
	for i, a := range c.alpha {
		dst[i] = a >= 0.5
	}
	return nil
}

// at interpolates the mask between pixels. Outside of the picture it goes on as at the border.
func (c *carried) at(x, y float32) float32 {
	w, h := c.view.w, c.view.h
	x, y = min(max(x, 0), float32(w-1)), min(max(y, 0), float32(h-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
	x, y = x-float32(x0), y-float32(y0)
	top := c.alpha[y0*w+x0]*(1-x) + c.alpha[y0*w+x1]*x
	bottom := c.alpha[y1*w+x0]*(1-x) + c.alpha[y1*w+x1]*x
	return top*(1-y) + bottom*y
}
