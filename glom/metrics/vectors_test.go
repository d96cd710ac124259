package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// units returns n random vectors of unit length around a mean of the given length.
func units(rng *rand.Rand, n, dim int, mean float64) []float32 {
	x := make([]float32, n*dim)
	for i := range n {
		v := x[i*dim : (i+1)*dim]
		for c := range v {
			v[c] = float32(rng.NormFloat64())
		}
		v[0] += float32(mean)
		norm := float32(math.Sqrt(dot(v, v)))
		for c := range v {
			v[c] /= norm
		}
	}
	return x
}

func TestMeanCosine(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, shape := range [][2]int{{2, 3}, {17, 5}, {60, 16}} {
		n, dim := shape[0], shape[1]
		x := units(rng, n, dim, 1)
		var sum float64
		for i := range n {
			for j := range n {
				if i != j {
					sum += dot(x[i*dim:(i+1)*dim], x[j*dim:(j+1)*dim])
				}
			}
		}
		approx(t, "MeanCosine", MeanCosine(x, n, dim), sum/float64(n*(n-1)), 1e-12)
	}
	approx(t, "opposite", MeanCosine([]float32{1, 0, -1, 0}, 2, 2), -1, 0)
	approx(t, "collapsed", MeanCosine([]float32{0.6, 0.8, 0.6, 0.8, 0.6, 0.8}, 3, 2), 1, 1e-7)
	approx(t, "one vector", MeanCosine([]float32{1, 0}, 1, 2), 0, 0)
	approx(t, "none", MeanCosine(nil, 0, 2), 0, 0)
}

func TestDimensionStd(t *testing.T) {
	got := DimensionStd([]float32{1, 5, 2, 5, 3, 5}, 3, 2)
	approx(t, "std", got[0], 1, 1e-12)
	approx(t, "std of a constant", got[1], 0, 0)
	for _, v := range DimensionStd(units(rand.New(rand.NewPCG(1, 1)), 4000, 25, 0), 4000, 25) {
		approx(t, "std on the sphere", v, 0.2, 0.01)
	}
	for _, n := range []int{0, 1} {
		if got := DimensionStd(make([]float32, n*2), n, 2); !slices.Equal(got, []float64{0, 0}) {
			t.Errorf("std of %d vectors = %v, want zeros", n, got)
		}
	}
}

func TestEffectiveRank(t *testing.T) {
	const dim = 8
	basis := func(k int, scale ...float32) []float32 { // n = 24 rows over k axes
		x := make([]float32, 24*dim)
		for i := range 24 {
			x[i*dim+i%k] = 1
			if len(scale) > 0 {
				x[i*dim+i%k] = scale[i%k]
			}
		}
		return x
	}
	for _, k := range []int{1, 2, 4, 8} {
		approx(t, "rank", EffectiveRank(basis(k), 24, dim), float64(k), 1e-9)
	}
	// Singular values in the ratio 3 to 1.
	h := -(0.75*math.Log(0.75) + 0.25*math.Log(0.25))
	approx(t, "uneven", EffectiveRank(basis(2, 3, 1), 24, dim), math.Exp(h), 1e-9)
	approx(t, "one row", EffectiveRank([]float32{1, 2, 3}, 1, 3), 1, 1e-12)
	approx(t, "zeros", EffectiveRank(make([]float32, 24), 3, 8), 0, 0)
	approx(t, "nothing", EffectiveRank(nil, 0, 8), 0, 0)
	wide := EffectiveRank(units(rand.New(rand.NewPCG(1, 1)), 2000, 16, 0), 2000, 16)
	approx(t, "sphere", wide, 16, 0.05)
}

func TestPerplexity(t *testing.T) {
	h := -(0.75*math.Log(0.75) + 0.25*math.Log(0.25))
	for _, c := range []struct {
		name string
		in   []float32
		want float64
	}{
		{"even", []float32{0.25, 0.25, 0.25, 0.25}, 1},
		{"one", []float32{0, 1, 0, 0}, 0.25},
		{"uneven", []float32{0.75, 0.25}, math.Exp(h) / 2},
		{"not normalised", []float32{3, 1}, math.Exp(h) / 2},
		{"zeros", []float32{0, 0}, 0},
		{"none", nil, 0},
	} {
		approx(t, c.name, Perplexity(c.in), c.want, 1e-12)
	}
}

func TestMeasureIslands(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 30 {
		rows, cols, dim := 1+rng.IntN(6), 1+rng.IntN(6), 1+rng.IntN(5)
		n := rows * cols
		x, labels := units(rng, n, dim, 0.5), random(rng, n, 4)
		got, want := MeasureIslands(x, labels, rows, cols, dim), slowIslands(x, labels, rows, cols, dim)
		approx(t, "Purity", got.Purity, want.Purity, 1e-12)
		approx(t, "Separation", got.Separation, want.Separation, 1e-12)
		approx(t, "Effective", got.Effective, want.Effective, 1e-12)
		approx(t, "EffectiveCount", EffectiveCount(labels), want.Effective, 1e-12)
		if got.Count != want.Count {
			t.Errorf("Count = %d, want %d", got.Count, want.Count)
		}
	}
	// Two clear-cut islands of 2 and 2 locations, and one of 4 elsewhere.
	x := []float32{1, 0, 1, 0, 0, 1, 0, 1, -1, 0, -1, 0, -1, 0, -1, 0}
	got := MeasureIslands(x, []uint16{1, 1, 2, 2, 7, 7, 7, 7}, 1, 8, 2)
	if want := (Islands{Purity: 1, Separation: 0, Count: 3, Effective: math.Exp(1.5 * math.Ln2)}); got.Purity != 1 ||
		got.Separation != 0 || got.Count != 3 || math.Abs(got.Effective-want.Effective) > 1e-12 {
		t.Errorf("MeasureIslands = %+v, want %+v", got, want)
	}
	if got := MeasureIslands(nil, nil, 0, 0, 4); got != (Islands{}) {
		t.Errorf("MeasureIslands of nothing = %+v", got)
	}
}

// slowIslands goes over all pairs of locations.
func slowIslands(x []float32, labels []uint16, rows, cols, dim int) Islands {
	cosine := func(i, j int) float64 { return dot(x[i*dim:(i+1)*dim], x[j*dim:(j+1)*dim]) }
	pairMean := func(a, b uint16) float64 {
		var sum, n float64
		for i, l := range labels {
			for j, m := range labels {
				if l == a && m == b && i != j {
					sum += cosine(i, j)
					n++
				}
			}
		}
		return ratio(sum, n)
	}
	size := map[uint16]float64{}
	for _, l := range labels {
		size[l]++
	}
	var out Islands
	var weight, h float64
	for l, m := range size {
		h -= m / float64(len(labels)) * math.Log(m/float64(len(labels)))
		if m > 1 {
			out.Purity += m * pairMean(l, l)
			weight += m
		}
	}
	touching := map[[2]uint16]bool{}
	for i := range labels {
		for j := range labels {
			dx, dy := i%cols-j%cols, i/cols-j/cols
			if dx*dx+dy*dy == 1 && labels[i] < labels[j] {
				touching[[2]uint16{labels[i], labels[j]}] = true
			}
		}
	}
	for p := range touching {
		out.Separation += pairMean(p[0], p[1])
	}
	out.Purity = ratio(out.Purity, weight)
	out.Separation = ratio(out.Separation, float64(len(touching)))
	out.Count, out.Effective = len(size), math.Exp(h)
	return out
}

func TestTotalVariation(t *testing.T) {
	x := []float32{
		1, 0, 1, 0,
		0, 1, -1, 0,
	}
	// Edges: top 0, left √2, right 2, bottom √2.
	approx(t, "TotalVariation", TotalVariation(x, 2, 2, 2), (2+2*math.Sqrt2)/4, 1e-12)
	approx(t, "one location", TotalVariation(x[:2], 1, 1, 2), 0, 0)
}

func TestAffinityAUC(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	x := []float32{1, 0, 1, 0, 0, 1, 0, 1}
	for _, c := range []struct {
		name   string
		labels []uint16
		want   float64
	}{
		{"perfect", []uint16{1, 1, 2, 2}, 1},
		{"perfect, with a label 0", []uint16{0, 0, 2, 2}, 1},
		{"inverted", []uint16{1, Ignore, 1, 2}, 0.25}, // same: 0; different: 1-3 and 3-4, cosines 0 and 1
		{"one label", []uint16{1, 1, 1, 1}, 0.5},
		{"single locations", []uint16{1, 2, 3, 4}, 0.5},
		{"all ignored", []uint16{Ignore, Ignore, Ignore, Ignore}, 0.5},
	} {
		approx(t, c.name, AffinityAUC(x, c.labels, 4, 2, 20000, rng), c.want, 0.01)
	}
	approx(t, "nothing", AffinityAUC(nil, nil, 0, 2, 10, rng), 0.5, 0)
	same := make([]float32, 8)
	approx(t, "all tied", AffinityAUC(same, []uint16{1, 1, 2, 2}, 4, 2, 100, rng), 0.5, 0)

	// Against all pairs of pairs.
	for range 5 {
		n, dim := 24, 3
		x, labels := units(rng, n, dim, 1), random(rng, n, 3)
		for i, l := range labels { // labels mean something, and sizes are uneven
			x[i*dim+1] += float32(l)
			norm := float32(math.Sqrt(dot(x[i*dim:(i+1)*dim], x[i*dim:(i+1)*dim])))
			for c := range dim {
				x[i*dim+c] /= norm
			}
		}
		labels[3], labels[4], labels[5] = Ignore, 9, 9
		approx(t, "AUC", AffinityAUC(x, labels, n, dim, 100000, rng), slowAUC(x, labels, n, dim), 0.01)
	}
}

func slowAUC(x []float32, labels []uint16, n, dim int) float64 {
	var same, different []float64
	for i := range n {
		for j := range i {
			if labels[i] == Ignore || labels[j] == Ignore {
				continue
			}
			c := dot(x[i*dim:(i+1)*dim], x[j*dim:(j+1)*dim])
			if labels[i] == labels[j] {
				same = append(same, c)
			} else {
				different = append(different, c)
			}
		}
	}
	var sum float64
	for _, p := range same {
		for _, q := range different {
			switch {
			case p > q:
				sum++
			case p == q:
				sum += 0.5
			}
		}
	}
	return sum / float64(len(same)*len(different))
}

// The rank sum must equal the comparison of all scores, ties included.
func TestAUCOfScores(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 100 {
		var a Affinity
		var sum, pairs float64
		for i := range 2 + rng.IntN(30) {
			a.scores = append(a.scores, score{cosine: float64(rng.IntN(8)), same: i == 0 || (i > 1 && rng.IntN(2) == 0)})
		}
		for _, p := range a.scores {
			for _, q := range a.scores {
				if p.same && !q.same {
					pairs++
					if p.cosine > q.cosine {
						sum++
					} else if p.cosine == q.cosine {
						sum += 0.5
					}
				}
			}
		}
		approx(t, "auc", a.auc(), sum/pairs, 1e-12)
	}
}

// All pairs of a kind must be drawn equally often.
func TestAffinityDraws(t *testing.T) {
	labels := []uint16{5, 1, 5, Ignore, 2, 5, 1}
	var a Affinity
	a.group(labels)
	rng := rand.New(rand.NewPCG(5, 5))
	for _, c := range []struct {
		same  bool
		draw  func(*rand.Rand) (i, j int)
		kinds int // ordered pairs
	}{{true, a.same, 3*2 + 2*1}, {false, a.different, 6*5 - 8}} {
		counts := map[[2]int32]int{}
		const draws = 40000
		for range draws {
			i, j := c.draw(rng)
			p, q := a.order[i], a.order[j]
			if p == q || labels[p] == Ignore || labels[q] == Ignore || (labels[p] == labels[q]) != c.same {
				t.Fatalf("drew %d and %d", p, q)
			}
			counts[[2]int32{p, q}]++
		}
		if len(counts) != c.kinds {
			t.Errorf("drew %d kinds of pairs, want %d", len(counts), c.kinds)
		}
		for p, k := range counts {
			want := draws / float64(c.kinds)
			approx(t, "draws", float64(k), want, 6*math.Sqrt(want))
			if t.Failed() {
				t.Fatalf("of pair %v, same %v", p, c.same)
			}
		}
	}
}

func TestAffinityOverFrames(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	var a Affinity
	approx(t, "Mean of nothing", a.Mean(), 0.5, 0)
	a.Add([]float32{1, 0, 1, 0, 0, 1, 0, 1}, []uint16{1, 1, 2, 2}, 4, 2, 100, rng) // 1
	a.Add([]float32{1, 0, 1, 0}, []uint16{1, 1}, 2, 2, 100, rng)                   // does not count
	a.Add([]float32{1, 0, 1, 0, 1, 0}, []uint16{1, 1, 2}, 3, 2, 100, rng)          // 0.5
	approx(t, "Mean", a.Mean(), 0.75, 0)
	if a.Frames() != 2 {
		t.Errorf("Frames = %d, want 2", a.Frames())
	}
	b := AffinityAUC(units(rng, 30, 4, 0), random(rng, 30, 3), 30, 4, 50, rand.New(rand.NewPCG(1, 2)))
	if math.IsNaN(b) {
		t.Errorf("AUC is NaN")
	}
}
