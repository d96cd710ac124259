package islands

import (
	"math"
	"math/rand/v2"
	"testing"
)

// slowLink merges the most similar pair of neighbouring regions until none is over limit, with
// means in float64 computed anew each time.
func slowLink(x []float32, rows, cols, dim int, limit float64) []uint16 {
	region := make([]uint16, rows*cols)
	for i := range region {
		region[i] = uint16(i)
	}
	mean := func(id uint16) []float64 {
		sum := make([]float64, dim)
		for i, r := range region {
			for d := 0; d < dim && r == id; d++ {
				sum[d] += float64(x[i*dim+d])
			}
		}
		return sum
	}
	cos := func(a, b []float64) float64 {
		var ab, aa, bb float64
		for d := range a {
			ab, aa, bb = ab+a[d]*b[d], aa+a[d]*a[d], bb+b[d]*b[d]
		}
		return ab / math.Sqrt(aa*bb)
	}
	for {
		means := map[uint16][]float64{}
		for _, r := range region {
			if means[r] == nil {
				means[r] = mean(r)
			}
		}
		top, from, to := limit, uint16(0), uint16(0)
		try := func(a, b uint16) {
			if a != b {
				if c := cos(means[a], means[b]); c > top {
					top, from, to = c, max(a, b), min(a, b)
				}
			}
		}
		for i := range region {
			if i%cols > 0 {
				try(region[i], region[i-1])
			}
			if i >= cols {
				try(region[i], region[i-cols])
			}
		}
		if from == to {
			return region
		}
		for i, r := range region {
			if r == from {
				region[i] = to
			}
		}
	}
}

// TestLink compares with the slow form. Candidates are not all kept up to date, so that single
// decisions may differ where there is hardly a region to be seen.
func TestLink(t *testing.T) {
	const rows, cols, dim = 14, 16, 16
	for _, c := range []struct {
		within, want float64
	}{
		{0.9, 1},
		{0.7, 0.995},
		{0.5, 0.98},
		{0.35, 0.93},
	} {
		var mean float64
		const runs = 10
		for seed := range uint64(runs) {
			x, _ := noisyField(rand.New(rand.NewPCG(seed, 2)), rows, cols, dim, 5, c.within, .1)
			var l Level
			NewReader(Config{Steps: -1, Link: 0.5, MinArea: 1, Rims: true}).Read(&l, nil, x, nil, rows, cols, dim)
			mean += adjustedRand(l.ID, slowLink(x, rows, cols, dim, 0.5)) / runs
		}
		if mean < c.want-1e-9 {
			t.Errorf("cosine %v within regions: got mean ARI %.4f to the slow form, want %v", c.within, mean, c.want)
		}
	}
}
