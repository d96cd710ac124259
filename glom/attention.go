package glom

import (
	"math"
	"math/rand/v2"
	"slices"

	"glomstream/glom/internal/vec"
)

// prior is the gaussian prior of dense attention over the distance between two locations,
// -|i-j|²/(2 sigma²), which splits into a row and a column part.
type prior[T vec.Float] struct {
	rows []T // (2*Rows-1) by difference of rows, the middle is 0
	cols []T // (2*Cols-1) by difference of columns
}

func newPrior[T vec.Float](rows, cols int, sigma float64) prior[T] {
	side := func(n int) []T {
		v := make([]T, 2*n-1)
		for i := range v {
			d := float64(i - n + 1)
			v[i] = T(-d * d / (2 * sigma * sigma))
		}
		return v
	}
	return prior[T]{side(rows), side(cols)}
}

// attendDense computes, for the n locations from i on, the attention of section 3.4 of the paper
// with the gaussian prior p:
//
//	s_ij  = beta q_i·x_j + p(i, j)
//	att_i = Σ_j exp(s_ij) x_j,   inv_i = 1 / Σ_j exp(s_ij)
//
// so that att_i*inv_i is the weighted mean. q is (n, D), x (N, D), logits scratch (n, N). The
// largest s_ij of a row is subtracted first, so that exp cannot overflow.
func attendDense[T vec.Float](att, inv, logits, q, x []T, beta T, p prior[T], i, n, N, D int) {
	X, S := vec.Mat(x, N, D), vec.Mat(logits, n, N)
	vec.Gemm(vec.No, vec.Yes, beta, vec.Mat(q, n, D), X, 0, S)
	rows, cols := (len(p.rows)+1)/2, (len(p.cols)+1)/2
	for r := range n {
		s := logits[r*N : r*N+N]
		row, col := (i+r)/cols, (i+r)%cols
		top := vec.AddPrior(s, p.rows[rows-1-row:][:rows], p.cols[cols-1-col:][:cols])
		inv[r] = 1 / vec.ExpSum(s, top)
	}
	vec.Gemm(vec.No, vec.No, 1, S, X, 0, vec.Mat(att, n, D))
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
// weighted by softmax(beta q_i·x_j), for the n locations from i on, into w.att and w.inv. record
// (N, K), if not nil, receives the weights, 0 behind the last key.
func (w *worker[T]) attendSampled(q, x, record []T, beta T, offsets []offset, i, n int) {
	f, D, K := w.f, w.f.dim, len(offsets)
	for r := range n {
		keys := f.keys(w.keys, offsets, i+r)
		w.inv[r] = vec.AttendKeys(w.att[r*D:r*D+D], w.logits, q[r*D:r*D+D], x, keys, beta)
		if record != nil {
			a := record[(i+r)*K:][:K]
			clear(a[copy(a, w.logits[:len(keys)]):])
			vec.Scale(a, w.inv[r])
		}
	}
}

// keys lists in dst the locations that location i attends to.
func (f *field[T]) keys(dst []int32, offsets []offset, i int) []int32 {
	row, col := i/f.cols, i%f.cols
	K := 0
	for _, o := range offsets {
		y, x := row+int(o.row), col+int(o.col)
		if uint(y) < uint(f.rows) && uint(x) < uint(f.cols) {
			dst[K] = int32(y*f.cols + x)
			K++
		}
	}
	return dst[:K]
}
