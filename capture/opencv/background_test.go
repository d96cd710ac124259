package opencv

import (
	"testing"
)

// park is a textured background; what inside returns is added to it.
func park(inside func(x, y int) int) func(x, y int) [3]byte {
	return func(x, y int) [3]byte {
		v := int(texture(float64(x), float64(y)))/2 + 60
		v = min(max(v+inside(x, y), 0), 255)
		return [3]byte{byte(v), byte(v), byte(v)}
	}
}

func nothing(int, int) int { return 0 }

func newBackground(t testing.TB) *BackgroundModel {
	t.Helper()
	b, err := NewBackgroundModel()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func count(mask []bool) (n int) {
	for _, in := range mask {
		if in {
			n++
		}
	}
	return n
}

func TestBackground(t *testing.T) {
	const w, h, side = 96, 72, 20
	b := newBackground(t)
	mask := make([]bool, w*h)
	for range 60 { // at first it learns so fast that it takes three frames for always
		if err := b.Apply(mask, paint(w, h, 0, park(nothing))); err != nil {
			t.Fatal(err)
		}
		if n := count(mask); n != 0 {
			t.Fatalf("%d pixels of a still picture are foreground", n)
		}
	}
	for frame := range 15 {
		in := func(x, y int) bool { x -= 5 + 4*frame; return x >= 0 && x < side && y >= 20 && y < 20+side }
		f := paint(w, h, frame%2, park(func(x, y int) int {
			if in(x, y) {
				return 120
			}
			return 0
		}))
		if err := b.Apply(mask, f); err != nil {
			t.Fatal(err)
		}
		wrong := 0
		for i, got := range mask {
			if got != in(i%w, i/w) {
				wrong++
			}
		}
		if wrong > side { // corners, which the median rounds, and a bit
			t.Errorf("frame %d: %d pixels are wrong, want at most %d", frame, wrong, side)
		}
	}
}

func TestBackgroundShadow(t *testing.T) {
	const w, h = 64, 64
	b := newBackground(t)
	mask := make([]bool, w*h)
	shade := func(factor float64) func(x, y int) [3]byte {
		return func(x, y int) [3]byte {
			c := 200 - 40*float64((x/8+y/8)%2)
			if x >= 16 && x < 48 && y >= 16 && y < 48 {
				c *= factor
			}
			return [3]byte{byte(c), byte(c), byte(c)}
		}
	}
	for range 10 {
		if err := b.Apply(mask, paint(w, h, 0, shade(1))); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		factor float64
		want   bool // foreground in the middle
	}{{0.7, false}, {0.1, true}} {
		if err := b.Apply(mask, paint(w, h, 0, shade(c.factor))); err != nil {
			t.Fatal(err)
		}
		if got := mask[32*w+28]; got != c.want {
			t.Errorf("a square of %v times the light: got foreground %v, want %v", c.factor, got, c.want)
		}
	}
}

func TestBackgroundForgets(t *testing.T) {
	b := newBackground(t)
	dark := func(int, int) [3]byte { return [3]byte{10, 10, 10} }
	light := func(int, int) [3]byte { return [3]byte{250, 240, 230} }
	apply := func(w, h int, colour func(x, y int) [3]byte) int {
		mask := make([]bool, w*h)
		for i := range mask {
			mask[i] = true
		}
		if err := b.Apply(mask, paint(w, h, 0, colour)); err != nil {
			t.Fatal(err)
		}
		return count(mask)
	}
	for range 6 {
		apply(20, 20, dark)
	}
	if n := apply(20, 20, light); n != 400 {
		t.Errorf("a flash: got %d pixels of foreground, want all 400", n)
	}
	b.Reset()
	for i := range 6 { // MOG2 takes all for background that comes within five frames
		if n := apply(20, 20, light); n != 0 {
			t.Errorf("frame %d after Reset: got %d pixels of foreground, want none", i, n)
		}
	}
	if n := apply(20, 20, dark); n != 400 {
		t.Errorf("what was known before Reset: got %d pixels of foreground, want all 400", n)
	}
	for _, size := range [][2]int{{1, 1}, {31, 2}, {3, 64}} {
		for range 2 {
			if n := apply(size[0], size[1], dark); n != 0 {
				t.Errorf("another size, %v: got %d pixels of foreground, want none", size, n)
			}
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

func BenchmarkBackground(b *testing.B) {
	const w, h = 428, 240
	m, mask, f := newBackground(b), make([]bool, w*h), paint(w, h, 0, park(nothing))
	for b.Loop() {
		if err := m.Apply(mask, f); err != nil {
			b.Fatal(err)
		}
	}
}
