package train

import "glomstream/glom/internal/vec"

// agree adds to dy the gradient of the agreement of the predictions y with the consensus x (paper,
// section 7), N unit vectors of D each, and returns the loss
//
//	weight mean_i |y_i - x_i|² = weight mean_i (2 - 2 y_i·x_i)
//
// for which x is a constant, unless dx is given: then the consensus moves as well.
func agree[T vec.Float](dy, dx, y, x []T, D int, weight float64) float64 {
	N := len(x) / D
	var sum float64
	for o := 0; o < len(x); o += D {
		sum += float64(vec.Dot(y[o:o+D], x[o:o+D]))
	}
	s := T(-2 * weight / float64(N))
	vec.Axpy(dy, s, x)
	if dx != nil {
		vec.Axpy(dx, s, y)
	}
	return weight * (2 - 2*sum/float64(N))
}
