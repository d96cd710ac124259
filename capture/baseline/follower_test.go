package baseline

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glomstream/capture"
)

func followers() map[string]func() Follower {
	return map[string]func() Follower{"Carry": Carry, "GrabCut": GrabCut}
}

// disc is the mask of a disc.
func disc(w, h int, x0, y0, r float64) []bool {
	mask := make([]bool, w*h)
	for i := range mask {
		mask[i] = math.Hypot(float64(i%w)-x0, float64(i/w)-y0) <= r
	}
	return mask
}

// ball is the picture of a red disc on green.
func ball(mask []bool, w, h int) *capture.Frame {
	r := rand.New(rand.NewPCG(1, 1))
	return paint(w, h, func(x, y int) [3]byte {
		v := byte(r.IntN(30))
		if mask[y*w+x] {
			return [3]byte{30 + v, 40 + v, 180 + v}
		}
		return [3]byte{60 + v, 120 + v, 60 + v}
	})
}

// iou is the intersection over union of two masks.
func iou(a, b []bool) float64 {
	var both, any float64
	for i := range a {
		if a[i] && b[i] {
			both++
		}
		if a[i] || b[i] {
			any++
		}
	}
	return both / any
}

// TestFollow moves a disc by less than half a pixel a frame, as the flow of the whole picture says.
func TestFollow(t *testing.T) {
	const w, h, frames = 120, 80, 20
	at := func(i int) []bool { return disc(w, h, 40+0.8*float64(i), 40-0.4*float64(i), 16) }
	ev := flowing(w/2, h/2, func(int, int) (dx, dy float32) { return 0.4, -0.2 })
	for name, open := range followers() {
		s := open()
		if err := s.Start(at(0), ball(at(0), w, h)); err != nil {
			t.Fatal(err)
		}
		got := make([]bool, w*h)
		for i := 1; i <= frames; i++ {
			if err := s.Next(got, ball(at(i), w, h), ev); err != nil {
				t.Fatal(err)
			}
			if v := iou(got, at(i)); v < 0.95 {
				t.Errorf("%s: frame %d: intersection over union is %.3f", name, i, v)
			}
		}
	}
}

// TestGrabCutMendsMask starts from a mask that is too large and off, and has no flow.
func TestGrabCutMendsMask(t *testing.T) {
	const w, h = 120, 80
	want := disc(w, h, 60, 40, 18)
	f := ball(want, w, h)
	s := GrabCut()
	if err := s.Start(disc(w, h, 62, 41, 20), f); err != nil {
		t.Fatal(err)
	}
	got := make([]bool, w*h)
	for range 3 {
		if err := s.Next(got, f, nil); err != nil {
			t.Fatal(err)
		}
	}
	if v := iou(got, want); v < 0.99 {
		t.Errorf("intersection over union is %.3f", v)
	}
	again := make([]bool, w*h)
	if err := s.Start(disc(w, h, 62, 41, 20), f); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := s.Next(again, f, nil); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(again, got) {
		t.Error("another run from the same mask gives another result")
	}
}

func TestCarryStands(t *testing.T) {
	mask := disc(30, 20, 12, 9, 6)
	s := Carry()
	if err := s.Start(mask, paint(30, 20, grey)); err != nil {
		t.Fatal(err)
	}
	for name, ev := range map[string]*capture.Evidence{
		"no evidence": nil, "no flow": {W: 8, H: 8}, "no motion": flowing(7, 9, func(int, int) (float32, float32) { return 0, 0 }),
	} {
		got := make([]bool, 600)
		if err := s.Next(got, paint(30, 20, grey), ev); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, mask) {
			t.Errorf("%s: the mask moved", name)
		}
	}
}

// TestFollowOddMasks follows masks that leave GrabCut little to do.
func TestFollowOddMasks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	drift := func(int, int) (dx, dy float32) { return 3, 300 }
	for _, size := range [][2]int{{1, 1}, {1, 9}, {9, 1}, {40, 30}, {31, 33}} {
		w, h := size[0], size[1]
		corner := make([]bool, w*h)
		corner[w*h-1] = true
		dots := make([]bool, w*h)
		for i := range dots {
			dots[i] = r.IntN(3) == 0
		}
		for kind, mask := range map[string][]bool{
			"empty": make([]bool, w*h), "full": slices.Repeat([]bool{true}, w*h), "corner": corner, "dots": dots,
		} {
			for name, open := range followers() {
				t.Run(fmt.Sprintf("%s/%s/%dx%d", name, kind, w, h), func(t *testing.T) {
					s := open()
					f := ball(mask, w, h)
					if err := s.Start(mask, f); err != nil {
						t.Fatal(err)
					}
					got := make([]bool, w*h)
					for _, ev := range []*capture.Evidence{nil, flowing(4, 4, drift), nil} {
						if err := s.Next(got, f, ev); err != nil {
							t.Fatal(err)
						}
						if n := slices.Contains(got, true); kind == "empty" && n {
							t.Error("an empty mask has pixels now")
						}
						if n := slices.Contains(got, false); kind == "full" && n {
							t.Error("a full mask lost pixels")
						}
					}
				})
			}
		}
	}
}

func TestFollowRefuses(t *testing.T) {
	for name, open := range followers() {
		s := open()
		if err := s.Next(make([]bool, 600), paint(30, 20, grey), nil); err == nil || !strings.Contains(err.Error(), "start") {
			t.Errorf("%s: Next before Start: got %v", name, err)
		}
		if err := s.Start(nil, new(capture.Frame)); err == nil {
			t.Errorf("%s: Start on a frame without pixels: no error", name)
		}
		if err := s.Start(make([]bool, 600), paint(30, 20, grey)); err != nil {
			t.Fatal(err)
		}
		if err := s.Next(make([]bool, 600), paint(20, 30, grey), nil); err == nil || !strings.Contains(err.Error(), "20x30") {
			t.Errorf("%s: another size: got %v", name, err)
		}
	}
}

func TestBorderDistance(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		w, h := 1+r.IntN(12), 1+r.IntN(12)
		mask := make([]bool, w*h)
		for i := range mask {
			mask[i] = r.IntN(8) == 0
		}
		got := make([]int32, w*h)
		borderDistance(got, mask, w)
		for i := range mask {
			want := math.MaxInt32 / 2
			for k := range mask {
				if mask[k] != mask[i] {
					dx, dy := k%w-i%w, k/w-i/w
					want = min(want, max(dx, -dx, dy, -dy))
				}
			}
			if int(got[i]) != want {
				t.Fatalf("%dx%d, pixel %d: got %d, want %d", w, h, i, got[i], want)
			}
		}
	}
}

func BenchmarkFollow(b *testing.B) {
	const w, h = 428, 240
	mask := disc(w, h, 200, 120, 50)
	f, got := ball(mask, w, h), make([]bool, w*h)
	ev := flowing(312, 176, func(int, int) (dx, dy float32) { return 0, 0 })
	for name, open := range followers() {
		b.Run(name, func(b *testing.B) {
			s := open()
			if err := s.Start(mask, f); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := s.Next(got, f, ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
