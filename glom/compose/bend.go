package compose

// bend says how a layer departs from a plane that moves as a whole: in most films the background
// has depth, water and leaves move in themselves, and so does what lives. The zero value bends
// nothing. Screen point p shows the texel
//
//	q + depth(q) (rest(p) - q) + swell(q, t)    q: where p is in a plane
//
// Where depth is 0 a place goes with the plane; where it is 1 it stays on the screen, as what is
// far away, and where it is negative it goes faster, as what is near.
type bend struct {
	on     bool
	rest   affine    // screen to texture while nothing has moved
	relief [2]ripple // of depth
	ground float64   // depth falls by so much from row on …
	row    float64
	reach  float64 // … within so many rows
	swell  [3]ripple
	dx, dy float64 // drift of what swells, in texels a frame
	top    float64 // it swells from this row on …
	fall   float64 // … fully after so many rows; 0: everywhere
	most   float64 // texels that swell moves anything, at most
}

// ripple is a wave: x, y times cos 2 pi (fx u + fy v + rate t + phase) at texel (u, v).
type ripple struct{ x, y, fx, fy, rate, phase float64 }

func (r *ripple) at(u, v, tau float64) float64 {
	_, c := sincos(dot(r.fx, u, r.fy, v) + float64(r.rate*tau) + r.phase)
	return c
}

// depth returns how much less than the plane the texel (u, v) moves.
func (b *bend) depth(u, v float64) float64 {
	d := 0.0
	if b.ground != 0 {
		d = float64(b.ground * (0.5 - min(max((v-b.row)/b.reach, 0), 1)))
	}
	for i := range b.relief {
		if r := &b.relief[i]; r.x != 0 {
			d += float64(r.x * r.at(u, v, 0))
		}
	}
	return d
}

// texel returns what screen point (x, y) shows at time tau of a layer whose plane back places.
func (b *bend) texel(back *affine, x, y, tau float64) (u, v float64) {
	u, v = back.point(x, y)
	du, dv := 0.0, 0.0
	if d := b.depth(u, v); d != 0 {
		ru, rv := b.rest.point(x, y)
		du, dv = float64(d*(ru-u)), float64(d*(rv-v))
	}
	share := 1.0
	if b.fall > 0 {
		share = min(max((v-b.top)/b.fall, 0), 1)
	}
	if share > 0 {
		sx, sy := float64(b.dx*tau), float64(b.dy*tau)
		for i := range b.swell {
			r := &b.swell[i]
			if r.x == 0 && r.y == 0 {
				continue
			}
			c := r.at(u, v, tau)
			sx, sy = sx+float64(r.x*c), sy+float64(r.y*c)
		}
		du, dv = du+float64(share*sx), dv+float64(share*sy)
	}
	return u + du, v + dv
}

// landscape throws how the background l bends, which lies in the world by the given map.
func (w *worker) landscape(l *layer, world affine) {
	if w.frozen {
		return
	}
	b := &l.bend
	b.rest = world.inverse()
	high := float64(l.tex.h)
	texels := 1 / world.scale() // in a pixel
	if w.Chance(0.55) {
		b.on = true
		if w.Chance(0.7) {
			b.ground = w.Range(0.1, 0.8)
			b.reach = float64(high * w.Range(0.15, 1))
			b.row = float64(high * w.Range(0.1, 0.7))
		}
		for i := range b.relief {
			length := float64(texels * w.Range(80, 300))
			b.relief[i] = w.ripple(length)
			b.relief[i].x, b.relief[i].rate = w.small(0.15), 0
		}
	}
	if w.Chance(0.2) {
		w.swell(b, float64(16*texels), float64(80*texels))
		if w.Chance(0.3) {
			b.dx, b.dy = float64(texels*w.small(2)), float64(texels*w.small(0.5))
		}
		if w.Chance(0.7) { // water, not leaves
			b.top = float64(high * w.Range(0, 0.7))
			b.fall = max(float64(high*w.Range(0.02, 0.2)), float64(20*texels))
		}
	}
}

// swell throws waves from low to high texels long.
func (w *worker) swell(b *bend, low, high float64) {
	b.on = true
	for i := range b.swell {
		length := w.Range(low, high)
		r := w.ripple(length)
		r.x, r.y = float64(length*w.small(0.05)), float64(length*w.small(0.05))
		b.swell[i] = r
		b.most += float64(0.071 * length)
	}
}

// ripple throws a wave of some length in any direction.
func (w *worker) ripple(length float64) ripple {
	sin, cos := sincos(w.Float())
	return ripple{fx: cos / length, fy: sin / length, rate: w.Range(0.03, 0.2), phase: w.Float()}
}

// mesh is a grid of the corners of squares of side pixels over the screen: what lies between is
// interpolated.
type mesh struct {
	w    int        // corners in a row
	u, v []int64    // texels, fixed
	f    [][2]int64 // motion, fixed
}

// side is that of the squares of a mesh in pixels.
const side = 8

// shape fits m to the screen.
func (m *mesh) shape(width, height int) {
	m.w = width/side + 1
	n := m.w * (height/side + 1)
	m.u, m.v, m.f = grow(m.u, n), grow(m.v, n), grow(m.f, n)
}

// lay fills w.mesh with what the corners show of the layer l at time tau.
func (w *worker) lay(l *layer, back *affine, tau float64) {
	m := &w.mesh
	m.shape(w.cfg.W, w.cfg.H)
	for i := range m.u {
		u, v := l.bend.texel(back, float64(i%m.w*side), float64(i/m.w*side), tau)
		m.u[i], m.v[i] = toFixed(u), toFixed(v)
	}
}

// spans calls f for stretches of pixels of a rectangle, n from (x, y) to the right, which show
// texels from (u, v) on, (du, dv) apart.
func (w *worker) spans(l *layer, to affine, tau float64, x0, y0, x1, y1 int, f func(x, y, n int, u, v, du, dv int64)) {
	back := to.inverse()
	if !l.bend.on {
		m := back.fixed()
		for y := y0; y < y1 && x0 < x1; y++ {
			u, v := m.at(x0, y)
			f(x0, y, x1-x0, u, v, m.a, m.c)
		}
		return
	}
	w.lay(l, &back, tau)
	m := &w.mesh
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; {
			n := min(side-x%side, x1-x)
			u, v, du, dv := m.between(x, y)
			f(x, y, n, u, v, du, dv)
			x += n
		}
	}
}

// between returns what pixel (x, y) shows and how that changes to the right.
func (m *mesh) between(x, y int) (u, v, du, dv int64) {
	i, fy := y/side*m.w+x/side, int64(2*(y%side)+1)
	down := func(c []int64, i int) int64 { return c[i] + (c[i+m.w]-c[i])*fy/(2*side) }
	u, v = down(m.u, i), down(m.v, i)
	du, dv = (down(m.u, i+1)-u)/side, (down(m.v, i+1)-v)/side
	half := int64(2*(x%side) + 1)
	return u + du*half/2, v + dv*half/2, du, dv
}

// drift fills w.mesh with the motion of the bent layer l at the corners in frame t: p minus where
// in frame t-1 was what p shows. That place is searched for from where a plane would have it.
func (w *worker) drift(l *layer, t int) {
	m := &w.mesh
	m.shape(w.cfg.W, w.cfg.H)
	now, then := l.to[t].inverse(), l.to[t-1].inverse()
	to := &l.to[t-1]
	for i := range m.f {
		x, y := float64(i%m.w*side), float64(i/m.w*side)
		u, v := l.bend.texel(&now, x, y, w.tau(t))
		px, py := to.point(u, v)
		for range 6 {
			pu, pv := l.bend.texel(&then, px, py, w.tau(t-1))
			du, dv := u-pu, v-pv
			px, py = px+dot(to.a, du, to.b, dv), py+dot(to.c, du, to.d, dv)
		}
		m.f[i] = [2]int64{toFixed(x - px), toFixed(y - py)}
	}
}

// motion returns that of pixel (x, y).
func (m *mesh) motion(x, y int) (dx, dy int64) {
	i := y/side*m.w + x/side
	fx, fy := int64(2*(x%side)+1), int64(2*(y%side)+1)
	a, b, c, d := &m.f[i], &m.f[i+1], &m.f[i+m.w], &m.f[i+m.w+1]
	mix := func(k int) int64 {
		top, low := a[k]*(2*side-fx)+b[k]*fx, c[k]*(2*side-fx)+d[k]*fx
		return (top*(2*side-fy) + low*fy) / (4 * side * side)
	}
	return mix(0), mix(1)
}
