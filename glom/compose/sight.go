package compose

import "math"

// How a front end sees motion. DIS (Kroeger et al. 2016) matches patches of 8 by 8 pixels, first
// in a picture that is eight or sixteen times smaller, at last in one of a quarter of the size,
// and each time starts from what it found before. From this come its faults, and a model of them
// on a pyramid of grids whose finest has a cell for 4 by 4 pixels:
//
//	texture c = g / (g + g0)           g: squared gradient of the cell's grey value
//	own     o = B(c v) / B(c)          v: exact motion, B: blur by about a patch
//	flow    f = up + k s (o - up)      up: flow of the next coarser grid, 0 above the coarsest
//	                                   s = B(c) / (B(c) + c0)
//
// So motion spreads over borders, and into cells without texture it comes from around them. k is
// 1 where o is near enough to up for the search to find it and 0 where it is too far, measured in
// cells: small things that are fast are lost. Where something has come into view, c is 0. Noise
// grows with the motion and where there is little texture.
const (
	cell4      = 4    // pixels in a side of the finest cells
	flatness   = 36.0 // g0, in squared grey values
	leastProof = 0.08 // c0
	nearest    = 0.8  // cells up to which k is 1
	farthest   = 2.2  // cells from which on k is 0
	widest     = 1.5  // times as far for the coarsest grid
	noiseFixed = 0.03 // pixels
	noiseShare = 0.05 // of the motion, in pixels
)

// sight is the memory of see: one grid for each level of the pyramid, the finest first.
type sight struct{ grids [4]grid }

// grid is one level of the pyramid.
type grid struct {
	h, w int
	c    []float32    // (h, w) texture, blurred in the end
	v    [2][]float32 // (h, w) c times the exact motion, in pixels, blurred in the end
	f    [2][]float32 // (h, w) what is seen
	tmp  []float32
	grey []float32
}

func (g *grid) shape(h, w int) {
	g.h, g.w = h, w
	n := h * w
	g.c, g.tmp, g.grey = grow(g.c, n), grow(g.tmp, n), grow(g.grey, n)
	for k := range g.v {
		g.v[k], g.f[k] = grow(g.v[k], n), grow(g.f[k], n)
	}
}

// see replaces the exact flow of frame t by what DIS would make of the picture.
func (w *worker) see(flow []float32, t int) {
	s := &w.sight
	g := &s.grids[0]
	g.shape(w.cfg.H/cell4, w.cfg.W/cell4)
	w.look(g, flow, t)
	// OpenCV's choice of the coarsest picture: 2^levels <= 2 W / (5 * 8).
	levels := 1
	for levels < len(s.grids) && w.cfg.W/20 >= 4<<levels {
		levels++
	}
	for l := 1; l < max(levels, 2); l++ { // the second is also where noise is thrown
		s.grids[l].coarser(&s.grids[l-1])
	}
	for l := levels - 1; l >= 0; l-- {
		g := &s.grids[l]
		g.spread(g.c, 2+min(l, 1))
		for k := range g.v {
			g.spread(g.v[k], 2+min(l, 1))
			if l == levels-1 {
				clear(g.f[k])
			} else {
				g.up(g.f[k], &s.grids[l+1], s.grids[l+1].f[k])
			}
		}
		g.search(float32(int(cell4)<<l), l == levels-1)
	}
	w.blunder()
	for k := range g.f {
		w.enlarge(flow[k:], g, g.f[k])
	}
}

// look takes texture and motion of each cell from the picture and the exact flow of frame t.
func (w *worker) look(g *grid, flow []float32, t int) {
	pix := w.dst.Pix[3*t*w.cfg.H*w.cfg.W:]
	for y := range g.h {
		for x := range g.w {
			sum := uint32(0)
			for v := range cell4 {
				row := pix[3*((cell4*y+v)*w.cfg.W+cell4*x):][:3*cell4]
				for u := 0; u < len(row); u += 3 {
					sum += 29*uint32(row[u]) + 150*uint32(row[u+1]) + 77*uint32(row[u+2])
				}
			}
			g.grey[y*g.w+x] = float32(sum) / (256 * cell4 * cell4)
		}
	}
	for y := range g.h {
		for x := range g.w {
			i := y*g.w + x
			px, py := cell4*x+cell4/2, cell4*y+cell4/2
			at := 2 * (py*w.cfg.W + px)
			dx, dy := flow[at], flow[at+1]
			c := g.texture(x, y)
			if w.appeared(t, px, py, dx, dy) {
				c = 0
			}
			g.c[i], g.v[0][i], g.v[1][i] = c, float32(c*dx), float32(c*dy)
		}
	}
}

// texture returns c of a cell.
func (g *grid) texture(x, y int) float32 {
	dx := g.grey[y*g.w+min(x+1, g.w-1)] - g.grey[y*g.w+max(x-1, 0)]
	dy := g.grey[min(y+1, g.h-1)*g.w+x] - g.grey[max(y-1, 0)*g.w+x]
	e := float32(dx*dx) + float32(dy*dy)
	return e / (e + 4*flatness)
}

// coarser fills g with the sums of four cells of from.
func (g *grid) coarser(from *grid) {
	g.shape((from.h+1)/2, (from.w+1)/2)
	gather := func(dst, src []float32) {
		for y := range g.h {
			a, b := src[2*y*from.w:], src[min(2*y+1, from.h-1)*from.w:]
			for x := range g.w {
				i, j := 2*x, min(2*x+1, from.w-1)
				dst[y*g.w+x] = (a[i] + a[j] + b[i] + b[j]) / 4
			}
		}
	}
	gather(g.c, from.c)
	gather(g.v[0], from.v[0])
	gather(g.v[1], from.v[1])
}

// spread is B: patches are larger than the two cells that a blur reaches.
func (g *grid) spread(v []float32, times int) {
	for range times {
		g.blur(v)
	}
}

// blur averages by 1 4 6 4 1 in both directions.
func (g *grid) blur(v []float32) {
	for y := range g.h {
		row, out := v[y*g.w:][:g.w], g.tmp[y*g.w:][:g.w]
		last := g.w - 1
		for x := range row {
			out[x] = five(row[max(x-2, 0)], row[max(x-1, 0)], row[x], row[min(x+1, last)], row[min(x+2, last)])
		}
	}
	last := g.h - 1
	at := func(y int) []float32 { return g.tmp[min(max(y, 0), last)*g.w:][:g.w] }
	for y := range g.h {
		a, b, c, d, e := at(y-2), at(y-1), at(y), at(y+1), at(y+2)
		out := v[y*g.w:][:g.w]
		for x := range out {
			out[x] = five(a[x], b[x], c[x], d[x], e[x])
		}
	}
}

func five(a, b, c, d, e float32) float32 {
	return float32((a+e)*(1.0/16)) + float32((b+d)*(4.0/16)) + float32(c*(6.0/16))
}

// up writes into dst, of the size of g, what v of the coarser grid from has between its cells.
func (g *grid) up(dst []float32, from *grid, v []float32) {
	for y := range g.h {
		near, far := y/2, min(max(y/2-1+2*(y&1), 0), from.h-1)
		a, b := v[near*from.w:][:from.w], v[far*from.w:][:from.w]
		for x := range g.w {
			i, j := x/2, min(max(x/2-1+2*(x&1), 0), from.w-1)
			p := float32(a[i]*0.75) + float32(a[j]*0.25)
			q := float32(b[i]*0.75) + float32(b[j]*0.25)
			dst[y*g.w+x] = float32(p*0.75) + float32(q*0.25)
		}
	}
}

// search moves the flow of g, whose cells have side pixels, towards what its patches show. The
// first search may go farther.
func (g *grid) search(side float32, first bool) {
	near, far := float32(nearest)*side, float32(farthest)*side
	if first {
		near, far = widest*near, widest*far
	}
	for i, c := range g.c {
		if c < 1e-6 {
			continue
		}
		dx, dy := g.v[0][i]/c-g.f[0][i], g.v[1][i]/c-g.f[1][i]
		d := float32(math.Sqrt(float64(float32(dx*dx) + float32(dy*dy))))
		k := min(max((far-d)/(far-near), 0), 1) * c / (c + leastProof)
		g.f[0][i] += float32(k * dx)
		g.f[1][i] += float32(k * dy)
	}
}

// blunder adds noise to the finest grid, which patches that overlap share: it is thrown on the
// next coarser one. It has long tails, as a patch may be quite wrong.
func (w *worker) blunder() {
	g, wide := &w.sight.grids[0], &w.sight.grids[1]
	for k := range g.v {
		for i := range wide.c {
			n := w.Normal()
			wide.tmp[i] = float32(n * math.Abs(n))
		}
		wide.f[k], wide.tmp = wide.tmp, wide.f[k]
		wide.blur(wide.f[k])
		g.up(g.v[k], wide, wide.f[k])
		for i, c := range g.c {
			f := &g.f[k][i]
			speed := max(*f, -*f)
			high := noiseFixed + float32(noiseShare*speed)
			high = float32(high * (0.5 + 0.4/(0.1+c)))
			*f += float32(float32(2*high) * g.v[k][i])
		}
	}
}

// enlarge writes v of grid g at every second place of dst, for all pixels.
func (w *worker) enlarge(dst []float32, g *grid, v []float32) {
	for y := range w.cfg.H {
		y0, y1, fy := between(y, g.h)
		a, b, out := v[y0*g.w:][:g.w], v[y1*g.w:][:g.w], dst[2*y*w.cfg.W:]
		for x := range w.cfg.W {
			x0, x1, fx := between(x, g.w)
			p := a[x0] + float32(fx*(a[x1]-a[x0]))
			q := b[x0] + float32(fx*(b[x1]-b[x0]))
			out[2*x] = p + float32(fy*(q-p))
		}
	}
}

// between returns the two of n cells whose centres are around pixel i, and how far it is from
// the first, in cells.
func between(i, n int) (j, k int, f float32) {
	i = 2*i + 1 - cell4 // half pixels from the centre of the first cell
	if i <= 0 {
		return 0, 0, 0
	}
	j = i / (2 * cell4)
	return j, min(j+1, n-1), float32(i%(2*cell4)) / (2 * cell4)
}
