package glom

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// bottomUp computes unit(BU_l(x)) for n locations. y and x are (n, D), hidden is scratch (n, H).
func (m *Model) bottomUp(y, hidden, x []float32, l, n int) {
	net, D, H := m.Params.BU[l-1], m.cfg.Dim, m.cfg.Hidden
	if m.identityBU[l-1] {
		copy(y, x)
	} else {
		h := hidden[:n*H]
		matMulT(h, x, net.W1, n, H, D, D, 0)
		for r := range n {
			geluBias(h[r*H:r*H+H], net.B1)
		}
		net.project(y, h, x, n, D, H)
	}
	unitRows(y, n, D)
}

// topDown computes unit(TD_l(x, position)) for the n locations from i on. y and x are (n, D),
// hidden is scratch (n, H), term (N, H) is what the positions add to the hidden layer, with the
// bias (see positionTerms).
func (m *Model) topDown(y, hidden, x, term []float32, l, i, n int) {
	net, D, H, P := m.Params.TD[l], m.cfg.Dim, m.cfg.Hidden, m.cfg.positionDim()
	if m.identityTD[l] {
		copy(y, x)
	} else {
		h := hidden[:n*H]
		matMulT(h, x, net.W1, n, H, D, D+P, 0) // only the first D columns of W1
		for r := range n {
			geluBias(h[r*H:r*H+H], term[(i+r)*H:][:H])
		}
		net.project(y, h, x, n, D, H)
	}
	unitRows(y, n, D)
}

// project computes y = x + h W2ᵀ + b2.
func (net Net) project(y, h, x []float32, n, D, H int) {
	for r := range n {
		add(y[r*D:r*D+D], x[r*D:r*D+D], net.B2)
	}
	matMulT(y, h, net.W2, n, D, H, H, 1)
}

// positionTerms returns, for each level that has a level above, pos W1pᵀ + b1 (N, H): the part
// of TD's hidden layer that depends on the location alone. Levels whose TD is the identity have none.
func (m *Model) positionTerms(rows, cols int) [][]float32 {
	N, H, D, P := rows*cols, m.cfg.Hidden, m.cfg.Dim, m.cfg.positionDim()
	pos := positionCode(rows, cols, m.cfg.Octaves)
	terms := make([][]float32, m.cfg.Levels-1)
	for l, net := range m.Params.TD {
		if m.identityTD[l] {
			continue
		}
		t := make([]float32, N*H)
		for i := range N {
			copy(t[i*H:], net.B1)
		}
		matMulT(t, pos, net.W1[D:], N, H, P, D+P, 1)
		terms[l] = t
	}
	return terms
}

// positionCode returns the Fourier code (N, 4*octaves) of every location of a grid (paper,
// section 8): for octave k the sine and cosine of 2^k π u, then of 2^k π v, where u and v run
// from 0 to 1 over the columns and rows.
func positionCode(rows, cols, octaves int) []float32 {
	code := make([]float32, 0, rows*cols*4*octaves)
	for r := range rows {
		v := (float64(r) + 0.5) / float64(rows)
		for c := range cols {
			u := (float64(c) + 0.5) / float64(cols)
			for k := range octaves {
				f := math.Pi * math.Exp2(float64(k))
				code = append(code, float32(math.Sin(f*u)), float32(math.Cos(f*u)), float32(math.Sin(f*v)), float32(math.Cos(f*v)))
			}
		}
	}
	return code
}

// matMulT computes y = x wᵀ + keep*y with y (n, O), x (n, I) and w (O, I), whose rows are ldw
// apart. keep is 0 or 1.
func matMulT(y, x, w []float32, n, O, I, ldw int, keep float32) {
	blas32.Gemm(blas.NoTrans, blas.Trans, 1,
		blas32.General{Rows: n, Cols: I, Stride: I, Data: x},
		blas32.General{Rows: O, Cols: I, Stride: ldw, Data: w}, keep,
		blas32.General{Rows: n, Cols: O, Stride: O, Data: y})
}
