package glom

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// prior is the gaussian prior of dense attention over the distance between two locations,
// -|i-j|²/(2 sigma²), which splits into a row and a column part.
type prior struct {
	rows []float32 // (2*Rows-1) by difference of rows, the middle is 0
	cols []float32 // (2*Cols-1) by difference of columns
}

func newPrior(rows, cols int, sigma float64) prior {
	side := func(n int) []float32 {
		v := make([]float32, 2*n-1)
		for i := range v {
			d := float64(i - n + 1)
			v[i] = float32(-d * d / (2 * sigma * sigma))
		}
		return v
	}
	return prior{side(rows), side(cols)}
}

// attendDense computes, for the n locations from i on, the attention of section 3.4 of the paper
// with the gaussian prior p:
//
//	s_ij  = beta q_i·x_j + p(i, j)
//	att_i = Σ_j exp(s_ij) x_j,   inv_i = 1 / Σ_j exp(s_ij)
//
// so that att_i*inv_i is the weighted mean. q is (n, D), x (N, D), logits scratch (n, N). The
// largest s_ij of a row is subtracted first, so that exp cannot overflow.
func attendDense(att, inv, logits, q, x []float32, beta float32, p prior, i, n, N, D int) {
	X := blas32.General{Rows: N, Cols: D, Stride: D, Data: x}
	S := blas32.General{Rows: n, Cols: N, Stride: N, Data: logits}
	blas32.Gemm(blas.NoTrans, blas.Trans, beta, blas32.General{Rows: n, Cols: D, Stride: D, Data: q}, X, 0, S)
	rows, cols := (len(p.rows)+1)/2, (len(p.cols)+1)/2
	for r := range n {
		s := logits[r*N : r*N+N]
		row, col := (i+r)/cols, (i+r)%cols
		top := addPrior(s, p.rows[rows-1-row:][:rows], p.cols[cols-1-col:][:cols])
		inv[r] = 1 / expSum(s, top)
	}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, S, X, 0, blas32.General{Rows: n, Cols: D, Stride: D, Data: att})
}

// offset is the way from a location to one that it attends to.
type offset struct{ row, col int16 }

// sampleOffsets fills dst with up to K distinct offsets drawn from a gaussian of width sigma
// locations (paper, section 6), fewer if the grid has not that many. The first is the location
// itself; the others come in opposite pairs, so that attention never leans to one side.
// The draw depends only on the seed, the level and the step.
func sampleOffsets(dst []offset, c Config, level, rows, cols int, step uint64) []offset {
	rng := rand.New(rand.NewPCG(c.Seed, uint64(level)<<48|step))
	sigma := c.Sigma[level]
	dst = append(dst[:0], offset{})
	for tries := 0; len(dst) < c.Samples && tries < 50*c.Samples; tries++ {
		dr, dc := math.Round(sigma*rng.NormFloat64()), math.Round(sigma*rng.NormFloat64())
		if math.Abs(dr) >= float64(rows) || math.Abs(dc) >= float64(cols) {
			continue
		}
		o := offset{int16(dr), int16(dc)}
		if slices.Contains(dst, o) {
			continue
		}
		dst = append(dst, o)
		if len(dst) < c.Samples {
			dst = append(dst, offset{-o.row, -o.col})
		}
	}
	return dst
}

// attendSampled computes the mean of x (N, D) over the offsets that stay inside the grid,
// weighted by softmax(beta q_i·x_j), for the n locations from i on, into w.att and w.inv.
func (w *worker) attendSampled(q, x []float32, beta float32, offsets []offset, i, n int) {
	s, D := w.s, w.s.Dim
	for r := range n {
		row, col := (i+r)/s.Cols, (i+r)%s.Cols
		K := 0
		for _, o := range offsets {
			y, x := row+int(o.row), col+int(o.col)
			if uint(y) < uint(s.Rows) && uint(x) < uint(s.Cols) {
				w.keys[K] = int32(y*s.Cols + x)
				K++
			}
		}
		w.inv[r] = attendKeys(w.att[r*D:r*D+D], w.logits, q[r*D:r*D+D], x, w.keys[:K], beta)
	}
}
