//go:build cgo && !novpx

package vpx

import (
	"image"
	"math"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"glomstream/capture"
	"glomstream/capture/scene"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const frame = time.Second / 30

// long skips a test that encodes for seconds and has but one goroutine, where that is not wanted.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("encodes for seconds")
	}
}

// film returns n frames of a scene with a walker, a car and noise.
func film(t testing.TB, w, h, n int) []capture.Frame {
	t.Helper()
	src, err := scene.New(scene.Config{Name: "demo", W: w, H: h, Frames: n})
	if err != nil {
		t.Fatal(err)
	}
	var frames []capture.Frame
	for range n {
		f, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f)
	}
	return frames
}

// play returns frame i of a film that goes on forever, to and fro.
func play(frames []capture.Frame, i int) *capture.Frame {
	n := 2*len(frames) - 2
	j := i % n
	f := frames[min(j, n-j)]
	f.PTS = time.Duration(i) * frame
	return &f
}

func open(t testing.TB, cfg Config) *Encoder {
	t.Helper()
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func encode(t testing.TB, e *Encoder, f *capture.Frame, key bool) Packet {
	t.Helper()
	var p Packet
	if err := e.Encode(&p, f, key); err != nil {
		t.Fatal(err)
	}
	return p
}

// decoder is a Decoder whose pictures stay.
type decoder struct {
	*Decoder
	t testing.TB
}

func opened(t testing.TB, codec Codec) decoder {
	t.Helper()
	d, err := NewDecoder(codec)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return decoder{d, t}
}

func (d decoder) picture(p Packet) *image.YCbCr {
	d.t.Helper()
	img := new(image.YCbCr)
	if err := d.Decode(img, p.Data); err != nil {
		d.t.Fatal(err)
	}
	if img.Y == nil {
		d.t.Fatal("the packet holds no picture")
	}
	return img
}

func same(a, b *image.YCbCr) bool {
	return a.Rect == b.Rect && slices.Equal(a.Y, b.Y) && slices.Equal(a.Cb, b.Cb) && slices.Equal(a.Cr, b.Cr)
}

// slowI420 is the conversion as the formulas of BT.601 stand.
func slowI420(f *capture.Frame) *image.YCbCr {
	const kr, kb = 0.299, 0.114
	w, h := f.W&^1, f.H&^1
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	at := func(x, y int) (r, g, b float64) {
		p := f.Pix[y*f.Stride+3*x:]
		return float64(p[2]) / 255, float64(p[1]) / 255, float64(p[0]) / 255
	}
	for y := range h {
		for x := range w {
			r, g, b := at(x, y)
			img.Y[y*img.YStride+x] = byte(math.Round(16 + 219*(kr*r+(1-kr-kb)*g+kb*b)))
		}
	}
	for y := range h / 2 {
		for x := range w / 2 {
			var r, g, b float64
			for i := range 4 {
				r1, g1, b1 := at(2*x+i%2, 2*y+i/2)
				r, g, b = r+r1/4, g+g1/4, b+b1/4
			}
			luma := kr*r + (1-kr-kb)*g + kb*b
			img.Cb[y*img.CStride+x] = byte(math.Round(128 + 224*(b-luma)/(2*(1-kb))))
			img.Cr[y*img.CStride+x] = byte(math.Round(128 + 224*(r-luma)/(2*(1-kr))))
		}
	}
	return img
}

// psnr compares one plane, in decibels.
func psnr(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}
