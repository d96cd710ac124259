package vec

import (
	"math"
	"math/rand/v2"
	"testing"
)

// approx reports the first element in which got and want differ by more than tol.
func approx(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, g := range got {
		if !(math.Abs(float64(g)-want[i]) <= tol) {
			t.Fatalf("%s[%d] = %v, want %v ± %v", what, i, g, want[i], tol)
		}
	}
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i := range v {
		w[i] = float64(v[i])
	}
	return w
}

// randomUnits returns (n, D) unit vectors.
func randomUnits(rng *rand.Rand, n, D int) []float32 {
	v := randoms(rng, n*D, 1)
	UnitRows(v, nil, n, D)
	return v
}

func slowUnit(v []float64) ([]float64, float64) {
	var s float64
	for _, a := range v {
		s += a * a
	}
	s = math.Sqrt(s)
	u := make([]float64, len(v))
	for i, a := range v {
		u[i] = a / s
	}
	return u, s
}

// numeric is the slow, obvious gradient: central differences of f in each p[i].
func numeric(p []float64, f func() float64) []float64 {
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

// relErr returns ‖got−want‖ / ‖want‖.
func relErr(got, want []float64) float64 {
	var num, den float64
	for i, v := range want {
		num += (got[i] - v) * (got[i] - v)
		den += v * v
	}
	return math.Sqrt(num / den)
}
