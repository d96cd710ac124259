package train

import (
	"math"

	"glomstream/glom/internal/vec"
)

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
	g = g[:len(s)]
	for j, v := range s {
		g[j] = -max(v-middle, middle-v)
	}
	vec.ExpSum(g, 0) // exp(-|z|), at most 1
	end := first + m
	near := unlike(g[first:i], s[first:i], middle, -same) + unlike(g[i+1:end], s[i+1:end], middle, -same)
	far := unlike(g[:first], s[:first], middle, other) + unlike(g[end:], s[end:], middle, other)
	g[i] = 0
	return a.same*near + a.other*far
}

// unlike returns the sum of log(1 + exp(±z)) over pairs, z = s - middle and the sign that of weight, and writes
// weight times how unlikely each pair is over e, which is exp(-|z|).
func unlike[T vec.Float](e, s []T, middle, weight T) float64 {
	const run = 512 // factors of at most 2 that a float64 holds
	sign := T(1)
	if weight < 0 {
		sign = -1
	}
	loss, product := 0.0, 1.0
	for j, v := range s {
		z := sign * (v - middle)
		p := 1 / (1 + e[j]) // chance of the likelier kind
		product *= float64(1 + e[j])
		if z > 0 {
			loss += float64(z)
		} else {
			p = e[j] * p
		}
		e[j] = weight * p
		if j%run == run-1 {
			loss, product = loss+math.Log(product), 1
		}
	}
	return loss + math.Log(product)
}
