package glom

import "math"

// Perplexity returns how widely level l attends, 0 to 1: the exponential of the entropy of the
// attention weights over the number of locations attended to, mean over the grid. Near 1 a
// location cannot tell its neighbours apart, at 1 over that number it sees itself alone. The
// weights are those with which the embeddings of s would ask each other; with QueryBU the last
// step had other queries, which are no longer known. It is for diagnosis, not for every frame.
func (m *Model) Perplexity(s *State, l int) float64 {
	N, D := s.Rows*s.Cols, s.Dim
	x, beta := s.Level(l), m.cfg.Beta[l]
	weights := make([]float64, 0, N)
	var sum float64
	for i := range N {
		q := x[i*D : i*D+D]
		row, col := i/s.Cols, i%s.Cols
		weights = weights[:0]
		if m.cfg.Attention == Dense {
			p := s.prior[l]
			for j := range N {
				dr, dc := j/s.Cols-row+s.Rows-1, j%s.Cols-col+s.Cols-1
				weights = append(weights, beta*float64(Dot(q, x[j*D:j*D+D]))+float64(p.rows[dr]+p.cols[dc]))
			}
		} else {
			for _, o := range s.offsets[l] {
				y, c := row+int(o.row), col+int(o.col)
				if uint(y) < uint(s.Rows) && uint(c) < uint(s.Cols) {
					j := y*s.Cols + c
					weights = append(weights, beta*float64(Dot(q, x[j*D:j*D+D])))
				}
			}
		}
		sum += perplexity(weights)
	}
	return sum / float64(N)
}

// perplexity returns exp(H)/K of the softmax of K logits.
func perplexity(logits []float64) float64 {
	top := math.Inf(-1)
	for _, v := range logits {
		top = max(top, v)
	}
	// With p = exp(v-top)/z the entropy is log z - Σ p (v-top).
	var z, mean float64
	for _, v := range logits {
		e := math.Exp(v - top)
		z += e
		mean += e * (v - top)
	}
	return math.Exp(math.Log(z)-mean/z) / float64(len(logits))
}
