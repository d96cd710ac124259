//go:build cgo && !novpx

package vpx

import (
	"fmt"
	"image"
	"math/rand/v2"
	"runtime"
	"testing"

	"glomstream/capture"
)

func TestConvert(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, size := range [][2]int{{2, 2}, {3, 3}, {8, 6}, {64, 2}, {127, 9}, {128, 4}, {130, 5}, {255, 3}, {641, 17}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			w, h := size[0], size[1]
			f := capture.Frame{W: w, H: h, Stride: 3*w + 5}
			f.Pix = make([]byte, (h-1)*f.Stride+3*w) // nothing behind the last pixel
			for i := range f.Pix {
				f.Pix[i] = byte(rng.Uint32())
				if rng.IntN(4) == 0 {
					f.Pix[i] = byte(255 * rng.IntN(2))
				}
			}
			want := slowI420(&f)
			got := image.NewYCbCr(want.Rect, image.YCbCrSubsampleRatio420)
			convert(got, &f)
			for _, p := range []struct {
				name      string
				got, want []byte
			}{{"Y", got.Y, want.Y}, {"Cb", got.Cb, want.Cb}, {"Cr", got.Cr, want.Cr}} {
				off := 0
				for i := range p.want {
					d := int(p.got[i]) - int(p.want[i])
					if d < -1 || d > 1 {
						t.Fatalf("%s at %d is %d, want %d", p.name, i, p.got[i], p.want[i])
					}
					off += d * d
				}
				// Fixed point may round the other way where the sum is all but half.
				if off > 1+len(p.want)/50 {
					t.Errorf("%s: %d of %d are off by one", p.name, off, len(p.want))
				}
			}
		})
	}
}

// TestColours has the colours that everyone knows.
func TestColours(t *testing.T) {
	for _, c := range []struct {
		name      string
		b, g, r   byte
		y, cb, cr byte
	}{
		{"black", 0, 0, 0, 16, 128, 128},
		{"white", 255, 255, 255, 235, 128, 128},
		{"grey", 127, 127, 127, 125, 128, 128},
		{"red", 0, 0, 255, 81, 90, 240},
		{"green", 0, 255, 0, 145, 54, 34},
		{"blue", 255, 0, 0, 41, 240, 110},
	} {
		f := capture.NewPool(1).Frame(16, 16)
		for i := 0; i < len(f.Pix); i += 3 {
			f.Pix[i], f.Pix[i+1], f.Pix[i+2] = c.b, c.g, c.r
		}
		got := image.NewYCbCr(image.Rect(0, 0, 16, 16), image.YCbCrSubsampleRatio420)
		convert(got, &f)
		if got.Y[17] != c.y || got.Cb[9] != c.cb || got.Cr[9] != c.cr {
			t.Errorf("%s is %d %d %d, want %d %d %d", c.name, got.Y[17], got.Cb[9], got.Cr[9], c.y, c.cb, c.cr)
		}
	}
}

func BenchmarkConvert(b *testing.B) {
	for _, size := range [][2]int{{640, 360}, {1280, 720}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			f := capture.NewPool(1).Frame(size[0], size[1])
			img := image.NewYCbCr(image.Rect(0, 0, size[0], size[1]), image.YCbCrSubsampleRatio420)
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			start := used(b)
			for b.Loop() {
				convert(img, &f)
			}
			b.ReportMetric((used(b)-start).Seconds()*1000/float64(b.N), "cpu-ms/frame")
		})
	}
}
