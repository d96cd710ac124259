package meta_test

import (
	"fmt"

	"glomstream/overlay/meta"
)

func Example() {
	f := meta.Frame{
		Timestamp: 90000, W: 4, H: 2, Levels: 5, Level: 3,
		Nodes: []meta.Nodes{{Level: 3, Islands: []meta.Island{{ID: 1, Area: 6}, {ID: 2, Area: 2}}}},
	}
	f.Labels.Sample([]uint16{1, 1, 1, 2, 1, 1, 1, 2}, 4, 2, 320)
	message, err := meta.Append(nil, &f)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := meta.Parse(message)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(message), "bytes:", got.Labels.ID, "of frame", got.Timestamp)
	// Output: 118 bytes: [1 1 1 2 1 1 1 2] of frame 90000
}
