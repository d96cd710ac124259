package metrics

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestEmptyTable(t *testing.T) {
	for name, tab := range map[string]*Table{
		"zero":        {},
		"no pixels":   table(nil, nil),
		"all ignored": table([]uint16{Ignore, Ignore}, []uint16{0, 1}),
	} {
		t.Run(name, func(t *testing.T) {
			approx(t, "ARI", tab.ARI(), 1, 0)
			approx(t, "FGARI", tab.FGARI(), 1, 0)
			for what, v := range map[string]float64{
				"MBO": tab.MBO(), "HungarianIoU": tab.HungarianIoU(), "VI": tab.VI(), "Covering": tab.Covering(),
				"ASA": tab.ASA(), "UE": tab.UE(), "UELevinshtein": tab.UELevinshtein(),
				"Accuracy3D": tab.Accuracy3D(), "AQ": tab.AQ(),
			} {
				approx(t, what, v, 0, 0)
			}
			if tab.N() != 0 || tab.Objects() != 0 || len(tab.Truths()) != 0 || len(tab.Preds()) != 0 || len(tab.Matching()) != 0 {
				t.Errorf("an empty table has labels")
			}
			var other Table
			other.Merge(tab)
			if other.N() != 0 {
				t.Errorf("merging an empty table adds pixels")
			}
		})
	}
}

func TestEmptyTypes(t *testing.T) {
	var s Switches
	s.Add(nil, nil)
	var d Durations
	d.Add(nil)
	var c Consistency
	c.Add(nil, nil)
	var v VideoBoundary
	approx(t, "VideoBoundary before the first frame", v.Recall(), 0, 0)
	v.Add(nil, nil, 0, 0)
	var p Parents
	p.Add(nil, nil, nil, nil)
	for what, v := range map[string]float64{
		"Durations": d.Mean(), "Consistency": c.Mean(), "VideoBoundary": v.Recall(), "Rate": p.Rate(), "F1": p.F1(),
		"BoundaryRecall": BoundaryRecall(nil, nil, 0, 0), "WarpConsistency": WarpConsistency(nil, nil, nil, 0, 0),
		"BoundaryRecall without boundary": BoundaryRecall([]uint16{1, 1}, []uint16{1, 2}, 2, 1),
		"EffectiveCount":                  EffectiveCount(nil), "TotalVariation": TotalVariation(nil, 0, 0, 3),
	} {
		approx(t, what, v, 0, 0)
	}
}

func TestMisusePanics(t *testing.T) {
	one, two := []uint16{1}, []uint16{1, 2}
	rng := rand.New(rand.NewPCG(1, 1))
	for name, f := range map[string]func(){
		"Table.Add":               func() { table(one, two) },
		"J":                       func() { J(make([]bool, 1), nil) },
		"F":                       func() { F(make([]bool, 4), make([]bool, 4), 2, 1) },
		"BoundaryRecall":          func() { BoundaryRecall(one, two, 1, 1) },
		"VideoBoundary.Add":       func() { new(VideoBoundary).Add(one, two, 1, 1) },
		"ExplainedVariation":      func() { ExplainedVariation(two, make([]byte, 6), 2, 1, 5) },
		"ExplainedVariation pix":  func() { ExplainedVariation(two, make([]byte, 5), 2, 1, 6) },
		"Switches.Add":            func() { new(Switches).Add(one, two) },
		"Consistency.Add":         func() { new(Consistency).Add(one, two) },
		"WarpConsistency":         func() { WarpConsistency(one, two, make([]float32, 2), 1, 1) },
		"WarpConsistency flow":    func() { WarpConsistency(one, one, make([]float32, 1), 1, 1) },
		"WarpConsistencyValid":    func() { WarpConsistencyValid(one, one, make([]float32, 2), []bool{}, 1, 1) },
		"Warp":                    func() { Warp(one, two, make([]float32, 2), nil, 1, 1) },
		"WarpError":               func() { WarpError(nil, nil, 1, make([]float32, 2), nil, 1, 1) },
		"Parents.Add":             func() { new(Parents).Add(one, one, one, two) },
		"AffinityAUC":             func() { AffinityAUC(make([]float32, 3), two, 2, 2, 10, rng) },
		"AffinityAUC of one pair": func() { AffinityAUC(make([]float32, 4), two, 2, 2, 1, rng) },
		"MeanCosine":              func() { MeanCosine(make([]float32, 3), 2, 2) },
		"DimensionStd":            func() { DimensionStd(make([]float32, 3), 2, 2) },
		"EffectiveRank":           func() { EffectiveRank(make([]float32, 3), 2, 2) },
		"MeasureIslands":          func() { MeasureIslands(make([]float32, 4), one, 1, 2, 2) },
		"TotalVariation":          func() { TotalVariation(make([]float32, 3), 1, 2, 2) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "metrics: ") {
					t.Errorf("panic with %q, want a text of ours", text)
				}
			}()
			f()
		})
	}
}
