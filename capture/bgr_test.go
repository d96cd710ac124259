package capture

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

// slowYUV is BT.601 as its formulas stand, in BGR.
func slowYUV(y, cb, cr byte, full bool) [3]byte {
	l, u, v := float64(y)/255, (float64(cb)-128)/255, (float64(cr)-128)/255
	if !full {
		l, u, v = (float64(y)-16)/219, (float64(cb)-128)/224, (float64(cr)-128)/224
	}
	const kr, kb = 0.299, 0.114 // luma is kr R + (1-kr-kb) G + kb B
	r := l + 2*(1-kr)*v
	b := l + 2*(1-kb)*u
	g := (l - kr*r - kb*b) / (1 - kr - kb)
	to8 := func(x float64) byte { return byte(math.Round(255 * min(max(x, 0), 1))) }
	return [3]byte{to8(b), to8(g), to8(r)}
}

// near reports whether two colours differ by 1 at most: products are rounded to 16 bits after
// the point, which can move a sum across one half.
func near(got []byte, want [3]byte) bool {
	for i := range want {
		if d := int(got[i]) - int(want[i]); d < -1 || d > 1 {
			return false
		}
	}
	return true
}

// All 16 Mi colours would take seconds; every third of each and both ends do.
func TestYUVAgainstFormula(t *testing.T) {
	for _, full := range []bool{false, true} {
		tables := limitedRange()
		if full {
			tables = fullRange()
		}
		codes := []byte{}
		for c := 0; c < 256; c += 3 { // 0 and 255 among them
			codes = append(codes, byte(c))
		}
		off, n := 0, 0
		var out [3]byte
		for _, y := range codes {
			for _, cb := range codes {
				for _, cr := range codes {
					tables.row(out[:], []byte{y}, []byte{cb}, []byte{cr}, 0)
					want := slowYUV(y, cb, cr, full)
					if !near(out[:], want) {
						t.Fatalf("full %v, Y %d, Cb %d, Cr %d: got BGR %v, want %v", full, y, cb, cr, out, want)
					}
					if n++; out != want {
						off++
					}
				}
			}
		}
		if off > n/1000 {
			t.Errorf("full %v: %d of %d colours are not the nearest", full, off, n)
		}
	}
}

func TestYUVEnds(t *testing.T) {
	for _, c := range []struct {
		full bool
		in   [3]byte // Y, Cb, Cr
		want [3]byte // B, G, R
	}{
		{false, [3]byte{16, 128, 128}, [3]byte{0, 0, 0}},
		{false, [3]byte{235, 128, 128}, [3]byte{255, 255, 255}},
		{false, [3]byte{0, 128, 128}, [3]byte{0, 0, 0}},
		{false, [3]byte{255, 128, 128}, [3]byte{255, 255, 255}},
		{false, [3]byte{81, 90, 240}, [3]byte{0, 0, 254}}, // red as broadcast has it
		{true, [3]byte{0, 128, 128}, [3]byte{0, 0, 0}},
		{true, [3]byte{255, 128, 128}, [3]byte{255, 255, 255}},
		{true, [3]byte{76, 85, 255}, [3]byte{0, 0, 254}},
	} {
		if got := slowYUV(c.in[0], c.in[1], c.in[2], c.full); got != c.want {
			t.Errorf("full %v, %v: got %v, want %v", c.full, c.in, got, c.want)
		}
	}
}

// Every subsampling at every parity of the size, into a frame with a gap between its rows.
func TestFillImageSubsampling(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{
		image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410,
	} {
		for _, size := range [][2]int{{1, 1}, {2, 1}, {1, 2}, {3, 3}, {4, 4}, {5, 6}, {8, 7}, {17, 9}} {
			w, h := size[0], size[1]
			src := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
			for _, p := range [][]byte{src.Y, src.Cb, src.Cr} {
				noise(src, p)
			}
			stride := 3*w + 5
			dst := Frame{W: w, H: h, Stride: stride, Pix: make([]byte, stride*h)}
			for i := range dst.Pix {
				dst.Pix[i] = 77
			}
			fillImage(&dst, src, fullRange())
			for y := range h {
				for x := range w {
					c := src.YCbCrAt(x, y)
					got := dst.Pix[y*stride+3*x:][:3]
					if want := slowYUV(c.Y, c.Cb, c.Cr, true); !near(got, want) {
						t.Fatalf("%v, %d x %d, pixel (%d, %d): got %v, want %v", ratio, w, h, x, y, got, want)
					}
				}
				for _, v := range dst.Pix[y*stride+3*w : (y+1)*stride] {
					if v != 77 {
						t.Fatalf("%v, %d x %d: wrote behind row %d", ratio, w, h, y)
					}
				}
			}
		}
	}
}

func TestFillAllocatesNothing(t *testing.T) {
	src := image.NewYCbCr(image.Rect(0, 0, 33, 17), image.YCbCrSubsampleRatio420)
	dst := NewPool(1).Frame(33, 17)
	tables := limitedRange()
	if n := testing.AllocsPerRun(10, func() { fillImage(&dst, src, tables) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestScale(t *testing.T) {
	for v := range 256 {
		for a := range 256 {
			want := byte(math.Round(float64(v) * float64(a) / 255))
			if got := scale(byte(v), byte(a)); got != want {
				t.Fatalf("scale(%d, %d) = %d, want %d", v, a, got, want)
			}
		}
	}
}

// A turn and the one that undoes it give back what was there.
func TestTurnBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	pool := NewPool(3)
	src := pool.Frame(7, 4)
	for i := range src.Pix {
		src.Pix[i] = byte(rng.Uint32())
	}
	undo := map[orientation]orientation{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
	for o, u := range undo {
		w, h := 7, 4
		if o.transposes() {
			w, h = h, w
		}
		turned, back := pool.Frame(w, h), pool.Frame(7, 4)
		o.turn(&turned, &src)
		u.turn(&back, &turned)
		if string(back.Pix) != string(src.Pix) {
			t.Errorf("orientation %d undone by %d is not what it was", o, u)
		}
	}
}
