package opencv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"glomstream/capture"
)

// paint makes a frame of w by h pixels of a BGR colour each. Its rows are gap bytes further
// apart than they are long.
func paint(w, h, gap int, colour func(x, y int) [3]byte) *capture.Frame {
	f := &capture.Frame{W: w, H: h, Stride: 3*w + gap, Pix: make([]byte, (h-1)*(3*w+gap)+3*w)}
	for y := range h {
		for x := range w {
			c := colour(x, y)
			copy(f.Pix[y*f.Stride+3*x:], c[:])
		}
	}
	return f
}

// speckle is a random colour for each pixel.
func speckle(seed uint64) func(x, y int) [3]byte {
	r := rand.New(rand.NewPCG(seed, 1))
	return func(int, int) [3]byte {
		c := r.Uint32()
		return [3]byte{byte(c), byte(c >> 8), byte(c >> 16)}
	}
}

// halves is blue up to column x0 and orange from there.
func halves(x0 int) func(x, y int) [3]byte {
	return func(x, _ int) [3]byte {
		if x < x0 {
			return [3]byte{160, 60, 30}
		}
		return [3]byte{30, 140, 230}
	}
}

type divide func(dst []uint16, f *capture.Frame, size int) (int, error)

func dividers() map[string]divide { return map[string]divide{"SLIC": SLIC, "SEEDS": SEEDS} }

// checkNumbers checks that labels are 1 to n and come in the order of a scan.
func checkNumbers(t *testing.T, labels []uint16, n int) {
	t.Helper()
	top := uint16(0)
	for i, l := range labels {
		if l == 0 || l > top+1 {
			t.Fatalf("pixel %d: label %d after at most %d", i, l, top)
		}
		top = max(top, l)
	}
	if int(top) != n {
		t.Fatalf("%d labels, want the %d that were stated", top, n)
	}
}

// pieces counts the connected regions of equal labels.
func pieces(labels []uint16, w int) (n int) {
	seen := make([]bool, len(labels))
	var stack []int
	for start := range labels {
		if seen[start] {
			continue
		}
		n++
		seen[start] = true
		stack = append(stack[:0], start)
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, d := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
				x, y := i%w+d[0], i/w+d[1]
				k := y*w + x
				if x >= 0 && x < w && y >= 0 && k < len(labels) && !seen[k] && labels[k] == labels[i] {
					seen[k] = true
					stack = append(stack, k)
				}
			}
		}
	}
	return n
}

func TestSuperpixelsOfHalves(t *testing.T) {
	const w, h, x0 = 97, 64, 45
	for name, run := range dividers() {
		t.Run(name, func(t *testing.T) {
			f := paint(w, h, 0, halves(x0))
			labels := make([]uint16, w*h)
			n, err := run(labels, f, 8)
			if err != nil {
				t.Fatal(err)
			}
			checkNumbers(t, labels, n)
			if want := w * h / 64; n < want/2 || n > 2*want {
				t.Errorf("got %d superpixels, want about %d", n, want)
			}
			left, all := make([]int, n+1), make([]int, n+1)
			for i, l := range labels {
				all[l]++
				if i%w < x0 {
					left[l]++
				}
			}
			wrong := 0
			for l := range all {
				wrong += min(left[l], all[l]-left[l])
			}
			// SEEDS moves its borders by a limited number of pixels.
			if most := map[string]int{"SLIC": 0, "SEEDS": 20}[name]; wrong > most {
				t.Errorf("%d pixels are in a superpixel of the other half, want at most %d", wrong, most)
			}
		})
	}
}

func TestSuperpixelsOfAnySize(t *testing.T) {
	for name, run := range dividers() {
		for _, c := range []struct{ w, h, size int }{
			{16, 16, 4},
			{17, 16, 4},
			{16, 1000, 4},
			{1000, 16, 4},
			{31, 47, 5},
			{47, 31, 7},
			{64, 300, 16},
			{300, 64, 13},
			{64, 64, 16},
			{127, 129, 4},
			{129, 127, 31},
			{320, 176, 44},
			{640, 360, 90},
		} {
			t.Run(fmt.Sprintf("%s %dx%d/%d", name, c.w, c.h, c.size), func(t *testing.T) {
				f := paint(c.w, c.h, 0, speckle(1))
				labels := make([]uint16, c.w*c.h)
				n, err := run(labels, f, c.size)
				if err != nil {
					t.Fatal(err)
				}
				checkNumbers(t, labels, n)
				if want := c.w * c.h / (c.size * c.size); n < want/3 || n > 3*want {
					t.Errorf("got %d superpixels, want about %d", n, want)
				}
				if got := pieces(labels, c.w); name == "SLIC" && got != n {
					t.Errorf("%d superpixels lie in %d pieces", n, got)
				}
			})
		}
	}
}

func TestSuperpixelsRefuse(t *testing.T) {
	for name, run := range dividers() {
		for _, c := range []struct{ w, h, size int }{
			{1, 1, 4}, {15, 15, 4}, {15, 400, 4}, {64, 64, 3}, {64, 64, 17}, {64, 64, 0}, {64, 64, -5},
		} {
			f := paint(c.w, c.h, 0, halves(1))
			_, err := run(make([]uint16, c.w*c.h), f, c.size)
			if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s of %dx%d, size %d: got %v, want one line that names it", name, c.w, c.h, c.size, err)
			}
		}
	}
}

// TestSegmentStride puts the same picture into rows with a gap, and runs on one thread and on two.
func TestSegmentStride(t *testing.T) {
	const w, h = 90, 70
	defer SetThreads(Threads())
	results := func(gap, threads int) (all [][]uint16) {
		SetThreads(threads)
		f := paint(w, h, gap, func(x, y int) [3]byte {
			v := texture(float64(x), float64(y))
			return [3]byte{v, 255 - v, byte(2 * x)}
		})
		for _, run := range []divide{SLIC, SEEDS} {
			labels := make([]uint16, w*h)
			if _, err := run(labels, f, 9); err != nil {
				t.Fatal(err)
			}
			all = append(all, labels)
		}
		mask := boxMask(w, h, 20, 15, 70, 50)
		if err := GrabCut(mask, f, 2); err != nil {
			t.Fatal(err)
		}
		lab := make([]byte, 3*w*h)
		if err := Lab(lab, f); err != nil {
			t.Fatal(err)
		}
		for _, b := range [][]byte{mask, lab} {
			wide := make([]uint16, len(b))
			for i, v := range b {
				wide[i] = uint16(v)
			}
			all = append(all, wide)
		}
		return all
	}
	want := results(0, 1)
	for _, c := range [][2]int{{0, 1}, {0, 2}, {7, 2}} {
		for i, got := range results(c[0], c[1]) {
			if !slices.Equal(got, want[i]) {
				t.Errorf("gap %d, %d threads: result %d differs", c[0], c[1], i)
			}
		}
	}
}

func TestLab(t *testing.T) {
	for _, c := range []struct {
		name string
		bgr  [3]byte
		want [3]int // L*255/100, a+128, b+128 under D65
	}{
		{"black", [3]byte{0, 0, 0}, [3]int{0, 128, 128}},
		{"white", [3]byte{255, 255, 255}, [3]int{255, 128, 128}},
		{"red", [3]byte{0, 0, 255}, [3]int{136, 208, 195}}, // 53.24, 80.09, 67.20
		{"blue", [3]byte{255, 0, 0}, [3]int{82, 207, 20}},  // 32.30, 79.19, -107.86
		{"green", [3]byte{0, 255, 0}, [3]int{224, 42, 211}},
	} {
		f := paint(5, 4, 2, func(int, int) [3]byte { return c.bgr })
		lab := make([]byte, 3*5*4)
		if err := Lab(lab, f); err != nil {
			t.Fatal(err)
		}
		for i, v := range lab {
			if d := int(v) - c.want[i%3]; d < -1 || d > 1 {
				t.Errorf("%s: got %v, want %v", c.name, lab[i/3*3:][:3], c.want)
				break
			}
		}
	}
}

func TestResizeFlow(t *testing.T) {
	const sw, sh, w, h = 4, 3, 8, 9
	src := make([]float32, 2*sw*sh)
	for i := range sw * sh {
		src[2*i], src[2*i+1] = 1.5, -2
	}
	dst := make([]float32, 2*w*h)
	if err := ResizeFlow(dst, w, h, src, sw, sh); err != nil {
		t.Fatal(err)
	}
	for i := range w * h { // twice as wide, three times as high
		if dst[2*i] != 3 || dst[2*i+1] != -6 {
			t.Fatalf("pixel %d: got %v, want [3 -6]", i, dst[2*i:][:2])
		}
	}
}

func TestKMeans(t *testing.T) {
	// Three clusters of 40, far apart, in 2 dimensions.
	means := [3][2]float32{{0, 0}, {50, 10}, {-20, 60}}
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, 0, 240)
	for i := range 120 {
		m := means[i%3]
		x = append(x, m[0]+float32(r.NormFloat64()), m[1]+float32(r.NormFloat64()))
	}
	labels, centres := make([]int32, 120), make([]float32, 6)
	if err := KMeans(labels, centres, x, 2, 3); err != nil {
		t.Fatal(err)
	}
	for i, l := range labels {
		if l != labels[i%3] {
			t.Fatalf("vector %d: got cluster %d, want %d", i, l, labels[i%3])
		}
	}
	for i, m := range means {
		c := centres[2*labels[i]:][:2]
		if math.Abs(float64(c[0]-m[0])) > 1 || math.Abs(float64(c[1]-m[1])) > 1 {
			t.Errorf("cluster %d: got mean %v, want about %v", i, c, m)
		}
	}
}

func TestKMeansIsDeterministic(t *testing.T) {
	const n, dim, k = 500, 5, 12
	defer SetThreads(Threads())
	r := rand.New(rand.NewPCG(2, 1))
	x := make([]float32, n*dim)
	for i := range x {
		x[i] = r.Float32()
	}
	want, wantCentres := make([]int32, n), make([]float32, k*dim)
	if err := KMeans(want, wantCentres, x, dim, k); err != nil {
		t.Fatal(err)
	}
	for threads := 1; threads <= 2; threads++ {
		SetThreads(threads)
		labels, centres := make([]int32, n), make([]float32, k*dim)
		if err := KMeans(labels, centres, x, dim, k); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(labels, want) || !slices.Equal(centres, wantCentres) {
			t.Errorf("%d threads: the result differs", threads)
		}
	}
}

func TestKMeansOfFew(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name string
		x    []float32
		k    int
		ok   bool
	}{
		{"one", []float32{3}, 1, true},
		{"each its own", []float32{3, 1, 2}, 3, true},
		{"all equal", []float32{5, 5, 5, 5}, 2, true},
		{"more clusters than vectors", []float32{3, 1}, 3, false},
		{"no cluster", []float32{3, 1}, 0, false},
		{"nothing", nil, 1, false},
		{"not a number", []float32{3, nan, 1}, 2, false},
		{"infinite", []float32{3, float32(math.Inf(-1)), 1}, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			labels, centres := make([]int32, len(c.x)), make([]float32, c.k)
			err := KMeans(labels, centres, c.x, 1, c.k)
			if c.ok != (err == nil) {
				t.Fatalf("got %v", err)
			}
			for i, l := range labels {
				if c.ok && (l < 0 || int(l) >= c.k || centres[l] != c.x[i]) {
					t.Errorf("vector %d: got cluster %d of %v", i, l, centres)
				}
			}
		})
	}
}

func TestKMeansOfOneVector(t *testing.T) {
	labels, centres := []int32{9}, make([]float32, 3)
	if err := KMeans(labels, centres, []float32{4, 5, 6}, 3, 1); err != nil {
		t.Fatal(err)
	}
	if labels[0] != 0 || !slices.Equal(centres, []float32{4, 5, 6}) {
		t.Errorf("got cluster %d of %v", labels[0], centres)
	}
}

// boxMask is probably foreground in a box, and background outside.
func boxMask(w, h, x0, y0, x1, y1 int) []byte {
	mask := make([]byte, w*h)
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			mask[y*w+x] = ProbablyForeground
		}
	}
	return mask
}

func TestGrabCut(t *testing.T) {
	const w, h = 80, 60
	disc := func(x, y int) bool { return (x-42)*(x-42)+(y-28)*(y-28) <= 15*15 }
	noise := rand.New(rand.NewPCG(3, 1))
	f := paint(w, h, 0, func(x, y int) [3]byte {
		v := byte(noise.IntN(30))
		if disc(x, y) {
			return [3]byte{30 + v, 40 + v, 180 + v}
		}
		return [3]byte{60 + v, 120 + v, 60 + v}
	})
	mask := boxMask(w, h, 20, 8, 66, 50)
	if err := GrabCut(mask, f, 3); err != nil {
		t.Fatal(err)
	}
	for i, v := range mask {
		if got, want := v&1 != 0, disc(i%w, i/w); got != want {
			t.Fatalf("pixel %d, %d: got foreground %v, want %v", i%w, i/w, got, want)
		}
	}
}

func TestGrabCutOfAnySize(t *testing.T) {
	for _, size := range [][2]int{{2, 1}, {1, 2}, {1, 9}, {9, 1}, {2, 2}, {3, 5}, {33, 17}} {
		w, h := size[0], size[1]
		mask := make([]byte, w*h)
		for i := range mask {
			mask[i] = byte(i % 4)
		}
		mask[0], mask[len(mask)-1] = Foreground, ProbablyBackground
		before := slices.Clone(mask)
		if err := GrabCut(mask, paint(w, h, 3, speckle(4)), 2); err != nil {
			t.Errorf("%dx%d: %v", w, h, err)
		}
		for i, v := range mask {
			if v > 3 || before[i] <= Foreground && v != before[i] {
				t.Errorf("%dx%d: pixel %d went from %d to %d", w, h, i, before[i], v)
			}
		}
	}
}

func TestGrabCutRefuses(t *testing.T) {
	f := paint(6, 5, 0, halves(3))
	for name, mask := range map[string][]byte{
		"only background": make([]byte, 30),
		"only foreground": slices.Repeat([]byte{Foreground, ProbablyForeground}, 15),
		"unknown value":   slices.Repeat([]byte{Background, Foreground, 9}, 10),
	} {
		err := GrabCut(mask, f, 1)
		if err == nil || !strings.HasPrefix(err.Error(), "GrabCut of 6x5 pixels: ") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line that says so", name, err)
		}
	}
}

func BenchmarkSegment(b *testing.B) {
	const w, h = 428, 240
	f := paint(w, h, 0, func(x, y int) [3]byte {
		v := texture(float64(x), float64(y))
		return [3]byte{v, 255 - v, byte(x)}
	})
	labels := make([]uint16, w*h)
	for name, run := range dividers() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := run(labels, f, 13); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("GrabCut", func(b *testing.B) {
		for b.Loop() {
			if err := GrabCut(boxMask(w, h, 100, 60, 200, 160), f, 2); err != nil {
				b.Fatal(err)
			}
		}
	})
}
