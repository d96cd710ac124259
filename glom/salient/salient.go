package salient

import (
	"math"
	"slices"

	"glomstream/glom"
	"glomstream/glom/islands"
)

// Config says how a Finder judges. A zero field means its default.
type Config struct {
	Alpha  float64 // how fast evidence comes and goes
	Noise  float64 // motion against the camera that counts as half, in units of the spread
	Tau    float64 // temperature of the cosines
	Vote   float64 // weight of looks
	Island float64
	High   float64 // start
	Low    float64
	Border float64
	Rel    float64
	Center float64
	Decay  float64
}

// Frame is what a Finder is told of one frame.
type Frame struct {
	Rows, Cols, Dim int
	Vectors         []float32      // (N, D) unit vectors of the object level
	Islands         *islands.Level // of the same level
	Pix             []byte         // (H, W, 3) the working picture
	Flow            []float32      // (H, W, 2) its motion since the frame before in its pixels, or nil
	W, H            int
}

// Finder finds what moves.
type Finder struct {
	cfg        Config
	rows, cols int
	motion     []float32
	texture    []float32 // (N) 0..1
	camera     Camera
	residual   []float32 // (N)
	evidence   []float32 // (N) 0..1
	warped     []float32
	score      []float32
	index      []int32 // id -> island
	isl        []float32
	memory     []float32 // (slots, D)
	worth      []float32
	weightM    []float32
	mask       []uint16
	level      islands.Level
	up         islands.Upsampler
	ids        []uint16
	stack      []int32
	sorted     []float32
	frames     int
	Scale      float32
}

func New(cfg Config) *Finder { return &Finder{cfg: cfg} }

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// Score returns the score of each location.
func (f *Finder) Score() []float32 { return f.score }

func (f *Finder) Step(in *Frame) {
	n := in.Rows * in.Cols
	if in.Rows != f.rows || in.Cols != f.cols {
		f.rows, f.cols = in.Rows, in.Cols
		f.evidence = resize(f.evidence, n)
		clear(f.evidence)
		f.warped = resize(f.warped, n)
		f.score = resize(f.score, n)
		clear(f.score)
		f.mask = resize(f.mask, n)
		clear(f.mask)
		f.memory, f.worth, f.weightM = f.memory[:0], f.worth[:0], f.weightM[:0]
	}
	f.motion = islands.Motion(f.motion, in.Flow, in.W, in.H, in.Rows, in.Cols)
	f.look(in)
	if f.motion != nil {
		f.measure()
		f.accumulate()
	}
	f.judge(in)
	f.choose()
}

// look fills texture.
func (f *Finder) look(in *Frame) {
	n := f.rows * f.cols
	f.texture = resize(f.texture, n)
	side := in.W / f.cols
	for r := range f.rows {
		for c := range f.cols {
			var sum, cnt float32
			for y := r * in.H / f.rows; y < (r+1)*in.H/f.rows-1; y++ {
				for x := c * side; x < (c+1)*side-1; x++ {
					o := 3*(y*in.W+x) + 1
					a := int(in.Pix[o+3]) - int(in.Pix[o])
					b := int(in.Pix[o+3*in.W]) - int(in.Pix[o])
					sum += float32(math.Sqrt(float64(a*a + b*b)))
					cnt++
				}
			}
			g := sum / max(cnt, 1)
			f.texture[r*f.cols+c] = g / (g + 4)
		}
	}
}

func (f *Finder) measure() {
	n := f.rows * f.cols
	f.camera.Fit(f.motion, f.texture, f.rows, f.cols)
	f.residual = resize(f.residual, n)
	f.sorted = resize(f.sorted, n)
	for i := range n {
		u, v := f.camera.At(i%f.cols, i/f.cols, f.rows, f.cols)
		a, b := f.motion[2*i]-u, f.motion[2*i+1]-v
		f.residual[i] = float32(math.Hypot(float64(a), float64(b)))
	}
	copy(f.sorted, f.residual)
	slices.Sort(f.sorted)
	f.Scale = max(f.sorted[n/2], 0.02)
}

func (f *Finder) accumulate() {
	k2 := float32(f.cfg.Noise) * f.Scale
	k2 *= k2
	for i := range f.residual {
		x, y := float32(i%f.cols)-f.motion[2*i], float32(i/f.cols)-f.motion[2*i+1]
		e := sampleAt(f.evidence, f.rows, f.cols, x, y)
		r2 := f.residual[i] * f.residual[i]
		now := r2 / (r2 + k2)
		a := float32(f.cfg.Alpha) * f.texture[i]
		if now < e {
			a *= float32(f.cfg.Decay)
		}
		f.warped[i] = e + a*(now-e)
	}
	f.evidence, f.warped = f.warped, f.evidence
}

func sampleAt(a []float32, rows, cols int, x, y float32) float32 {
	x = min(max(x, 0), float32(cols-1))
	y = min(max(y, 0), float32(rows-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, cols-1), min(y0+1, rows-1)
	fx, fy := x-float32(x0), y-float32(y0)
	return (1-fy)*((1-fx)*a[y0*cols+x0]+fx*a[y0*cols+x1]) + fy*((1-fx)*a[y1*cols+x0]+fx*a[y1*cols+x1])
}

const slots = 128

// judge fills score from evidence, looks and islands.
func (f *Finder) judge(in *Frame) {
	n := f.rows * f.cols
	D := in.Dim
	m := len(in.Islands.Islands)
	f.index = resize(f.index, 1<<16)
	f.isl = resize(f.isl, m)
	for k := range in.Islands.Islands {
		f.index[in.Islands.Islands[k].ID] = int32(k)
		f.isl[k] = 0
	}
	for i, id := range in.Islands.ID {
		k := f.index[id]
		f.isl[k] += f.evidence[i] / float32(in.Islands.Islands[k].Area)
	}
	// memory: islands of every 4th frame
	if f.frames%4 == 0 && f.motion != nil {
		for k := range in.Islands.Islands {
			f.memory = append(f.memory, in.Islands.Islands[k].Vector...)
			f.worth = append(f.worth, f.isl[k])
			f.weightM = append(f.weightM, float32(math.Log(float64(in.Islands.Islands[k].Area))))
		}
		if over := len(f.worth) - slots; over > 0 {
			f.memory = f.memory[:copy(f.memory, f.memory[over*D:])]
			f.worth = f.worth[:copy(f.worth, f.worth[over:])]
			f.weightM = f.weightM[:copy(f.weightM, f.weightM[over:])]
		}
	}
	f.frames++
	vote := float32(f.cfg.Vote)
	if len(f.worth) == 0 {
		vote = 0
	}
	isl := float32(f.cfg.Island)
	for i := range n {
		s := f.evidence[i]
		if vote > 0 {
			v := in.Vectors[i*D:][:D]
			var sum, tot float64
			for k, w := range f.worth {
				c := glom.Dot(v, f.memory[k*D:][:D])
				e := math.Exp(float64(c-1)/f.cfg.Tau + float64(f.weightM[k]))
				sum += e
				tot += e * float64(w)
			}
			s += vote * (float32(tot/sum) - s)
		}
		s += isl * (f.isl[f.index[in.Islands.ID[i]]] - s)
		if f.cfg.Center > 0 {
			x := (float64(i%f.cols)+.5)/float64(f.cols)*2 - 1
			y := (float64(i/f.cols)+.5)/float64(f.rows)*2 - 1
			s *= float32(math.Exp(-f.cfg.Center * (x*x + y*y)))
		}
		f.score[i] = s
	}
}

// choose thresholds.
func (f *Finder) choose() {
	n := f.rows * f.cols
	copy(f.sorted[:0], f.sorted)
	f.sorted = resize(f.sorted, n)
	copy(f.sorted, f.score)
	slices.Sort(f.sorted)
	top := f.sorted[n-1-n/100]
	thr := max(float32(f.cfg.Low), float32(f.cfg.Rel)*top+(1-float32(f.cfg.Rel))*f.sorted[n/2])
	for i, s := range f.score {
		t := thr
		if f.mask[i] == 1 {
			t *= 0.95
		}
		f.mask[i] = 0
		if s > t {
			f.mask[i] = 1
		}
	}
}

// Mask writes 255 at the pixels of salient objects into dst (h, w).
func (f *Finder) Mask(dst []uint8, w, h int, pix []byte, stride int) {
	n := f.rows * f.cols
	f.level.Rows, f.level.Cols = f.rows, f.cols
	f.level.ID = resize(f.level.ID, n)
	for i, m := range f.mask {
		f.level.ID[i] = m + 1
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
