package vec_test

import (
	"fmt"

	"glomstream/glom/internal/vec"
)

func Example() {
	y := []float32{3, 4}
	inv := make([]float32, 1)
	vec.UnitRows(y, inv, 1, 2)
	dv := make([]float32, 2)
	vec.UnitBack(dv, []float32{1, 0}, y, inv[0])
	fmt.Printf("%.2f %.3f\n", y, dv)
	// Output: [0.60 0.80] [0.128 -0.096]
}
