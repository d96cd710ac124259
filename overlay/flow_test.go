package overlay

import (
	"math"
	"testing"

	"glomstream/capture"
)

// drawFlowOf draws one motion, in pixels of a flow of 64x48, over middle grey.
func drawFlowOf(t *testing.T, dx, dy float32) bgr {
	t.Helper()
	f := capture.Frame{W: 16, H: 12, Stride: 48, Pix: make([]byte, 48*12)}
	for i := range f.Pix {
		f.Pix[i] = 100
	}
	s := &Scene{Frame: &f, FlowW: 64, FlowH: 48}
	for range s.FlowW * s.FlowH {
		s.Flow = append(s.Flow, dx, dy)
	}
	d := newDrawer(t, Config{View: Flow})
	canvas := newCanvas(d, f.W, f.H)
	d.Draw(&canvas, s)
	for i := range f.W * f.H {
		if pixel(&canvas, i%f.W, i/f.W) != pixel(&canvas, 0, 0) {
			t.Fatalf("even flow %v,%v is drawn unevenly", dx, dy)
		}
	}
	return pixel(&canvas, 0, 0)
}

func TestFlowColours(t *testing.T) {
	grey := bgr{100, 100, 100}
	full := float32(64 * fullFlow)
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	cases := []struct {
		name   string
		dx, dy float32
		want   bgr
	}{
		{"still", 0, 0, grey},
		{"right is red", full, 0, slowWash(grey, bgr{0, 0, 255}, 0.7)},
		{"down is yellow", 0, full, slowWash(grey, bgr{0, 234, 255}, 0.7)},
		{"left is cyan", -full, 0, slowWash(grey, bgr{255, 197, 0}, 0.7)},
		{"up is violet", 0, -full, slowWash(grey, bgr{255, 0, 103}, 0.7)},
		{"slow is pale", full / 8, 0, slowWash(grey, bgr{0, 0, 255}, 0.7/4)},
		{"too fast keeps its direction", 9 * full, 0, slowWash(grey, bgr{0, 0, 255}, 0.7)},
		{"not a number", nan, 1, grey},
		{"infinite", inf, -inf, grey},
		{"huge", -math.MaxFloat32, 0, slowWash(grey, bgr{255, 197, 0}, 0.7)},
	}
	for _, c := range cases {
		if got := drawFlowOf(t, c.dx, c.dy); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if got := drawFlowOf(t, 9*full, 9*full); got != drawFlowOf(t, full, full) {
		t.Errorf("too fast diagonally: got %v", got)
	}
}

func TestFlowAgainstSlow(t *testing.T) {
	s := makeScene(83, 61, 1)
	for i := range s.Flow {
		s.Flow[i] *= 0.6 // so that nothing is too fast, which would be shortened before it is interpolated
	}
	d := newDrawer(t, Config{View: Flow, NoHUD: true, Levels: 1, Opacity: 1})
	canvas := newCanvas(d, 83, 61)
	d.Draw(&canvas, s)
	for y := range 61 {
		for x := range 83 {
			v := [2]float64{}
			for c := range v {
				v[c] = slowAt(s.Flow, s.FlowH, s.FlowW, 2, c, x, y, 83, 61) / (fullFlow * float64(s.FlowW))
			}
			// float32 may round a motion between two entries to the other one.
			got, ok := pixel(&canvas, x, y), false
			for _, e := range []float64{-1e-5, 1e-5} {
				var want bgr
				p := pixel(s.Frame, x, y)
				d.wheel.at(float32(v[0]+e), float32(v[1])).over(want[:], p[:])
				ok = ok || got == want
				d.wheel.at(float32(v[0]), float32(v[1]+e)).over(want[:], p[:])
				ok = ok || got == want
			}
			if !ok {
				t.Fatalf("at %d,%d: got %v for the motion %v", x, y, got, v)
			}
		}
	}
}

// Directions that are a little apart never differ much in colour: the wheel has no seam.
func TestHueIsSmooth(t *testing.T) {
	const n = 720
	for i := range n {
		a, b := hue(2*math.Pi*float64(i)/n-math.Pi), hue(2*math.Pi*float64(i+1)/n-math.Pi)
		for c := range a {
			if diff := math.Abs(float64(a[c]) - float64(b[c])); diff > 10 {
				t.Errorf("hue jumps from %v to %v at %d/%d", a, b, i, n)
			}
		}
	}
}
