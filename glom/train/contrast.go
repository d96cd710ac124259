package train

import (
	"math"

	"glomstream/glom/internal/vec"
)

// contrast is the scratch space of the contrastive losses over S unit vectors x and, if there is
// one, a bank of M other vectors, which are constants.
type contrast[T vec.Float] struct {
	p   []T // (S, S+M) softmax, then the gradient of the logits
	x   []T // (S, D) the vectors that were picked
	d   []T // (S, D) their gradient
	row []T // (S+M+1)
}

// islands adds to c.d the gradient of the contrast between islands (paper, section 7: positives
// only within the same entity) and returns the loss. The vectors c.x (S, D) are sorted by island;
// sizes are the islands' numbers of vectors. For vector i of an island of m vectors,
//
//	loss_i = -1/m Σ_{j in the island} log p_ij - log m,  p_ij = softmax_j(x_i·x_j / tau)
//
// over all S vectors: zero when i is as near to its whole island as it can be
// and far from all others. Each vector counts the same, loss = weight mean_i loss_i: a background that falls
// to pieces costs as much as it covers.
//
// To that comes the affinity of the vectors, unless its weight, pairs, is 0.
func (c *contrast[T]) islands(sizes []int, D int, tau, weight, pairs float64) (loss, affinity float64) {
	S := 0
	for _, m := range sizes {
		S += m
	}
	c.p, c.d = grow(c.p, S*S), grow(c.d, S*D)
	X, P := vec.Mat(c.x, S, D), vec.Mat(c.p, S, S)
	vec.Gemm(vec.No, vec.Yes, T(1/tau), X, X, 0, P)
	first, w := 0, weight/float64(S)
	a := newAffinity(sizes, pairs)
	c.row = grow(c.row, S)
	for _, m := range sizes {
		for i := first; i < first+m; i++ {
			p := c.p[i*S : i*S+S]
			if pairs > 0 {
				affinity += affinityRow(a, c.row, p, i, first, m, tau)
			}
			loss += w * islandRow(p, first, m, T(1/tau), w/tau)
			if pairs > 0 {
				vec.Axpy(p, 1, c.row)
			}
		}
		first += m
	}
	// s_ij = x_i·x_j / tau: row i is the query's gradient, column j the key's.
	vec.Gemm(vec.No, vec.No, 1, P, X, 0, vec.Mat(c.d, S, D))
	vec.Gemm(vec.Yes, vec.No, 1, P, X, 1, vec.Mat(c.d, S, D))
	return loss, affinity
}

// islandRow turns the logits s of one vector, whose island are the m from first on, into w times
// the gradient, and returns the loss. top is at least the largest logit.
func islandRow[T vec.Float](s []T, first, m int, top T, w float64) float64 {
	var own float64
	for _, v := range s[first : first+m] {
		own += float64(v - top)
	}
	sum := vec.ExpSum(s, top)
	vec.Scale(s, T(w)/sum)
	for j := first; j < first+m; j++ {
		s[j] -= T(w / float64(m))
	}
	return math.Log(float64(sum)) - own/float64(m) - math.Log(float64(m))
}
