package train

import (
	"math"

	"glomstream/glom/internal/vec"
)

// spread is the scratch space of the terms against collapse (VICReg, Bardes et al. 2022).
type spread[T vec.Float] struct {
	z    []T // (n, D) centred vectors times √D
	dz   []T // (S, D) the gradient of the first S
	c    []T // (D, D) covariance, then its gradient
	std  []float64
	mean []float64
}

// terms adds to dx (S, D) the gradient of the two terms over n = S + M unit vectors: x (S, D) and
// the bank (M, D), which are constants. With z = √D x, whose dimensions have variance 1 when the
// vectors are spread evenly over the sphere,
//
//	variance   = Σ_d max(0, 1 - std(z_d)) / D
//	covariance = Σ_{d≠e} cov(z_d, z_e)² / D
//
// and returns both, times their weights.
func (s *spread[T]) terms(dx, x, bank []T, D int, variance, covariance float64) (v, c float64) {
	S, n := len(x)/D, (len(x)+len(bank))/D
	if n < 2 {
		return 0, 0
	}
	s.centre(x, bank, D)
	Z, C := vec.Mat(s.z, n, D), vec.Mat(s.c, D, D)
	vec.Gemm(vec.Yes, vec.No, T(1/float64(n-1)), Z, Z, 0, C)
	for d := range D {
		row := s.c[d*D : d*D+D]
		s.std[d] = math.Sqrt(float64(row[d]) + 1e-6)
		v += max(0, 1-s.std[d]) / float64(D)
		for e := range row {
			if e != d {
				c += float64(row[e]) * float64(row[e]) / float64(D)
			}
			row[e] *= T(4 * covariance / float64(D) / float64(n-1)) // d(c²) = 2c, and C is Zᵀ Z twice
		}
		row[d] = 0
		if s.std[d] < 1 {
			row[d] = T(-variance / float64(D) / s.std[d] / float64(n-1))
		}
	}
	// The means of all vectors were taken off, and their gradient is that of the sum: zero.
	vec.Gemm(vec.No, vec.No, 1, vec.Mat(s.z[:S*D], S, D), C, 0, vec.Mat(s.dz, S, D))
	vec.Axpy(dx, T(math.Sqrt(float64(D))), s.dz)
	return variance * v, covariance * c
}

// centre writes √D (x - mean) into s.z.
func (s *spread[T]) centre(x, bank []T, D int) {
	n := (len(x) + len(bank)) / D
	s.z, s.dz, s.c = grow(s.z, n*D), grow(s.dz, len(x)), grow(s.c, D*D)
	s.std, s.mean = grow(s.std, D), grow(s.mean, D)
	copy(s.z, x)
	copy(s.z[len(x):], bank)
	clear(s.mean)
	for i := range n {
		for d, v := range s.z[i*D : i*D+D] {
			s.mean[d] += float64(v) / float64(n)
		}
	}
	root := math.Sqrt(float64(D))
	for i := range n {
		z := s.z[i*D : i*D+D]
		for d := range z {
			z[d] = T(root * (float64(z[d]) - s.mean[d]))
		}
	}
}
