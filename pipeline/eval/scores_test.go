package eval

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"glomstream/capture"
	"glomstream/glom/islands"
	"glomstream/glom/metrics"
	"glomstream/pipeline"
)

// noisy is a sequence of label maps: three columns that move, in pred with other ids and errors.
func noisy(frames, w, h int) (truth, pred [][]uint16) {
	rng := rand.New(rand.NewPCG(1, 1))
	for f := range frames {
		a, b := make([]uint16, w*h), make([]uint16, w*h)
		for i := range a {
			a[i] = uint16((i%w + f/4) / 6 % 3)
			b[i] = 10 + a[i]
			if rng.IntN(9) == 0 {
				b[i] = uint16(10 + rng.IntN(4))
			}
		}
		if f == 5 {
			for i := range b {
				b[i] += 100 // all ids change
			}
		}
		truth, pred = append(truth, a), append(pred, b)
	}
	return truth, pred
}

// checkScores compares all scores; each name must have the value of its measure.
func checkScores(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for name, v := range want {
		if w, ok := got[name]; !ok || math.Abs(w-v) > 1e-12 {
			t.Errorf("%s: got %v, want %v", name, w, v)
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// TestDivisionScores has every score of a division beside what its measure says.
func TestDivisionScores(t *testing.T) {
	const w, h, frames = 16, 12, 10
	truth, pred := noisy(frames, w, h)
	d := newDivision(&Sequence{Grains: []string{"objects"}, FromTop: []int{1}}, 0, 3, true)
	want := make(means)
	var volume metrics.Table
	var switches metrics.Switches
	vc := metrics.Consistency{Window: 8}
	for f := range frames {
		var all Truth
		all.reset(1)
		copy(all.add(0, w*h), truth[f])
		d.add(&all, pred[f], &picture{w: w, h: h})

		var frame metrics.Table
		frame.Add(truth[f], pred[f])
		volume.Add(truth[f], pred[f])
		switches.Add(truth[f], pred[f])
		vc.Add(truth[f], pred[f])
		want.add("best_j", frame.MBO())
		want.add("fg_ari", frame.FGARI())
		want.add("ari", frame.ARI())
		want.add("covering", frame.Covering())
		want.add("vi", frame.VI())
		want.add("asa", frame.ASA())
		want.add("ue", frame.UE())
		want.add("br", metrics.BoundaryRecall(truth[f], pred[f], w, h))
	}
	want.add("mbo", volume.MBO())
	want.add("ari_video", volume.ARI())
	want.add("ue_video", volume.UELevinshtein())
	want.add("acc_video", volume.Accuracy3D())
	want.add("vc8", vc.Mean())
	matched, missed := switches.Frames()
	want.add("switches", float64(switches.Count()))
	want.add("matched", float64(matched)/float64(matched+missed))
	if switches.Count() != 4 {
		t.Fatalf("%d switches, want two for each of two objects", switches.Count())
	}
	checkScores(t, d.scores(), want.scores())
}

// TestDivisionOfBackground has a truth without objects: what is about objects is absent.
func TestDivisionOfBackground(t *testing.T) {
	const w, h = 16, 12
	d := newDivision(&Sequence{Grains: []string{"objects"}, FromTop: []int{1}}, 0, 3, true)
	var all Truth
	all.reset(1)
	clear(all.add(0, w*h))
	_, pred := noisy(1, w, h)
	d.add(&all, pred[0], &picture{w: w, h: h})
	got := d.scores()
	for _, name := range []string{"best_j", "fg_ari", "mbo", "acc_video", "switches", "matched"} {
		if v, ok := got[name]; ok {
			t.Errorf("%s is %v", name, v)
		}
	}
	if got["asa"] != 1 || got["ari"] != 0 {
		t.Errorf("got %v", got)
	}
}

// TestLabelScores has the scores that need no truth.
func TestLabelScores(t *testing.T) {
	const w, h, frames = 16, 12, 6
	_, pred := noisy(frames, w, h)
	rng := rand.New(rand.NewPCG(2, 1))
	pix, flow := make([]byte, 3*w*h), make([]float32, 2*w*h)
	for i := range pix {
		pix[i] = byte(rng.IntN(256))
	}
	for i := range flow {
		flow[i] = float32(rng.IntN(3) - 1)
	}
	l := labels{mean: make(means)}
	want := make(means)
	var life metrics.Durations
	for f := range frames {
		r := &pipeline.Result{Frame: capture.Frame{W: w, H: h, Pix: pix, Stride: 3 * w}}
		l.add(pred[f], &picture{w: w, h: h, flow: flow}, r)
		want.add("ev", metrics.ExplainedVariation(pred[f], pix, w, h, 3*w))
		if f > 0 {
			want.add("warp", metrics.WarpConsistency(pred[f-1], pred[f], flow, w, h))
		}
		life.Add(pred[f])
	}
	want.add("life", life.Mean())
	checkScores(t, l.scores(false), want.scores())
}

// TestPairScores has the scores of two levels, with the child and the parent told apart.
func TestPairScores(t *testing.T) {
	const w, h = 16, 12
	whole, _ := noisy(1, w, h)
	part := make([]uint16, w*h) // each whole in two
	for i, id := range whole[0] {
		part[i] = 2*id + uint16(i/w%2)
	}
	rng := rand.New(rand.NewPCG(3, 1))
	child, parent := make([]uint16, w*h), make([]uint16, w*h)
	for i := range child {
		child[i] = uint16(1 + 5*(i%w/2) + i/w/5)
		parent[i] = uint16(1 + i%w/5)
		if rng.IntN(6) == 0 {
			parent[i] = 9
		}
	}
	all := new(scorer)
	all.truth.reset(2)
	copy(all.truth.add(0, w*h), part)
	copy(all.truth.add(1, w*h), whole[0])
	s := newPairScore(&Sequence{Grains: []string{"parts", "objects"}, FromTop: []int{2, 1}}, 2, 5)
	s.add(all, &pipeline.Result{
		Labels:  [][]uint16{nil, nil, child, parent, nil},
		Islands: []islands.Level{{}, {}, {Nesting: 0.625}, {}, {}},
	})
	var parents metrics.Parents
	parents.Add(child, parent, part, whole[0])
	if v := parents.Rate(); !(v > 0.2 && v < 0.9) {
		t.Fatalf("%v of the parents are right: that tells nothing", v)
	}
	checkScores(t, s.scores(), map[string]float64{
		"nesting": metrics.Nesting(child, parent), "ends": 0.625, "parents": parents.Rate(),
	})
}
