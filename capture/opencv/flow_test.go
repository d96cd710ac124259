package opencv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// texture is a smooth random pattern, the same at the same place of the plane.
func texture(x, y float64) byte {
	v := 0.0
	for i := range 6 {
		k := 0.09 * math.Pow(1.45, float64(i))
		a := 2.4 * float64(i)
		v += math.Sin(k*(x*math.Cos(a)+y*math.Sin(a)) + 3.1*float64(i))
	}
	return byte(128 + 20*v)
}

// draw makes a picture whose content has moved by dx, dy.
func draw(w, h int, dx, dy float64) []byte {
	pix := make([]byte, w*h)
	for y := range h {
		for x := range w {
			pix[y*w+x] = texture(float64(x)-dx, float64(y)-dy)
		}
	}
	return pix
}

func newFlow(t testing.TB) *Flow {
	t.Helper()
	f, err := NewFlow()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func medianFlow(flow []float32, w int, x0, y0, x1, y1 int) (dx, dy float32) {
	var xs, ys []float32
	for y := y0; y < y1; y++ {
		for x := x0; x < x1; x++ {
			xs = append(xs, flow[2*(y*w+x)])
			ys = append(ys, flow[2*(y*w+x)+1])
		}
	}
	slices.Sort(xs)
	slices.Sort(ys)
	return xs[len(xs)/2], ys[len(ys)/2]
}

func TestFlowOfShift(t *testing.T) {
	f := newFlow(t)
	// One Flow for all sizes: size changes are part of the test.
	for _, size := range [][2]int{{320, 176}, {96, 96}, {176, 320}, {320, 176}} {
		w, h := size[0], size[1]
		flow := make([]float32, 2*w*h)
		if err := f.Calc(flow, draw(w, h, 0, 0), draw(w, h, 3, -2), w, h); err != nil {
			t.Fatal(err)
		}
		dx, dy := medianFlow(flow, w, 0, 0, w, h)
		if math.Abs(float64(dx)-3) > 0.2 || math.Abs(float64(dy)+2) > 0.2 {
			t.Errorf("%dx%d: got median flow %.2f, %.2f, want 3, -2", w, h, dx, dy)
		}
	}
}

// TestFlowIsAtTheCurrentPlace moves a patch over a still background.
func TestFlowIsAtTheCurrentPlace(t *testing.T) {
	const w, h, side, x0, move = 240, 160, 64, 70, 12
	at := func(x0 int) []byte {
		pix := draw(w, h, 0, 0)
		for y := 48; y < 48+side; y++ {
			for x := x0; x < x0+side; x++ {
				pix[y*w+x] = texture(float64(x-x0)+500, float64(y-48)+300)
			}
		}
		return pix
	}
	f := newFlow(t)
	flow := make([]float32, 2*w*h)
	if err := f.Calc(flow, at(x0), at(x0+move), w, h); err != nil {
		t.Fatal(err)
	}
	dx, dy := medianFlow(flow, w, x0+move+8, 56, x0+move+side-8, 48+side-8)
	if math.Abs(float64(dx)-move) > 0.5 || math.Abs(float64(dy)) > 0.5 {
		t.Errorf("in the patch where it is now: got %.2f, %.2f, want %d, 0", dx, dy, move)
	}
	// Here the patch has only now arrived: motion kept at the old place would be still here.
	front, _ := medianFlow(flow, w, x0+side, 60, x0+side+move-2, 48+side-12)
	if math.Abs(float64(front)-move) > 1 {
		t.Errorf("at the front edge: got %.2f, want %d", front, move)
	}
	if dx, _ := medianFlow(flow, w, 8, 8, 40, 150); math.Abs(float64(dx)) > 0.2 {
		t.Errorf("background: got %.2f, want 0", dx)
	}
}

func TestFlowOfAnySize(t *testing.T) {
	f := newFlow(t)
	r := rand.New(rand.NewPCG(1, 1))
	for _, size := range [][2]int{{1, 1}, {11, 11}, {12, 12}, {1, 64}, {64, 1}, {8, 100}, {32, 1800}, {1800, 32}, {13, 17}, {33, 31}} {
		w, h := size[0], size[1]
		t.Run(fmt.Sprintf("%dx%d", w, h), func(t *testing.T) {
			prev, cur := make([]byte, w*h), make([]byte, w*h)
			for i := range prev {
				prev[i], cur[i] = byte(r.Uint32()), byte(r.Uint32())
			}
			flow := make([]float32, 2*w*h)
			for i := range flow {
				flow[i] = float32(math.NaN())
			}
			if err := f.Calc(flow, prev, cur, w, h); err != nil {
				t.Fatal(err)
			}
			for i, v := range flow {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("flow %d: got %v", i, v)
				}
			}
		})
	}
}

func TestFlowForgets(t *testing.T) {
	const w, h = 160, 96
	used, fresh := newFlow(t), newFlow(t)
	a, b := draw(w, h, 0, 0), draw(w, h, 2, 1)
	got, want := make([]float32, 2*w*h), make([]float32, 2*w*h)
	if err := used.Calc(got, a, draw(w, h, -7, 4), w, h); err != nil {
		t.Fatal(err)
	}
	if err := used.Calc(got, a, b, w, h); err != nil {
		t.Fatal(err)
	}
	if err := fresh.Calc(want, a, b, w, h); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Error("flow depends on the pictures of an earlier call")
	}
}

func TestFlowAllocatesNothing(t *testing.T) {
	const w, h = 64, 48
	f := newFlow(t)
	a, b, flow := draw(w, h, 0, 0), draw(w, h, 1, 0), make([]float32, 2*w*h)
	if n := testing.AllocsPerRun(10, func() { f.Calc(flow, a, b, w, h) }); n != 0 {
		t.Errorf("got %v allocations per call, want 0", n)
	}
}

func BenchmarkFlow(b *testing.B) {
	const w, h = 320, 176
	defer SetThreads(Threads())
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%dx%d/threads=%d", w, h, threads), func(b *testing.B) {
			SetThreads(threads)
			f := newFlow(b)
			prev, cur, flow := draw(w, h, 0, 0), draw(w, h, 3, -2), make([]float32, 2*w*h)
			for b.Loop() {
				if err := f.Calc(flow, prev, cur, w, h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
