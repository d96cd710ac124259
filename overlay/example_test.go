package overlay_test

import (
	"fmt"

	"glomstream/capture"
	"glomstream/overlay"
)

func ExampleDrawer() {
	// A grey frame; the left half is island 6, the right half belongs to none.
	frame := capture.NewPool(1).Frame(8, 4)
	for i := range frame.Pix {
		frame.Pix[i] = 100
	}
	labels := make([]uint16, 8*4)
	for i := range labels {
		if i%8 < 4 {
			labels[i] = 6
		}
	}

	d, err := overlay.New(overlay.Config{View: overlay.Islands, Level: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	canvas := capture.NewPool(1).Frame(d.Size(frame.W, frame.H))
	d.Draw(&canvas, &overlay.Scene{Frame: &frame, Labels: [][]uint16{3: labels}})

	fmt.Println("colour of 6:", overlay.Colour(6))
	for _, x := range []int{0, 3, 4} {
		fmt.Println(x, canvas.Pix[3*x:][:3])
	}
	// Output:
	// colour of 6: {86 180 233 255}
	// 0 [160 136 94]
	// 3 [64 53 34]
	// 4 [100 100 100]
}
