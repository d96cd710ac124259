package camera_test

import (
	"fmt"

	"glomstream/glom/camera"
)

// A camera that pans and zooms is found from the motion of the locations, although a corner of the
// picture moves on its own.
func ExampleMotion_Fit() {
	const rows, cols = 20, 30
	var motion, trust []float32
	truth := camera.Motion{A: [8]float64{0: 0.5, 1: 0.1, 3: -0.2, 5: 0.1}}
	for i := range rows * cols {
		u, v := truth.At(i/cols, i%cols, rows, cols)
		if i/cols < 10 && i%cols < 12 {
			u -= 2
		}
		motion, trust = append(motion, u, v), append(trust, 1)
	}
	var found camera.Motion
	found.Fit(motion, trust, rows, cols)
	fmt.Printf("pan %.1f %.1f, zoom %.1f %.1f\n", found.A[0], found.A[3], found.A[1], found.A[5])
	// Output: pan 0.5 -0.2, zoom 0.1 0.1
}
