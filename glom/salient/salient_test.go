package salient

import (
	"slices"
	"testing"
)

// see lets f see so many frames.
func (w *world) see(f *Finder, frames int) {
	for range frames {
		f.Step(w.next())
	}
}

// Things that move against the ground are found whatever the camera does, and one at rest is not.
// Masks of squares on the grid of locations lose up to half a location on each of the sides, here
// 3 to 4 locations from the middle.
func TestFindsWhatMoves(t *testing.T) {
	for _, tt := range []struct {
		name   string
		camera [8]float64
	}{
		{"rest", [8]float64{}},
		{"pan", [8]float64{0: -0.3, 3: 0.1}},
		{"zoom", [8]float64{1: 0.15, 5: 0.15}},
	} {
		w := newWorld(thing{8, 8, 0.3, 0, 3}, thing{22, 10, -0.2, 0.1, 3}, thing{15, 4, 0, 0, 3})
		w.camera.A = tt.camera
		f := New(Config{})
		w.see(f, 15)
		if j := overlap(w.mask(f), w.truth); j < 0.75 {
			t.Errorf("%s: J %.2f, want 0.75", tt.name, j)
		}
	}
}

// Where nothing moves by itself, nothing is salient.
func TestNothingMoves(t *testing.T) {
	w := newWorld(thing{15, 8, 0, 0, 3})
	w.camera.A = [8]float64{0: 0.4, 1: 0.1, 5: 0.1}
	f := New(Config{})
	w.see(f, 20)
	if n := len(w.truth) - count(w.mask(f), 0); n > 0 {
		t.Errorf("%d of %d pixels are salient", n, len(w.truth))
	}
}

func count(x []uint8, v uint8) int {
	n := 0
	for _, a := range x {
		if a == v {
			n++
		}
	}
	return n
}

// A thing that stops stays salient for a while, but not for ever. Where there is texture, evidence
// falls to a half in some 10 frames.
func TestPersistence(t *testing.T) {
	w := newWorld(thing{8, 8, 0.4, 0, 3})
	f := New(Config{})
	w.see(f, 15)
	moving := slices.Clone(w.truth)
	w.things[0].dx = 0
	w.see(f, 1)
	for i := range moving {
		moving[i] = 0
	}
	for i := range moving {
		if x, y := i%(8*w.cols), i/(8*w.cols); w.at((float64(x)+0.5)/8, (float64(y)+0.5)/8) > 0 {
			moving[i] = 255
		}
	}
	w.see(f, 7)
	if j := overlap(w.mask(f), moving); j < 0.7 {
		t.Errorf("J %.2f 8 frames after it stopped, want 0.7", j)
	}
	w.see(f, 60)
	if n := len(moving) - count(w.mask(f), 0); n > 0 {
		t.Errorf("%d pixels are salient 68 frames after it stopped", n)
	}
}

// Without texture inside, the thing is found by what looks like its textured rim.
func TestUntextured(t *testing.T) {
	w := newWorld(thing{10, 9, 0.3, 0, 4})
	f := New(Config{})
	for range 15 {
		in := w.next()
		wide := 8 * w.cols
		for i := range w.truth {
			x, y := float64(i%wide)/8-w.things[0].x, float64(i/wide)/8-w.things[0].y
			if max(x*x, y*y) < 4 { // the inner half is flat, and its flow is that of the ground
				in.Pix[3*i], in.Pix[3*i+1], in.Pix[3*i+2] = 90, 90, 90
				in.Flow[2*i], in.Flow[2*i+1] = 0, 0
			}
		}
		f.Step(in)
	}
	if j := overlap(w.mask(f), w.truth); j < 0.75 {
		t.Errorf("J %.2f, want 0.75", j)
	}
}

// A frame without flow is a beginning: nothing is known of it, and what was before is forgotten.
func TestCut(t *testing.T) {
	w := newWorld(thing{8, 8, 0.3, 0, 3})
	f := New(Config{})
	w.see(f, 15)
	in := w.next()
	in.Flow = nil
	f.Step(in)
	if n := len(w.truth) - count(w.mask(f), 0); n > 0 {
		t.Errorf("%d pixels are salient at a cut", n)
	}
	if slices.Max(f.evidence) > 0 || len(f.worth) > 0 {
		t.Error("there is evidence from before the cut")
	}
}

func TestDeterminism(t *testing.T) {
	run := func() ([]uint8, []float32) {
		w := newWorld(thing{8, 8, 0.3, 0, 3}, thing{22, 10, -0.2, 0.1, 3})
		f := New(Config{})
		w.see(f, 10)
		return w.mask(f), f.Score()
	}
	a, sa := run()
	b, sb := run()
	if !slices.Equal(a, b) || !slices.Equal(sa, sb) {
		t.Error("two runs differ")
	}
}

func TestAllocs(t *testing.T) {
	w := newWorld(thing{16, 9, 0, 0, 3})
	f := New(Config{})
	in, dst := w.next(), make([]uint8, len(w.truth))
	for range 300 { // until the memory of islands has wrapped round
		f.Step(in)
	}
	if n := testing.AllocsPerRun(10, func() {
		f.Step(in)
		f.Mask(dst, 8*w.cols, 8*w.rows, w.pix, 3*8*w.cols)
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func TestPanics(t *testing.T) {
	w := newWorld(thing{8, 8, 0.3, 0, 3})
	in := w.next()
	for name, do := range map[string]func(){
		"mask first": func() { New(Config{}).Mask(nil, 0, 0, nil, 0) },
		"vectors":    func() { bad := *in; bad.Vectors = bad.Vectors[1:]; New(Config{}).Step(&bad) },
		"flow":       func() { bad := *in; bad.Flow = bad.Flow[1:]; New(Config{}).Step(&bad) },
		"fit":        func() { new(Camera).Fit(make([]float32, 2), make([]float32, 2), 1, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			do()
		}()
	}
}
