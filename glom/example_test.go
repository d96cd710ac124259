package glom_test

import (
	"fmt"

	"glomstream/glom"
)

// Two regions whose evidence differs become two islands: within each, all vectors agree.
func Example() {
	m, err := glom.New(glom.Config{Dim: 8, Hidden: 8})
	if err != nil {
		panic(err)
	}
	const rows, cols, D = 4, 6, 8
	s, err := m.NewState(rows, cols)
	if err != nil {
		panic(err)
	}
	evidence := make([]float32, rows*cols*D)
	for i := range rows * cols {
		region := i % cols / 3 // left or right half
		evidence[i*D+region] = 1
	}
	for range 3 { // three frames of a still video
		m.Step(s, evidence)
	}
	object := s.Level(3)
	cos := func(i, j int) (c float32) {
		for k := range D {
			c += object[i*D+k] * object[j*D+k]
		}
		return c
	}
	fmt.Printf("same region %.1f, different regions %.1f\n", cos(0, 1), cos(0, 5))
	// Output: same region 1.0, different regions 0.0
}
