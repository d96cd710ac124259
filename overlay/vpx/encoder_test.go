//go:build cgo && !novpx

package vpx

import (
	"image"
	"testing"
	"time"

	"glomstream/capture"
)

func TestSmoke(t *testing.T) {
	for _, codec := range []Codec{VP8, VP9} {
		for layers := 1; layers <= 3; layers++ {
			e, err := New(Config{W: 640, H: 360, Layers: layers, Codec: codec})
			if err != nil {
				t.Fatal(err)
			}
			d, err := NewDecoder(codec)
			if err != nil {
				t.Fatal(err)
			}
			var p Packet
			var img image.YCbCr
			f := capture.NewPool(1).Frame(640, 360)
			for i := range 20 {
				for j := range f.Pix {
					f.Pix[j] = byte(j*j/7 + i)
				}
				f.PTS = time.Duration(i) * time.Second / 30
				if err := e.Encode(&p, &f, i == 10); err != nil {
					t.Fatal(err)
				}
				t.Log(codec, layers, i, len(p.Data), p.Key, p.Layer)
				if len(p.Data) > 0 {
					if err := d.Decode(&img, p.Data); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
}
