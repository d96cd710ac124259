package onednn

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

func randoms(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// slowGemm computes alpha*op(A)*op(B) + beta*C in float64.
func slowGemm(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) []float64 {
	out := make([]float64, len(c))
	for i := range c {
		out[i] = float64(c[i])
	}
	op := func(t blas.Transpose, v []float32, ld, i, j int) float64 {
		if t != blas.NoTrans {
			i, j = j, i
		}
		return float64(v[i*ld+j])
	}
	for i := range m {
		for j := range n {
			var sum float64
			for l := range k {
				sum += op(tA, a, lda, i, l) * op(tB, b, ldb, l, j)
			}
			out[i*ldc+j] = float64(alpha)*sum + float64(beta)*float64(c[i*ldc+j])
		}
	}
	return out
}

func TestSgemm(t *testing.T) {
	const tol = 1e-4 // float32 sums of up to 70 products of size about 1
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range []struct{ m, n, k int }{{1, 1, 1}, {3, 5, 7}, {17, 33, 64}, {96, 90, 70}} {
		for _, tA := range []blas.Transpose{blas.NoTrans, blas.Trans} {
			for _, tB := range []blas.Transpose{blas.NoTrans, blas.Trans} {
				t.Run(fmt.Sprintf("%dx%dx%d,%c%c", s.m, s.n, s.k, tA, tB), func(t *testing.T) {
					lda, ldb, ldc := s.k+3, s.n+2, s.n+1
					ra, rb := s.m, s.k
					if tA != blas.NoTrans {
						lda, ra = s.m+3, s.k
					}
					if tB != blas.NoTrans {
						ldb, rb = s.k+2, s.n
					}
					a, b, c := randoms(rng, ra*lda), randoms(rng, rb*ldb), randoms(rng, s.m*ldc)
					want := slowGemm(tA, tB, s.m, s.n, s.k, 1.5, a, lda, b, ldb, 0.5, c, ldc)
					BLAS{}.Sgemm(tA, tB, s.m, s.n, s.k, 1.5, a, lda, b, ldb, 0.5, c, ldc)
					for i := range c {
						if d := float64(c[i]) - want[i]; d > tol || d < -tol {
							t.Fatalf("c[%d] = %v, want %v ± %v", i, c[i], want[i], tol)
						}
					}
				})
			}
		}
	}
}

func TestSgemmPanicsAsGonum(t *testing.T) {
	catch := func(f func()) (r any) {
		defer func() { r = recover() }()
		f()
		return nil
	}
	short := make([]float32, 3)
	call := func(g func(tA, tB blas.Transpose, m, n, k int, alpha float32, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int)) func() {
		return func() { g(blas.NoTrans, blas.NoTrans, 2, 2, 2, 1, short, 2, short, 2, 0, short, 2) }
	}
	got, want := catch(call(BLAS{}.Sgemm)), catch(call(gonum.Implementation{}.Sgemm))
	if got == nil || got != want {
		t.Errorf("panic %v, want %v", got, want)
	}
}

func TestSgemmRepeats(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	const n = 128
	a, b := randoms(rng, n*n), randoms(rng, n*n)
	var wg sync.WaitGroup
	out := make([][]float32, 8)
	for i := range out {
		out[i] = make([]float32, n*n)
		wg.Go(func() {
			BLAS{}.Sgemm(blas.NoTrans, blas.Trans, n, n, n, 1, a, n, b, n, 0, out[i], n)
		})
	}
	wg.Wait()
	for i := range out {
		for k := range out[i] {
			if out[i][k] != out[0][k] {
				t.Fatalf("run %d differs at %d", i, k)
			}
		}
	}
}

// The products of a settling step, and a large one to compare them with.
func BenchmarkSgemm(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, s := range []struct {
		name    string
		m, n, k int
		tB      blas.Transpose
	}{
		{"logits", 96, 900, 64, blas.Trans},
		{"mean", 96, 64, 900, blas.NoTrans},
		{"hidden", 96, 256, 64, blas.Trans},
		{"output", 96, 64, 256, blas.Trans},
		{"large", 1024, 1024, 1024, blas.Trans},
	} {
		x, y, c := randoms(rng, s.m*s.k), randoms(rng, s.k*s.n), make([]float32, s.m*s.n)
		ldb := s.n
		if s.tB == blas.Trans {
			ldb = s.k
		}
		b.Run(s.name, func(b *testing.B) {
			for b.Loop() {
				BLAS{}.Sgemm(blas.NoTrans, s.tB, s.m, s.n, s.k, 1, x, s.k, y, ldb, 0, c, s.n)
			}
			b.ReportMetric(2*float64(s.m)*float64(s.n)*float64(s.k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
