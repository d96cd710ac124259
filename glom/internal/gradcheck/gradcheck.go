// Package gradcheck compares gradients with central differences, for the tests of the packages
// that compute gradients.
package gradcheck

import "math"

// Float is the type of a number.
type Float interface{ float32 | float64 }

// Numeric is the slow, obvious gradient: central differences of f in each p[i].
func Numeric(p []float64, f func() float64) []float64 {
	const h = 1e-5
	g := make([]float64, len(p))
	for i, v := range p {
		p[i] = v + h
		up := f()
		p[i] = v - h
		g[i] = (up - f()) / (2 * h)
		p[i] = v
	}
	return g
}

// RelErr returns ‖got−want‖ / ‖want‖. A maximum over elements would hide or exaggerate faults in
// entries that are nearly zero.
func RelErr(got, want []float64) float64 {
	var num, den float64
	for i, v := range want {
		num += (got[i] - v) * (got[i] - v)
		den += v * v
	}
	return math.Sqrt(num / den)
}

// Convert returns v in another precision.
func Convert[To, From Float](v []From) []To {
	out := make([]To, len(v))
	for i := range v {
		out[i] = To(v[i])
	}
	return out
}
