package camera

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// field is the motion of a known camera over a grid, with noise; the locations of a box move on
// their own.
func field(a [8]float64, rows, cols int, noise float64, box [4]int) (motion, trust []float32) {
	rng := rand.New(rand.NewPCG(1, 2))
	cam := Motion{A: a}
	for i := range rows * cols {
		r, c := i/cols, i%cols
		u, v := cam.At(r, c, rows, cols)
		if c >= box[0] && c < box[2] && r >= box[1] && r < box[3] {
			u, v = u+1, v-0.5
		}
		motion = append(motion, u+float32(noise*rng.NormFloat64()), v+float32(noise*rng.NormFloat64()))
		trust = append(trust, 0.2+0.8*rng.Float32())
	}
	return motion, trust
}

// A camera that pans, zooms, turns and tilts is found although a third of the picture moves on its own.
// The fit pulls its seven other numbers to zero by a thousandth, and noise of 0.02 over some
// 580 locations leaves 0.003.
func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name string
		a    [8]float64
	}{
		{"rest", [8]float64{}},
		{"pan", [8]float64{0: 0.7, 3: -0.2}},
		{"zoom", [8]float64{1: 0.3, 5: 0.3}},
		{"roll and pan", [8]float64{0: -0.5, 2: -0.2, 4: 0.2}},
		{"tilt", [8]float64{3: 0.4, 1: 0.1, 6: 0.05, 7: -0.08}},
	} {
		motion, trust := field(tt.a, 22, 40, 0.02, [4]int{20, 3, 36, 21})
		var got Motion
		got.Fit(motion, trust, 22, 40)
		for i := range 22 * 40 {
			u, v := got.At(i/40, i%40, 22, 40)
			cam := Motion{A: tt.a}
			wu, wv := cam.At(i/40, i%40, 22, 40)
			if math.Abs(float64(u-wu)) > 0.02 || math.Abs(float64(v-wv)) > 0.02 {
				t.Errorf("%s: location %d moves %v, %v, want %v, %v", tt.name, i, u, v, wu, wv)
				break
			}
		}
	}
}

// What is left over is what was added, on a grid of finer locations too.
func TestResidual(t *testing.T) {
	cam := Motion{A: [8]float64{0.3, 0.1, -0.2, 0.05, 0.15, 0.2, 0.04, -0.03}}
	const rows, cols, unit = 12, 20, 8
	motion, got := make([]float32, 2*rows*cols), make([]float32, 2*rows*cols)
	for i := range rows * cols {
		u, v := cam.At(i/cols, i%cols, rows, cols)
		motion[2*i], motion[2*i+1] = unit*u+float32(i), unit*v-1
	}
	cam.Residual(got, motion, rows, cols, unit)
	for i := range rows * cols {
		if math.Abs(float64(got[2*i])-float64(i)) > 1e-4 || math.Abs(float64(got[2*i+1])+1) > 1e-4 {
			t.Fatalf("location %d: %v, want %d, -1", i, got[2*i:2*i+2], i)
		}
	}
}

func TestPanics(t *testing.T) {
	for name, do := range map[string]func(){
		"fit":      func() { new(Motion).Fit(make([]float32, 2), make([]float32, 2), 1, 2) },
		"trust":    func() { new(Motion).Fit(make([]float32, 4), make([]float32, 1), 1, 2) },
		"residual": func() { new(Motion).Residual(make([]float32, 2), make([]float32, 4), 1, 2, 1) },
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

// Locations without texture follow what moves, as optical flow has it: trust keeps them out.
func TestFitTrust(t *testing.T) {
	motion, trust := field([8]float64{0: 0.3}, 20, 30, 0.01, [4]int{0, 0, 30, 14}) // 70 % move on their own
	for i := range trust {
		if i/30 < 14 {
			trust[i] = 0.01
		}
	}
	var got Motion
	got.Fit(motion, trust, 20, 30)
	if u, v := got.At(18, 15, 20, 30); math.Abs(float64(u)-0.3) > 0.03 || math.Abs(float64(v)) > 0.03 {
		t.Errorf("the camera moves %v, %v, want 0.3, 0", u, v)
	}
}

// Nothing to go by must not make numbers that are not finite.
func TestFitDegenerate(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 7}, {4, 4}} {
		n := size[0] * size[1]
		motion, trust := make([]float32, 2*n), make([]float32, n)
		var got Motion
		got.Fit(motion, trust, size[0], size[1])
		if got.A != [8]float64{} {
			t.Errorf("%v: got %v, want a camera at rest", size, got.A)
		}
	}
}

// slowMedian is the first value, in their order, at which half of the weight is reached.
func slowMedian(s []weighted) float64 {
	s = slices.SortedFunc(slices.Values(s), func(a, b weighted) int { return cmp.Compare(a.v, b.v) })
	var total, sum float64
	for _, p := range s {
		total += p.w
	}
	for _, p := range s {
		if sum += p.w; sum >= total/2 {
			return p.v
		}
	}
	return s[len(s)-1].v
}

func TestMedian(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 3))
	for n := 1; n < 200; n++ {
		s := make([]weighted, n)
		for i := range s {
			s[i] = weighted{float64(rng.IntN(20)), float64(rng.IntN(4))} // whole numbers, so that sums are exact
		}
		if got, want := median(slices.Clone(s)), slowMedian(s); got != want {
			t.Fatalf("the median of %v is %v, want %v", s, got, want)
		}
	}
}
