package follow

import (
	"image"
	"math"

	"glomstream/glom"
	"glomstream/glom/islands"
)

// Config says how a Follower weighs what it knows. A zero field means its default.
type Config struct {
	Tau       float64 // temperature of the cosines
	Look      float64 // weight of the looks against the warped scores
	Vote      float64 // weight of the island's vote
	Rate      float64 // of the recent memory
	Local     float64
	Leak      float64
	Sigma     float64
	VoteLevel int
	FirstOnly bool
	Floor     float32
	K, KB     int
	VotePow   float64
}

// Frame is what a Follower is told of one frame. N = Rows*Cols locations.
type Frame struct {
	Rows, Cols, Dim int
	Part, Object    []float32 // (N, D) unit vectors of the part and of the object level
	Islands         *islands.Level
	Flow            []float32 // (H, W, 2)
	W, H            int
}

const sub = 4 // cells per side of a location

// Follower follows regions.
type Follower struct {
	cfg        Config
	rows, cols int // locations
	dim        int // of the joined vectors
	grey       []uint8
	labels     int       // regions and the background, label 0
	field      []float32 // (labels, cells)
	next       []float32
	join, last []float32 // (N, 2D)
	first      []memory  // (labels)
	recent     []memory
	look       []float32 // (labels, N)
	coarse     []float32 // (labels, N)
	local      []float32
	motion     []float32
	logits     []float32
	level      islands.Level
	up         islands.Upsampler
	ids        []uint16
	sums, conf []float32
	idsum      map[uint16]int
	blur, tmp  []float32
}

type memory struct {
	n int
	v []float32 // (n, 2D)
}

func New(cfg Config) *Follower { return &Follower{cfg: cfg} }

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func (f *Follower) joinVectors(in *Frame) {
	n := in.Rows * in.Cols
	d := in.Dim
	f.join = resize(f.join, n*2*d)
	const half = math.Sqrt2 / 2
	for i := range n {
		dst := f.join[i*2*d:][:2*d]
		for k, v := range in.Part[i*d:][:d] {
			dst[k] = v * half
		}
		for k, v := range in.Object[i*d:][:d] {
			dst[d+k] = v * half
		}
	}
}

// Start begins with seed (h, w): the region of each pixel, 0 for none.
func (f *Follower) Start(in *Frame, seed []uint8, w, h int) {
	f.rows, f.cols, f.dim = in.Rows, in.Cols, 2*in.Dim
	var used [256]bool
	for _, g := range seed {
		used[g] = true
	}
	f.grey = append(f.grey[:0], 0)
	var label [256]uint8
	for g := 1; g < 256; g++ {
		if used[g] {
			label[g] = uint8(len(f.grey))
			f.grey = append(f.grey, uint8(g))
		}
	}
	f.labels = len(f.grey)
	rows, cols := sub*f.rows, sub*f.cols
	cells := rows * cols
	f.field = resize(f.field, f.labels*cells)
	f.next = resize(f.next, f.labels*cells)
	clear(f.field)
	count := make([]float32, cells)
	for y := range h {
		for x := range w {
			i := (y*rows/h)*cols + x*cols/w
			count[i]++
			f.field[int(label[seed[y*w+x]])*cells+i]++
		}
	}
	for r := range f.labels {
		for i := range cells {
			f.field[r*cells+i] /= max(count[i], 1)
		}
	}
	f.joinVectors(in)
	f.pool()
	n := f.rows * f.cols
	f.first = make([]memory, f.labels)
	f.recent = make([]memory, f.labels)
	for r := range f.labels {
		size := f.cfg.K
		if r == 0 {
			size = f.cfg.KB
		}
		f.first[r].build(f.join, f.coarse[r*n:][:n], f.dim, size)
		f.recent[r] = memory{f.first[r].n, append([]float32(nil), f.first[r].v...)}
	}
	f.last = append(f.last[:0], f.join...)
}

// build picks up to size of the vectors whose weight is large, each as far from those before as can be.
func (m *memory) build(x, weight []float32, dim, size int) {
	thr := float32(0.5)
	var list []int
	for try := 0; try < 2 && len(list) == 0; try++ {
		for i, w := range weight {
			if w > thr {
				list = append(list, i)
			}
		}
		if len(list) == 0 { // a region smaller than a location
			for _, w := range weight {
				thr = max(thr*0, w*0.99)
			}
			var top float32
			for _, w := range weight {
				top = max(top, w)
			}
			thr = top * 0.5
		}
	}
	if len(list) == 0 {
		return
	}
	// farthest point first
	near := make([]float32, len(list))
	for i := range near {
		near[i] = -2
	}
	m.n = 0
	m.v = nil
	next := 0
	for m.n < size && m.n < len(list) {
		v := x[list[next]*dim:][:dim]
		m.v = append(m.v, v...)
		m.n++
		worst := float32(2)
		for i, j := range list {
			near[i] = max(near[i], glom.Dot(v, x[j*dim:][:dim]))
			if near[i] < worst {
				worst, next = near[i], i
			}
		}
		if worst > 0.98 {
			break
		}
	}
	// two rounds of k-means
	for range 3 {
		sum := make([]float32, len(m.v))
		for _, j := range list {
			v := x[j*dim:][:dim]
			_, k := m.nearest(v, dim)
			for a, b := range v {
				sum[k*dim+a] += b
			}
		}
		for k := range m.n {
			v := sum[k*dim:][:dim]
			if s := glom.Dot(v, v); s > 1e-9 {
				inv := float32(1 / math.Sqrt(float64(s)))
				for a := range v {
					m.v[k*dim+a] = v[a] * inv
				}
			}
		}
	}
}

func (m *memory) nearest(v []float32, dim int) (float32, int) {
	best, at := float32(-2), 0
	for k := range m.n {
		if c := glom.Dot(v, m.v[k*dim:][:dim]); c > best {
			best, at = c, k
		}
	}
	return best, at
}

// pool writes the mean of the field over each location into coarse.
func (f *Follower) pool() {
	n := f.rows * f.cols
	cells := n * sub * sub
	f.coarse = resize(f.coarse, f.labels*n)
	clear(f.coarse)
	w := sub * f.cols
	for r := range f.labels {
		for i, v := range f.field[r*cells:][:cells] {
			f.coarse[r*n+(i/w/sub)*f.cols+i%w/sub] += v / (sub * sub)
		}
	}
}

func (f *Follower) Step(in *Frame) {
	n := f.rows * f.cols
	cells := n * sub * sub
	f.joinVectors(in)
	f.motion = islands.Motion(f.motion, in.Flow, in.W, in.H, sub*f.rows, sub*f.cols)
	f.warp()
	f.looks()
	f.fuse()
	f.pool()
	if f.cfg.Vote > 0 {
		f.vote(in.Islands)
	}
	f.learn()
	_ = cells
	copy(f.last, f.join)
}

func (f *Follower) warp() {
	w, h := sub*f.cols, sub*f.rows
	cells := w * h
	if f.motion == nil {
		copy(f.next, f.field)
		f.field, f.next = f.next, f.field
		return
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			sx, sy := float32(x)-f.motion[2*i], float32(y)-f.motion[2*i+1]
			sx = min(max(sx, 0), float32(w-1))
			sy = min(max(sy, 0), float32(h-1))
			x0, y0 := int(sx), int(sy)
			x1, y1 := min(x0+1, w-1), min(y0+1, h-1)
			fx, fy := sx-float32(x0), sy-float32(y0)
			a, b, c, d := (1-fy)*(1-fx), (1-fy)*fx, fy*(1-fx), fy*fx
			for r := range f.labels {
				s := f.field[r*cells:][:cells]
				f.next[r*cells+i] = a*s[y0*w+x0] + b*s[y0*w+x1] + c*s[y1*w+x0] + d*s[y1*w+x1]
			}
		}
	}
	f.field, f.next = f.next, f.field
}

// looks fills look with the log likelihood of each label by appearance.
func (f *Follower) looks() {
	n := f.rows * f.cols
	f.look = resize(f.look, f.labels*n)
	tau := float32(f.cfg.Tau)
	for i := range n {
		v := f.join[i*f.dim:][:f.dim]
		for r := range f.labels {
			c, _ := f.first[r].nearest(v, f.dim)
			if !f.cfg.FirstOnly {
				c2, _ := f.recent[r].nearest(v, f.dim)
				c = max(c, c2)
			}
			f.look[r*n+i] = c / tau
		}
		// normalise: softmax, floor, log
		f.softmaxAt(i, n)
	}
}

func (f *Follower) softmaxAt(i, n int) {
	top := float32(math.Inf(-1))
	for r := range f.labels {
		top = max(top, f.look[r*n+i])
	}
	var sum float64
	for r := range f.labels {
		e := math.Exp(float64(f.look[r*n+i] - top))
		sum += e
	}
	for r := range f.labels {
		p := math.Exp(float64(f.look[r*n+i]-top)) / sum
		f.look[r*n+i] = float32(math.Pow(p*0.98+0.02/float64(f.labels), f.cfg.Look))
	}
}

// fuse multiplies the warped scores by the likelihood.
func (f *Follower) fuse() {
	w, h := sub*f.cols, sub*f.rows
	n := f.rows * f.cols
	cells := w * h
	leak := float32(f.cfg.Leak)
	f.pool()
	f.blur = resize(f.blur, f.labels*n)
	f.tmp = resize(f.tmp, n)
	for r := range f.labels {
		box(f.blur[r*n:][:n], f.coarse[r*n:][:n], f.tmp, f.rows, f.cols, int(f.cfg.Sigma))
		for i := range f.blur[r*n:][:n] {
			f.blur[r*n+i] = f.blur[r*n+i]*leak + f.cfg.Floor/float32(f.labels)
		}
	}
	keep := 1 - leak - f.cfg.Floor
	for y := range h {
		gy := min(max((float32(y)+.5)/sub-.5, 0), float32(f.rows-1))
		y0 := int(gy)
		y1 := min(y0+1, f.rows-1)
		fy := gy - float32(y0)
		for x := range w {
			gx := min(max((float32(x)+.5)/sub-.5, 0), float32(f.cols-1))
			x0 := int(gx)
			x1 := min(x0+1, f.cols-1)
			fx := gx - float32(x0)
			i := y*w + x
			var sum float32
			A, B, C, D := (1-fy)*(1-fx), (1-fy)*fx, fy*(1-fx), fy*fx
			ia, ib, ic, id := y0*f.cols+x0, y0*f.cols+x1, y1*f.cols+x0, y1*f.cols+x1
			for r := range f.labels {
				l := f.look[r*n:][:n]
				q := f.blur[r*n:][:n]
				ll := A*l[ia] + B*l[ib] + C*l[ic] + D*l[id]
				qq := A*q[ia] + B*q[ib] + C*q[ic] + D*q[id]
				p := (f.field[r*cells+i]*keep + qq) * ll
				f.field[r*cells+i] = p
				sum += p
			}
			for r := range f.labels {
				f.field[r*cells+i] /= sum
			}
		}
	}
}

// box writes the mean of x over windows of 2k+1 by 2k+1 into dst.
func box(dst, x, tmp []float32, rows, cols, k int) {
	for r := range rows {
		for c := range cols {
			var s float32
			c0, c1 := max(0, c-k), min(cols-1, c+k)
			for j := c0; j <= c1; j++ {
				s += x[r*cols+j]
			}
			tmp[r*cols+c] = s / float32(c1-c0+1)
		}
	}
	for r := range rows {
		r0, r1 := max(0, r-k), min(rows-1, r+k)
		for c := range cols {
			var s float32
			for j := r0; j <= r1; j++ {
				s += tmp[j*cols+c]
			}
			dst[r*cols+c] = s / float32(r1-r0+1)
		}
	}
}

// vote pulls each location towards the mean of its island.
func (f *Follower) vote(l *islands.Level) {
	n := f.rows * f.cols
	cells := n * sub * sub
	if f.idsum == nil {
		f.idsum = map[uint16]int{}
	}
	clear(f.idsum)
	for k := range l.Islands {
		f.idsum[l.Islands[k].ID] = k
	}
	f.sums = resize(f.sums, f.labels*len(l.Islands))
	clear(f.sums)
	m := len(l.Islands)
	for i, id := range l.ID {
		k := f.idsum[id]
		for r := range f.labels {
			f.sums[r*m+k] += f.coarse[r*n+i] / float32(l.Islands[k].Area)
		}
	}
	w := sub * f.cols
	mu := float32(f.cfg.Vote)
	f.conf = resize(f.conf, m)
	for k := range m {
		var top float32
		for r := range f.labels {
			top = max(top, f.sums[r*m+k])
		}
		f.conf[k] = float32(math.Pow(float64(2*top-1), f.cfg.VotePow))
		if top < 0.5 {
			f.conf[k] = 0
		}
	}
	for i := range cells {
		k := f.idsum[l.ID[(i/w/sub)*f.cols+i%w/sub]]
		for r := range f.labels {
			f.field[r*cells+i] += mu * f.conf[k] * (f.sums[r*m+k] - f.field[r*cells+i])
		}
	}
}

// learn moves the recent memory towards what the labels look like now.
func (f *Follower) learn() {
	if f.cfg.Rate == 0 {
		return
	}
	n := f.rows * f.cols
	rate := float32(f.cfg.Rate)
	for i := range n {
		v := f.join[i*f.dim:][:f.dim]
		for r := range f.labels {
			if f.coarse[r*n+i] < 0.9 || f.recent[r].n == 0 {
				continue
			}
			_, k := f.recent[r].nearest(v, f.dim)
			p := f.recent[r].v[k*f.dim:][:f.dim]
			for a := range p {
				p[a] += rate * (v[a] - p[a])
			}
			if s := glom.Dot(p, p); s > 1e-9 {
				inv := float32(1 / math.Sqrt(float64(s)))
				for a := range p {
					p[a] *= inv
				}
			}
		}
	}
}

// Mask writes the grey value of the region at each pixel into dst (h, w).
func (f *Follower) Mask(dst []uint8, w, h int, pix []byte, stride int) {
	rows, cols := sub*f.rows, sub*f.cols
	cells := rows * cols
	f.level.Rows, f.level.Cols = rows, cols
	f.level.ID = resize(f.level.ID, cells)
	for i := range cells {
		best, at := f.field[i], 0
		for r := 1; r < f.labels; r++ {
			if v := f.field[r*cells+i]; v > best {
				best, at = v, r
			}
		}
		f.level.ID[i] = uint16(at + 1)
	}
	f.ids = resize(f.ids, w*h)
	f.up.Labels(f.ids, w, h, &f.level, pix, stride)
	for i, id := range f.ids {
		dst[i] = f.grey[id-1]
	}
}

// Pick writes 255 at the pixels of the island at a point into dst (h, w) and 0 elsewhere. labels
// are the islands of a level. It reports whether the island is no more than a quarter of the
// picture.
func Pick(dst []uint8, labels []uint16, w, h int, at image.Point) bool {
	id := labels[at.Y*w+at.X]
	area := 0
	for i, v := range labels {
		dst[i] = 0
		if v == id {
			dst[i] = 255
			area++
		}
	}
	return 4*area <= w*h
}
