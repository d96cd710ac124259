package scene

import "math"

// dot returns ab + cd. The conversions forbid fused multiply-add, which some machines have and
// some do not: without them, frames would differ between machines in the last bit.
func dot(a, b, c, d float64) float64 { return float64(a*b) + float64(c*d) }

func length(x, y float64) float64 { return math.Sqrt(dot(x, x, y, y)) }

// clamp limits x to 0 to hi.
func clamp(x, hi float64) float64 { return max(0, min(hi, x)) }

// affine maps (u, v) to (a u + b v + x, c u + d v + y).
type affine struct{ a, b, x, c, d, y float64 }

func move(x, y float64) affine  { return affine{1, 0, x, 0, 1, y} }
func scale(x, y float64) affine { return affine{x, 0, 0, 0, y, 0} }

func turn(angle float64) affine {
	sin, cos := math.Sincos(angle)
	return affine{cos, -sin, 0, sin, cos, 0}
}

// mul returns the map that applies n first, then m.
func (m affine) mul(n affine) affine {
	x, y := m.apply(n.x, n.y)
	return affine{
		dot(m.a, n.a, m.b, n.c), dot(m.a, n.b, m.b, n.d), x,
		dot(m.c, n.a, m.d, n.c), dot(m.c, n.b, m.d, n.d), y,
	}
}

func (m affine) apply(u, v float64) (x, y float64) {
	return dot(m.a, u, m.b, v) + m.x, dot(m.c, u, m.d, v) + m.y
}

func (m affine) inverse() affine {
	det := dot(m.a, m.d, -m.b, m.c)
	i := affine{a: m.d / det, b: -m.b / det, c: -m.c / det, d: m.a / det}
	x, y := i.apply(m.x, m.y)
	i.x, i.y = -x, -y
	return i
}

// rounded drops the last bits, in which the sine of one machine may differ from that of another.
func (m affine) rounded() affine {
	r := func(x float64) float64 { return math.Round(x*(1<<20)) / (1 << 20) }
	return affine{r(m.a), r(m.b), r(m.x), r(m.c), r(m.d), r(m.y)}
}

// motion returns the map from where a point is now to how far it came since before,
// p - before(now^-1(p)), of a thing whose pose was before and is now.
func motion(before, now affine) affine {
	m := before.mul(now.inverse())
	return affine{1 - m.a, -m.b, -m.x, -m.c, 1 - m.d, -m.y}
}

// form is an outline in its own coordinates, in units.
type form interface {
	// dist is the distance of (u, v) from the outline, negative inside. It is exact or a
	// first-order approximation near the outline, which is where it matters.
	dist(u, v float64) float64
	// bounds returns a box that contains the outline.
	bounds() (u0, v0, u1, v1 float64)
}

const far = 1 << 20 // units; beyond any picture

// plane is everything; it is not drawn outside top <= v <= bottom, where something hides it.
type plane struct{ top, bottom float64 }

func (p plane) dist(_, _ float64) float64        { return -far }
func (p plane) bounds() (u0, v0, u1, v1 float64) { return -far, p.top, far, p.bottom }

// ellipse has its centre at the origin.
type ellipse struct{ rx, ry float64 }

func (e ellipse) bounds() (u0, v0, u1, v1 float64) { return -e.rx, -e.ry, e.rx, e.ry }

// dist is k(k-1)/|grad k²/2| with k² = (u/rx)² + (v/ry)².
func (e ellipse) dist(u, v float64) float64 {
	if e.rx == e.ry {
		return length(u, v) - e.rx
	}
	u, v = u/e.rx, v/e.ry
	k := length(u, v)
	if k < 1e-6 {
		return -min(e.rx, e.ry)
	}
	return k * (k - 1) / length(u/e.rx, v/e.ry)
}

// capsule is a limb: from a joint at the origin with radius r0 down to (0, l) with radius r1.
type capsule struct{ l, r0, r1 float64 }

func (c capsule) bounds() (u0, v0, u1, v1 float64) {
	r := max(c.r0, c.r1)
	return -r, -c.r0, r, c.l + c.r1
}

func (c capsule) dist(u, v float64) float64 {
	h := clamp(v/c.l, 1)
	return length(u, v-float64(h*c.l)) - dot(1-h, c.r0, h, c.r1)
}

// box is a rectangle of half sizes w and h with corners rounded by r.
type box struct{ w, h, r float64 }

func (b box) bounds() (u0, v0, u1, v1 float64) { return -b.w, -b.h, b.w, b.h }

func (b box) dist(u, v float64) float64 {
	u, v = math.Abs(u)-b.w+b.r, math.Abs(v)-b.h+b.r
	if u > 0 && v > 0 {
		return length(u, v) - b.r
	}
	return max(u, v) - b.r
}

// blob is an irregular closed curve: radii at equal steps of the diamond angle, which, unlike
// the true one, needs no arc tangent.
type blob struct {
	r   []float64
	max float64
}

// newBlob returns a blob of mean radius r with waves of relative height amp[i] and phase[i],
// i+2 of them around.
func newBlob(r float64, amp, phase []float64) blob {
	b := blob{r: make([]float64, 257)}
	for i := range b.r {
		u, v := undiamond(float64(i%256) / 64)
		angle, sum := math.Atan2(v, u), 1.0
		for j := range amp {
			sum += amp[j] * math.Sin(float64(j+2)*angle+phase[j])
		}
		b.r[i] = math.Round(r*sum*1024) / 1024
		b.max = max(b.max, b.r[i])
	}
	return b
}

// undiamond is the inverse of diamond.
func undiamond(a float64) (u, v float64) {
	switch {
	case a < 1:
		return 1 - a, a
	case a < 2:
		return 1 - a, 2 - a
	case a < 3:
		return a - 3, 2 - a
	}
	return a - 3, a - 4
}

// diamond grows with the angle of (u, v) from 0 to 4, linearly along the diamond |u|+|v| = 1.
func diamond(u, v float64) float64 {
	n := math.Abs(u) + math.Abs(v)
	switch {
	case n == 0:
		return 0
	case u >= 0 && v >= 0:
		return v / n
	case u < 0 && v >= 0:
		return 1 - u/n
	case u < 0:
		return 2 - v/n
	}
	return 3 + u/n
}

func (b blob) bounds() (u0, v0, u1, v1 float64) { return -b.max, -b.max, b.max, b.max }

func (b blob) dist(u, v float64) float64 {
	a := diamond(u, v) * 64
	i := min(int(a), 255)
	h := a - float64(i)
	return length(u, v) - dot(1-h, b.r[i], h, b.r[i+1])
}

// terrain is all that lies below a curve: heights at every 8 units of u, repeated for ever.
type terrain struct{ v []float64 }

// newTerrain returns a wavy skyline around v = level; it repeats after 2048 units.
func newTerrain(level float64, amp, phase []float64) terrain {
	t := terrain{v: make([]float64, 257)}
	for i := range t.v {
		t.v[i] = level
		for j := range amp {
			t.v[i] += amp[j] * math.Sin(2*math.Pi*float64(j+1)*float64(i%256)/256+phase[j])
		}
		t.v[i] = math.Round(t.v[i]*1024) / 1024
	}
	return t
}

func (t terrain) bounds() (u0, v0, u1, v1 float64) {
	top := float64(far)
	for _, v := range t.v {
		top = min(top, v)
	}
	return -far, top, far, far
}

func (t terrain) dist(u, v float64) float64 {
	u /= 8
	f := math.Floor(u)
	i, h := int(f)&255, u-f
	return dot(1-h, t.v[i], h, t.v[i+1]) - v
}
