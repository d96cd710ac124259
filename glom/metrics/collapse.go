package metrics

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// MeanCosine returns the mean cosine over all pairs i != j of n vectors of unit length (n, dim), from
// the norm of their sum: (‖Σx‖² - Σ‖x‖²) / n(n-1). Range -1/(n-1) to 1; 1 is collapse to one vector.
// 0 for fewer than two vectors.
func MeanCosine(x []float32, n, dim int) float64 {
	checkVectors(x, n, dim)
	sum := make([]float64, dim)
	var squares float64
	for i := range n {
		squares += accumulate(sum, x[i*dim:(i+1)*dim])
	}
	return ratio(square(sum)-squares, float64(n)*float64(n-1))
}

// DimensionStd returns the standard deviation of each of the dim components over n vectors (n, dim),
// with n-1 in the denominator as in VICReg (Bardes et al. 2022). Vectors spread evenly over the unit
// sphere have 1/√dim everywhere; 0 is collapse. All 0 for fewer than two vectors.
func DimensionStd(x []float32, n, dim int) []float64 {
	checkVectors(x, n, dim)
	std := make([]float64, dim)
	if n < 2 {
		return std
	}
	means := make([]float64, dim)
	for i := range n {
		accumulate(means, x[i*dim:(i+1)*dim])
	}
	for c := range means {
		means[c] /= float64(n)
	}
	for i := range n {
		for c, v := range x[i*dim : (i+1)*dim] {
			d := float64(v) - means[c]
			std[c] += d * d
		}
	}
	for c, s := range std {
		std[c] = math.Sqrt(s / float64(n-1))
	}
	return std
}

// EffectiveRank returns exp of the entropy, in nats, of the singular values of the matrix of n vectors
// (n, dim), divided by their sum (Roy and Vetterli 2007). The vectors are not centred. Range 1 to
// min(n, dim); 0 if all are zero or there are none.
func EffectiveRank(x []float32, n, dim int) float64 {
	checkVectors(x, n, dim)
	if n == 0 || dim == 0 {
		return 0
	}
	wide := make([]float64, len(x))
	for i, v := range x {
		wide[i] = float64(v)
	}
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(n, dim, wide), mat.SVDNone) {
		return 0
	}
	return effective(svd.Values(nil))
}

// Perplexity returns exp of the entropy, in nats, of one attention distribution over K places,
// divided by K. It divides the weights by their sum. Range 1/K, all on one place, to 1, even; 0 if
// there are no weights or all are zero.
func Perplexity(weights []float32) float64 {
	wide := make([]float64, len(weights))
	for i, w := range weights {
		wide[i] = float64(w)
	}
	return ratio(effective(wide), float64(len(weights)))
}

// effective returns exp(H) of the shares of the weights in their sum, 0 if the sum is 0: the number
// of equal weights with the same entropy.
func effective(weights []float64) float64 {
	var sum, h float64
	for _, w := range weights {
		sum += w
	}
	if sum <= 0 {
		return 0
	}
	for _, w := range weights {
		if p := w / sum; p > 0 {
			h -= p * math.Log(p)
		}
	}
	return math.Exp(h)
}

// accumulate adds x to sum and returns the square of x.
func accumulate(sum []float64, x []float32) float64 {
	var squares float64
	for c, v := range x {
		sum[c] += float64(v)
		squares += float64(v) * float64(v)
	}
	return squares
}

func square(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v * v
	}
	return sum
}

func checkVectors(x []float32, n, dim int) {
	if len(x) != n*dim {
		panic("metrics: the vectors do not have n*dim components")
	}
}
