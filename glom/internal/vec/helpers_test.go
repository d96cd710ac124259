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
