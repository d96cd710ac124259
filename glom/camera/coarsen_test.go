package camera

import (
	"math"
	"testing"
)

func TestCoarsen(t *testing.T) {
	const w, h, rows, cols = 35, 17, 2, 4 // no multiples of each other
	flow := make([]float32, 2*w*h)
	for y := range h {
		for x := range w {
			flow[2*(y*w+x)] = float32(x)
			flow[2*(y*w+x)+1] = -float32(y)
		}
	}
	got := Coarsen(nil, flow, w, h, rows, cols)
	for r := range rows {
		for c := range cols {
			// The mean of the whole numbers from a to b-1 is (a+b-1)/2.
			x := float64(c*w/cols+(c+1)*w/cols-1) / 2 * cols / w
			y := float64(r*h/rows+(r+1)*h/rows-1) / 2 * rows / h
			i := 2 * (r*cols + c)
			if math.Abs(float64(got[i])-x) > 1e-5 || math.Abs(float64(got[i+1])+y) > 1e-5 {
				t.Errorf("location (%d, %d): got %v, want %v, %v", r, c, got[i:i+2], x, -y)
			}
		}
	}
	if again := Coarsen(got, flow, w, h, rows, cols); &again[0] != &got[0] {
		t.Error("the memory is not used again")
	}
	if Coarsen(got, nil, w, h, rows, cols) != nil {
		t.Error("motion without flow")
	}
	for _, bad := range []func(){
		func() { Coarsen(nil, flow[1:], w, h, rows, cols) },
		func() { Coarsen(nil, flow, w, h, 0, cols) },
		func() { Coarsen(nil, flow, w, h, h+1, cols) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic on a shape that does not fit")
				}
			}()
			bad()
		}()
	}
}
