package glom

import (
	"math"

	"glomstream/glom/internal/vec"
)

// bottomUp computes unit(BU_l(x)) for n locations. y and x are (n, D), hidden is scratch (n, H).
// inv (n), if not nil, receives 1/length before the projection.
func (m *core[T]) bottomUp(y, inv, hidden, x []T, l, n int) {
	net, D, H := m.bu[l-1], m.cfg.Dim, m.cfg.Hidden
	if m.identityBU[l-1] {
		copy(y, x)
	} else {
		h := hidden[:n*H]
		matMulT(h, x, net.W1, n, H, D, D, 0)
		for r := range n {
			vec.GeluBias(h[r*H:r*H+H], net.B1)
		}
		net.project(y, h, x, n, D, H)
	}
	vec.UnitRows(y, inv, n, D)
}

// topDown computes unit(TD_l(x, position)) for the n locations from i on. y and x are (n, D),
// hidden is scratch (n, H), term (N, H) is what the positions add to the hidden layer, with the
// bias (see positionTerm). inv (n), if not nil, receives 1/length before the projection.
func (m *core[T]) topDown(y, inv, hidden, x, term []T, l, i, n int) {
	net, D, H, P := m.td[l], m.cfg.Dim, m.cfg.Hidden, m.cfg.positionDim()
	if m.identityTD[l] {
		copy(y, x)
	} else {
		h := hidden[:n*H]
		matMulT(h, x, net.W1, n, H, D, D+P, 0) // only the first D columns of W1
		for r := range n {
			vec.GeluBias(h[r*H:r*H+H], term[(i+r)*H:][:H])
		}
		net.project(y, h, x, n, D, H)
	}
	vec.UnitRows(y, inv, n, D)
}

// project computes y = x + h W2ᵀ + b2.
func (net netOf[T]) project(y, h, x []T, n, D, H int) {
	for r := range n {
		vec.Add(y[r*D:r*D+D], x[r*D:r*D+D], net.B2)
	}
	matMulT(y, h, net.W2, n, D, H, H, 1)
}

// positionTerm writes pos W1pᵀ + b1 into term (N, H): the part of the hidden layer of TD_l that
// depends on the location alone. pos is (N, P).
func (m *core[T]) positionTerm(term, pos []T, l, N int) {
	net, H, D, P := m.td[l], m.cfg.Hidden, m.cfg.Dim, m.cfg.positionDim()
	for i := range N {
		copy(term[i*H:i*H+H], net.B1)
	}
	matMulT(term, pos, net.W1[D:], N, H, P, D+P, 1)
}

// positionCode returns the Fourier code (N, 4*octaves) of every location of a grid (paper,
// section 8): for octave k the sine and cosine of 2^k π u, then of 2^k π v, where u and v run
// from 0 to 1 over the columns and rows.
func positionCode[T vec.Float](rows, cols, octaves int) []T {
	code := make([]T, 0, rows*cols*4*octaves)
	for r := range rows {
		v := (float64(r) + 0.5) / float64(rows)
		for c := range cols {
			u := (float64(c) + 0.5) / float64(cols)
			for k := range octaves {
				f := math.Pi * math.Exp2(float64(k))
				code = append(code, T(math.Sin(f*u)), T(math.Cos(f*u)), T(math.Sin(f*v)), T(math.Cos(f*v)))
			}
		}
	}
	return code
}

// matMulT computes y = x wᵀ + keep*y with y (n, O), x (n, I) and w (O, I), whose rows are ldw
// apart. keep is 0 or 1.
func matMulT[T vec.Float](y, x, w []T, n, O, I, ldw int, keep T) {
	vec.Gemm(vec.No, vec.Yes, 1, vec.Mat(x, n, I), vec.Strided(w, O, I, ldw), keep, vec.Mat(y, n, O))
}
