package baseline

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// blocks labels squares of side pixels from 1 in the order of a scan.
func blocks(w, h, side int) (labels []uint16, n int) {
	cols := (w + side - 1) / side
	for i := range w * h {
		labels = append(labels, uint16(i/w/side*cols+i%w/side+1))
	}
	return labels, int(labels[len(labels)-1])
}

// slowMerge is merge from the definition: it computes the sums of squares of all pairs of
// neighbours anew from the pixels for each merge.
func slowMerge(labels []uint16, v *view, count int) {
	variance := func(in func(l uint16) bool) float64 {
		scale := flowWeight * 320 / float64(max(v.w, v.h))
		var n float64
		var sum, squares [5]float64
		for i, l := range labels {
			if !in(l) {
				continue
			}
			n++
			x := [5]float64{
				float64(v.lab[3*i]) * 100 / 255, float64(v.lab[3*i+1]), float64(v.lab[3*i+2]),
				float64(v.flow[2*i]) * scale, float64(v.flow[2*i+1]) * scale,
			}
			for k := range x {
				sum[k] += x[k]
				squares[k] += x[k] * x[k]
			}
		}
		total := 0.0
		for k := range sum {
			total += squares[k] - sum[k]*sum[k]/n
		}
		return total
	}
	for {
		neighbours := map[[2]uint16]bool{}
		all := map[uint16]bool{}
		for i, l := range labels {
			all[l] = true
			if i%v.w+1 < v.w && labels[i+1] != l {
				neighbours[[2]uint16{min(l, labels[i+1]), max(l, labels[i+1])}] = true
			}
			if i+v.w < len(labels) && labels[i+v.w] != l {
				neighbours[[2]uint16{min(l, labels[i+v.w]), max(l, labels[i+v.w])}] = true
			}
		}
		if len(all) <= count {
			return
		}
		var best [2]uint16
		least := 0.0
		for p := range neighbours {
			a, b := p[0], p[1]
			cost := variance(func(l uint16) bool { return l == a || l == b }) -
				variance(func(l uint16) bool { return l == a }) - variance(func(l uint16) bool { return l == b })
			if best[0] == 0 || cost < least {
				best, least = p, cost
			}
		}
		for i, l := range labels {
			if l == best[1] {
				labels[i] = best[0]
			}
		}
	}
}

// noise is a view of random pixels.
func noise(w, h int, seed uint64) *view {
	r := rand.New(rand.NewPCG(seed, 1))
	v := &view{w: w, h: h, lab: make([]byte, 3*w*h), flow: make([]float32, 2*w*h)}
	for i := range v.lab {
		v.lab[i] = byte(r.Uint32())
	}
	for i := range v.flow {
		v.flow[i] = r.Float32() * 4
	}
	return v
}

func TestMerge(t *testing.T) {
	const w, h = 24, 17
	for seed := range uint64(5) {
		v := noise(w, h, seed)
		want, n := blocks(w, h, 4)
		got := slices.Clone(want)
		slowMerge(want, v, 6)
		var g graph
		g.build(got, n, v)
		if left := g.merge(got, 6); left != 6 {
			t.Errorf("seed %d: %d regions are left, want 6", seed, left)
		}
		if !samePartition(got, want) {
			t.Errorf("seed %d: got %v, want %v", seed, got, want)
		}
	}
}

// samePartition reports whether the labels of a are those of b by other names.
func samePartition(a, b []uint16) bool {
	there, back := map[uint16]uint16{}, map[uint16]uint16{}
	for i := range a {
		if v, ok := there[a[i]]; ok && v != b[i] {
			return false
		}
		if v, ok := back[b[i]]; ok && v != a[i] {
			return false
		}
		there[a[i]], back[b[i]] = b[i], a[i]
	}
	return true
}

func TestMergeAllocatesNothing(t *testing.T) {
	const w, h = 60, 40
	v := noise(w, h, 1)
	labels, n := blocks(w, h, 4)
	work := make([]uint16, len(labels))
	var g graph
	var s names
	run := func() {
		copy(work, labels)
		g.build(work, n, v)
		s.keep(work, g.merge(work, 20), v)
	}
	run()
	run()
	if got := testing.AllocsPerRun(10, run); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func BenchmarkMerge(b *testing.B) {
	const w, h = 428, 240
	v := noise(w, h, 1)
	labels, n := blocks(w, h, 13)
	work := make([]uint16, len(labels))
	var g graph
	for b.Loop() {
		copy(work, labels)
		g.build(work, n, v)
		g.merge(work, 40)
	}
}
