package islands

import "math"

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func add(y, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += x[i]
	}
}

// normalise scales v to unit length and returns the length it had. A vector without a
// direction becomes zero.
func normalise(v []float32) float64 {
	var sum float64
	for _, a := range v {
		sum += float64(a) * float64(a)
	}
	length := math.Sqrt(sum)
	if !(length > 1e-6 && length <= math.MaxFloat32) { // NaN fails both
		clear(v)
		return 0
	}
	s := float32(1 / length)
	for i := range v {
		v[i] *= s
	}
	return length
}

// unitRows writes the rows of x, dim long, into dst with unit length.
func unitRows(dst, x []float32, dim int) {
	copy(dst, x)
	for o := 0; o < len(dst); o += dim {
		normalise(dst[o : o+dim])
	}
}
