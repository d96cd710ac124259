package cut

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

const w, h = 96, 64

// world is a smooth random pattern of three colours, without end.
type world struct{ waves [3][8][3]float64 }

func newWorld(seed uint64) *world {
	rng := rand.New(rand.NewPCG(seed, 1))
	v := new(world)
	for c := range v.waves {
		for k := range v.waves[c] {
			v.waves[c][k] = [3]float64{rng.NormFloat64() * 0.4, rng.NormFloat64() * 0.4, rng.Float64() * 2 * math.Pi}
		}
	}
	return v
}

// picture returns what a camera at (x0, y0) sees, with gain and offset of the exposure.
func (v *world) picture(x0, y0, gain, offset float64) []byte {
	pix := make([]byte, 3*w*h)
	for i := range w * h {
		x, y := float64(i%w)+x0, float64(i/w)+y0
		for c := range 3 {
			s := 0.0
			for _, k := range v.waves[c] {
				s += math.Sin(k[0]*x + k[1]*y + k[2])
			}
			pix[3*i+c] = byte(max(0, min(255, gain*(120+30*s)+offset)))
		}
	}
	return pix
}

// still returns a flow of the same motion everywhere.
func uniform(dx, dy float32) []float32 {
	flow := make([]float32, 2*w*h)
	for i := range w * h {
		flow[2*i], flow[2*i+1] = dx, dy
	}
	return flow
}

func TestCut(t *testing.T) {
	noisy := func(pix []byte) []byte {
		rng := rand.New(rand.NewPCG(3, 3))
		for i, v := range pix {
			pix[i] = byte(max(0, min(255, float64(v)+12*rng.NormFloat64())))
		}
		return pix
	}
	flat := func(v byte) []byte {
		pix := make([]byte, 3*w*h)
		for i := range pix {
			pix[i] = v
		}
		return pix
	}
	for seed := range uint64(8) {
		a, b := newWorld(2*seed), newWorld(2*seed+1)
		now := a.picture(0, 0, 1, 0)
		for _, tt := range []struct {
			name string
			next []byte
			flow []float32
			want bool
		}{
			{"same", now, nil, false},
			{"other scene", b.picture(0, 0, 1, 0), nil, true},
			{"other scene with a flow that makes no sense", b.picture(0, 0, 1, 0), uniform(31, -40), true},
			{"other scene, darker", b.picture(0, 0, 0.6, 0), nil, true},
			{"other place of the same scene", a.picture(500, 300, 1, 0), nil, true},
			{"pan", a.picture(6, 3, 1, 0), uniform(-6, -3), false},
			{"darker", a.picture(0, 0, 0.5, 0), nil, false},
			{"flash", a.picture(0, 0, 0.6, 100), nil, false},
			{"noise", noisy(a.picture(0, 0, 1, 0)), nil, false},
			{"to black", flat(0), nil, true},
			{"flow is not a number", now, uniform(float32(math.NaN()), float32(math.Inf(1))), false},
		} {
			var d Detector
			first := d.Cut(now, nil, w, h)
			got := d.Cut(tt.next, tt.flow, w, h)
			if tt.name == "flow is not a number" {
				got = false // whatever comes out, it must not panic
			}
			if first || got != tt.want {
				t.Errorf("seed %d, %s: got %v, %v %+v, want false, %v", seed, tt.name, first, got, d.Change(), tt.want)
			}
		}
	}
}

// A fade takes eight frames to black and eight from it; another scene comes out of the dark.
func TestFade(t *testing.T) {
	for seed := range uint64(8) {
		var d Detector
		a, b := newWorld(2*seed), newWorld(2*seed+1)
		for i := range 17 {
			v, gain := a, float64(8-i)/8
			if gain < 0 {
				v, gain = b, -gain
			}
			if d.Cut(v.picture(0, 0, gain, 0), nil, w, h) {
				t.Errorf("seed %d, gain %v: cut %+v", seed, gain, d.Change())
			}
		}
	}
}

// A detector compares frames of one size only, and none across Reset.
func TestNothingToCompare(t *testing.T) {
	var d Detector
	a, b := newWorld(1).picture(0, 0, 1, 0), newWorld(2).picture(0, 0, 1, 0)
	d.Cut(a, nil, w, h)
	if d.Cut(b, nil, h, w) || d.Change() != (Change{}) {
		t.Error("cut between sizes")
	}
	d.Reset()
	if d.Cut(a, nil, h, w) || d.Change() != (Change{}) {
		t.Error("cut across Reset")
	}
	if !d.Cut(b, nil, h, w) {
		t.Error("no cut after Reset")
	}
	for _, size := range [][2]int{{1, 1}, {15, 64}, {64, 15}, {16, 16}, {17, 31}} {
		n := size[0] * size[1]
		d.Cut(a[:3*n], nil, size[0], size[1])
		got := d.Cut(b[:3*n], nil, size[0], size[1])
		if small := min(size[0], size[1]) < 16; small && got {
			t.Errorf("%v: cut in a picture that is too small", size)
		}
	}
}

func TestPanics(t *testing.T) {
	for _, f := range []func(d *Detector){
		func(d *Detector) { d.Cut(make([]byte, 11), nil, 2, 2) },
		func(d *Detector) { d.Cut(make([]byte, 12), make([]float32, 7), 2, 2) },
		func(d *Detector) { d.Cut(nil, nil, 0, 2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f(new(Detector))
		}()
	}
}

func TestCutAllocatesNothing(t *testing.T) {
	var d Detector
	pix, flow := newWorld(1).picture(0, 0, 1, 0), uniform(1, 1)
	d.Cut(pix, flow, w, h)
	d.Cut(pix, flow, w, h)
	if n := testing.AllocsPerRun(10, func() { d.Cut(pix, flow, w, h) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func ExampleDetector() {
	var d Detector
	meadow, room := newWorld(1), newWorld(2)
	for i := range 6 {
		scene := meadow
		if i >= 3 {
			scene = room
		}
		// The camera moves to the right by 2 pixels a frame, so what it sees moves to the left.
		fmt.Print(d.Cut(scene.picture(float64(2*i), 0, 1, 0), uniform(-2, 0), w, h), " ")
	}
	// Output: false false false true false false
}

func BenchmarkCut(b *testing.B) {
	const w, h = 320, 176
	rng := rand.New(rand.NewPCG(1, 1))
	pix, flow := make([]byte, 3*w*h), make([]float32, 2*w*h)
	for i := range pix {
		pix[i] = byte(rng.IntN(256))
	}
	for i := range flow {
		flow[i] = rng.Float32()*4 - 2
	}
	var d Detector
	for b.Loop() {
		d.Cut(pix, flow, w, h)
	}
}
