package salient

import (
	"math"
	"slices"
	"testing"

	"glomstream/glom/islands"
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

// Without texture inside, the thing is found by what looks like its textured rim, without any help
// of islands.
func TestUntextured(t *testing.T) {
	w := newWorld(thing{10, 9, 0.3, 0, 4})
	f := New(Config{Looks: -1, Island: -1})
	for range 15 {
		in := w.next()
		wide := 8 * w.cols
		for i := range w.truth {
			x, y := float64(i%wide)/8-w.things[0].x, float64(i/wide)/8-w.things[0].y
			if max(x*x, y*y) < 3.2*3.2 { // two thirds of it are flat, and its flow is that of the ground
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

// Spreading weighs a location by its texture: the evidence of one textured location fills the flat
// ones around it that look alike, and no other.
func TestSpread(t *testing.T) {
	w := newWorld(thing{16, 9, 0, 0, 3})
	in := w.next()
	f := New(Config{})
	f.reset(in)
	clear(f.texture)
	middle := 9*w.cols + 16
	f.texture[middle], f.evidence[middle] = 1, 1
	f.spread(in)
	for _, tt := range []struct {
		at   int
		want bool
	}{{middle, true}, {middle - 2, true}, {middle + 2*w.cols, true}, {middle - 3*w.cols - 3, true}, {middle + 4, false}, {middle + 3, false}} {
		// 48 flat locations of weight 0.02 thin it to a half at most.
		if got := f.filled[tt.at]; tt.want != (got > 0.5) || !tt.want && got > 0.01 {
			t.Errorf("location %d, %d has %.3f", tt.at%w.cols, tt.at/w.cols, got)
		}
	}
}

// An island that lies along the border of the picture is rather ground, one inside is a thing. Island 1
// has 4 locations in the corner of a grid of 3 by 5: of the 8 sides around it, 4 are border.
func TestGround(t *testing.T) {
	f := New(Config{Border: 0.5})
	f.rows, f.cols = 3, 5
	f.filled = make([]float32, 15)
	for i := range f.filled {
		f.filled[i] = 0.8
	}
	level := islands.Level{
		Rows: 3, Cols: 5,
		ID: []uint16{
			1, 1, 2, 2, 2,
			1, 1, 2, 3, 2,
			2, 2, 2, 2, 2,
		},
		Islands: []islands.Island{{ID: 1, Area: 4}, {ID: 2, Area: 10}, {ID: 3, Area: 1}},
	}
	f.measureIslands(&level)
	// Island 2 has 12 sides at the border, 4 to island 1 and 4 to island 3.
	for k, want := range []float32{1 - 0.5*4/8, 1 - 0.5*12/20, 1} {
		if s := f.sums[k]; s.groundless != want || math.Abs(float64(s.evidence-0.8*want)) > 1e-6 {
			t.Errorf("island %d: %+v, want %v of 0.8", k+1, s, want)
		}
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
