package metrics_test

import (
	"fmt"

	"glomstream/glom/metrics"
)

// Two frames of four pixels with one object, whose island gets another id in the second.
func Example() {
	truth := []uint16{0, 0, 1, 1}
	frames := [][]uint16{{7, 7, 8, 8}, {7, 7, 9, 9}}

	var video metrics.Table
	var switches metrics.Switches
	for _, pred := range frames {
		video.Add(truth, pred)
		switches.Add(truth, pred)
	}
	fmt.Printf("mBO %.2f, ASA %.2f, VI %.2f bits\n", video.MBO(), video.ASA(), video.VI())
	fmt.Println("id switches:", switches.Count())
	// Output:
	// mBO 0.50, ASA 1.00, VI 0.50 bits
	// id switches: 1
}
