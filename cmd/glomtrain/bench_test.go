package main

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"glomstream/glom"
	"glomstream/glom/clips"
	"glomstream/glom/onednn"
	"glomstream/glom/train"
)

// stripes is a clip that costs nothing to make.
type stripes struct{ clip clips.Clip }

func newStripes(t, h, w int) *stripes {
	s := &stripes{}
	s.clip.Reshape(t, h, w, true)
	rng := rand.New(rand.NewPCG(1, 1))
	for i := range s.clip.Pix {
		s.clip.Pix[i] = byte(i/3%w*5) + byte(rng.IntN(20))
	}
	for i := range s.clip.Flow {
		s.clip.Flow[i] = float32(rng.NormFloat64())
	}
	for k, l := range s.clip.Labels {
		for i := range l {
			l[i] = uint16(1 + i%w/(16<<k))
		}
	}
	return s
}

func (s *stripes) Clip(dst *clips.Clip, n uint64) error {
	c := &s.clip
	dst.Reshape(c.T, c.H, c.W, true)
	dst.Source = fmt.Sprint(n)
	copy(dst.Pix, c.Pix)
	copy(dst.Flow, c.Flow)
	for k := range c.Labels {
		copy(dst.Labels[k], c.Labels[k])
	}
	return nil
}

// BenchmarkUpdate takes updates of 16 clips, the default, on one core, in turn with large matrix products, both
// by the time of the processor. GFLOP/s counts the matrix products alone.
func BenchmarkUpdate(b *testing.B) {
	onednn.Use()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, size := range [][2]int{{96, 160}, {176, 320}} {
		for _, hidden := range []int{128, 256} {
			b.Run(fmt.Sprintf("%dx%d,H=%d", size[1], size[0], hidden), func(b *testing.B) {
				const T = 6
				t, err := train.New(train.Config{Model: glom.Config{Hidden: hidden}, Extra: -1})
				if err != nil {
					b.Fatal(err)
				}
				src := newStripes(T, size[0], size[1])
				flop := float64(t.Config().Clips) * t.Config().FLOP(T, size[0]/8, size[1]/8)
				product := newProduct()
				var rates, fractions []float64
				for b.Loop() {
					began := processor()
					if _, err := t.Update(b.Context(), src); err != nil {
						b.Fatal(err)
					}
					rate := flop / (processor() - began).Seconds()
					rates = append(rates, rate/1e9)
					fractions = append(fractions, rate/product())
				}
				b.ReportMetric(median(rates), "GFLOP/s")
				b.ReportMetric(median(fractions), "of-sgemm")
			})
		}
	}
}

// newProduct returns a function that multiplies 1024x1024 matrices and returns the rate.
func newProduct() func() float64 {
	const n = 1024
	m := func() blas32.General { return blas32.General{Rows: n, Cols: n, Stride: n, Data: make([]float32, n*n)} }
	x, y, z := m(), m(), m()
	for i := range x.Data {
		x.Data[i], y.Data[i] = float32(i%7), float32(i%5)
	}
	return func() float64 {
		began := processor()
		blas32.Gemm(blas.NoTrans, blas.Trans, 1, x, y, 0, z)
		return 2 * n * n * n / (processor() - began).Seconds()
	}
}

// processor returns the processor time that this program has used, which other programs on a busy
// machine lengthen less than the time on the clock.
func processor() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
