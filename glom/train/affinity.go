package train

import "glomstream/glom/internal/vec"

// even is the cosine at which two vectors are as likely to be of one island as not.
const even = 0.5

// affinity is a loss over the ordered pairs of the vectors of a contrast: that two are of one island has the
// chance p = 1 / (1 + exp(-(cos - even)/tau)), and
//
//	loss = -1/2 mean_{pairs of one island} log p - 1/2 mean_{all other pairs} log(1 - p)
//
// The contrast compares what is near a vector with what is not, vector by vector, and is content wherever both
// lie. Islands are read out with one threshold for all, and this asks for vectors that it fits.
type affinity struct {
	same, other float64 // weight of a pair
}

// newAffinity divides the weight of the loss among the pairs of islands of these sizes.
func newAffinity(sizes []int, weight float64) affinity {
	var all, same float64
	for _, m := range sizes {
		all += float64(m)
		same += float64(m) * float64(m-1)
	}
	return affinity{weight / 2 / max(same, 1), weight / 2 / max(all*(all-1)-same, 1)}
}

// affinityRow writes into g (S) the gradient of the cosines of vector i, whose island are the m from first on,
// and returns its part of the loss. s (S) are the cosines over tau.
func affinityRow[T vec.Float](a affinity, g, s []T, i, first, m int, tau float64) float64 {
	middle, same, other := T(even/tau), T(a.same/tau), T(a.other/tau)
	end, S := first+m, len(s)
	near := vec.Logistic(g[first:i], s[first:i], middle, -same) + vec.Logistic(g[i+1:end], s[i+1:end], middle, -same)
	far := vec.Logistic(g[:first], s[:first], middle, other) + vec.Logistic(g[end:S], s[end:], middle, other)
	g[i] = 0
	return a.same*float64(near) + a.other*float64(far)
}
