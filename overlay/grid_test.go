package overlay

import (
	"bytes"
	"image"
	"math"
	"slices"
	"testing"
)

func TestSize(t *testing.T) {
	cases := []struct{ levels, w, h, cw, ch int }{
		{5, 640, 360, 1920, 720},
		{5, 1920, 1080, 1920, 720},
		{5, 320, 240, 960, 480},
		{5, 641, 361, 1920, 720},
		{5, 1080, 1920, 1620, 1920},
		{5, 1, 1, 3, 2},
		{5, 100000, 1, 1920, 2},
		{5, 1, 100000, 3, 1920},
		{1, 640, 360, 1280, 360},
		{3, 640, 360, 1280, 720},
		{8, 640, 360, 1920, 1080},
	}
	for _, c := range cases {
		d := newDrawer(t, Config{All: true, Levels: c.levels})
		if cw, ch := d.Size(c.w, c.h); cw != c.cw || ch != c.ch {
			t.Errorf("%d levels of %dx%d: got %dx%d, want %dx%d", c.levels, c.w, c.h, cw, ch, c.cw, c.ch)
		}
		d = newDrawer(t, Config{Levels: c.levels})
		if cw, ch := d.Size(c.w, c.h); cw != c.w || ch != c.h {
			t.Errorf("one level of %dx%d: got %dx%d", c.w, c.h, cw, ch)
		}
	}
}

// Up to 640 pixels wide, each tile is what a Drawer of that level draws; the first is the source.
func TestAllTilesAreTheLevels(t *testing.T) {
	const w, h = 50, 40 // too small for text and gaps
	s := makeScene(w, h, 4)
	s.Labels[3] = nil
	for _, view := range []View{Islands, Agreement} {
		all := newDrawer(t, Config{View: view, All: true, Levels: 4})
		canvas := newCanvas(all, w, h)
		all.Draw(&canvas, s)
		tile := func(i int) image.Rectangle { return image.Rect(0, 0, w, h).Add(image.Pt(i%3*w, i/3*h)) }
		for i := range 6 {
			want := newFrame(w, h)
			switch {
			case i == 0:
				copyFrame(&want, s.Frame)
			case i == 5:
				clearFrame(&want)
			default:
				one := newDrawer(t, Config{View: view, Level: i - 1, Levels: 4})
				one.Draw(&want, s)
			}
			got := part(&canvas, tile(i))
			for y := range h {
				if !bytes.Equal(row(&got, y), row(&want, y)) {
					t.Fatalf("%v: tile %d differs in row %d", view, i, y)
				}
			}
		}
	}
}

// Tiles of a large picture show its labels at their places.
func TestAllShrinksLabels(t *testing.T) {
	s := makeScene(1280, 720, 5)
	for i := range s.Frame.Pix {
		s.Frame.Pix[i] = 128
	}
	labels := make([]uint16, 1280*720)
	for i := range labels {
		labels[i] = uint16(1 + i%1280/320 + 4*(i/1280/360)) // 4 by 2 rectangles
	}
	s.Labels[0] = labels
	d := newDrawer(t, Config{All: true, NoHUD: true})
	canvas := newCanvas(d, 1280, 720)
	d.Draw(&canvas, s)
	for i := range 8 {
		x, y := 640+160*(i%4)+80, 180*(i/4)+90
		want := bgr{128, 128, 128}
		d.style(uint16(i+1)).fill.over(want[:], want[:])
		if got := pixel(&canvas, x, y); got != want {
			t.Errorf("island %d: got %v, want %v", i+1, got, want)
		}
	}
}

// slowShrink is the mean over the area of each new pixel.
func slowShrink(pix func(x, y int) float64, x, y, W, H, w, h int) float64 {
	weight := func(k, i, n, m int) float64 {
		from, to := float64(i)*float64(n)/float64(m), float64(i+1)*float64(n)/float64(m)
		return max(0, min(to, float64(k+1))-max(from, float64(k)))
	}
	sum, area := 0.0, 0.0
	for v := range H {
		for u := range W {
			a := weight(u, x, W, w) * weight(v, y, H, h)
			sum, area = sum+a*pix(u, v), area+a
		}
	}
	return sum / area
}

func TestShrinkAgainstSlow(t *testing.T) {
	cases := [][4]int{{30, 20, 10, 10}, {31, 17, 13, 7}, {9, 9, 8, 8}, {40, 3, 1, 1}, {3, 40, 3, 7}, {7, 5, 7, 5}}
	sc := new(scratch)
	for _, c := range cases {
		src, dst := newFrame(c[0], c[1]), newFrame(c[2], c[3])
		sc.shrink(&dst, &src)
		for y := range dst.H {
			for x := range dst.W {
				for ch := range 3 {
					want := slowShrink(func(x, y int) float64 { return float64(pixel(&src, x, y)[ch]) }, x, y, src.W, src.H, dst.W, dst.H)
					if got := float64(pixel(&dst, x, y)[ch]); math.Abs(got-want) > 0.75 { // weights have 12 bits
						t.Fatalf("%v at %d,%d: got %v, want %.2f", c, x, y, got, want)
					}
				}
			}
		}
	}
}

// Weights are whole in all, so an even picture stays exactly what it is, also white at any ratio.
func TestSpansAreWhole(t *testing.T) {
	for _, n := range []int{1, 2, 3, 640, 641, 1920, 3840, 10007} {
		for _, m := range []int{1, 2, 3, 427, 640} {
			for i := 0; i < m && m <= n; i++ {
				s := spanOf(i, n, m)
				sum := uint64(0)
				for j := range s.n {
					sum += uint64(s.weight(j))
				}
				if sum != whole || s.first+s.n > n {
					t.Fatalf("pixel %d when %d become %d: %+v", i, n, m, s)
				}
			}
		}
	}
	white := newFrame(1000, 3)
	for i := range white.Pix {
		white.Pix[i] = 255
	}
	dst := newFrame(333, 2)
	new(scratch).shrink(&dst, &white)
	for x := range dst.W {
		if p := pixel(&dst, x, 1); p != (bgr{255, 255, 255}) {
			t.Fatalf("white became %v", p)
		}
	}
}

func TestShrinkLabelsTakesTheCentre(t *testing.T) {
	labels := make([]uint16, 9*6)
	for i := range labels {
		labels[i] = uint16(i)
	}
	sc := new(scratch)
	got := sc.shrinkLabels(labels, 9, 6, 3, 2)
	if want := []uint16{10, 13, 16, 37, 40, 43}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := sc.shrinkLabels(nil, 9, 6, 3, 2); got != nil {
		t.Errorf("no labels became %v", got)
	}
}

// Tiles are parted by dark lines, two pixels wide, and nothing else is dark.
func TestGaps(t *testing.T) {
	f := newFrame(64, 70)
	for i := range f.Pix {
		f.Pix[i] = 200
	}
	d := newDrawer(t, Config{All: true, NoHUD: true})
	canvas := newCanvas(d, f.W, f.H)
	d.Draw(&canvas, &Scene{Frame: &f})
	for y := range canvas.H {
		for x := range canvas.W {
			gap := x == 63 || x == 64 || x == 127 || x == 128 || y == 69 || y == 70
			if dark := pixel(&canvas, x, y) == (bgr{}); dark != gap {
				t.Fatalf("at %d,%d: dark is %v", x, y, dark)
			}
		}
	}
}
