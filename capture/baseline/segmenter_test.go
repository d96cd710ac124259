package baseline

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"glomstream/capture"
	"glomstream/capture/opencv"
	"glomstream/capture/scene"
)

// paint makes a frame of w by h pixels of a BGR colour each, in rows with a gap.
func paint(w, h int, colour func(x, y int) [3]byte) *capture.Frame {
	f := &capture.Frame{W: w, H: h, Stride: 3*w + 5, Pix: make([]byte, (3*w+5)*h)}
	for y := range h {
		for x := range w {
			c := colour(x, y)
			copy(f.Pix[y*f.Stride+3*x:], c[:])
		}
	}
	return f
}

func grey(int, int) [3]byte { return [3]byte{120, 120, 120} }

// flowing is the evidence of a working picture of w by h pixels that move so.
func flowing(w, h int, motion func(x, y int) (dx, dy float32)) *capture.Evidence {
	ev := &capture.Evidence{W: w, H: h, Flow: make([]float32, 2*w*h)}
	for i := range w * h {
		ev.Flow[2*i], ev.Flow[2*i+1] = motion(i%w, i/w)
	}
	return ev
}

// shot is a frame of a synthetic scene and its evidence.
type shot struct {
	f  capture.Frame
	ev capture.Evidence
}

// film renders the first n frames of a synthetic scene.
func film(t testing.TB, name string, n int) []shot {
	t.Helper()
	src, err := scene.New(scene.Config{Name: name, W: 214, H: 120})
	if err != nil {
		t.Fatal(err)
	}
	front, err := opencv.NewFrontEnd(opencv.FrontEndConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer front.Close()
	shots := make([]shot, n)
	for i := range shots {
		s := &shots[i]
		if s.f, err = src.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := front.Evidence(&s.ev, &s.f); err != nil {
			t.Fatal(err)
		}
	}
	return shots
}

func segmenters() map[string]func() Segmenter {
	return map[string]func() Segmenter{"SLIC": SLIC, "SEEDS": SEEDS, "KMeans": KMeans}
}

// segment returns the ids of a frame.
func segment(t testing.TB, s Segmenter, f *capture.Frame, ev *capture.Evidence, count int) []uint16 {
	t.Helper()
	ids := make([]uint16, f.W*f.H)
	if err := s.Segment(ids, f, ev, count); err != nil {
		t.Fatal(err)
	}
	return ids
}

// halves divides w by h pixels before column x0.
func halves(w, h, x0 int) []uint16 {
	ids := make([]uint16, w*h)
	for i := range ids {
		ids[i] = 1
		if i%w >= x0 {
			ids[i] = 2
		}
	}
	return ids
}

func differences(a, b []uint16) (n int) {
	for i := range a {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

func TestTwoTones(t *testing.T) {
	const w, h, x0 = 107, 60, 48
	f := paint(w, h, func(x, _ int) [3]byte {
		if x < x0 {
			return [3]byte{150, 60, 30}
		}
		return [3]byte{30, 140, 220}
	})
	for name, open := range segmenters() {
		got := segment(t, open(), f, nil, 2)
		// SEEDS moves its borders by a limited number of pixels.
		if n := differences(got, halves(w, h, x0)); n > 0 && name != "SEEDS" || n > 10 {
			t.Errorf("%s: %d pixels are in the wrong half", name, n)
		}
	}
}

// TestTwoMotions divides a picture of one colour by its motion, not in the middle, which is what
// position alone would do.
func TestTwoMotions(t *testing.T) {
	const w, h, x0 = 96, 64, 30
	ev := flowing(w/2, h/2, func(x, _ int) (dx, dy float32) {
		if x < x0/2 {
			return 0, 0
		}
		return 6, -4
	})
	for name, open := range segmenters() {
		got := segment(t, open(), paint(w, h, grey), ev, 2)
		if n := differences(got, halves(w, h, x0)); n > 8*h { // a superpixel across all of the border
			t.Errorf("%s: %d pixels are in the wrong half", name, n)
		}
	}
}

func TestCount(t *testing.T) {
	shots := film(t, "demo", 1)
	for name, open := range segmenters() {
		for _, count := range []int{1, 2, 7, 40, 200} {
			s := open()
			ids := segment(t, s, &shots[0].f, &shots[0].ev, count)
			slices.Sort(ids)
			ids = slices.Compact(ids)
			n := len(ids)
			if ids[0] != 1 || int(ids[n-1]) != n {
				t.Errorf("%s: %d ids from %d to %d on the first frame", name, n, ids[0], ids[n-1])
			}
			if n > count || n < count*8/10 || name != "KMeans" && n != count {
				t.Errorf("%s: got %d regions, want %d", name, n, count)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestStillSceneKeepsIDs(t *testing.T) {
	shots := film(t, "still", 4)
	for name, open := range segmenters() {
		s := open()
		first := segment(t, s, &shots[0].f, &shots[0].ev, 25)
		for i := range shots[1:] {
			got := segment(t, s, &shots[i+1].f, &shots[i+1].ev, 25)
			if n := differences(got, first); n > 0 {
				t.Errorf("%s: frame %d: %d pixels have another id than at first", name, i+1, n)
			}
		}
	}
}

// TestPanKeepsIDs lets the camera pan and asks that most pixels keep the id that they bring along.
func TestPanKeepsIDs(t *testing.T) {
	const n = 6
	shots := film(t, "pan", n)
	for name, open := range segmenters() {
		s := open()
		kept, all := 0, 0
		var before []uint16
		for i := range shots {
			f := &shots[i].f
			ids := segment(t, s, f, &shots[i].ev, 20)
			for p := range ids {
				if i == 0 {
					continue
				}
				x := p%f.W - int(f.Truth.Flow[2*p]+100.5) + 100
				y := p/f.W - int(f.Truth.Flow[2*p+1]+100.5) + 100
				if x >= 0 && x < f.W && y >= 0 && y < f.H {
					all++
					if before[y*f.W+x] == ids[p] {
						kept++
					}
				}
			}
			before = ids
		}
		share := float64(kept) / float64(all)
		t.Logf("%s: %.3f of the pixels keep their id from frame to frame", name, share)
		if share < 0.6 {
			t.Errorf("%s: only %.3f of the pixels keep their id", name, share)
		}
	}
}

func TestDeterminism(t *testing.T) {
	defer opencv.SetThreads(opencv.Threads())
	shots := film(t, "demo", 3)
	for name, open := range segmenters() {
		var want []uint16
		for threads := 1; threads <= 2; threads++ {
			opencv.SetThreads(threads)
			s := open()
			var got []uint16
			for i := range shots {
				got = append(got, segment(t, s, &shots[i].f, &shots[i].ev, 30)...)
			}
			if want == nil {
				want = got
			}
			if n := differences(got, want); n > 0 {
				t.Errorf("%s: %d pixels differ with %d threads", name, n, threads)
			}
		}
	}
}

func TestReset(t *testing.T) {
	a := paint(64, 48, func(x, y int) [3]byte { return [3]byte{byte(4 * x), byte(5 * y), 90} })
	b := paint(48, 64, func(x, y int) [3]byte { return [3]byte{90, byte(5 * x), byte(4 * y)} })
	for name, open := range segmenters() {
		s := open()
		for range 3 {
			segment(t, s, a, flowing(8, 6, func(int, int) (float32, float32) { return 400, 0 }), 9) // all is new
		}
		if got := slices.Min(segment(t, s, a, nil, 9)); got <= 9 {
			t.Errorf("%s: id %d again after nothing of the frame before was left", name, got)
		}
		s.Reset()
		if got := slices.Min(segment(t, s, a, nil, 9)); got != 1 {
			t.Errorf("%s: the first id after Reset is %d, want 1", name, got)
		}
		if got := slices.Max(segment(t, s, b, nil, 9)); got > 9 {
			t.Errorf("%s: id %d in the first frame of another size", name, got)
		}
	}
}

func TestSegmentOfAnySize(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, c := range []struct {
		w, h     int
		anything bool // also for superpixels
	}{
		{1, 1, false},
		{1, 40, false},
		{40, 1, false},
		{15, 15, false},
		{400, 7, false},
		{16, 16, true},
		{17, 301, true},
		{301, 17, true},
		{33, 31, true},
	} {
		f := paint(c.w, c.h, func(int, int) [3]byte { v := r.Uint32(); return [3]byte{byte(v), byte(v >> 8), byte(v >> 16)} })
		ev := flowing(40, 32, func(x, y int) (float32, float32) { return float32(x), float32(-y) })
		for name, open := range segmenters() {
			ids := make([]uint16, c.w*c.h)
			err := open().Segment(ids, f, ev, 12)
			if want := c.anything || name == "KMeans"; want != (err == nil) {
				t.Errorf("%s of %dx%d: got %v", name, c.w, c.h, err)
			}
			if err == nil && slices.Min(ids) < 1 {
				t.Errorf("%s of %dx%d: a pixel without an id", name, c.w, c.h)
			}
		}
	}
}

func TestSegmentRefuses(t *testing.T) {
	for name, open := range segmenters() {
		for _, count := range []int{0, -3} {
			if err := open().Segment(make([]uint16, 64*64), paint(64, 64, grey), nil, count); err == nil {
				t.Errorf("%s: no error for %d regions", name, count)
			}
		}
		if err := open().Segment(nil, new(capture.Frame), nil, 3); err == nil {
			t.Errorf("%s: no error for a frame without pixels", name)
		}
	}
}

func BenchmarkSegment(b *testing.B) {
	shots := film(b, "demo", 2)
	src, err := scene.New(scene.Config{W: 428, H: 240})
	if err != nil {
		b.Fatal(err)
	}
	f, err := src.Next(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]uint16, f.W*f.H)
	for name, open := range segmenters() {
		for _, count := range []int{10, 40, 150} {
			b.Run(fmt.Sprintf("%s/428x240/count=%d", name, count), func(b *testing.B) {
				s := open()
				for b.Loop() {
					if err := s.Segment(ids, &f, &shots[1].ev, count); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
