package compose

import (
	"math"

	"glomstream/glom/clips"
)

// figure adds an object of one to five painted parts that swing about their joints.
func (w *worker) figure() error {
	first := len(w.layers)
	size := w.size(0.1, 0.9)
	count := 1 + w.Intn(5)
	if size < 3*clips.Cell {
		count = min(count, 2) // smaller parts than a location are none
	}
	object := w.object()
	shared := w.Chance(0.3) // one texture for all parts
	m, free := w.actor(1)
	m.turn = w.Float()

	// The body is as large as leaves the limbs room.
	body := size
	if count > 1 {
		body = float64(size * w.Range(0.45, 0.8))
	}
	w.bodies = w.bodies[:0]
	var skin *raster
	for i := range count {
		s := w.body(body, i)
		r := w.raster(s.w, s.h)
		if shared && skin != nil {
			r.tile(skin)
		} else if err := w.texture(r); err != nil {
			return err
		}
		if skin == nil {
			skin = w.raster(s.w, s.h)
			copy(skin.pix, r.pix)
		}
		s.carve(r)
		w.bodies = append(w.bodies, s)
		l := w.layer(r)
		l.ids[0] = label{w.part(), object}
		w.attach(l, i, m, free)
	}
	// Limbs lie before or behind the body.
	if count > 1 && w.Chance(0.5) {
		last := len(w.layers) - 1
		w.layers[first], w.layers[last] = w.layers[last], w.layers[first]
	}
	return nil
}

// body is the shape of one part and how it hangs on another.
type body struct {
	w, h    int
	round   float64 // radius of the corners of a box; 0: a blob
	waves   [4]wave // of a blob: how its radius varies with once to four times the angle
	parent  int
	jx, jy  float64 // the joint, in texels of the parent from its middle
	ox      float64 // the joint, in own texels left of the middle
	angle   float64 // turns against the parent
	swing   float64 // as motion.sway
	rate    float64
	swingAt float64
}

// wave is a cosine of some amplitude, by its parts that are even and odd.
type wave struct{ cos, sin float64 }

// body throws part i of a figure with a body of so many pixels.
func (w *worker) body(size float64, i int) body {
	var s body
	long, wide := size, float64(size*w.Range(0.5, 1))
	if i > 0 {
		long = max(float64(size*w.Range(0.5, 1.2)), 6)
		wide = max(float64(long*w.Range(0.3, 0.8)), 5)
	}
	s.w, s.h = int(long)+4, int(wide)+4
	if w.Chance(0.5) {
		s.round = float64(min(long, wide) / 2 * w.Range(0.15, 1))
	} else {
		for k := range s.waves {
			sin, cos := sincos(w.Float())
			high := w.Range(0, 0.16) / float64(1+k/2)
			s.waves[k] = wave{float64(cos * high), float64(sin * high)}
		}
	}
	if i == 0 {
		return s
	}
	s.parent = 0
	if i > 1 && w.Chance(0.3) {
		s.parent = i - 1 // a chain
	}
	p := &w.bodies[s.parent]
	s.angle = w.Float()
	sin, cos := sincos(s.angle)
	s.jx, s.jy = float64(float64(cos*float64(p.w))*0.36), float64(float64(sin*float64(p.h))*0.36)
	s.ox = -float64(long * 0.38)
	s.angle += w.Range(-0.12, 0.12) // away from the parent, more or less
	if !w.frozen && w.Chance(0.8) {
		s.swing, s.rate, s.swingAt = w.Range(0.02, 0.14), w.Range(0.03, 0.22), w.Float()
	}
	return s
}

// attach places the layer of part i: through its joint on its parent, which is placed already.
func (w *worker) attach(l *layer, i int, m motion, free bool) {
	s := &w.bodies[i]
	if i == 0 {
		w.walk(l, m, free, shift(-float64(s.w)/2, -float64(s.h)/2))
		return
	}
	parent := &w.layers[len(w.layers)-1-(i-s.parent)]
	p := &w.bodies[s.parent]
	for t := range l.to {
		joint := motion{
			x: s.jx + float64(p.w)/2, y: s.jy + float64(p.h)/2,
			turn: s.angle, sway: s.swing, rate: s.rate, phase: s.swingAt, scale: 1,
		}
		a := joint.at(w.tau(t))
		a = a.after(shift(-s.ox-float64(s.w)/2, -float64(s.h)/2))
		l.to[t] = parent.to[t].after(a)
	}
}

// carve makes what of r lies outside the shape clear, with a soft border.
func (s *body) carve(r *raster) {
	clear(r.id)
	hx, hy := float64(s.w)/2-2, float64(s.h)/2-2
	for y := range r.h {
		for x := range r.w {
			px, py := float64(x)+0.5-float64(s.w)/2, float64(y)+0.5-float64(s.h)/2
			d := s.depth(px, py, hx, hy)
			i := y*r.w + x
			r.pix[i] = fade(r.pix[i], uint32(256*min(max(d+0.5, 0), 1)))
		}
	}
}

// depth returns how deep a point, seen from the middle, lies in the shape, in texels.
func (s *body) depth(x, y, hx, hy float64) float64 {
	if s.round > 0 {
		return boxDepth(x, y, hx, hy, s.round)
	}
	return s.blobDepth(x, y, hx, hy)
}

// boxDepth returns how deep a point lies in a box with round corners, in texels.
func boxDepth(x, y, hx, hy, round float64) float64 {
	dx, dy := math.Abs(x)-hx+round, math.Abs(y)-hy+round
	if dx > 0 && dy > 0 {
		return round - math.Sqrt(dot(dx, dx, dy, dy))
	}
	return round - max(dx, dy)
}

// blobDepth is about how deep a point lies in the blob, whose radius at angle a is that of the
// ellipse times 0.75 + sum over k of waves_k(k a).
func (s *body) blobDepth(x, y, hx, hy float64) float64 {
	x, y = x/hx, y/hy
	rho := math.Sqrt(dot(x, x, y, y))
	if rho < 1e-6 {
		return min(hx, hy)
	}
	c1, s1 := x/rho, y/rho
	c, sn := c1, s1
	radius := 0.75
	for _, v := range s.waves {
		radius += dot(c, v.cos, sn, v.sin)
		c, sn = dot(c, c1, -sn, s1), dot(c, s1, sn, c1)
	}
	return float64((min(radius, 1) - rho) * min(hx, hy))
}
