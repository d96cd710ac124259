package baseline_test

import (
	"fmt"

	"glomstream/capture"
	"glomstream/capture/baseline"
)

// A frame whose left third is dark and whose right is light.
func Example() {
	const w, h = 24, 16
	f := capture.Frame{W: w, H: h, Stride: 3 * w, Pix: make([]byte, 3*w*h)}
	for i := range f.Pix {
		if i/3%w >= w/3 {
			f.Pix[i] = 230
		}
	}
	slic := baseline.SLIC()
	defer slic.Close()
	ids := make([]uint16, w*h)
	if err := slic.Segment(ids, &f, nil, 2); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ids[:w])
	// Output: [1 1 1 1 1 1 1 1 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2 2]
}
