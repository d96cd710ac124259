//go:build cgo && !novpx

package vpx

import (
	"fmt"
	"image"
	"testing"
	"time"
)

// TestLayers leaves out layers, and takes them up again: what is decoded must be the same, to the
// bit, as when all is decoded.
func TestLayers(t *testing.T) {
	long(t)
	const n = 120
	for _, codec := range []Codec{VP8, VP9} {
		for layers := 2; layers <= 3; layers++ {
			for _, bitrate := range []int{30_000, 1_000_000} { // the first is too little: frames are left out
				t.Run(fmt.Sprint(codec, " layers ", layers, " bitrate ", bitrate), func(t *testing.T) {
					packets, all := layered(t, Config{Codec: codec, W: 320, H: 180, Layers: layers, Bitrate: bitrate}, n)
					for top := range layers {
						d := opened(t, codec)
						for i, p := range packets {
							// The viewer's line gets better at the first frame of layer 0 behind the middle.
							if i > 2*len(packets)/3 && p.Layer == 0 {
								top = layers - 1
							}
							if p.Layer <= top && !same(d.picture(p), all[i]) {
								t.Fatalf("up to layer %d, packet %d of layer %d is another picture", top, i, p.Layer)
							}
						}
					}
				})
			}
		}
	}
}

// layered encodes n frames, with a key frame in between, and checks the order of the layers.
func layered(t *testing.T, cfg Config, n int) (packets []Packet, pictures []*image.YCbCr) {
	t.Helper()
	frames := film(t, cfg.W, cfg.H, 40)
	e, d := open(t, cfg), opened(t, cfg.Codec)
	order := [][]int{{0, 1}, {0, 2, 1, 2}}[cfg.Layers-2]
	at := 0
	for i := range n {
		p := encode(t, e, play(frames, i), i == n/3+1)
		if len(p.Data) == 0 {
			continue
		}
		if p.Key {
			at = 0
		}
		if p.Layer != order[at%len(order)] {
			t.Fatalf("packet %d is of layer %d, want %d", i, p.Layer, order[at%len(order)])
		}
		at++
		packets = append(packets, p)
		pictures = append(pictures, d.picture(p))
	}
	if all := cfg.Bitrate > 100_000; all != (len(packets) == n) {
		t.Errorf("%d packets of %d frames", len(packets), n)
	}
	return packets, pictures
}

// TestShares counts the bits of each layer.
func TestShares(t *testing.T) {
	long(t)
	for _, codec := range []Codec{VP8, VP9} {
		for layers := 2; layers <= 3; layers++ {
			t.Run(fmt.Sprint(codec, " layers ", layers), func(t *testing.T) {
				const bitrate, seconds = 300_000, 10
				frames := film(t, 320, 180, 40)
				e := open(t, Config{Codec: codec, W: 320, H: 180, Layers: layers, Bitrate: bitrate, KeyEvery: time.Hour})
				bits := make([]float64, layers)
				for i := range seconds * 30 {
					p := encode(t, e, play(frames, i), false)
					for l := p.Layer; l < layers; l++ {
						bits[l] += 8 * float64(len(p.Data))
					}
				}
				for l, share := range shares(layers) {
					want := bitrate * seconds * float64(share) / 100
					if bits[l] < 0.85*want || bits[l] > 1.15*want {
						t.Errorf("layers up to %d have %.0f bit/s, want %.0f", l, bits[l]/seconds, want/seconds)
					}
				}
			})
		}
	}
}
