package overlay

import (
	"math"
	"testing"

	"glomstream/capture"
)

// slowAt interpolates a grid (rows, cols, dim) bilinearly at the centre of a pixel of a w by h picture.
func slowAt(grid []float32, rows, cols, dim, c, x, y, w, h int) float64 {
	place := func(x, n, m int) (lo, hi int, f float64) {
		at := min(max((float64(x)+0.5)*float64(m)/float64(n)-0.5, 0), float64(m-1))
		lo = int(math.Floor(at))
		return lo, min(lo+1, m-1), at - float64(lo)
	}
	x0, x1, fx := place(x, w, cols)
	y0, y1, fy := place(y, h, rows)
	v := func(y, x int) float64 { return float64(grid[(y*cols+x)*dim+c]) }
	return (1-fy)*((1-fx)*v(y0, x0)+fx*v(y0, x1)) + fy*((1-fx)*v(y1, x0)+fx*v(y1, x1))
}

// slowWash blends a colour over the grey of a pixel.
func slowWash(p, c bgr, opacity float64) bgr {
	grey := uint8((29*int(p[0]) + 150*int(p[1]) + 77*int(p[2]) + 128) / 256)
	for i := range p {
		p[i] = slowBlend(grey, c[i], opacity)
	}
	return p
}

func TestAgreementAgainstSlow(t *testing.T) {
	cases := []struct{ w, h, rows, cols int }{
		{1, 1, 1, 1}, {1, 1, 22, 40}, {50, 30, 1, 1}, {50, 30, 2, 1}, {50, 30, 1, 3}, {64, 36, 22, 40}, {33, 77, 5, 4}, {5, 5, 9, 9},
	}
	for _, c := range cases {
		s := makeScene(c.w, c.h, 5)
		s.Rows, s.Cols, s.Agreement = c.rows, c.cols, [][]float32{make([]float32, c.rows*c.cols)}
		for i := range s.Agreement[0] {
			s.Agreement[0][i] = float32(i*7%11) / 10
		}
		d := newDrawer(t, Config{View: Agreement, NoHUD: true})
		canvas := newCanvas(d, c.w, c.h)
		d.Draw(&canvas, s)
		for y := range c.h {
			for x := range c.w {
				v := slowAt(s.Agreement[0], c.rows, c.cols, 1, 0, x, y, c.w, c.h) * 255
				got := pixel(&canvas, x, y)
				// float32 may round a value that lies between two colours to the other one.
				lo, hi := d.heat[int(v+0.499)], d.heat[int(v+0.501)]
				p := pixel(s.Frame, x, y)
				if got != slowWash(p, lo, 0.7) && got != slowWash(p, hi, 0.7) {
					t.Fatalf("%+v at %d,%d: got %v, want %v", c, x, y, got, slowWash(p, lo, 0.7))
				}
			}
		}
	}
}

// What is out of range or not a number is drawn as 0 or 1.
func TestAgreementOutOfRange(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	cases := []struct{ in, as float32 }{{nan, 0}, {-inf, 0}, {-0.5, 0}, {1.5, 1}, {1e30, 1}}
	f := newFrame(8, 8)
	d := newDrawer(t, Config{View: Agreement})
	draw := func(v float32) capture.Frame {
		canvas := newCanvas(d, 8, 8)
		d.Draw(&canvas, &Scene{Frame: &f, Rows: 1, Cols: 1, Agreement: [][]float32{{v}}})
		return canvas
	}
	for _, c := range cases {
		got, want := draw(c.in), draw(c.as)
		if pixel(&got, 3, 3) != pixel(&want, 3, 3) {
			t.Errorf("%v is not drawn as %v", c.in, c.as)
		}
	}
}

// Equal steps of agreement are nearly equal steps of lightness, for all eyes.
func TestHeatColoursAreEven(t *testing.T) {
	colours := heatColours()
	if colours[0] != (bgr{0x54, 0x01, 0x44}) || colours[255] != (bgr{0x25, 0xE7, 0xFD}) {
		t.Errorf("ends are %v and %v", colours[0], colours[255])
	}
	for eye := range visions() {
		first, last := labOf(colours[0], eye)[0], labOf(colours[255], eye)[0]
		for v := 0; v+16 < 256; v += 8 {
			rise := labOf(colours[v+16], eye)[0] - labOf(colours[v], eye)[0]
			even := (last - first) * 16 / 255
			if rise < even/2 || rise > even*2 {
				t.Errorf("eye %d: lightness rises by %.1f from %d to %d, want about %.1f", eye, rise, v, v+16, even)
			}
		}
	}
}
