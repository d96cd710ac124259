package salient

import (
	"math"

	"glomstream/glom/camera"
	"glomstream/glom/islands"
)

// Config says how a Finder judges. A zero field means its default.
type Config struct {
	// Noise is the motion against the camera that is evidence of one half, in medians over the
	// picture. Default 3.
	Noise float64
	// Rate is how fast evidence grows, per frame, where there is texture. Default 0.3.
	Rate float64
	// Fade is how much slower than that evidence fades. Default 0.25; negative means never.
	Fade float64
	// Tau is the temperature of the cosines. Default 0.1.
	Tau float64
	// Looks is the weight of what the islands of the last frames that look alike say, against the
	// location itself. Default 0.25; negative means none.
	Looks float64
	// Island is the weight of the mean over the location's island. Default 0.15; negative means none.
	Island float64
	// Border is how much an island loses that has nothing but the border of the picture around
	// it. Default 0.5; negative means nothing.
	Border float64
	// Over is where the threshold lies between the median of the scores and nearly their
	// largest. Default 0.7.
	Over float64
	// Least is the least threshold, so that a picture at rest has no salient thing. Default 0.1.
	Least float64
}

func (c Config) withDefaults() Config {
	set := func(v *float64, def float64) {
		switch {
		case *v == 0:
			*v = def
		case *v < 0:
			*v = 0
		}
	}
	set(&c.Noise, 3)
	set(&c.Rate, 0.3)
	set(&c.Fade, 0.25)
	set(&c.Tau, 0.1)
	set(&c.Looks, 0.25)
	set(&c.Island, 0.15)
	set(&c.Border, 0.5)
	set(&c.Over, 0.7)
	set(&c.Least, 0.1)
	return c
}

// Frame is what a Finder is told of one frame. It keeps nothing of it.
type Frame struct {
	Rows, Cols, Dim int
	Vectors         []float32      // (N, D) unit vectors of the level that tells objects apart
	Islands         *islands.Level // of that level
	Pix             []byte         // (H, W, 3) BGR, the picture whose motion the flow is
	Flow            []float32      // (H, W, 2) motion since the frame before in pixels; nil if unknown, as after a cut
	W, H            int
}

// Finder finds what moves by itself. Make one with New; it keeps its memory from frame to frame.
type Finder struct {
	cfg        Config
	rows, cols int
	dim        int
	camera     camera.Motion
	kernel     [kernelSize]float32 // see like

	texture        []float32 // (N) 0..1
	motion         []float32 // (N, 2)
	residual       []float32 // (N) motion against the camera
	evidence, next []float32 // (N) 0..1; scratch
	filled         []float32 // (N) evidence, spread over what looks alike
	last           []float32 // (N, D) vectors of the frame before
	sorted         []float32 // (N) scratch

	index []int32    // (ids) place of an island in Level.Islands
	sums  []sums     // (islands)
	seen  []float32  // (remembered, D) vectors of islands of the last frames
	worth []recorded // (remembered)
	steps int        // with flow

	score []float32 // (N)
	found []bool    // (N) whether the location is salient
	was   []bool    // (N) the same in the frame before

	level islands.Level
	up    islands.Upsampler
	ids   []uint16 // (h, w)
}

// New returns a Finder that works by cfg.
func New(cfg Config) *Finder {
	f := &Finder{cfg: cfg.withDefaults()}
	for i := range f.kernel {
		f.kernel[i] = float32(math.Exp((float64(i) + 0.5 - kernelSize) / (kernelSize / 2) / f.cfg.Tau))
	}
	return f
}

// Step looks at the next frame. A new grid, or a frame without flow, makes it start afresh. It
// panics on a shape that does not fit.
func (f *Finder) Step(in *Frame) {
	n := in.Rows * in.Cols
	if n < 1 || len(in.Vectors) != n*in.Dim || len(in.Islands.ID) != n || in.W < in.Cols || in.H < in.Rows ||
		len(in.Pix) != 3*in.W*in.H || in.Flow != nil && len(in.Flow) != 2*in.W*in.H {
		panic("salient: shapes do not fit")
	}
	if in.Rows != f.rows || in.Cols != f.cols || in.Dim != f.dim || in.Flow == nil {
		f.reset(in)
	}
	if in.Flow != nil {
		f.motion = camera.Coarsen(f.motion, in.Flow, in.W, in.H, in.Rows, in.Cols)
		f.feel(in)
		f.measure()
		f.carry(in)
		f.spread(in)
		f.judge(in)
		f.choose()
	}
	copy(f.last, in.Vectors)
}

// reset forgets what was before.
func (f *Finder) reset(in *Frame) {
	n := in.Rows * in.Cols
	f.rows, f.cols, f.dim = in.Rows, in.Cols, in.Dim
	f.evidence, f.next = resize(f.evidence, n), resize(f.next, n)
	f.texture, f.residual = resize(f.texture, n), resize(f.residual, n)
	f.filled, f.sorted, f.score = resize(f.filled, n), resize(f.sorted, n), resize(f.score, n)
	f.last = resize(f.last, n*in.Dim)
	f.found, f.was = resize(f.found, n), resize(f.was, n)
	f.seen, f.worth, f.steps = f.seen[:0], f.worth[:0], 0
	clear(f.evidence)
	clear(f.score)
	clear(f.found)
}

// Score returns how salient each location (N) is, 0 to 1. It is valid until the next Step.
func (f *Finder) Score() []float32 { return f.score }

// Mask writes 255 at the pixels of what moves by itself into dst (h, w) and 0 elsewhere. pix is
// the picture whose edges the borders follow, (h, stride) bytes with BGR pixels. It panics on
// shapes that do not fit.
func (f *Finder) Mask(dst []uint8, w, h int, pix []byte, stride int) {
	if f.rows == 0 || len(dst) != w*h {
		panic("salient: Mask: shapes do not fit")
	}
	f.level.Rows, f.level.Cols = f.rows, f.cols
	f.level.ID = resize(f.level.ID, len(f.found))
	for i, found := range f.found {
		f.level.ID[i] = 1
		if found {
			f.level.ID[i] = 2
		}
	}
	f.ids = resize(f.ids, w*h)
	f.up.Labels(f.ids, w, h, &f.level, pix, stride)
	for i, id := range f.ids {
		dst[i] = 0
		if id == 2 {
			dst[i] = 255
		}
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
