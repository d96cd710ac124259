package cut

import "math"

// A cut breaks the structure, and structure and colour together. At the cuts of synthetic scenes down to
// 64x64 and 90x160 pixels structure is at least 0.51; within them and within the first 60 frames of 30
// real clips it is at most 0.40, by the refined flow. By a coarser one it was at least 0.69, and the sum at
// least 1.09, at 870 joins of the last and first frames of real clips, and at most 0.47 within them, also when they
// are made to flicker or flash. The sum lets a camera shake that the flow
// cannot follow pass, and would let a cut pass between pictures of the same colours.
const (
	minStructure = 0.48
	minTogether  = 0.9
)

// side is the side of a block in pixels of the half-size picture.
const side = 8

// Detector finds cuts. The zero value is ready for a first frame.
type Detector struct {
	before, now view
	blocks      []block
	known       bool // now is of a frame
	change      Change
}

// Change tells how much of a frame did not come from the one before, 0 to 1 each.
type Change struct {
	Structure float64 // of the texture, the share that the frame before, moved by the flow, does not explain
	Colour    float64 // of the pixels, the share whose colours the frame before did not have
}

// cut tells whether c is that of a cut.
func (c Change) cut() bool {
	return c.Structure >= minStructure && c.Structure+c.Colour >= minTogether
}

// Reset forgets the frame before.
func (d *Detector) Reset() { d.known = false }

// Change returns what Cut saw between its last two frames, zeros if it could not compare them.
func (d *Detector) Change() Change { return d.change }

// Cut takes a frame and tells whether there is a cut between the one before and it. pix is
// (h, w, 3) BGR, flow (h, w, 2) the motion dx, dy in pixels: what is at p now was at p - flow(p);
// nil stands for no motion. The first frame is no cut, and neither is one of another size or one
// that is smaller than 16 by 16 pixels. Cut keeps neither slice and panics when one has another length.
func (d *Detector) Cut(pix []byte, flow []float32, w, h int) bool {
	if w < 1 || h < 1 || len(pix) != 3*w*h || flow != nil && len(flow) != 2*w*h {
		panic("cut: shapes do not fit")
	}
	d.change = Change{}
	d.before, d.now = d.now, d.before
	d.now.see(pix, w, h)
	alike := d.known && d.before.w == d.now.w && d.before.h == d.now.h && d.now.w >= side && d.now.h >= side
	d.known = true
	if !alike {
		return false
	}
	d.change = Change{Structure: d.structure(flow, w), Colour: colour(&d.now, &d.before)}
	return d.change.cut()
}

// view is what remains of a frame.
type view struct {
	w, h int                  // half the size of the frame
	grey []float32            // (h, w) 0 to 255
	hist [1 << (3 * 3)]uint32 // pixels by colour, 3 bits for each of blue, green and red
}

// see fills v from a frame, 2 by 2 pixels at a time.
func (v *view) see(pix []byte, w, h int) {
	v.w, v.h = w/2, h/2
	if cap(v.grey) < v.w*v.h {
		v.grey = make([]float32, v.w*v.h)
	}
	v.grey = v.grey[:v.w*v.h]
	clear(v.hist[:])
	for y := range v.h {
		top, bottom := pix[3*2*y*w:][:3*w], pix[3*(2*y+1)*w:][:3*w]
		row := v.grey[y*v.w:][:v.w]
		for x := range row {
			p, q := top[6*x:][:6], bottom[6*x:][:6]
			b := uint32(p[0]) + uint32(p[3]) + uint32(q[0]) + uint32(q[3]) // 4*255 at most
			g := uint32(p[1]) + uint32(p[4]) + uint32(q[1]) + uint32(q[4])
			r := uint32(p[2]) + uint32(p[5]) + uint32(q[2]) + uint32(q[5])
			row[x] = float32(29*b+150*g+77*r) * (1.0 / 1024) // Rec. 601
			v.hist[(b>>7<<6|g>>7<<3|r>>7)&(1<<9-1)]++
		}
	}
}

// colour returns the share of the pixels of a that find none of their colour in b.
func colour(a, b *view) float64 {
	var common uint32
	for i, n := range a.hist {
		common += min(n, b.hist[i])
	}
	return 1 - float64(common)/float64(a.w*a.h)
}

// Standard deviations of grey values.
const (
	noise  = 2 // of the camera
	flat   = 6 // a block with less has no texture that counts
	sudden = 7 // more texture than a fade brings into a flat block from one frame to the next
)

// structure compares each block of now with what the flow says it was before, by the covariance of
// their grey values, 2 cov(a,b) / (var a + var b), where b has first been given the contrast of the
// whole picture now: so it does not depend on brightness and exposure. A block has the weight
// of its standard deviation, the larger of the two. Texture that comes into a flat block or leaves
// one counts as lost as far as it is more than a fade explains, if the contrast of the whole tells
// of a fade. A block that is flat in both frames counts as explained if its brightness stayed, else
// not at all.
func (d *Detector) structure(flow []float32, w int) float64 {
	now, before := &d.now, &d.before
	d.blocks = d.blocks[:0]
	var sumA, sumB float64
	for y := 0; y+side <= now.h; y += side {
		for x := 0; x+side <= now.w; x += side {
			var m moments
			m.add(now, before, flow, w, x, y)
			b := m.spread()
			sumA += b.now
			sumB += b.before
			d.blocks = append(d.blocks, b)
		}
	}
	gain := 1.0 // of contrast
	if sumA > 0 && sumB > 0 {
		gain = math.Sqrt(sumA / sumB)
	}
	fade := 0.0
	if gain > 2 || gain < 0.5 || sumA == 0 || sumB == 0 {
		fade = sudden
	}
	var lost, all float64
	for _, b := range d.blocks {
		switch weight := math.Sqrt(max(b.now, b.before)); {
		case weight >= flat && min(b.now, b.before) < noise*noise:
			lost += max(0, weight-fade)
			all += weight
		case weight >= flat:
			r := 2 * gain * b.cov / (b.now + gain*gain*b.before)
			lost += weight * (1 - max(0, r))
			all += weight
		case math.Abs(b.shift) < flat:
			all += flat
		}
	}
	if all == 0 {
		return 0
	}
	return lost / all
}

// block is what structure compares: variances, covariance, and the change of the mean.
type block struct{ now, before, cov, shift float64 }

// moments are sums over the pixels of a block, a now and b before.
type moments struct{ a, b, aa, bb, ab float64 }

// add adds the block at (x0, y0).
func (m *moments) add(now, before *view, flow []float32, w, x0, y0 int) {
	var still [2]float32
	right, bottom := float32(before.w-1), float32(before.h-1)
	var a, b, aa, bb, ab float32 // of 64 grey values: a few units of 2^24 are lost
	for y := y0; y < y0+side; y++ {
		for x := x0; x < x0+side; x++ {
			v := still[:]
			if flow != nil {
				v = flow[2*(2*y*w+2*x):][:2]
			}
			// max and min of NaN are NaN, which no conversion may meet: the comparison is written out.
			px, py := float32(x)-v[0]/2, float32(y)-v[1]/2
			if !(px > 0) {
				px = 0
			}
			if !(py > 0) {
				py = 0
			}
			px, py = min(px, right), min(py, bottom)
			s, t := now.grey[y*now.w+x], before.at(px, py)
			a += s
			b += t
			aa += s * s
			bb += t * t
			ab += s * t
		}
	}
	m.a, m.b, m.aa, m.bb, m.ab = float64(a), float64(b), float64(aa), float64(bb), float64(ab)
}

// at returns the grey value between pixels, of a place inside.
func (v *view) at(x, y float32) float32 {
	i, j := min(int(x), v.w-2), min(int(y), v.h-2)
	fx, fy := x-float32(i), y-float32(j)
	o := j*v.w + i
	top, bottom := v.grey[o:][:2], v.grey[o+v.w:][:2]
	s := top[0] + fx*(top[1]-top[0])
	t := bottom[0] + fx*(bottom[1]-bottom[0])
	return s + fy*(t-s)
}

func (m *moments) spread() block {
	const n = side * side
	return block{
		now:    max(0, m.aa/n-m.a*m.a/(n*n)),
		before: max(0, m.bb/n-m.b*m.b/(n*n)),
		cov:    m.ab/n - m.a*m.b/(n*n),
		shift:  (m.a - m.b) / n,
	}
}
