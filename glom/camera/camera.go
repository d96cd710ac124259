package camera

import "math"

// Motion is the motion that a moving camera gives to a flat scene, to the second order of the
// position:
//
//	u = a0 + a1 x + a2 y + a6 x² + a7 xy
//	v = a3 + a4 x + a5 y + a6 xy + a7 y²
//
// Any motion before a plane and any rotation before any scene has this form (Longuet-Higgins and
// Prazdny 1980). x and y go from -1 to 1 along the longer side of the grid. The zero value is a
// camera at rest.
type Motion struct {
	A [8]float64

	same   []float32  // (N) trust, where none is given
	weight []float64  // (N) scratch
	sorted []weighted // (N) scratch
}

// LeastSpread is the least motion against the camera that is taken for a fact, in locations: a
// sixth of a pixel of the working picture, about what the flow can tell.
const LeastSpread = 0.02

const fitRounds = 6

// At returns the camera's motion at a location of a grid.
func (m *Motion) At(row, col, rows, cols int) (u, v float32) {
	x, y := place(row, col, rows, cols)
	a := &m.A
	return float32(a[0] + a[1]*x + a[2]*y + a[6]*x*x + a[7]*x*y),
		float32(a[3] + a[4]*x + a[5]*y + a[6]*x*y + a[7]*y*y)
}

func place(row, col, rows, cols int) (x, y float64) {
	half := float64(max(rows, cols)) / 2
	return (float64(col) + 0.5 - float64(cols)/2) / half, (float64(row) + 0.5 - float64(rows)/2) / half
}

// Residual writes the motion (N, 2) of a grid against the camera's into dst (N, 2). The grid may be
// another than that of the fit: unit is how many of its own lengths are one of that.
func (m *Motion) Residual(dst, motion []float32, rows, cols int, unit float64) {
	n := rows * cols
	if len(motion) != 2*n || len(dst) != 2*n {
		panic("camera: Residual: shapes do not fit")
	}
	a := m.A
	for i := range a {
		a[i] *= unit
	}
	for r := range rows {
		x, y := place(r, 0, rows, cols)
		step := 2 / float32(max(rows, cols))
		u0, u1, u2 := float32(a[0]+a[2]*y), float32(a[1]+a[7]*y), float32(a[6])
		v0, v1 := float32(a[3]+a[5]*y+a[7]*y*y), float32(a[4]+a[6]*y)
		from, to := motion[2*r*cols:][:2*cols], dst[2*r*cols:][:2*cols]
		for c := range cols {
			x := float32(x) + float32(c)*step
			to[2*c] = from[2*c] - (u0 + x*(u1+x*u2))
			to[2*c+1] = from[2*c+1] - (v0 + x*v1)
		}
	}
}

// Fit makes m the camera that explains the motion (N, 2) of most locations, by their trust (N), or
// by all alike if trust is nil.
//
// It begins with the median motion, weighted by trust, and improves it by least squares in rounds (IRLS), in which a
// location that the camera so far leaves r over weighs trust/(1 + (r/s)²)² (Geman and McClure), s being
// one and a half of the median of r, twice that in the first rounds. A moving thing that covers less than half of the
// trusted picture thus has next to no influence.
func (m *Motion) Fit(motion, trust []float32, rows, cols int) {
	n := rows * cols
	if len(motion) != 2*n || trust != nil && len(trust) != n {
		panic("camera: Fit: shapes do not fit")
	}
	if trust == nil {
		m.same = resize(m.same, n)
		for i := range m.same {
			m.same[i] = 1
		}
		trust = m.same
	}
	m.weight, m.sorted = resize(m.weight, n), resize(m.sorted, n)
	m.A = [8]float64{}
	for k := range 2 {
		for i, t := range trust {
			m.sorted[i] = weighted{float64(motion[2*i+k]), float64(t)}
		}
		m.A[3*k] = median(m.sorted)
	}
	for round := range fitRounds {
		for i := range n {
			u, v := m.At(i/cols, i%cols, rows, cols)
			m.weight[i] = math.Hypot(float64(motion[2*i]-u), float64(motion[2*i+1]-v))
			m.sorted[i] = weighted{m.weight[i], float64(trust[i])}
		}
		s := 1.5 * max(median(m.sorted), LeastSpread)
		if round < 3 {
			s *= 2
		}
		for i, r := range m.weight {
			w := 1 / (1 + r*r/(s*s))
			m.weight[i] = float64(trust[i]) * w * w
		}
		m.solve(motion, rows, cols, round >= 2)
	}
}

// solve minimises the weighted squares. Without curved, the terms of second order stay zero.
func (m *Motion) solve(motion []float32, rows, cols int, curved bool) {
	var a [8][9]float64 // normal equations and their right side
	var total float64
	for i, w := range m.weight {
		x, y := place(i/cols, i%cols, rows, cols)
		add(&a, &[5]int{0, 1, 2, 6, 7}, &[5]float64{1, x, y, x * x, x * y}, float64(motion[2*i]), w)
		add(&a, &[5]int{3, 4, 5, 6, 7}, &[5]float64{1, x, y, x * y, y * y}, float64(motion[2*i+1]), w)
		total += w
	}
	// A slight pull towards zero, so that few or badly placed locations cannot make up a zoom.
	for p := range a {
		a[p][p] += 1e-6*total + 1e-12
		switch {
		case p >= 6 && !curved:
			a[p][p] += 1e6 * total
		case p != 0 && p != 3:
			a[p][p] += 1e-3 * total
		}
	}
	m.A = eliminate(&a)
}

// add adds the equation Σ row_k A[at_k] = y of weight w.
func add(a *[8][9]float64, at *[5]int, row *[5]float64, y, w float64) {
	for k, p := range at {
		wr := w * row[k]
		for j, q := range at {
			a[p][q] += wr * row[j]
		}
		a[p][8] += wr * y
	}
}

// eliminate solves positive definite equations.
func eliminate(a *[8][9]float64) (x [8]float64) {
	for p := range 8 {
		for q := p + 1; q < 8; q++ {
			k := a[q][p] / a[p][p]
			for c := p; c < 9; c++ {
				a[q][c] -= k * a[p][c]
			}
		}
	}
	for p := 7; p >= 0; p-- {
		x[p] = a[p][8]
		for q := p + 1; q < 8; q++ {
			x[p] -= a[p][q] * x[q]
		}
		x[p] /= a[p][p]
	}
	return x
}

// weighted is a number and how much it counts.
type weighted struct{ v, w float64 }

// median returns the value that half of the weight lies below; it changes the order of s.
func median(s []weighted) float64 {
	var target float64
	for _, p := range s {
		target += p.w / 2
	}
	for len(s) > 1 {
		// Hoare's partition: [0, j] are at most pivot, [i, …) at least, what is between is equal.
		pivot, i, j := s[(len(s)-1)/2].v, 0, len(s)-1
		for i <= j {
			for s[i].v < pivot {
				i++
			}
			for s[j].v > pivot {
				j--
			}
			if i <= j {
				s[i], s[j] = s[j], s[i]
				i++
				j--
			}
		}
		var below, equal float64
		for _, p := range s[:j+1] {
			below += p.w
		}
		for _, p := range s[j+1 : i] {
			equal += p.w
		}
		switch {
		case target <= below && j >= 0:
			s = s[:j+1]
		case target <= below+equal || i == len(s):
			return pivot
		default:
			target -= below + equal
			s = s[i:]
		}
	}
	return s[0].v
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
