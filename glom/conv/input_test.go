package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"glomstream/glom/camera"
)

// A camera that pans and zooms leaves nothing over, and a thing that moves against it what it
// moves by, squashed.
func TestFill(t *testing.T) {
	const h, w = 64, 96
	rng := rand.New(rand.NewPCG(1, 1))
	pix, flow := make([]byte, 3*h*w), make([]float32, 2*h*w)
	for i := range pix {
		pix[i] = byte(rng.Uint32())
	}
	thing := func(i int) bool { return i/w >= 40 && i/w < 56 && i%w < 24 }
	cam := camera.Motion{A: [8]float64{0: 3, 1: 2, 3: -1, 5: 2}}
	for i := range h * w {
		flow[2*i], flow[2*i+1] = cam.At(i/w, i%w, h, w)
		if thing(i) {
			flow[2*i], flow[2*i+1] = flow[2*i]+3, flow[2*i+1]-4 // 5 pixels
		}
	}
	var in Input
	planes := make([]float32, 5*h*w)
	in.Fill(planes, pix, flow, h, w)
	for i := range h * w {
		want := []float64{float64(pix[3*i+2]) / 255, float64(pix[3*i+1]) / 255, float64(pix[3*i]) / 255, 0, 0}
		if thing(i) {
			want[3], want[4] = 3/slowest/math.Sqrt(1+5/slowest), -4/slowest/math.Sqrt(1+5/slowest)
		}
		for c, v := range want {
			if got := planes[c*h*w+i]; math.Abs(float64(got)-v) > 0.04 {
				t.Fatalf("channel %d, pixel %d: %v, want %v", c, i, got, v)
			}
		}
	}
	in.Fill(planes, pix, nil, h, w)
	for i, v := range planes[3*h*w:] {
		if v != 0 {
			t.Fatalf("without flow: number %d is %v", i, v)
		}
	}
	if n := testing.AllocsPerRun(5, func() { in.Fill(planes, pix, flow, h, w) }); n != 0 {
		t.Errorf("Fill allocates %v times, want 0", n)
	}
}

func BenchmarkFill(b *testing.B) {
	const h, w = 176, 320
	rng := rand.New(rand.NewPCG(1, 1))
	pix, flow, planes := make([]byte, 3*h*w), make([]float32, 2*h*w), make([]float32, 5*h*w)
	for i := range flow {
		flow[i] = rng.Float32()
	}
	var in Input
	for b.Loop() {
		in.Fill(planes, pix, flow, h, w)
	}
}
