package gradcheck_test

import (
	"fmt"
	"testing"

	"glomstream/glom/internal/gradcheck"
)

// Example has a function whose gradient is known: x²y.
func Example() {
	p := []float64{3, 2}
	f := func() float64 { return p[0] * p[0] * p[1] }
	want := gradcheck.Numeric(p, f)
	fmt.Println(gradcheck.RelErr([]float64{12, 9}, want) < 1e-9, gradcheck.RelErr([]float64{12, 8}, want) > 0.05)
	// Output: true true
}

func TestConvert(t *testing.T) {
	if got := gradcheck.Convert[float32]([]float64{0.1}); got[0] != float32(0.1) {
		t.Errorf("got %v", got)
	}
}
