package train

import (
	"math"

	"glomstream/glom/internal/vec"
)

// band says by their cosine what two locations are to each other where there are no labels.
type band struct {
	same      float64 // above: of one island
	different float64 // below: of two; between the two nobody knows
	apart     float64 // below: different enough, no further push (paper, note 24)
}

// bandOf returns the band of level l: the higher, the more may differ within an island.
func bandOf(l, levels int) band {
	same := 0.8 - 0.4*float64(l)/float64(max(1, levels-1))
	return band{same: same, different: same - 0.3, apart: same - 0.5}
}

// chosen adds to c.d the gradient of a contrast without labels and returns the loss. Each of the
// vectors c.x (S, D) is drawn to its positives and away from its negatives:
//
//	loss_i = -mean_{j in P} log(e_ij / Σ_{k in P and N} e_ik) - log |P|,  e_ij = exp(max(x_i·x_j, apart) / tau)
//
// With targets (S, D), P is the vector's own target, a constant: what it was a frame ago, or what
// it attends to. Without, P are the vectors that are like it, x_i·x_j > same. N are the vectors
// that are not, x_i·x_j < different, and the bank (M, D) of other clips. The maximum holds for
// negatives only. Vectors without positives or without negatives have no loss.
func (c *contrast[T]) chosen(targets, bank []T, D int, b band, tau, weight float64) float64 {
	S, M := len(c.x)/D, len(bank)/D
	n := S + M
	c.p, c.d, c.row = grow(c.p, S*n), grow(c.d, S*D), grow(c.row, n+1)
	X := vec.Mat(c.x, S, D)
	own, other := vec.Strided(c.p, S, S, n), vec.Matrix[T]{}
	vec.Gemm(vec.No, vec.Yes, 1, X, X, 0, own)
	if M > 0 {
		other = vec.Strided(c.p[S:], S, M, n)
		vec.Gemm(vec.No, vec.Yes, 1, X, vec.Mat(bank, M, D), 0, other)
	}
	clear(c.d)
	var loss float64
	for i := range S {
		var target []T
		if targets != nil {
			target = targets[i*D : i*D+D]
		}
		loss += c.chosenRow(c.p[i*n:i*n+n], target, i, S, D, b, tau, weight/float64(S))
	}
	vec.Gemm(vec.No, vec.No, 1, own, X, 1, vec.Mat(c.d, S, D))
	vec.Gemm(vec.Yes, vec.No, 1, own, X, 1, vec.Mat(c.d, S, D))
	if M > 0 {
		vec.Gemm(vec.No, vec.No, 1, other, vec.Mat(bank, M, D), 1, vec.Mat(c.d, S, D))
	}
	return loss
}

// chosenRow turns the cosines s of vector i into the gradient with respect to them, and adds that
// of its target to c.d. w is the weight of its loss.
func (c *contrast[T]) chosenRow(s, target []T, i, S, D int, b band, tau, w float64) float64 {
	const out = -1e9 // its exponential is 0
	e := c.row[:len(s)+1]
	var goal T
	positives, negatives, sum := 0, 0, 0.0
	if target != nil {
		goal = vec.Dot(c.x[i*D:i*D+D], target)
		positives, sum = 1, float64(goal)
	}
	same, different, apart := T(b.same), T(b.different), T(b.apart)
	for j, cos := range s {
		switch {
		case j >= S || j != i && cos < different:
			e[j] = max(cos, apart) / T(tau)
			negatives++
		case j != i && target == nil && cos > same:
			e[j] = cos / T(tau)
			positives++
			sum += float64(cos)
		default:
			e[j] = out
		}
	}
	e[len(s)] = out
	if target != nil {
		e[len(s)] = goal / T(tau)
	}
	if positives == 0 || negatives == 0 {
		clear(s)
		return 0
	}
	z := vec.ExpSum(e, T(1/tau))
	pull, scale := T(w/tau/float64(positives)), T(w/tau)/z
	for j, cos := range s {
		g := scale * e[j]
		switch {
		case j >= S || j != i && cos < different:
			if cos < apart {
				g = 0
			}
		case j != i && target == nil && cos > same:
			g -= pull
		}
		s[j] = g
	}
	if target != nil {
		vec.Axpy(c.d[i*D:i*D+D], scale*e[len(s)]-pull, target)
	}
	return w * (math.Log(float64(z)/float64(positives)) + 1/tau - sum/tau/float64(positives))
}
