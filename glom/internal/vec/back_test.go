package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"glomstream/glom/internal/gradcheck"
)

// gradTol bounds the norm-relative error of a gradient against central differences in float64.
const gradTol = 1e-7

func checkGrad(t *testing.T, what string, got, p []float64, f func() float64) {
	t.Helper()
	if e := gradcheck.RelErr(got, gradcheck.Numeric(p, f)); !(e < gradTol) {
		t.Errorf("%s: relative error %.1e, want < %.0e", what, e, gradTol)
	}
}

func checkSame(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	const tol = 1e-5
	if e := gradcheck.RelErr(widen(got), want); !(e < tol) {
		t.Errorf("%s: float32 differs from float64 by %.1e, want < %.0e", what, e, tol)
	}
}

func TestGeluBoth(t *testing.T) {
	for _, n := range kernelSizes {
		rng := rand.New(rand.NewPCG(4, uint64(n)))
		h, b, d := randoms(rng, n, 2), randoms(rng, n, 1), make([]float32, n)
		if n > 8 {
			h[n-1], h[0] = -60, 60
		}
		h64, b64, d64 := widen(h), widen(b), make([]float64, n)
		start := widen(h)
		GeluBoth(h, d, b)
		GeluBoth(h64, d64, b64)
		checkSame(t, fmt.Sprintf("gelu, n=%d", n), h, h64)
		checkSame(t, fmt.Sprintf("slope, n=%d", n), d, d64)
		checkGrad(t, "slope", d64, start, func() float64 {
			v, sum := append([]float64(nil), start...), 0.0
			GeluBias(v, b64)
			for _, x := range v {
				sum += x
			}
			return sum
		})
	}
}

func TestLogistic(t *testing.T) {
	for _, n := range append(kernelSizes, 1100) {
		for _, w := range []float32{0.3, -2} {
			rng := rand.New(rand.NewPCG(4, uint64(n)))
			s, g := randoms(rng, n, 6), make([]float32, n)
			if n > 8 {
				s[n-1], s[0] = -200, 200
			}
			s64, g64 := widen(s), make([]float64, n)
			sum := Logistic(g, s, 0.5, w)
			sum64 := Logistic(g64, s64, 0.5, float64(w))
			what := fmt.Sprintf("n=%d, w=%v", n, w)
			checkSame(t, "sum, "+what, []float32{sum}, []float64{sum64})
			checkSame(t, "derivative, "+what, g, g64)
			var want float64
			for _, v := range s64 {
				z := v - 0.5
				if w < 0 {
					z = -z
				}
				want += math.Log(1 + math.Exp(z))
			}
			if math.Abs(sum64-want) > 1e-12*want {
				t.Errorf("%s: sum %v, want %v", what, sum64, want)
			}
			checkGrad(t, "derivative, "+what, g64, s64, func() float64 {
				return math.Abs(float64(w)) * Logistic(make([]float64, n), s64, 0.5, float64(w))
			})
		}
	}
}

func TestUnitBack(t *testing.T) {
	for _, D := range []int{3, 8, 64, 72} {
		rng := rand.New(rand.NewPCG(5, uint64(D)))
		v, r := randoms(rng, D, 1), randoms(rng, D, 1)
		v64, r64 := widen(v), widen(r)
		f := func() float64 {
			y := append([]float64(nil), v64...)
			UnitRows(y, nil, 1, D)
			return Dot(y, r64)
		}
		y, inv, dv := append([]float64(nil), v64...), make([]float64, 1), make([]float64, D)
		UnitRows(y, inv, 1, D)
		UnitBack(dv, r64, y, inv[0])
		checkGrad(t, "dv", dv, v64, f)

		inv32, dv32 := make([]float32, 1), make([]float32, D)
		UnitRows(v, inv32, 1, D)
		UnitBack(dv32, r, v, inv32[0])
		checkSame(t, "dv", dv32, dv)
	}
}

// mixCase runs Mix and MixBack for the loss y·r and returns all gradients.
func mixCase[T Float](in [4][]T, w [4]T, r []T) (loss T, dv, dbu, dtd, dprev []T, dw [3]T) {
	D := len(r)
	y := make([]T, D)
	length := Mix(y, in[0], in[1], in[2], in[3], w[0], w[1], w[2], w[3])
	dv, dbu, dtd, dprev = make([]T, D), make([]T, D), make([]T, D), make([]T, D)
	MixBack(dv, dbu, dtd, dprev, r, y, in[0], in[1], in[2], Inverse(length), w[0], w[1], w[2], &dw)
	return Dot(y, r), dv, dbu, dtd, dprev, dw
}

func TestMixBack(t *testing.T) {
	for _, D := range []int{8, 64, 72} {
		rng := rand.New(rand.NewPCG(6, uint64(D)))
		var in [4][]float32
		var in64 [4][]float64
		for i := range in {
			in[i] = randoms(rng, D, 1)
			in64[i] = widen(in[i])
		}
		r := randoms(rng, D, 1)
		w, r64 := []float64{.4, .1, .2, .3}, widen(r)
		f := func() float64 { l, _, _, _, _, _ := mixCase(in64, [4]float64(w), r64); return l }
		_, dv, dbu, dtd, dprev, dw := mixCase(in64, [4]float64(w), r64)
		checkGrad(t, "dbu", dbu, in64[0], f)
		checkGrad(t, "dtd", dtd, in64[1], f)
		checkGrad(t, "dprev", dprev, in64[2], f)
		checkGrad(t, "dw", dw[:], w[:3], f)
		Scale(dv, w[3])
		checkGrad(t, "datt", dv, in64[3], f)

		_, _, sbu, std, sprev, sw := mixCase(in, [4]float32{.4, .1, .2, .3}, r)
		checkSame(t, "dbu", sbu, dbu)
		checkSame(t, "dtd", std, dtd)
		checkSame(t, "dprev", sprev, dprev)
		checkSame(t, "dw", sw[:], dw[:])
	}
}

// attendCase runs AttendKeys and AttendKeysBack for the loss w att·r.
func attendCase[T Float](q, x, r []T, keys []int32, beta, w T) (loss T, dq, dx []T, dw T) {
	D, K := len(q), len(keys)
	att, a, g := make([]T, D), make([]T, K+3), make([]T, K+3)
	Scale(a[:K], AttendKeys(att, a, q, x, keys, beta))
	for k, j := range keys {
		loss += w * a[k] * Dot(x[int(j)*D:][:D], r)
	}
	dq, dx = make([]T, D), make([]T, len(x))
	// The weights had to be scaled with what AttendKeys returns.
	dw = AttendKeysBack(dq, dx, g, r, a, q, x, keys, beta, w)
	return loss, dq, dx, dw
}

func TestAttendKeysBack(t *testing.T) {
	for _, K := range []int{1, 3, 4, 5, 12, 20} {
		for _, D := range []int{3, 8, 64, 72} {
			t.Run(fmt.Sprintf("K=%d,D=%d", K, D), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(6, uint64(K*1000+D)))
				x, q, r := randomUnits(rng, 30, D), randomUnits(rng, 1, D), randoms(rng, D, 1)
				keys := make([]int32, K)
				for k, j := range rng.Perm(30)[:K] {
					keys[k] = int32(j)
				}
				q64, x64, r64, w := widen(q), widen(x), widen(r), []float64{.6}
				const beta = 5
				f := func() float64 { l, _, _, _ := attendCase(q64, x64, r64, keys, beta, w[0]); return l }
				_, dq, dx, dw := attendCase(q64, x64, r64, keys, beta, w[0])
				if K > 1 { // one key takes all, whatever the query
					checkGrad(t, "dq", dq, q64, f)
				}
				checkGrad(t, "dx", dx, x64, f)
				checkGrad(t, "dw", []float64{dw}, w, f)
				_, sq, sx, sw := attendCase(q, x, r, keys, beta, .6)
				if K > 1 {
					checkSame(t, "dq", sq, dq)
				}
				checkSame(t, "dx", sx, dx)
				checkSame(t, "dw", []float32{sw}, []float64{dw})
			})
		}
	}
}

func TestSimpleBack(t *testing.T) {
	for _, n := range kernelSizes {
		rng := rand.New(rand.NewPCG(7, uint64(n)))
		a, g, s := randoms(rng, n, 1), randoms(rng, n, 1), randoms(rng, n, 1)
		a64, g64, s64 := widen(a), widen(g), widen(s)
		MulAdd(g, a, s)
		MulAdd(g64, a64, s64)
		checkSame(t, "product", g, g64)
		checkSame(t, "sum", s, s64)
		Axpy(s, .3, a)
		Axpy(s64, .3, a64)
		checkSame(t, "axpy", s, s64)
		s[0], s64[0] = 1, 1
		BiasRelu(s, .1)
		BiasRelu(s64, float64(float32(.1)))
		checkSame(t, "relu", s, s64)
		checkSame(t, "sum", []float32{Sum(s)}, []float64{Sum(s64)})
		masked, masked64 := append([]float32(nil), s...), append([]float64(nil), s64...)
		Mask(masked, a)
		Mask(masked64, a64)
		for i, v := range masked {
			if want := s[i]; a[i] <= 0 && v != 0 || a[i] > 0 && v != want || float64(v) != float64(float32(masked64[i])) && v == 0 {
				t.Fatalf("mask, n=%d: element %d is %v of %v, where x is %v", n, i, v, want, a[i])
			}
		}
		m, m64 := SoftmaxBack(g, a, 2), SoftmaxBack(g64, a64, 2)
		checkSame(t, "softmax", g, g64)
		checkSame(t, "mean", []float32{m}, []float64{m64})
	}
}

func TestBackAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, q, r := randomUnits(rng, 30, 64), randomUnits(rng, 1, 64), randoms(rng, 64, 1)
	keys := []int32{1, 5, 9, 20, 3}
	a, g, dq, dx := randoms(rng, 8, 1), make([]float32, 8), make([]float32, 64), make([]float32, len(x))
	var dw [3]float32
	if n := testing.AllocsPerRun(10, func() {
		AttendKeysBack(dq, dx, g, r, a[:5], q, x, keys, 20, 1)
		MixBack(dq, dx[:64], dx[64:128], dx[128:192], r, q, q, r, r, 1, .1, .2, .3, &dw)
		GeluBoth(dq, dx[:64], r)
		UnitBack(dq, r, q, 1)
	}); n != 0 {
		t.Errorf("the backward kernels allocate %v times, want 0", n)
	}
}

func BenchmarkBack(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	x, q, r := randomUnits(rng, 240, 64), randomUnits(rng, 1, 64), randoms(rng, 64, 1)
	keys := make([]int32, 20)
	for k := range keys {
		keys[k] = int32(rng.IntN(240))
	}
	a, g, dq, dx := randoms(rng, 20, 1), make([]float32, 23), make([]float32, 64), make([]float32, len(x))
	var dw [3]float32
	b.Run("attendKeysBack/20x64", func(b *testing.B) {
		for b.Loop() {
			clear(dq)
			AttendKeysBack(dq, dx, g, r, a, q, x, keys, 20, 1e-6)
		}
	})
	b.Run("mixBack/64", func(b *testing.B) {
		for b.Loop() {
			MixBack(dq, dx[:64], dx[64:128], dx[128:192], r, q, q, r, r, 1, .1, .2, .3, &dw)
		}
	})
	h := randoms(rng, 256, 1)
	d := randoms(rng, 256, 1)
	b.Run("logistic/256", func(b *testing.B) {
		for b.Loop() {
			Logistic(d, h, 0.5, 0.1)
		}
	})
	b.Run("geluBoth/256", func(b *testing.B) {
		for b.Loop() {
			GeluBoth(h, d, d)
		}
	})
}
