package pipeline

import (
	"slices"

	"glomstream/capture/descriptor"
	"glomstream/glom/follow"
)

// looksDim is how many dimensions the fixed description of a location has.
const looksDim = 64

// Follower follows regions through results. What a region looks like is told by the colours and
// gradients of the picture, which do not change with its motion, and by the vectors of the part and the
// object level. Make one with NewFollower; it is for one goroutine at a time.
type Follower struct {
	follower *follow.Follower
	fixed    *descriptor.Descriptor
	looks    []float32   // (N, looksDim)
	vectors  [][]float32 // looks, and those of the levels
}

// NewFollower returns a Follower that works by cfg. It follows nothing until Start.
func NewFollower(cfg follow.Config) *Follower {
	fixed, err := descriptor.New(looksDim)
	if err != nil {
		panic(err) // looksDim is wrong
	}
	return &Follower{follower: follow.New(cfg), fixed: fixed}
}

// Start begins anew with the regions of a result: seed has the grey value of the region at each pixel
// of the frame, 0 for none. It panics on a seed of another size, and on one without a region.
func (f *Follower) Start(r *Result, seed []uint8) {
	in := f.frame(r)
	f.follower.Start(&in, seed, r.Frame.W, r.Frame.H)
}

// Step follows the regions into the next result, and writes the mask of its frame into dst: the grey
// value of the region that each pixel belongs to. It panics if the grid is another than at the start,
// or dst has another size than the frame.
func (f *Follower) Step(dst []uint8, r *Result) {
	in := f.frame(r)
	f.follower.Step(&in)
	f.follower.Mask(dst, r.Frame.W, r.Frame.H, r.Frame.Pix, r.Frame.Stride)
}

// frame is what there is to see of a result. Where a front end gives no picture of 8x8 pixels a location,
// the primary level stands for it.
func (f *Follower) frame(r *Result) follow.Frame {
	p, o, ev := r.Part(), r.Object(), &r.Evidence
	finest := r.State.Level(0)
	if n := ev.Rows * ev.Cols; len(ev.Pix) == 3*n*descriptor.Stride*descriptor.Stride {
		f.looks = slices.Grow(f.looks[:0], n*looksDim)[:n*looksDim]
		f.fixed.Describe(f.looks, ev.Rows, ev.Cols, ev.Pix, nil)
		finest = f.looks
	}
	f.vectors = append(f.vectors[:0], finest, r.State.Level(p), r.State.Level(o))
	return follow.Frame{
		Rows: ev.Rows, Cols: ev.Cols, Vectors: f.vectors,
		Islands: &r.Islands[p], Flow: ev.Flow, W: ev.W, H: ev.H,
	}
}
