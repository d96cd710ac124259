package conv

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSquash(t *testing.T) {
	for v := float32(-100); v <= 100; v += 0.01 {
		if d := math.Abs(float64(squash(v)) - math.Tanh(float64(v)/4)); d > 1e-6 {
			t.Fatalf("squash(%v) is off by %v", v, d)
		}
	}
}

func TestFill(t *testing.T) {
	const h, w = 16, 24
	rng := rand.New(rand.NewPCG(1, 1))
	pix, flow := make([]byte, 3*h*w), make([]float32, 2*h*w)
	for i := range pix {
		pix[i] = byte(rng.Uint32())
	}
	for i := range flow {
		flow[i] = float32(5 * rng.NormFloat64())
	}
	var in Input
	planes := make([]float32, 5*h*w)
	in.Fill(planes, pix, flow, h, w)
	dx, dy := float64(in.Median(flow, h, w, 0)), float64(in.Median(flow, h, w, 1))
	for i := range h * w {
		want := []float64{
			float64(pix[3*i+2]) / 255, float64(pix[3*i+1]) / 255, float64(pix[3*i]) / 255,
			math.Tanh((float64(flow[2*i]) - dx) / 4), math.Tanh((float64(flow[2*i+1]) - dy) / 4),
		}
		for c, v := range want {
			if got := planes[c*h*w+i]; math.Abs(float64(got)-v) > 2e-6 {
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
