package compose

import "math"

// affine maps (x, y) to (a x + b y + tx, c x + d y + ty).
type affine struct{ a, b, c, d, tx, ty float64 }

// dot returns a b + c d. The products are rounded by themselves, as everywhere in this package:
// the sum is then the same whether or not the machine can fuse them.
func dot(a, b, c, d float64) float64 { return float64(a*b) + float64(c*d) }

func shift(x, y float64) affine { return affine{1, 0, 0, 1, x, y} }

// point returns where (x, y) goes.
func (m *affine) point(x, y float64) (u, v float64) {
	return dot(m.a, x, m.b, y) + m.tx, dot(m.c, x, m.d, y) + m.ty
}

// after returns the map that does n first, then m.
func (m *affine) after(n affine) affine {
	tx, ty := m.point(n.tx, n.ty)
	return affine{
		dot(m.a, n.a, m.b, n.c), dot(m.a, n.b, m.b, n.d),
		dot(m.c, n.a, m.d, n.c), dot(m.c, n.b, m.d, n.d),
		tx, ty,
	}
}

// inverse undoes m, which is never flat: scales are positive.
func (m *affine) inverse() affine {
	det := dot(m.a, m.d, -m.b, m.c)
	n := affine{a: m.d / det, b: -m.b / det, c: -m.c / det, d: m.a / det}
	n.tx = -dot(n.a, m.tx, n.b, m.ty)
	n.ty = -dot(n.c, m.tx, n.d, m.ty)
	return n
}

// beyond returns where m is going to be after a part of a frame, if it went from before to m in
// one.
func (m *affine) beyond(before affine, part float64) affine {
	f := func(now, then float64) float64 { return now + float64(part*(now-then)) }
	return affine{
		f(m.a, before.a), f(m.b, before.b), f(m.c, before.c), f(m.d, before.d),
		f(m.tx, before.tx), f(m.ty, before.ty),
	}
}

// one is 1 in the fixed point of fixed.
const one = 1 << 24

// fixed is an affine in whole numbers of 24 bits behind the point.
type fixed struct{ a, b, c, d, tx, ty int64 }

func (m *affine) fixed() fixed {
	return fixed{toFixed(m.a), toFixed(m.b), toFixed(m.c), toFixed(m.d), toFixed(m.tx), toFixed(m.ty)}
}

func toFixed(v float64) int64 { return int64(math.Floor(float64(v*one) + 0.5)) }

// scale returns how much larger m makes things.
func (m *affine) scale() float64 { return math.Sqrt(math.Abs(dot(m.a, m.d, -m.b, m.c))) }

// at returns where the centre of pixel (x, y) goes.
func (m *fixed) at(x, y int) (u, v int64) {
	dx, dy := int64(2*x+1), int64(2*y+1)
	return (m.a*dx+m.b*dy)>>1 + m.tx, (m.c*dx+m.d*dy)>>1 + m.ty
}

// sincos returns the sine and cosine of an angle in turns, to about 1e-9. Those of package math
// differ between machines.
func sincos(turns float64) (sin, cos float64) {
	turns -= math.Floor(turns)
	quarter := math.Floor(turns*4 + 0.5)
	x := float64((turns - quarter/4) * (2 * math.Pi)) // within an eighth of a turn
	q := float64(x * x)
	s := 1 - q/110
	for _, n := range [...]float64{72, 42, 20, 6} {
		s = 1 - float64(q*s)/n
	}
	s = float64(x * s)
	c := 1 - q/90
	for _, n := range [...]float64{56, 30, 12, 2} {
		c = 1 - float64(q*c)/n
	}
	switch int(quarter) & 3 {
	case 1:
		return c, -s
	case 2:
		return -s, -c
	case 3:
		return -c, s
	}
	return s, c
}

// motion is how something moves: where it is in the middle of the clip, and how that changes.
type motion struct {
	x, y, vx, vy, ax, ay float64 // pixels, per frame, per frame squared
	turn, spin           float64 // turns, per frame
	sway, rate, phase    float64 // it also swings by sway turns, rate times a frame
	scale, zoom          float64 // size, and its growth a frame, a share of it
}

// at returns the map from its own to the outer coordinates, tau frames from the middle.
func (m *motion) at(tau float64) affine {
	s, _ := sincos(m.phase + float64(m.rate*tau))
	sin, cos := sincos(m.turn + float64(m.spin*tau) + float64(m.sway*s))
	size := float64(m.scale * max(1+float64(m.zoom*tau), 0.3))
	sin, cos = float64(sin*size), float64(cos*size)
	half := float64(tau*tau) / 2
	return affine{
		cos, -sin, sin, cos,
		m.x + float64(m.vx*tau) + float64(m.ax*half),
		m.y + float64(m.vy*tau) + float64(m.ay*half),
	}
}

// reaches bounds what a rectangle (0, 0) to (w, h) and pad pixels around it cover of outW by outH
// pixels.
func (m *affine) reaches(w, h, pad, outW, outH int) (x0, y0, x1, y1 int) {
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i := range 4 {
		u, v := float64(w*(i&1)), float64(h*(i>>1))
		x, y := m.point(u, v)
		p := [2]float64{x, y}
		for k := range p {
			low[k], high[k] = min(low[k], p[k]), max(high[k], p[k])
		}
	}
	clip := func(v float64, n int) int { return int(min(max(v, 0), float64(n))) }
	p := float64(pad)
	return clip(low[0]-p, outW), clip(low[1]-p, outH), clip(high[0]+1+p, outW), clip(high[1]+1+p, outH)
}
