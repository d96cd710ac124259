package live

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"glomstream/capture"
	"glomstream/pipeline"
)

// Fault 45: a hundred who ask at a time get one picture, made once.
func TestFault45ManyAskAtOnce(t *testing.T) {
	h := newTheatre(t, Config{})
	h.play(t, film{name: "demo?size=320x176", frames: 2})
	var wg sync.WaitGroup
	first, version, err := h.JPEG(t.Context(), "overlay", -1, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		wg.Go(func() {
			got, v, err := h.JPEG(t.Context(), "overlay", 1, 0)
			if err != nil || v != version || bytes.Equal(got, first) {
				t.Errorf("version %d, %v; want another level's of version %d", v, err, version)
			}
		})
	}
	wg.Wait()
	if _, _, err := h.JPEG(t.Context(), "overlay", 1, 0); err != nil { // late, but of the same frame
		t.Error(err)
	}
	if n := h.jpegs.Load(); n != 2 {
		t.Errorf("%d pictures were made, want 2", n)
	}
}

func TestJPEG(t *testing.T) {
	h := newTheatre(t, Config{})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("enough"))
	defer cancel()
	if _, _, err := h.JPEG(ctx, "plain", -1, 0); err == nil {
		t.Error("a picture before the first frame")
	}
	var want capture.Frame
	h.play(t, film{name: small, frames: 1, each: func(_ int, r *pipeline.Result) {
		want = r.Frame
		want.Pix = bytes.Clone(r.Frame.Pix)
	}})
	data, version, err := h.JPEG(t.Context(), "plain", 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if img.Bounds() != image.Rect(0, 0, 96, 64) {
		t.Fatalf("picture of %v", img.Bounds())
	}
	sum := 0
	for y := range 64 {
		for x := range 96 {
			r, g, b, _ := img.At(x, y).RGBA()
			p := want.Pix[y*want.Stride+3*x:]
			for i, c := range []uint32{b, g, r} {
				d := int(c>>8) - int(p[i])
				sum += max(d, -d)
			}
		}
	}
	if mean := float64(sum) / (96 * 64 * 3); mean > 8 { // edges lose half of their chroma
		t.Errorf("the picture is off by %.1f of 255 on average", mean)
	}
	for _, bad := range []struct {
		picture string
		level   int
	}{{"nose", -1}, {"overlay", 5}, {"overlay", -2}} {
		if _, _, err := h.JPEG(t.Context(), bad.picture, bad.level, 0); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
	got := make(chan uint64)
	go func() {
		_, v, _ := h.JPEG(context.Background(), "plain", -1, version)
		got <- v
	}()
	select {
	case v := <-got:
		t.Errorf("version %d came before there was one", v)
	case <-time.After(50 * time.Millisecond):
	}
	h.play(t, film{name: small, frames: 1})
	if v := <-got; v != version+1 {
		t.Errorf("version %d, want %d", v, version+1)
	}
}

// slowYCbCr is the definition of JFIF.
func slowYCbCr(r, g, b float64) (y, cb, cr float64) {
	return 0.299*r + 0.587*g + 0.114*b, 128 - 0.168736*r - 0.331264*g + 0.5*b, 128 + 0.5*r - 0.418688*g - 0.081312*b
}

func TestToYCbCr(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, size := range []image.Point{{1, 1}, {2, 2}, {3, 5}, {16, 8}} {
		f := capture.NewPool(1).Frame(size.X, size.Y)
		for i := range f.Pix {
			f.Pix[i] = []byte{0, 255, byte(rng.IntN(256))}[rng.IntN(3)]
		}
		img := toYCbCr(&f)
		at := func(x, y int) (r, g, b float64) {
			p := f.Pix[min(y, f.H-1)*f.Stride+3*min(x, f.W-1):]
			return float64(p[2]), float64(p[1]), float64(p[0])
		}
		for y := range f.H {
			for x := range f.W {
				r, g, b := at(x, y)
				want, _, _ := slowYCbCr(r, g, b)
				if got := float64(img.Y[img.YOffset(x, y)]); got < want-0.6 || got > want+0.6 {
					t.Errorf("%v: luma at %d,%d is %v, want %v", size, x, y, got, want)
				}
				var sr, sg, sb float64
				for _, d := range []image.Point{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
					r, g, b := at(x/2*2+d.X, y/2*2+d.Y)
					sr, sg, sb = sr+r/4, sg+g/4, sb+b/4
				}
				_, cb, cr := slowYCbCr(sr, sg, sb)
				o := img.COffset(x, y)
				if b, r := float64(img.Cb[o]), float64(img.Cr[o]); b < cb-0.6 || b > cb+0.6 || r < cr-0.6 || r > cr+0.6 {
					t.Errorf("%v: chroma at %d,%d is %v, %v, want %v, %v", size, x, y, b, r, cb, cr)
				}
			}
		}
	}
}

func BenchmarkJPEG(b *testing.B) {
	f := capture.NewPool(1).Frame(640, 360)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range f.Pix {
		f.Pix[i] = byte(i/1920 + rng.IntN(16))
	}
	s := &shot{frame: f}
	l := &Live{}
	for b.Loop() {
		if _, err := l.compress(s, "", Plain, -1); err != nil {
			b.Fatal(err)
		}
	}
}
