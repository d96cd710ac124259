package metrics

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func table(truth, pred []uint16) *Table {
	var t Table
	t.Add(truth, pred)
	return &t
}

func approx(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) { // fails for NaN
		t.Errorf("%s = %v, want %v within %v", what, got, want, tol)
	}
}

func random(rng *rand.Rand, n, labels int) []uint16 {
	l := make([]uint16, n)
	for i := range l {
		l[i] = uint16(rng.IntN(labels))
	}
	return l
}

// halves is a picture of 4 by 4 pixels: the truth splits it in the middle, the prediction before
// the last column.
func halves() (truth, pred []uint16) {
	for range 4 {
		truth = append(truth, 0, 0, 1, 1)
		pred = append(pred, 0, 0, 0, 1)
	}
	return truth, pred
}

func TestHalves(t *testing.T) {
	tab := table(halves())
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"ARI", tab.ARI(), 0.210526},
		{"ASA", tab.ASA(), 0.75},
		{"UE", tab.UE(), 0.5},
		{"UELevinshtein", tab.UELevinshtein(), 0.75},
		{"MBO without label 0", tab.MBO(), 0.5},
		{"VI", tab.VI(), 1.188722},
		{"Covering", tab.Covering(), 0.583333},
		{"HungarianIoU", tab.HungarianIoU(), 0.5},
		{"FGARI", tab.FGARI(), 0},             // 8 pixels of one label, split in two
		{"Accuracy3D", tab.Accuracy3D(), 0.5}, // 4 of 8 in a prediction that lies inside
		{"AQ", tab.AQ(), 0.5*0.5 + 0.5*0.25},  // IoU 4/8 and 4/16
	} {
		approx(t, c.name, c.got, c.want, 5e-7)
	}
	// The same with labels from 1, so that none is background.
	truth, pred := halves()
	for i := range truth {
		truth[i]++
	}
	approx(t, "MBO over both labels", table(truth, pred).MBO(), 0.583333, 5e-7)
}

func TestARI(t *testing.T) {
	for _, c := range []struct {
		name        string
		truth, pred []uint16
		want        float64
	}{
		{"finer", []uint16{0, 0, 1, 2}, []uint16{0, 0, 1, 1}, 0.571429},
		{"one against single pixels", []uint16{0, 0, 0, 0}, []uint16{0, 1, 2, 3}, 0},
		{"crossed", []uint16{0, 1, 0, 1}, []uint16{0, 0, 1, 1}, -0.5},
		{"identical", []uint16{0, 1, 2, 1}, []uint16{0, 1, 2, 1}, 1},
		{"renamed", []uint16{0, 1, 2, 1}, []uint16{7, 65535, 0, 65535}, 1},
		{"both one label", []uint16{3, 3, 3}, []uint16{5, 5, 5}, 1},
		{"both single pixels", []uint16{0, 1, 2}, []uint16{2, 0, 1}, 1},
		{"one pixel", []uint16{1}, []uint16{0}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			approx(t, "ARI", table(c.truth, c.pred).ARI(), c.want, 5e-7)
		})
	}
}

// With many pixels the products of pairs leave the exact integers of float64.
func TestARIOfOneLargeLabel(t *testing.T) {
	for n := 1 << 27; n < 1<<27+50; n++ {
		one := Table{counts: map[uint32]int{1<<16 | 1: n}}
		if got := one.ARI(); got != 1 {
			t.Fatalf("ARI of one label of %d pixels = %v, want 1", n, got)
		}
	}
}

func TestFGARI(t *testing.T) {
	truth := []uint16{0, 0, 0, 1, 1, 2, 2, Ignore}
	pred := []uint16{5, 6, 7, 1, 1, 2, 2, 2}
	tab := table(truth, pred)
	approx(t, "FGARI", tab.FGARI(), 1, 0)
	if ari := tab.ARI(); ari >= 1 {
		t.Errorf("ARI = %v, want less than 1: the background is in pieces", ari)
	}
	tab.Reset()
	tab.Add([]uint16{0, 0}, []uint16{0, 1})
	approx(t, "FGARI without objects", tab.FGARI(), 1, 0)
	if got := tab.Objects(); got != 0 {
		t.Errorf("Objects = %d, want 0", got)
	}
	// An id that changes half-way costs in the table of the video, not in those of frames.
	var video Table
	video.Add([]uint16{1, 1, 2, 2}, []uint16{1, 1, 2, 2})
	approx(t, "FGARI of a frame", video.FGARI(), 1, 0)
	video.Add([]uint16{1, 1, 2, 2}, []uint16{3, 3, 2, 2})
	if got := video.FGARI(); got >= 1 {
		t.Errorf("FGARI of the video = %v, want less than 1", got)
	}
}

func TestTableReads(t *testing.T) {
	tab := table([]uint16{0, 0, 3, 3, 3, 2, Ignore}, []uint16{9, 9, 9, 4, 4, 65535, 4})
	if got := tab.N(); got != 6 {
		t.Errorf("N = %d, want 6", got)
	}
	if got := tab.Truths(); !slices.Equal(got, []uint16{0, 2, 3}) {
		t.Errorf("Truths = %v", got)
	}
	if got := tab.Preds(); !slices.Equal(got, []uint16{4, 9, 65535}) {
		t.Errorf("Preds = %v", got)
	}
	if got := tab.Objects(); got != 2 {
		t.Errorf("Objects = %d, want 2", got)
	}
	pred, iou := tab.BestIoU(3)
	if pred != 4 || math.Abs(iou-2./3) > 1e-15 {
		t.Errorf("BestIoU(3) = %d, %v, want 4, 2/3", pred, iou)
	}
	if pred, iou := tab.BestIoU(77); pred != 0 || iou != 0 {
		t.Errorf("BestIoU of a label that is not there = %d, %v, want 0, 0", pred, iou)
	}
	if got := tab.BestIoUs(); len(got) != 2 || got[0] != 1 || got[1] != iou {
		t.Errorf("BestIoUs = %v, want 1 and %v", got, iou)
	}
	if got := tab.Matching(); !maps.Equal(got, map[uint16]uint16{2: 65535, 3: 4}) {
		t.Errorf("Matching = %v", got)
	}
}

// Of equals the smallest label wins, so that results do not hang on the order of a map.
func TestTies(t *testing.T) {
	tab := table([]uint16{1, 1, 2, 2}, []uint16{5, 6, 6, 5})
	if pred, iou := tab.BestIoU(1); pred != 5 || iou != 1./3 {
		t.Errorf("BestIoU = %d, %v, want 5, 1/3", pred, iou)
	}
	if got := tab.majority(); !maps.Equal(got, map[uint16]uint16{5: 1, 6: 1}) {
		t.Errorf("majority = %v, want 1 for both", got)
	}
}

// Two objects prefer the same prediction.
func TestHungarianIoU(t *testing.T) {
	truth := []uint16{1, 1, 1, 2, 2, 3}
	pred := []uint16{1, 1, 1, 1, 2, 2}
	tab := table(truth, pred)
	approx(t, "MBO", tab.MBO(), (3./4+1./3+1./2)/3, 1e-15)
	// 1-1 3/4 with 3-2 1/2, and nothing for 2; 2-2 has 1/3 and 2-1 1/5.
	approx(t, "HungarianIoU", tab.HungarianIoU(), (3./4+1./2)/3, 1e-15)
}

func TestAssign(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		rows, cols := rng.IntN(6), rng.IntN(6)
		gain := make([]float64, rows*cols)
		for i := range gain {
			if rng.IntN(2) == 0 {
				gain[i] = float64(rng.IntN(5)) / 4 // with ties and zeros
			}
		}
		given := assign(gain, rows, cols)
		var sum float64
		var used []int
		for r, c := range given {
			if c >= 0 {
				sum += gain[r*cols+c]
				used = append(used, c)
			}
		}
		slices.Sort(used)
		if len(slices.Compact(slices.Clone(used))) != len(used) || len(used) != min(rows, cols) {
			t.Fatalf("assign(%v, %d, %d) = %v: not one-to-one, or incomplete", gain, rows, cols, given)
		}
		if want := slowAssign(gain, rows, cols, 0, 0); math.Abs(sum-want) > 1e-12 {
			t.Fatalf("assign(%v, %d, %d) = %v with sum %v, want %v", gain, rows, cols, given, sum, want)
		}
	}
}

// slowAssign tries everything for the rows from row on; used is the set of columns taken.
func slowAssign(gain []float64, rows, cols, row, used int) float64 {
	if row == rows {
		return 0
	}
	best := slowAssign(gain, rows, cols, row+1, used)
	for c := range cols {
		if used&(1<<c) == 0 {
			best = max(best, gain[row*cols+c]+slowAssign(gain, rows, cols, row+1, used|1<<c))
		}
	}
	return best
}

// slow computes all measures of a table pixel by pixel, or pair of pixels by pair.
type slow struct{ ari, fgari, mbo, vi, covering, asa, ue, levinshtein, accuracy, aq float64 }

func slowMeasures(truth, pred []uint16) slow {
	var g, s []uint16
	for i, l := range truth {
		if l != Ignore {
			g, s = append(g, l), append(s, pred[i])
		}
	}
	var fg, fs []uint16
	for i, l := range g {
		if l != 0 {
			fg, fs = append(fg, l), append(fs, s[i])
		}
	}
	count := func(is func(i int) bool) (n float64) {
		for i := range g {
			if is(i) {
				n++
			}
		}
		return n
	}
	m := slow{ari: slowARI(g, s), fgari: slowARI(fg, fs)}
	truths, preds := slices.Compact(slices.Sorted(slices.Values(g))), slices.Compact(slices.Sorted(slices.Values(s)))
	n := float64(len(g))
	var objects float64
	for _, k := range truths {
		a := count(func(i int) bool { return g[i] == k })
		var best, touching, inside, aq float64
		for _, l := range preds {
			b := count(func(i int) bool { return s[i] == l })
			both := count(func(i int) bool { return g[i] == k && s[i] == l })
			either := count(func(i int) bool { return g[i] == k || s[i] == l })
			best = max(best, both/either)
			if both > 0 {
				touching += b
				m.ue += min(both, b-both) / n
				m.vi -= both / n * math.Log2(both/a*both/b) // H(G|S) + H(S|G)
			}
			if both >= b-both {
				inside += both / a
			}
			aq += both * both / either / a
		}
		m.covering += a * best / n
		m.levinshtein += (touching - a) / a / float64(len(truths))
		if k != 0 {
			objects++
			m.mbo += best
			m.accuracy += inside
			m.aq += aq
		}
	}
	for _, l := range preds {
		var most float64
		for _, k := range truths {
			most = max(most, count(func(i int) bool { return g[i] == k && s[i] == l }))
		}
		m.asa += most / n
	}
	if objects > 0 {
		m.mbo, m.accuracy, m.aq = m.mbo/objects, m.accuracy/objects, m.aq/objects
	}
	return m
}

// slowARI compares all pairs of pixels.
func slowARI(g, s []uint16) float64 {
	var both, inG, inS, all float64
	for i := range g {
		for j := range i {
			all++
			if g[i] == g[j] {
				inG++
			}
			if s[i] == s[j] {
				inS++
			}
			if g[i] == g[j] && s[i] == s[j] {
				both++
			}
		}
	}
	if inG == inS && (inG == 0 || inG == all) { // both trivial
		return 1
	}
	e := inG * inS / all
	return (both - e) / ((inG+inS)/2 - e)
}

func checkTable(t *testing.T, truth, pred []uint16) {
	t.Helper()
	tab, want := table(truth, pred), slowMeasures(truth, pred)
	const tol = 1e-12
	approx(t, "ARI", tab.ARI(), want.ari, tol)
	approx(t, "FGARI", tab.FGARI(), want.fgari, tol)
	approx(t, "MBO", tab.MBO(), want.mbo, tol)
	approx(t, "VI", tab.VI(), want.vi, tol)
	approx(t, "Covering", tab.Covering(), want.covering, tol)
	approx(t, "ASA", tab.ASA(), want.asa, tol)
	approx(t, "UE", tab.UE(), want.ue, tol)
	approx(t, "UELevinshtein", tab.UELevinshtein(), want.levinshtein, tol)
	approx(t, "Accuracy3D", tab.Accuracy3D(), want.accuracy, tol)
	approx(t, "AQ", tab.AQ(), want.aq, tol)

	for name, v := range map[string]float64{
		"MBO": tab.MBO(), "HungarianIoU": tab.HungarianIoU(), "Covering": tab.Covering(),
		"ASA": tab.ASA(), "UE": tab.UE(), "Accuracy3D": tab.Accuracy3D(), "AQ": tab.AQ(),
	} {
		if !(v >= 0 && v <= 1+tol) {
			t.Errorf("%s = %v, out of range", name, v)
		}
	}
	if tab.HungarianIoU() > tab.MBO()+tol {
		t.Errorf("HungarianIoU %v is over MBO %v", tab.HungarianIoU(), tab.MBO())
	}
	if lost := 1 - tab.ASA(); tab.N() > 0 && (tab.UE() < lost-tol || tab.UE() > 2*lost+tol) {
		t.Errorf("UE %v is not within 1 and 2 times 1 - ASA = %v", tab.UE(), lost)
	}
}

func TestTableAgainstPixels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n := 1 + rng.IntN(60)
		truth, pred := random(rng, n, 1+rng.IntN(6)), random(rng, n, 1+rng.IntN(6))
		for i := range truth {
			if rng.IntN(10) == 0 {
				truth[i] = Ignore
			}
		}
		checkTable(t, truth, pred)
		if t.Failed() {
			t.Fatalf("truth %v\npred %v", truth, pred)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x11\x10"))
	f.Add([]byte{})
	f.Add([]byte{0xf0, 0xff, 0x12})
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 64)]
		var truth, pred []uint16
		for _, b := range data {
			g := uint16(b >> 4)
			if g == 15 {
				g = Ignore
			}
			truth, pred = append(truth, g), append(pred, uint16(b&15))
		}
		checkTable(t, truth, pred)
	})
}

func TestTableProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		n := 200
		truth, pred := random(rng, n, 5), random(rng, n, 7)
		tab, turned := table(truth, pred), table(pred, truth)
		approx(t, "ARI with truth and prediction exchanged", turned.ARI(), tab.ARI(), 1e-12)
		approx(t, "VI with truth and prediction exchanged", turned.VI(), tab.VI(), 1e-12)

		names := rng.Perm(60000)
		renamed := make([]uint16, n)
		for i, l := range pred {
			renamed[i] = uint16(names[l])
		}
		other := table(truth, renamed)
		for what, pair := range map[string][2]float64{
			"ARI":          {tab.ARI(), other.ARI()},
			"FGARI":        {tab.FGARI(), other.FGARI()},
			"MBO":          {tab.MBO(), other.MBO()},
			"HungarianIoU": {tab.HungarianIoU(), other.HungarianIoU()},
			"VI":           {tab.VI(), other.VI()},
		} {
			approx(t, what+" after renaming", pair[1], pair[0], 1e-12)
		}

		same := table(truth, truth)
		for what, v := range map[string]float64{
			"ARI": same.ARI(), "FGARI": same.FGARI(), "MBO": same.MBO(), "HungarianIoU": same.HungarianIoU(),
			"Covering": same.Covering(), "ASA": same.ASA(), "Accuracy3D": same.Accuracy3D(), "AQ": same.AQ(),
			"1-VI": 1 - same.VI(), "1-UE": 1 - same.UE(), "1-UELevinshtein": 1 - same.UELevinshtein(),
		} {
			approx(t, what+" of identical labelings", v, 1, 1e-12)
		}
	}
	// With two labels in the truth, none of the prediction meets more than two.
	two := table(random(rng, 500, 2), random(rng, 500, 9))
	approx(t, "UE with two true labels", two.UE(), 2*(1-two.ASA()), 1e-12)
	var sum float64
	for range 20 {
		ari := table(random(rng, 5000, 6), random(rng, 5000, 9)).ARI()
		approx(t, "ARI of random labelings", ari, 0, 0.01)
		sum += ari
	}
	approx(t, "mean ARI of random labelings", sum/20, 0, 0.001)
}

func TestMerge(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	truth, pred := random(rng, 300, 4), random(rng, 300, 5)
	var frame, parts, merged Table
	for i := 0; i < 300; i += 100 {
		frame.Reset()
		frame.Add(truth[i:i+100], pred[i:i+100])
		_ = frame.ARI() // reading between must change nothing
		_ = parts.ARI()
		_ = merged.ARI()
		parts.Add(truth[i:i+100], pred[i:i+100])
		merged.Merge(&frame)
	}
	want := table(truth, pred)
	for _, got := range []*Table{&parts, &merged} {
		if !maps.Equal(got.counts, want.counts) || got.VI() != want.VI() || got.N() != 300 {
			t.Errorf("a table made of parts differs from the whole")
		}
	}
}

// A hot loop over frames must not feed the garbage collector.
func TestAddDoesNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	truth, pred := random(rng, 1000, 5), random(rng, 1000, 20)
	tab := table(truth, pred)
	if got := testing.AllocsPerRun(10, func() {
		tab.Reset()
		tab.Add(truth, pred)
	}); got != 0 {
		t.Errorf("Add allocates %v times", got)
	}
}
