//go:build amd64 && goexperiment.simd

package vec

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// Whatever width the processor has, both agree with the loops.
func TestWidths(t *testing.T) {
	if !vectors() {
		t.Skip("the processor has no AVX2 and FMA")
	}
	type kernels struct {
		name     string
		min      int // length
		expSum   func(s []float32, top float32) float32
		addPrior func(s, rows, cols []float32) float32
		gelu     func(h, b []float32)
	}
	list := []kernels{{"8", 8, expSum8, addPrior8, geluBias8}}
	if wide() {
		list = append(list, kernels{"16", 16, expSum16, addPrior16, geluBias16})
	}
	for _, k := range list {
		for _, n := range []int{8, 16, 17, 40, 64, 131} {
			if n < k.min {
				continue
			}
			t.Run(fmt.Sprintf("%s lanes, n=%d", k.name, n), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, uint64(n)))
				s, want := randoms(rng, n, 10), make([]float32, n)
				copy(want, s)
				sum := expSumLoop(want, 25)
				approx(t, "sum", []float32{k.expSum(s, 25)}, []float64{float64(sum)}, 1e-5*float64(sum))
				approx(t, "exp", s, widen(want), 5e-6)

				const R = 3
				s, rows, cols := randoms(rng, R*n, 1), randoms(rng, R, 1), randoms(rng, n, 1)
				want = append([]float32(nil), s...)
				top := addPriorLoop(want, rows, cols)
				approx(t, "top", []float32{k.addPrior(s, rows, cols)}, []float64{float64(top)}, 1e-6)
				approx(t, "prior", s, widen(want), 1e-6)

				m := n &^ 15 // what the wide form takes
				h, b := randoms(rng, m, 3), randoms(rng, m, 1)
				want = append([]float32(nil), h...)
				geluBiasLoop(want, b)
				k.gelu(h, b)
				approx(t, "gelu", h, widen(want), 5e-6)
			})
		}
	}
}
