package salient

import "math"

// Camera is the motion that a camera gives a flat scene, to the second order in the position:
//
//	u = a0 + a1 x + a2 y + a6 x² + a7 xy
//	v = a3 + a4 x + a5 y + a6 xy + a7 y²
//
// (Longuet-Higgins and Prazdny 1980: any motion before a plane, and any rotation before any scene.)
// x and y are positions in -1..1 along the longer side.
type Camera struct {
	A      [8]float64
	weight []float64
	sorted []float64
}

func place(c, r, rows, cols int) (x, y float64) {
	half := float64(max(rows, cols)) / 2
	return (float64(c) + 0.5 - float64(cols)/2) / half, (float64(r) + 0.5 - float64(rows)/2) / half
}

// At returns the camera's motion at a location.
func (m *Camera) At(c, r, rows, cols int) (u, v float32) {
	x, y := place(c, r, rows, cols)
	a := &m.A
	return float32(a[0] + a[1]*x + a[2]*y + a[6]*x*x + a[7]*x*y), float32(a[3] + a[4]*x + a[5]*y + a[6]*x*y + a[7]*y*y)
}

// Fit.
func (m *Camera) Fit(motion, trust []float32, rows, cols int) {
	n := rows * cols
	m.weight = resize(m.weight, n)
	m.sorted = resize(m.sorted, n)
	for i := range n {
		m.weight[i] = float64(trust[i])
	}
	// start at the weighted median
	m.A = [8]float64{}
	m.A[0] = m.median(motion, trust, 0)
	m.A[3] = m.median(motion, trust, 1)
	for it := range 10 {
		// scale
		for i := range n {
			u, v := m.At(i%cols, i/cols, rows, cols)
			m.weight[i] = math.Hypot(float64(motion[2*i]-u), float64(motion[2*i+1]-v))
			m.sorted[i] = m.weight[i]
		}
		s := max(quickselect(m.sorted, n/2), 0.02) * 1.5
		if it < 3 {
			s *= 2
		}
		for i := range n {
			r := m.weight[i] / s
			w := 1 / (1 + r*r)
			m.weight[i] = w * w * float64(trust[i])
		}
		m.solve(motion, rows, cols, it >= 2)
	}
}

func (m *Camera) solve(motion []float32, rows, cols int, full bool) {
	var a [8][9]float64
	add := func(j [8]float64, y, w float64) {
		for p := range 8 {
			if j[p] == 0 {
				continue
			}
			for q := range 8 {
				a[p][q] += w * j[p] * j[q]
			}
			a[p][8] += w * j[p] * y
		}
	}
	for i := range m.weight {
		x, y := place(i%cols, i/cols, rows, cols)
		w := m.weight[i]
		add([8]float64{1, x, y, 0, 0, 0, x * x, x * y}, float64(motion[2*i]), w)
		add([8]float64{0, 0, 0, 1, x, y, x * y, y * y}, float64(motion[2*i+1]), w)
	}
	var tot float64
	for _, w := range m.weight {
		tot += w
	}
	// A little pull of what varies towards zero keeps the system regular.
	for p := range 8 {
		a[p][p] += 1e-6*tot + 1e-12
		if p != 0 && p != 3 {
			a[p][p] += 1e-3 * tot
		}
		if !full && p >= 6 {
			a[p][p] += 1e6 * tot
		}
	}
	for p := range 8 {
		inv := 1 / a[p][p]
		for q := p + 1; q < 8; q++ {
			k := a[q][p] * inv
			for c := p; c < 9; c++ {
				a[q][c] -= k * a[p][c]
			}
		}
	}
	for p := 7; p >= 0; p-- {
		s := a[p][8]
		for q := p + 1; q < 8; q++ {
			s -= a[p][q] * m.A[q]
		}
		m.A[p] = s / a[p][p]
	}
}

// median.
func (m *Camera) median(motion, trust []float32, k int) float64 {
	c := 0
	for i := range trust {
		if trust[i] > 0.3 {
			m.sorted[c] = float64(motion[2*i+k])
			c++
		}
	}
	if c == 0 {
		for i := range trust {
			m.sorted[i] = float64(motion[2*i+k])
		}
		c = len(trust)
	}
	return quickselect(m.sorted[:c], c/2)
}

// quickselect returns the k-th smallest of v, whose order it changes.
func quickselect(v []float64, k int) float64 {
	lo, hi := 0, len(v)-1
	for lo < hi {
		p := v[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for v[i] < p {
				i++
			}
			for v[j] > p {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	return v[k]
}
