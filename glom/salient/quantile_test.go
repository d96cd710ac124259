package salient

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for n := 1; n < 40; n++ {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.IntN(10)) // with ties
		}
		want := slices.Sorted(slices.Values(v))
		for k := range n {
			if got := quantile(slices.Clone(v), k); got != want[k] {
				t.Fatalf("quantile %d of %v is %v, want %v", k, v, got, want[k])
			}
		}
	}
}
