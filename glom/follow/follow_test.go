package follow

import (
	"fmt"
	"image"
	"slices"
	"testing"
)

// mask returns what f says of the world.
func mask(f *Follower, w *world) []uint8 {
	dst := make([]uint8, len(w.truth))
	f.Mask(dst, 8*w.cols, 8*w.rows, w.picture(), 3*8*w.cols)
	return dst
}

// start follows all discs of a world.
func start(cfg Config, w *world) *Follower {
	f := New(cfg)
	in := w.paint()
	f.Start(in, w.truth, 8*w.cols, 8*w.rows)
	return f
}

// Two discs pass over noisy ground. A location is 8 pixels wide and borders follow the picture, so
// that little more than noise is lost; the grid itself, upsampled, gives 0.95.
func TestFollowsSeveral(t *testing.T) {
	w := newWorld(1, 0.5, disc{5, 5, 0.4, 0.1, 3}, disc{19, 11, -0.3, -0.1, 2.5})
	f := start(Config{}, w)
	for range 30 {
		w.move()
		f.Step(w.paint())
	}
	got := mask(f, w)
	for v := range uint8(3) {
		if j := overlap(got, w.truth, v); j < 0.85 {
			t.Errorf("label %d: J %.2f, want 0.85", v, j)
		}
	}
}

// The mask right after Start is the seed, with borders as good as the grid of cells.
func TestStart(t *testing.T) {
	w := newWorld(1, 0, disc{6, 6, 0, 0, 4})
	f := start(Config{}, w)
	if j := overlap(mask(f, w), w.truth, 1); j < 0.95 {
		t.Errorf("J %.3f, want 0.95", j)
	}
}

// A first frame has no flow, and vectors that tell of motion look otherwise from then on: here the
// ground like the disc before, and the disc like the ground.
func TestLooksChangeWithFlow(t *testing.T) {
	w := newWorld(2, 0.3, disc{5, 8, 0.4, 0, 3})
	f := New(Config{})
	in := w.paint()
	in.Flow = nil
	f.Start(in, w.truth, 8*w.cols, 8*w.rows)
	w.looks[0], w.looks[1] = w.looks[1], w.looks[0]
	for range 20 {
		w.move()
		f.Step(w.paint())
	}
	if j := overlap(mask(f, w), w.truth, 1); j < 0.85 {
		t.Errorf("J %.2f, want 0.85", j)
	}
}

// Without looks, the flow alone carries a region: the baseline. Looks must hold the region where
// the flow has an error that adds up, here a fifth of the motion.
func TestLooksCorrectFlow(t *testing.T) {
	var j [2]float64
	for k, looks := range []float64{-1, 0} {
		w := newWorld(3, 0.5, disc{4, 8, 0.5, 0, 3})
		f := start(Config{Looks: looks, Vote: looks}, w)
		for range 30 {
			w.move()
			in := w.paint()
			for i := range in.Flow {
				in.Flow[i] *= 0.8
			}
			f.Step(in)
		}
		j[k] = overlap(mask(f, w), w.truth, 1)
	}
	if j[0] > 0.6 || j[1] < 0.8 {
		t.Errorf("J %.2f with flow alone, %.2f with looks, want under 0.6 and over 0.8", j[0], j[1])
	}
}

// A disc goes behind a pillar that hides it altogether, stays there for 20 frames, and comes out
// on the other side, where no flow can bring it.
func TestOcclusion(t *testing.T) {
	w := newWorld(5, 0.3, disc{4, 8, 0.5, 0, 2}, disc{12, 8, 0, 0, 4})
	f := New(Config{})
	in := w.paint()
	seed := slices.Clone(w.truth)
	for i, v := range seed {
		if v == 2 {
			seed[i] = 0 // the pillar is no region
		}
	}
	f.Start(in, seed, 8*w.cols, 8*w.rows)
	step := func(frames int) {
		for range frames {
			w.move()
			f.Step(w.paint())
		}
	}
	step(16) // to the middle of the pillar
	w.discs[0].dx = 0
	step(20)
	if n := countValue(mask(f, w), 1); n > 0 {
		t.Errorf("%d pixels belong to a region that is hidden", n)
	}
	w.discs[0].dx = 0.5
	step(18) // it is in full sight for 6 frames
	// Its rear came out of hiding last, so that it may still be missing.
	if j := overlap(mask(f, w), w.truth, 1); j < 0.7 {
		t.Errorf("J %.2f after the region came out again, want 0.7", j)
	}
}

// After a cut there is no flow, and the disc is elsewhere: its looks find it.
func TestCut(t *testing.T) {
	w := newWorld(7, 0.3, disc{4, 4, 0, 0, 3})
	f := start(Config{}, w)
	w.discs[0].x, w.discs[0].y = 18, 11
	for k := range 5 {
		in := w.paint()
		if k == 0 {
			in.Flow = nil
		}
		f.Step(in)
	}
	if j := overlap(mask(f, w), w.truth, 1); j < 0.8 {
		t.Errorf("J %.2f, want 0.8", j)
	}
}

// Another disc of the same looks must not join the region while the region is in sight.
func TestTwin(t *testing.T) {
	w := newWorld(9, 0.3, disc{5, 5, 0.05, 0, 3}, disc{18, 11, -0.05, 0, 3})
	w.looks[2] = w.looks[1]
	f := New(Config{})
	in := w.paint()
	seed := slices.Clone(w.truth)
	for i, v := range seed {
		seed[i] = v & 1
	}
	f.Start(in, seed, 8*w.cols, 8*w.rows)
	for range 40 {
		w.move()
		f.Step(w.paint())
	}
	got := mask(f, w)
	for i, v := range got {
		if v == 1 && w.truth[i] == 2 {
			t.Fatal("the twin has joined the region")
		}
	}
	// Looks cannot hold the rim, which the flow blurs: the region is in place but shrinks.
	if j := overlap(got, w.truth, 1); j < 0.4 {
		t.Errorf("J %.2f, want 0.4", j)
	}
}

// Grey values are kept, whatever they are.
func TestGrey(t *testing.T) {
	w := newWorld(1, 0, disc{6, 6, 0, 0, 3}, disc{17, 9, 0, 0, 3})
	in := w.paint()
	seed := make([]uint8, len(w.truth))
	for i, v := range w.truth {
		seed[i] = []uint8{0, 255, 7}[v]
	}
	f := New(Config{})
	f.Start(in, seed, 8*w.cols, 8*w.rows)
	f.Step(w.paint())
	got := mask(f, w)
	if a, b := overlap(got, seed, 255), overlap(got, seed, 7); a < 0.9 || b < 0.9 {
		t.Errorf("J %.2f and %.2f, want 0.9", a, b)
	}
	if n := countValue(got, 0) + countValue(got, 7) + countValue(got, 255); n != len(got) {
		t.Errorf("%d pixels have a value that is in no region", len(got)-n)
	}
}

// A region of a single pixel is smaller than a cell; it may be lost, but nothing breaks.
func TestTinyRegion(t *testing.T) {
	w := newWorld(1, 0.3, disc{6, 6, 0, 0, 3})
	in := w.paint()
	seed := make([]uint8, len(w.truth))
	seed[len(seed)/3] = 9
	f := New(Config{})
	f.Start(in, seed, 8*w.cols, 8*w.rows)
	for range 3 {
		f.Step(w.paint())
	}
	for i, v := range f.field {
		if !(v >= 0 && v <= 1.0001) {
			t.Fatalf("field %d is %v", i, v)
		}
	}
	one := New(Config{})
	one.Start(in, []uint8{5}, 1, 1) // a picture of one pixel, all of it the region
	one.Step(w.paint())
	if n := countValue(mask(one, w), 5); n != len(w.truth) {
		t.Errorf("%d of %d pixels", n, len(w.truth))
	}
}

func countValue(x []uint8, v uint8) int {
	n := 0
	for _, a := range x {
		if a == v {
			n++
		}
	}
	return n
}

func TestDeterminism(t *testing.T) {
	run := func(f *Follower) []uint8 {
		w := newWorld(11, 0.5, disc{5, 5, 0.4, 0.1, 3}, disc{19, 11, -0.3, -0.1, 2.5})
		f.Start(w.paint(), w.truth, 8*w.cols, 8*w.rows)
		for range 10 {
			w.move()
			f.Step(w.paint())
		}
		return mask(f, w)
	}
	f := New(Config{})
	first := run(f)
	if !slices.Equal(first, run(New(Config{}))) {
		t.Error("two followers differ")
	}
	if !slices.Equal(first, run(f)) {
		t.Error("a follower that starts anew remembers what was before")
	}
}

func TestAllocs(t *testing.T) {
	w := newWorld(1, 0.3, disc{6, 6, 0, 0, 3})
	f := start(Config{}, w)
	in, pix, dst := w.paint(), w.picture(), make([]uint8, len(w.truth))
	for range 10 { // until no border moves any more
		f.Step(in)
		f.Mask(dst, 8*w.cols, 8*w.rows, pix, 3*8*w.cols)
	}
	if n := testing.AllocsPerRun(5, func() {
		f.Step(in)
		f.Mask(dst, 8*w.cols, 8*w.rows, pix, 3*8*w.cols)
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}

func TestPick(t *testing.T) {
	labels := []uint16{
		1, 1, 1, 1, 1,
		1, 2, 2, 1, 1,
		1, 1, 1, 1, 3,
	}
	dst := make([]uint8, 15)
	if !Pick(dst, labels, 5, 3, image.Pt(2, 1)) || fmt.Sprint(dst) != "[0 0 0 0 0 0 255 255 0 0 0 0 0 0 0]" {
		t.Errorf("island 2: %v", dst)
	}
	if Pick(dst, labels, 5, 3, image.Pt(0, 0)) {
		t.Error("12 of 15 pixels are no thing")
	}
}

func TestPanics(t *testing.T) {
	w := newWorld(1, 0, disc{6, 6, 0, 0, 3})
	in := w.paint()
	for name, do := range map[string]func(){
		"step first":  func() { New(Config{}).Step(in) },
		"mask first":  func() { New(Config{}).Mask(nil, 0, 0, nil, 0) },
		"no region":   func() { New(Config{}).Start(in, make([]uint8, 4), 2, 2) },
		"seed size":   func() { New(Config{}).Start(in, make([]uint8, 4), 2, 3) },
		"other grid":  func() { other := *in; other.Cols--; start(Config{}, w).Step(&other) },
		"point":       func() { Pick(make([]uint8, 1), make([]uint16, 1), 1, 1, image.Pt(1, 0)) },
		"other depth": func() { other := *in; other.Vectors = append(other.Vectors, w.x); start(Config{}, w).Step(&other) },
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
