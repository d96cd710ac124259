package islands_test

import (
	"fmt"

	"glomstream/glom/islands"
)

// A grid of 4 by 8 locations in two halves that differ, read and brought to the size of a picture
// whose edge lies a little further to the right.
func Example() {
	const rows, cols, dim = 4, 8, 2
	var x []float32
	for i := range rows * cols {
		if i%cols < 4 {
			x = append(x, 1, 0)
		} else {
			x = append(x, 0, 1)
		}
	}
	const w, h = 32, 16
	var pix []byte
	for i := range w * h {
		if i%w < 18 {
			pix = append(pix, 20, 20, 20)
		} else {
			pix = append(pix, 200, 200, 200)
		}
	}

	reader := islands.NewReader(islands.Config{})
	var tracker islands.Tracker
	var upsampler islands.Upsampler
	var level islands.Level
	labels := make([]uint16, w*h)
	for range 2 { // frames
		reader.Read(&level, nil, x, nil, rows, cols, dim)
		tracker.Track(&level, nil)
		upsampler.Labels(labels, w, h, &level, pix, 3*w)
	}
	for _, s := range level.Islands {
		fmt.Println(s.ID, s.Area, s.Box, s.Norm, s.Vector)
	}
	fmt.Println(labels[:w])
	// Output:
	// 1 16 (0,0)-(4,4) 1 [1 0]
	// 2 16 (4,0)-(8,4) 1 [0 1]
	// [1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 2 2 2 2 2 2 2 2 2 2 2 2 2 2]
}
