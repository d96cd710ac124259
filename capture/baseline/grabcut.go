package baseline

import (
	"math"
	"slices"

	"glomstream/capture"
	"glomstream/capture/opencv"
)

// How GrabCut is used. Lengths are in the widths of the band of doubt on each side of the border.
const (
	rounds       = 2  // for each frame
	bandShare    = 12 // bands in the side of a square of the mask's area
	surroundings = 6  // bands around the mask that are looked at
)

// GrabCut returns a Follower that moves the mask by the optical flow and then finds its border
// anew by GrabCut: what is well inside the moved mask is certain, what is far outside too, and the
// band between is decided by colour. Only the surroundings of the mask are looked at, which is
// faster and keeps colours from elsewhere out of the model of the background.
func GrabCut() Follower { return new(cut) }

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
// pixel that mask has differently: 1 beside a border.
func borderDistance(dst []int32, mask []bool, w int) {
	h := len(mask) / w
	step := func(i, x, y, dx, dy int) {
		if x+dx < 0 || x+dx >= w || y+dy < 0 || y+dy >= h {
			return
		}
		if k := i + dy*w + dx; mask[k] != mask[i] {
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
	for i := range slices.Backward(dst) {
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
