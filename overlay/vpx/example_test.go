//go:build cgo && !novpx

package vpx_test

import (
	"fmt"
	"time"

	"glomstream/capture"
	"glomstream/overlay/vpx"
)

func Example() {
	enc, err := vpx.New(vpx.Config{W: 640, H: 360, Layers: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = enc.Close() }()
	f := capture.NewPool(1).Frame(640, 360)
	var p vpx.Packet
	for i := range 6 {
		f.PTS = time.Duration(i) * time.Second / 30
		if err := enc.Encode(&p, &f, i == 4); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("layer", p.Layer, "key", p.Key)
	}
	// Output:
	// layer 0 key true
	// layer 2 key false
	// layer 1 key false
	// layer 2 key false
	// layer 0 key true
	// layer 2 key false
}
