package metrics

import (
	"math/rand/v2"
	"testing"
)

// tiles returns labels of the size of a frame in tiles of the given side, with a ragged right edge.
func tiles(rng *rand.Rand, w, h, side int) []uint16 {
	l := make([]uint16, w*h)
	across := w/side + 2
	for y := range h {
		shift := rng.IntN(side/2 + 1)
		for x := range w {
			l[y*w+x] = uint16(y/side*across + (x+shift)/side)
		}
	}
	return l
}

func BenchmarkAdd(b *testing.B) {
	const w, h = 428, 240
	rng := rand.New(rand.NewPCG(1, 1))
	truth := tiles(rng, w, h, 120)
	for _, c := range []struct {
		name string
		pred []uint16
	}{
		{"islands of 40", tiles(rng, w, h, 40)},
		{"islands of 8", tiles(rng, w, h, 8)},
		{"noise", random(rng, w*h, 200)},
	} {
		b.Run(c.name, func(b *testing.B) {
			var t Table
			b.SetBytes(w * h)
			for b.Loop() {
				t.Add(truth, c.pred)
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	const w, h = 428, 240
	rng := rand.New(rand.NewPCG(1, 1))
	t := table(tiles(rng, w, h, 120), tiles(rng, w, h, 8))
	b.Run("FGARI", func(b *testing.B) {
		for b.Loop() {
			t.fresh = false
			t.FGARI()
		}
	})
	b.Run("HungarianIoU", func(b *testing.B) {
		for b.Loop() {
			t.HungarianIoU()
		}
	})
}

func BenchmarkBoundary(b *testing.B) {
	const w, h = 428, 240
	rng := rand.New(rand.NewPCG(1, 1))
	truth := blob(rng, w, h)
	pred := shifted(rng, truth, w, h)
	coarse, fine := tiles(rng, w, h, 40), tiles(rng, w, h, 8)
	var m Boundary
	b.Run("F", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.F(truth, pred, w, h)
		}
	})
	b.Run("Recall", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			m.Recall(coarse, fine, w, h)
		}
	})
}

func BenchmarkVectors(b *testing.B) {
	const rows, cols, dim = 22, 40, 64
	const n = rows * cols
	rng := rand.New(rand.NewPCG(1, 1))
	x, labels := units(rng, n, dim, 1), tiles(rng, cols, rows, 5)
	b.Run("AffinityAUC of 2000 pairs", func(b *testing.B) {
		var a Affinity
		for b.Loop() {
			a.Add(x, labels, n, dim, 2000, rng)
		}
	})
	b.Run("EffectiveRank", func(b *testing.B) {
		for b.Loop() {
			EffectiveRank(x, n, dim)
		}
	})
	b.Run("MeasureIslands", func(b *testing.B) {
		for b.Loop() {
			MeasureIslands(x, labels, rows, cols, dim)
		}
	})
}
