package baseline

import (
	"errors"
	"fmt"
	"math"

	"glomstream/capture"
	"glomstream/capture/opencv"
)

// Follower follows one thing through a video, from a mask of it on the first frame. The zero value
// of neither kind is of use: Start comes first.
type Follower interface {
	// Start takes the mask (H*W) of the thing on f. It forgets what it followed before.
	Start(mask []bool, f *capture.Frame) error
	// Next writes into dst (H*W) where the thing is on f, the frame after the last one. ev is the
	// front end's evidence for f; without its flow nothing is known to have moved.
	Next(dst []bool, f *capture.Frame, ev *capture.Evidence) error
}

// Carry returns a Follower that moves the mask by the optical flow and does nothing else.
func Carry() Follower { return new(carried) }

// GrabCut returns a Follower that moves the mask by the optical flow and then finds its border
// anew by GrabCut: what is well inside the moved mask is certain, what is far outside too, and the
// band between is decided by colour. Only the surroundings of the mask are looked at, which is
// faster and keeps colours from elsewhere out of the model of the background.
func GrabCut() Follower { return new(cut) }

// carried is a mask that moves. It is kept soft, since a hard one would not move at all by less
// than half a pixel a frame.
type carried struct {
	view  view
	alpha []float32 // (H, W) in 0 to 1
	next  []float32
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

// rounds of GrabCut for each frame.
const rounds = 2

// cut is a Follower by GrabCut.
type cut struct {
	carried
	depth []int32 // (H, W) steps to the border of the mask
	crop  []byte  // of the mask, in GrabCut's constants
}

// Next is of Follower.
func (c *cut) Next(dst []bool, f *capture.Frame, ev *capture.Evidence) error {
	if err := c.carried.Next(dst, f, ev); err != nil {
		return err
	}
	area := 0
	for _, in := range dst {
		if in {
			area++
		}
	}
	if area == 0 || area == len(dst) {
		return nil
	}
	band := max(2, int32(math.Sqrt(float64(area))/bandShare))
	c.depth = resize(c.depth, len(dst))
	borderDistance(c.depth, dst, f.W)
	x0, y0, x1, y1 := around(c.depth, dst, f.W, surroundings*band)
	c.crop = c.crop[:0]
	for y := y0; y < y1; y++ {
		for i := y*f.W + x0; i < y*f.W+x1; i++ {
			c.crop = append(c.crop, belief(dst[i], c.depth[i] > band))
		}
	}
	part := *f
	part.W, part.H, part.Pix = x1-x0, y1-y0, f.Pix[y0*f.Stride+3*x0:]
	if err := opencv.GrabCut(c.crop, &part, rounds); err != nil {
		return err
	}
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			dst[y*f.W+x] = c.crop[(y-y0)*(x1-x0)+x-x0]&1 != 0
		}
	}
	c.set(dst)
	return nil
}

// bandShare is how many bands of doubt the side of a square of the mask's area has, and
// surroundings how many bands around the mask are looked at.
const bandShare, surroundings = 12, 6

// belief is what GrabCut is told of a pixel.
func belief(in, certain bool) byte {
	switch {
	case in && certain:
		return opencv.Foreground
	case in:
		return opencv.ProbablyForeground
	case certain:
		return opencv.Background
	}
	return opencv.ProbablyBackground
}

// borderDistance writes for each pixel how many steps of a chess king it is away from the nearest
// pixel that mask has differently; 1 beside a border.
func borderDistance(dst []int32, mask []bool, w int) {
	h := len(mask) / w
	step := func(i, x, y, dx, dy int) {
		if x+dx < 0 || x+dx >= w || y+dy < 0 || y+dy >= h {
			return
		}
		k := i + dy*w + dx
		if mask[k] != mask[i] {
			dst[i] = 1
		} else {
			dst[i] = min(dst[i], dst[k]+1)
		}
	}
	for i := range dst {
		dst[i] = math.MaxInt32 / 2
	}
	for i := range dst {
		x, y := i%w, i/w
		step(i, x, y, -1, 0)
		step(i, x, y, -1, -1)
		step(i, x, y, 0, -1)
		step(i, x, y, 1, -1)
	}
	for i := len(dst) - 1; i >= 0; i-- {
		x, y := i%w, i/w
		step(i, x, y, 1, 0)
		step(i, x, y, 1, 1)
		step(i, x, y, 0, 1)
		step(i, x, y, -1, 1)
	}
}

// around returns the box of what is in the mask or no more than margin away from it.
func around(depth []int32, mask []bool, w int, margin int32) (x0, y0, x1, y1 int) {
	x0, y0 = w, len(mask)/w
	for i, in := range mask {
		if in || depth[i] <= margin {
			x, y := i%w, i/w
			x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
		}
	}
	return x0, y0, x1, y1
}
