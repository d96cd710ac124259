package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestJ(t *testing.T) {
	const o, x = false, true
	for _, c := range []struct {
		name        string
		truth, pred []bool
		want        float64
	}{
		{"both empty", []bool{o, o}, []bool{o, o}, 1},
		{"no pixels", nil, nil, 1},
		{"equal", []bool{o, x}, []bool{o, x}, 1},
		{"one empty", []bool{o, x}, []bool{o, o}, 0},
		{"apart", []bool{o, x}, []bool{x, o}, 0},
		{"a third", []bool{x, x, o, o}, []bool{o, x, x, o}, 1. / 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			approx(t, "J", J(c.truth, c.pred), c.want, 1e-15)
			approx(t, "J exchanged", J(c.pred, c.truth), c.want, 1e-15)
		})
	}
}

func TestSummarise(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []float64
		want Summary
	}{
		{"none", nil, Summary{}},
		{"one", []float64{0.8}, Summary{Mean: 0.8, Recall: 1}},
		{"exactly half is not over half", []float64{0.5, 0.5}, Summary{Mean: 0.5}},
		// Two frames: 1/4 rounds to 0 and 3/4 to 1.
		{"two", []float64{1, 0}, Summary{Mean: 0.5, Recall: 0.5, Decay: 1}},
		// Five frames: the quarters are frames 0-1 and 3-4.
		{"five", []float64{1, 0.8, 0.6, 0.4, 0.2}, Summary{Mean: 0.6, Recall: 0.6, Decay: 0.6}},
		// Eight frames: 7/4 rounds to 2 and 21/4 to 5, so frames 0-2 and 5-7.
		{"eight", []float64{1, 1, 1, 0, 0, 0.5, 0.5, 0.2}, Summary{Mean: 0.525, Recall: 0.375, Decay: 0.6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Summarise(c.in)
			approx(t, "Mean", got.Mean, c.want.Mean, 1e-12)
			approx(t, "Recall", got.Recall, c.want.Recall, 1e-12)
			approx(t, "Decay", got.Decay, c.want.Decay, 1e-12)
		})
	}
}

// The borders of the quarters as the reference computes them, in floating point.
func TestSummariseQuarters(t *testing.T) {
	for n := 1; n < 600; n++ {
		linspace := func(k int) int {
			return int(math.RoundToEven(1+float64(k)*float64(n-1)/4+1e-10)) - 1
		}
		values := make([]float64, n)
		for i := range values {
			values[i] = float64(i * i)
		}
		want := mean(values[:linspace(1)+1]) - mean(values[linspace(3):])
		approx(t, "Decay", Summarise(values).Decay, want, 1e-9*float64(n*n))
	}
}

func TestAverageRecall(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{
		{nil, 0},
		{[]float64{1}, 1},
		{[]float64{0.95}, 1},
		{[]float64{0.949}, 0.9},
		{[]float64{0.5}, 0.1},
		{[]float64{0.499}, 0},
		{[]float64{0.75, 0}, 0.3},
	} {
		approx(t, "AverageRecall", AverageRecall(c.in), c.want, 1e-12)
	}
	for k := range 10 { // a threshold is reached by its own value, whatever its rounding
		approx(t, "AverageRecall", AverageRecall([]float64{float64(50+5*k) / 100}), float64(k+1)/10, 1e-12)
	}
}

func TestExplainedVariation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		w, h, stride := 1+rng.IntN(9), 1+rng.IntN(9), 40
		bgr := make([]byte, h*stride)
		for i := range bgr {
			bgr[i] = byte(rng.IntN(256))
		}
		labels := random(rng, w*h, 4)
		approx(t, "ExplainedVariation", ExplainedVariation(labels, bgr, w, h, stride),
			slowExplained(labels, bgr, w, h, stride), 1e-12)
	}
	bgr := []byte{10, 20, 30, 10, 20, 30, 200, 100, 0, 99, 99, 99}
	approx(t, "split at the edge", ExplainedVariation([]uint16{4, 4, 9}, bgr, 3, 1, 12), 1, 1e-15)
	approx(t, "one label", ExplainedVariation([]uint16{4, 4, 4}, bgr, 3, 1, 12), 0, 1e-15)
	approx(t, "one colour", ExplainedVariation([]uint16{4, 5}, bgr, 2, 1, 12), 0, 0)
	approx(t, "no pixels", ExplainedVariation(nil, nil, 0, 0, 0), 0, 0)
}

// slowExplained is the sum over pixels and channels, in two passes.
func slowExplained(labels []uint16, bgr []byte, w, h, stride int) float64 {
	var top, bottom float64
	for c := range 3 {
		at := func(i int) float64 { return float64(bgr[i/w*stride+i%w*3+c]) }
		var all float64
		sum, n := map[uint16]float64{}, map[uint16]float64{}
		for i, l := range labels {
			all += at(i) / float64(w*h)
			sum[l] += at(i)
			n[l]++
		}
		for i, l := range labels {
			top += math.Pow(sum[l]/n[l]-all, 2)
			bottom += math.Pow(at(i)-all, 2)
		}
	}
	if bottom == 0 {
		return 0
	}
	return top / bottom
}
