package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func randoms(rng *rand.Rand, n int, scale float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(scale * rng.NormFloat64())
	}
	return v
}

// Lengths around the lane count of the vector form.
var kernelSizes = []int{1, 7, 8, 9, 16, 31, 64, 72, 100, 131}

func TestDot(t *testing.T) {
	for _, n := range kernelSizes {
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		a, b := randoms(rng, n, 1), randoms(rng, n, 1)
		var want float64
		for i := range a {
			want += float64(a[i]) * float64(b[i])
		}
		for name, f := range map[string]func(a, b []float32) float32{"dot": dot, "loop": dotLoop[float32]} {
			approx(t, fmt.Sprintf("%s, n=%d", name, n), []float32{f(a, b)}, []float64{want}, 1e-5)
		}
	}
}

func TestAddPrior(t *testing.T) {
	for _, C := range kernelSizes {
		for name, f := range map[string]func(s, rows, cols []float32) float32{"addPrior": addPrior, "loop": addPriorLoop[float32]} {
			rng := rand.New(rand.NewPCG(2, uint64(C)))
			const R = 5
			s, rows, cols := randoms(rng, R*C, 1), randoms(rng, R, 1), randoms(rng, C, 1)
			for i := range s {
				s[i] -= 20 // all are negative, so that a lane past the end would be the largest
			}
			want := make([]float64, R*C)
			top := math.Inf(-1)
			for i := range s {
				want[i] = float64(s[i]) + float64(rows[i/C]) + float64(cols[i%C])
				top = max(top, want[i])
			}
			got := f(s, rows, cols)
			approx(t, name, s, want, 1e-5)
			approx(t, name, []float32{got}, []float64{top}, 1e-5)
		}
	}
}

func TestExpSum(t *testing.T) {
	for _, n := range kernelSizes {
		for name, f := range map[string]func(s []float32, top float32) float32{"expSum": expSum, "loop": expSumLoop[float32]} {
			rng := rand.New(rand.NewPCG(3, uint64(n)))
			s := randoms(rng, n, 10)
			s[0] = -300 // vanishes
			top := float32(30)
			want := make([]float64, n)
			var sum float64
			for i, v := range s {
				if v-top > vanish {
					want[i] = math.Exp(float64(v - top))
				}
				sum += want[i]
			}
			got := f(s, top)
			for i := range s {
				if math.Abs(float64(s[i])-want[i]) > 5e-6*want[i] {
					t.Fatalf("%s n=%d: exp[%d] = %v, want %v", name, n, i, s[i], want[i])
				}
			}
			if math.Abs(float64(got)-sum) > 5e-6*sum {
				t.Fatalf("%s n=%d: sum %v, want %v", name, n, got, sum)
			}
		}
	}
}

func TestGeluBias(t *testing.T) {
	for _, n := range kernelSizes {
		for name, f := range map[string]func(h, b []float32){"geluBias": geluBias, "loop": geluBiasLoop[float32]} {
			rng := rand.New(rand.NewPCG(4, uint64(n)))
			h, b := randoms(rng, n, 3), randoms(rng, n, 1)
			h[n-1] = -60 // exp of the argument would overflow
			want := make([]float64, n)
			for i := range h {
				v := float64(h[i]) + float64(b[i])
				want[i] = 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
			}
			f(h, b)
			approx(t, fmt.Sprintf("%s n=%d", name, n), h, want, 3e-6)
		}
	}
}

func TestMix(t *testing.T) {
	for _, n := range []int{8, 16, 64, 72} {
		for name, f := range map[string]func(y, bu, td, prev, att []float32, a, b, c, d float32) float32{"mix": mix, "loop": mixLoop[float32]} {
			rng := rand.New(rand.NewPCG(5, uint64(n)))
			bu, td, prev, att := randoms(rng, n, 1), randoms(rng, n, 1), randoms(rng, n, 1), randoms(rng, n, 1)
			v := make([]float64, n)
			for i := range v {
				v[i] = .4*float64(bu[i]) + .1*float64(td[i]) + .2*float64(prev[i]) + .3*float64(att[i])
			}
			want, length := slowUnit(v)
			y := make([]float32, n)
			got := f(y, bu, td, prev, att, .4, .1, .2, .3)
			approx(t, name, y, want, 1e-6)
			approx(t, name+" length", []float32{got}, []float64{length}, 1e-5)
			if got := f(y, bu, bu, bu, bu, 0, 0, 0, 0); got != 0 || y[0] != 0 {
				t.Errorf("%s of nothing: length %v, y[0] %v; want 0, 0", name, got, y[0])
			}
		}
	}
}

func TestAttendKeys(t *testing.T) {
	for _, K := range []int{1, 3, 4, 5, 20} {
		for _, D := range []int{3, 8, 64, 72, 136} {
			for name, f := range map[string]func(att, logits, q, x []float32, keys []int32, beta float32) float32{"attendKeys": attendKeys, "loop": attendKeysLoop[float32]} {
				rng := rand.New(rand.NewPCG(6, uint64(K*1000+D)))
				x, q := randomUnits(rng, 30, D), randomUnits(rng, 1, D)
				keys := make([]int32, K)
				for k, j := range rng.Perm(30)[:K] {
					keys[k] = int32(j)
				}
				want := make([]float64, D)
				var sum float64
				for _, j := range keys {
					var s float64
					for d := range D {
						s += float64(q[d]) * float64(x[int(j)*D+d])
					}
					sum += math.Exp(20 * s)
					for d := range D {
						want[d] += math.Exp(20*s) * float64(x[int(j)*D+d])
					}
				}
				for d := range want {
					want[d] /= sum
				}
				att := make([]float32, D)
				inv := f(att, make([]float32, K+3), q, x, keys, 20)
				scaleLoop(att, inv)
				approx(t, fmt.Sprintf("%s K=%d D=%d", name, K, D), att, want, 1e-5)
			}
		}
	}
}

func BenchmarkKernels(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	s := randoms(rng, 900, 1)
	h := randoms(rng, 256, 1)
	b.Run("expSum/900", func(b *testing.B) {
		for b.Loop() {
			expSum(s, 1)
		}
	})
	b.Run("addPrior/30x30", func(b *testing.B) {
		for b.Loop() {
			addPrior(s, h[:30], h[30:60])
		}
	})
	b.Run("geluBias/256", func(b *testing.B) {
		for b.Loop() {
			geluBias(h, h)
		}
	})
	x, q := randomUnits(rng, 900, 64), randomUnits(rng, 1, 64)
	keys := make([]int32, 20)
	for k := range keys {
		keys[k] = int32(rng.IntN(900))
	}
	att, logits := make([]float32, 64), make([]float32, 23)
	b.Run("attendKeys/20x64", func(b *testing.B) {
		for b.Loop() {
			attendKeys(att, logits, q, x, keys, 20)
		}
	})
}
