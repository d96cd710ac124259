package follow

import (
	"math"

	"glomstream/glom/islands"
)

// Config says how a Follower weighs what it knows. A zero field means its default.
type Config struct {
	// Tau is the temperature of the cosines: a difference of Tau makes one look e times as likely
	// as another. Default 0.1.
	Tau float64
	// Looks is the power of the looks against the place: at 1, what a location looks like in one
	// frame counts as a measurement of its own. Default 1; negative means that looks count
	// nothing and the flow alone carries the regions.
	Looks float64
	// Finest is how much the first level of Frame.Vectors counts, against 1 for each of the
	// others. Default 3: finer levels tell better where a region ends, upper ones what it belongs to.
	Finest float64
	// Vote is how far a location goes towards the mean of its island in each frame. Default
	// 0.05; negative means none.
	Vote float64
	// Rate is how fast the recent looks change, per frame. Default 0.3; negative means never.
	Rate float64
	// Return is the chance that a region which is out of sight comes back at a location.
	// Default 0.001; negative means never.
	Return float64
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
	set(&c.Tau, 0.1)
	set(&c.Looks, 1)
	set(&c.Finest, 3)
	set(&c.Vote, 0.05)
	set(&c.Rate, 0.3)
	set(&c.Return, 0.001)
	return c
}

// Frame is what a Follower is told of one frame. It keeps nothing of it.
type Frame struct {
	Rows, Cols int
	Vectors    [][]float32    // (levels) of (N, D) unit vectors, the finest level first, each with its own D
	Islands    *islands.Level // small islands, such as those of the part level
	Flow       []float32      // (H, W, 2) motion since the frame before in pixels of that size; nil if unknown
	W, H       int
}

// Follower follows regions through a video. Make one with New; it keeps its memory from frame to
// frame, and is for one goroutine at a time.
type Follower struct {
	cfg        Config
	rows, cols int // locations
	dim        int // K: the vectors of a location, joined
	grey       []uint8
	labels     int // R: the regions, and label 0 for the rest

	field, moved []float32 // (R, cells) share of each label, which sum to 1; scratch
	mean         []float32 // (R, N) the field's mean over each location
	area         []float64 // (R) cells that the label covers now
	chance       []float32 // (R) to begin anew
	usual        []float64 // (R) cells that it covers when it is in sight
	motion       []float32 // (cells, 2) in cells
	x            []float32 // (N, K) joined vectors
	looks        []float32 // (R, N) likelihood of each label by looks
	near         []uint8   // (R, N) the most similar of the recent looks
	like         []uint16  // (N) the likeliest label by looks, or nobody
	still        bool      // the first frame had no flow, and there was none since
	first        []memory  // (R) looks in the first frame, or the first one with flow
	recent       []memory  // (R) the same, as they have changed

	index []int32   // (ids) place of an island in Level.Islands
	votes []float32 // (R, islands)
	pull  []float32 // (islands)

	level islands.Level // (cells) labels, as islands
	up    islands.Upsampler
	ids   []uint16 // (h, w)
}

// nobody is no label.
const nobody = 256

// New returns a Follower that works by cfg. It follows nothing until Start.
func New(cfg Config) *Follower { return &Follower{cfg: cfg.withDefaults()} }

// Start begins anew with the regions of a frame. seed (h, w) has the grey value of the region at
// each pixel of a picture of any size, 0 for none.
//
// Start panics on a shape that does not fit, and on a seed without a region.
func (f *Follower) Start(in *Frame, seed []uint8, w, h int) {
	if w < 1 || h < 1 || len(seed) != w*h {
		panic("follow: Start: shapes do not fit")
	}
	f.rows, f.cols, f.dim = in.Rows, in.Cols, in.dim()
	in.check(f)
	f.name(seed)
	f.plant(seed, w, h)
	f.join(in)
	f.pool()
	f.remember()
	f.still = in.Flow == nil
	f.usual = append(f.usual[:0], f.area...)
}

// remember makes the memories from where the labels are now.
func (f *Follower) remember() {
	n := f.rows * f.cols
	f.first, f.recent = make([]memory, f.labels), make([]memory, f.labels)
	for r := range f.labels {
		size := regionLooks
		if r == 0 {
			size = restLooks
		}
		f.first[r] = newMemory(f.x, f.mean[r*n:][:n], f.dim, size)
		f.recent[r] = f.first[r].clone()
	}
}

// name gives labels to the grey values of the seed.
func (f *Follower) name(seed []uint8) {
	var used [256]bool
	for _, g := range seed {
		used[g] = true
	}
	f.grey = append(f.grey[:0], 0)
	for g := 1; g < len(used); g++ {
		if used[g] {
			f.grey = append(f.grey, uint8(g))
		}
	}
	if f.labels = len(f.grey); f.labels < 2 {
		panic("follow: Start: the seed has no region")
	}
}

// Step follows the regions into the next frame, of the same grid. It panics on a shape that does
// not fit.
func (f *Follower) Step(in *Frame) {
	if f.labels == 0 {
		panic("follow: Step before Start")
	}
	in.check(f)
	f.join(in)
	f.warp(in)
	f.pool()
	if f.still && in.Flow != nil {
		// Vectors that tell of motion look otherwise than in a first frame, which has none.
		f.remember()
		f.still = false
		return
	}
	f.hope()
	f.look()
	f.fuse()
	f.pool()
	f.vote(in.Islands)
	f.learn()
	for r, a := range f.area {
		// A region that comes nearer grows at once; one that hides keeps its size for a while.
		f.usual[r] = max(a, 0.99*f.usual[r])
	}
}

func (in *Frame) check(f *Follower) {
	n := in.Rows * in.Cols
	if n < 1 || in.Rows != f.rows || in.Cols != f.cols || f.dim == 0 || in.dim() != f.dim ||
		len(in.Islands.ID) != n || in.Flow != nil && len(in.Flow) != 2*in.W*in.H {
		panic("follow: shapes do not fit")
	}
	for _, x := range in.Vectors {
		if len(x) == 0 || len(x)%n != 0 {
			panic("follow: shapes do not fit")
		}
	}
}

// dim returns the length of the joined vectors.
func (in *Frame) dim() (sum int) {
	for _, x := range in.Vectors {
		sum += len(x) / max(in.Rows*in.Cols, 1)
	}
	return sum
}

// join puts the vectors of all levels of a location into one unit vector, so that products are the
// weighted means of the levels' cosines.
func (f *Follower) join(in *Frame) {
	n, total := f.rows*f.cols, f.cfg.Finest+float64(len(in.Vectors)-1)
	f.x = resize(f.x, n*f.dim)
	at, share := 0, float32(math.Sqrt(f.cfg.Finest/total))
	for _, x := range in.Vectors {
		d := len(x) / n
		for i := range n {
			scale(f.x[i*f.dim+at:][:d], x[i*d:][:d], share)
		}
		at, share = at+d, float32(math.Sqrt(1/total))
	}
}

// look fills looks: at each location, softmax over the labels of the cosine to what is most alike
// in the label's memories, over Tau; with a floor, as looks are never certain.
func (f *Follower) look() {
	const doubt = 0.02
	n := f.rows * f.cols
	f.looks, f.like, f.near = resize(f.looks, f.labels*n), resize(f.like, n), resize(f.near, f.labels*n)
	for i := range n {
		v := f.x[i*f.dim:][:f.dim]
		top, contest := float32(-2), false
		for r := range f.labels {
			cos := float32(-1)
			if f.possible(r, i) {
				contest = contest || r > 0
				cos, _ = f.first[r].nearest(v)
				recent, k := f.recent[r].nearest(v)
				cos, f.near[r*n+i] = max(cos, recent), uint8(k)
			}
			f.looks[r*n+i] = cos
			if cos > top {
				top, f.like[i] = cos, uint16(r)
			}
		}
		if !contest {
			f.like[i] = nobody
		}
		var sum float64
		for r := range f.labels {
			sum += math.Exp(float64(f.looks[r*n+i]-top) / f.cfg.Tau)
		}
		for r := range f.labels {
			p := math.Exp(float64(f.looks[r*n+i]-top)/f.cfg.Tau) / sum
			f.looks[r*n+i] = float32(math.Pow((1-doubt)*p+doubt/float64(f.labels), f.cfg.Looks))
		}
	}
}

// possible reports whether location i or one around it may belong to label r at all. Where it may
// not, its looks need not be known, which saves most of the time.
func (f *Follower) possible(r, i int) bool {
	const some = 1e-3
	if r == 0 || f.chance[r] > 0 {
		return true
	}
	mean := f.mean[r*f.rows*f.cols:][:f.rows*f.cols]
	row, col := i/f.cols, i%f.cols
	for y := max(0, row-1); y <= min(f.rows-1, row+1); y++ {
		for x := max(0, col-1); x <= min(f.cols-1, col+1); x++ {
			if mean[y*f.cols+x] > some {
				return true
			}
		}
	}
	return false
}

// vote pulls each cell towards the mean of its island, the more the surer the island is: one that
// is half inside a region tells nothing.
func (f *Follower) vote(l *islands.Level) {
	if f.cfg.Vote == 0 {
		return
	}
	n, m := f.rows*f.cols, len(l.Islands)
	f.index = resize(f.index, math.MaxUint16+1)
	for k := range l.Islands {
		f.index[l.Islands[k].ID] = int32(k)
	}
	f.votes, f.pull = resize(f.votes, f.labels*m), resize(f.pull, m)
	clear(f.votes)
	clear(f.pull)
	for r := range f.labels {
		votes := f.votes[r*m:][:m]
		for i, id := range l.ID {
			k := f.index[id]
			votes[k] += f.mean[r*n+i] / float32(l.Islands[k].Area)
		}
		for k, v := range votes {
			if sure := 2*v - 1; sure > 0 {
				f.pull[k] = float32(f.cfg.Vote) * sure * sure
			}
		}
	}
	cells := len(f.field) / f.labels
	for i := range cells {
		k := f.index[l.ID[f.location(i)]]
		for r := range f.labels {
			f.field[r*cells+i] += f.pull[k] * (f.votes[r*m+int(k)] - f.field[r*cells+i])
		}
	}
}

// learn moves the recent looks towards those of the locations that surely belong to a label, by
// their place and by their looks: else the rest would learn the looks of a region that comes out
// of hiding before it is found again. Where no region is near, the rest learns nothing, which
// keeps its memory for what it has to be told apart from.
func (f *Follower) learn() {
	const sure = 0.9
	if f.cfg.Rate == 0 {
		return
	}
	n := f.rows * f.cols
	for r := range f.labels {
		m := &f.recent[r]
		m.begin()
		for i, share := range f.mean[r*n:][:n] {
			if share > sure && f.like[i] == uint16(r) {
				m.meet(int(f.near[r*n+i]), f.x[i*f.dim:][:f.dim])
			}
		}
		m.learn(float32(f.cfg.Rate))
	}
}
