package follow_test

import (
	"fmt"

	"glomstream/glom/follow"
	"glomstream/glom/islands"
)

// A thing two locations wide moves to the right by one location per frame, over ground that looks
// different.
func Example() {
	const rows, cols, dim, side = 4, 8, 2, 4 // a location is 4 pixels wide
	const w, h = cols * side, rows * side
	paint := func(left int) (x, flow []float32, pix []byte) {
		for i := range rows * cols {
			if c := i % cols; c >= left && c < left+2 {
				x = append(x, 1, 0)
			} else {
				x = append(x, 0, 1)
			}
		}
		for i := range w * h {
			if c := i % w / side; c >= left && c < left+2 {
				flow, pix = append(flow, side, 0), append(pix, 200, 200, 200)
			} else {
				flow, pix = append(flow, 0, 0), append(pix, 20, 20, 20)
			}
		}
		return x, flow, pix
	}
	seed := make([]uint8, w*h)
	for i := range seed {
		if c := i % w / side; c >= 1 && c < 3 {
			seed[i] = 7
		}
	}

	reader := islands.NewReader(islands.Config{})
	var level islands.Level
	follower := follow.New(follow.Config{})
	mask := make([]uint8, w*h)
	for t := range 4 {
		x, flow, pix := paint(1 + t)
		reader.Read(&level, nil, x, nil, rows, cols, dim)
		in := follow.Frame{Rows: rows, Cols: cols, Vectors: [][]float32{x}, Islands: &level, Flow: flow, W: w, H: h}
		if t == 0 {
			follower.Start(&in, seed, w, h)
		} else {
			follower.Step(&in)
		}
		follower.Mask(mask, w, h, pix, 3*w)
	}
	fmt.Println("where it was", mask[1*side+1], "where it is", mask[4*side+1], mask[5*side+1], "ahead of it", mask[6*side+1])
	// Output:
	// where it was 0 where it is 7 7 ahead of it 0
}
