package metrics

import (
	"math/rand/v2"
	"testing"
)

func TestSwitches(t *testing.T) {
	type frame struct{ truth, pred []uint16 }
	f := func(truth, pred string) frame { // one digit a pixel
		var out frame
		for i := range truth {
			out.truth = append(out.truth, uint16(truth[i]-'0'))
			out.pred = append(out.pred, uint16(pred[i]-'0'))
		}
		return out
	}
	for _, c := range []struct {
		name                    string
		frames                  []frame
		count, matched, missing int
	}{
		{"no frames", nil, 0, 0, 0},
		{"steady", []frame{f("1122", "5566"), f("1122", "5566")}, 0, 4, 0},
		{"background has no id", []frame{f("0011", "3355"), f("0011", "4455")}, 0, 2, 0},
		{"prediction 0 is an id", []frame{f("0011", "3300"), f("0011", "3344")}, 1, 2, 0},
		{"one switch", []frame{f("1122", "5566"), f("1122", "7766")}, 1, 4, 0},
		{"exchanged", []frame{f("1122", "5566"), f("1122", "6655")}, 2, 4, 0},
		{"there and back", []frame{f("11", "55"), f("11", "66"), f("11", "55")}, 2, 3, 0},
		{"lost and found", []frame{f("1110", "5550"), f("1110", "6789"), f("1110", "5550")}, 0, 2, 1},
		{"found as another", []frame{f("1110", "5550"), f("1110", "6789"), f("1110", "6660")}, 1, 2, 1},
		{"absent is not missed", []frame{f("11", "55"), f("00", "66"), f("11", "55")}, 0, 2, 0},
		{"exactly a half", []frame{f("1100", "5555")}, 0, 1, 0},
		{"under a half", []frame{f("11000", "55555")}, 0, 0, 1},
		{"halves: the first is taken", []frame{f("11", "56"), f("11", "55")}, 0, 2, 0},
		{"halves: the old one is kept", []frame{f("11", "66"), f("11", "56"), f("11", "66")}, 0, 3, 0},
		{"halves of a prediction go to one", []frame{f("12", "55")}, 0, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Switches
			for _, fr := range c.frames {
				s.Add(fr.truth, fr.pred)
			}
			matched, missed := s.Frames()
			if s.Count() != c.count || matched != c.matched || missed != c.missing {
				t.Errorf("switches %d, matched %d, missed %d, want %d, %d, %d",
					s.Count(), matched, missed, c.count, c.matched, c.missing)
			}
		})
	}
}

func TestDurations(t *testing.T) {
	var d Durations
	approx(t, "Mean of nothing", d.Mean(), 0, 0)
	d.Add([]uint16{1, 2, 1, 2})
	d.Add([]uint16{1, 1, 1, 3})
	d.Add([]uint16{2, 1, 1, 1})
	// 1 lives three frames, 2 two with a gap, 3 one.
	approx(t, "Mean", d.Mean(), 2, 0)
	if d.IDs() != 3 {
		t.Errorf("IDs = %d, want 3", d.IDs())
	}
	var one Durations
	for range 10 {
		one.Add([]uint16{0, 0})
	}
	approx(t, "Mean of one id", one.Mean(), 10, 0)
}

func TestConsistencyAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		n, k, frames := 30, 1+rng.IntN(4), 1+rng.IntN(12)
		c := Consistency{Window: k}
		var truths, preds [][]uint16
		for f := range frames {
			truth, pred := random(rng, n, 3), random(rng, n, 3)
			if f > 0 { // most pixels stay
				for i := range n {
					if rng.IntN(6) > 0 {
						truth[i] = truths[f-1][i]
					}
					if rng.IntN(6) > 0 {
						pred[i] = preds[f-1][i]
					}
				}
			}
			if rng.IntN(3) == 0 {
				truth[rng.IntN(n)] = Ignore
			}
			truths, preds = append(truths, truth), append(preds, pred)
			c.Add(truth, pred)
		}
		approx(t, "Mean", c.Mean(), slowConsistency(truths, preds, k), 1e-12)
	}
}

func slowConsistency(truths, preds [][]uint16, k int) float64 {
	var values []float64
	for f := 0; f+k <= len(truths); f++ {
		var same, constant float64
		for i := range truths[0] {
			g, s := true, true
			for j := f; j < f+k; j++ {
				g = g && truths[j][i] == truths[f][i] && truths[j][i] != Ignore
				s = s && preds[j][i] == preds[f][i]
			}
			if g {
				constant++
				if s {
					same++
				}
			}
		}
		if constant > 0 {
			values = append(values, same/constant)
		}
	}
	return mean(values)
}

func TestConsistencyDefaultAndNewSize(t *testing.T) {
	var c Consistency
	for range 7 {
		c.Add([]uint16{1, 1}, []uint16{1, 2})
	}
	approx(t, "Mean before the window is full", c.Mean(), 0, 0)
	c.Add([]uint16{1, 1}, []uint16{1, 2})
	approx(t, "Mean of 8 steady frames", c.Mean(), 1, 0)
	for range 8 {
		c.Add([]uint16{1}, []uint16{1})
	}
	if c.windows != 2 {
		t.Errorf("%d windows, want one of each size", c.windows)
	}
}

func TestWarp(t *testing.T) {
	const w, h = 4, 2
	before := []uint16{
		1, 2, 3, 4,
		5, 6, 7, 8,
	}
	still := make([]float32, 2*w*h)
	approx(t, "still", WarpConsistency(before, before, still, w, h), 1, 0)

	right := make([]float32, 2*w*h) // everything moved one to the right, but for rounding
	for p := range w * h {
		right[2*p], right[2*p+1] = 1.3, -0.4
	}
	now := []uint16{
		9, 1, 2, 3,
		9, 5, 6, 9,
	}
	approx(t, "moved", WarpConsistency(before, now, right, w, h), 5./6, 1e-15)
	approx(t, "unmoved", WarpConsistency(before, before, right, w, h), 0, 0)
	valid := []bool{true, true, false, false, true, false, false, true}
	approx(t, "valid", WarpConsistencyValid(before, now, right, valid, w, h), 0.5, 0)

	dst := make([]uint16, w*h)
	Warp(dst, before, right, nil, w, h)
	want := []uint16{Ignore, 1, 2, 3, Ignore, 5, 6, 7}
	for i := range want {
		if dst[i] != want[i] {
			t.Errorf("Warp = %v, want %v", dst, want)
			break
		}
	}

	down := make([]float32, 2*w*h)
	for p := range w * h {
		down[2*p+1] = 1
	}
	approx(t, "down", WarpConsistency(before, []uint16{0, 0, 0, 0, 1, 2, 3, 4}, down, w, h), 1, 0)
	far := []float32{100, 0, -100, 0, 0, 100, 0, -100, nan(), 0, 0, nan(), 1e30, 1e30, -1e30, 0}
	approx(t, "no sources", WarpConsistency(before, before, far, w, h), 0, 0)

	values := []float32{1, 2, 3, 4} // 2 by 1 pixels of 2
	approx(t, "WarpError", WarpError(values, []float32{1, 2, 1, 4}, 2, []float32{0, 0, 1, 0}, nil, 2, 1), 2, 0)
	approx(t, "WarpError without pixels", WarpError(values, values, 2, []float32{0, 0, 0, 0}, make([]bool, 2), 2, 1), 0, 0)
}

func nan() float32 {
	var zero float32
	return zero / zero
}
