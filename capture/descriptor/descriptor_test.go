package descriptor

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func newDescriptor(t testing.TB) *Descriptor {
	t.Helper()
	d, err := New(64)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// fill returns a picture whose pixel (x, y) has the colour that f gives, as r, g, b.
func fill(rows, cols int, f func(x, y int) [3]byte) []byte {
	pix := make([]byte, 0, rows*cols*Stride*Stride*3)
	for y := range rows * Stride {
		for x := range cols * Stride {
			c := f(x, y)
			pix = append(pix, c[2], c[1], c[0])
		}
	}
	return pix
}

func cosine(x []float32, dim, i, j int) float64 {
	var s float64
	for k := range dim {
		s += float64(x[i*dim+k]) * float64(x[j*dim+k])
	}
	return s
}

func TestUnitVectors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	const rows, cols = 5, 7
	pix := fill(rows, cols, func(int, int) [3]byte { return [3]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())} })
	flow := make([]float32, rows*cols*Stride*Stride*2)
	for i := range flow {
		flow[i] = float32(5 * rng.NormFloat64())
	}
	x := make([]float32, rows*cols*64)
	newDescriptor(t).Describe(x, rows, cols, pix, flow)
	for i := range rows * cols {
		if n := cosine(x, 64, i, i); math.Abs(n-1) > 1e-5 {
			t.Fatalf("location %d: squared length %v, want 1", i, n)
		}
	}
}

// The fast conversion agrees with the definition of CIE Lab, within what the tables resolve.
func TestLab(t *testing.T) {
	d := newDescriptor(t)
	linear := func(v int) float64 {
		s := float64(v) / 255
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	for r := 0; r < 256; r += 17 {
		for g := 0; g < 256; g += 17 {
			for b := 0; b < 256; b += 17 {
				R, G, B := linear(r), linear(g), linear(b)
				x := f((0.4124564*R + 0.3575761*G + 0.1804375*B) / 0.95047)
				y := f(0.2126729*R + 0.7151522*G + 0.0721750*B)
				z := f((0.0193339*R + 0.1191920*G + 0.9503041*B) / 1.08883)
				l, a, bb := d.lab(r, g, b)
				// The table's steps are coarsest where the function is steepest, near black.
				for k, e := range []float64{float64(l) + 50 - (116*y - 16), float64(a) - 500*(x-y), float64(bb) - 200*(y-z)} {
					if math.Abs(e) > 4.5 {
						t.Fatalf("rgb %d %d %d: component %d is off by %.2f", r, g, b, k, e)
					}
				}
			}
		}
	}
}

func TestGradients(t *testing.T) {
	const rows, cols = 4, 4
	for _, tt := range []struct {
		name   string
		pix    func(x, y int) [3]byte
		c, s   float64 // the sign of the double angle of the gradient
		strong bool
	}{
		{"flat", func(int, int) [3]byte { return [3]byte{90, 90, 90} }, 0, 0, false},
		{"upright stripes", func(x, _ int) [3]byte { v := byte(x / 4 % 2 * 200); return [3]byte{v, v, v} }, 1, 0, true},
		{"level stripes", func(_, y int) [3]byte { v := byte(y / 4 % 2 * 200); return [3]byte{v, v, v} }, -1, 0, true},
		{"slanted stripes", func(x, y int) [3]byte { v := byte((x + y) / 4 % 2 * 200); return [3]byte{v, v, v} }, 0, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDescriptor(t)
			d.Describe(make([]float32, rows*cols*64), rows, cols, fill(rows, cols, tt.pix), nil)
			f := d.blurred[5*numFeatures:][:numFeatures]
			for _, base := range []int{fine, coarse} {
				s := float64(f[base])
				if (s > 0.2) != tt.strong {
					t.Fatalf("strength %v, strong %v", s, tt.strong)
				}
				if !tt.strong {
					continue
				}
				if c := float64(f[base+1]) / s; math.Abs(c-tt.c) > 0.2 {
					t.Errorf("cos 2θ = %v, want %v", c, tt.c)
				}
				if v := float64(f[base+2]) / s; math.Abs(v-tt.s) > 0.2 {
					t.Errorf("sin 2θ = %v, want %v", v, tt.s)
				}
			}
		})
	}
}

// A moving camera alone changes nothing; a thing that moves against it stands out.
func TestMotion(t *testing.T) {
	const rows, cols = 8, 8
	const W = cols * Stride
	pix := fill(rows, cols, func(x, y int) [3]byte { // textured, as only texture can be seen to move
		v := byte(100 + (x*7+y*13)%4*15)
		return [3]byte{v, v, v}
	})
	flow := make([]float32, rows*cols*Stride*Stride*2)
	for i := range flow {
		flow[i] = []float32{3, -2}[i%2]
	}
	d := newDescriptor(t)
	still, panned := make([]float32, rows*cols*64), make([]float32, rows*cols*64)
	d.Describe(still, rows, cols, pix, nil)
	d.Describe(panned, rows, cols, pix, flow)
	for i := range still {
		if math.Abs(float64(still[i]-panned[i])) > 1e-5 { // the camera is found to that much
			t.Fatalf("a pan changes x[%d] from %v to %v", i, still[i], panned[i])
		}
	}
	for y := 2 * Stride; y < 5*Stride; y++ {
		for x := 2 * Stride; x < 5*Stride; x++ {
			flow[2*(y*W+x)] += 4
		}
	}
	d.Describe(panned, rows, cols, pix, flow)
	if c := cosine(panned, 64, 3*cols+3, 0); c > 0.8 {
		t.Errorf("cosine of the moving patch and the rest is %v, want less than 0.8", c)
	}
	if c := cosine(panned, 64, 6*cols+6, 6*cols+1); c < 0.99 {
		t.Errorf("cosine within the rest is %v, want 1", c)
	}

	flat := fill(rows, cols, func(int, int) [3]byte { return [3]byte{100, 120, 140} })
	d.Describe(still, rows, cols, flat, nil)
	d.Describe(panned, rows, cols, flat, flow)
	if c := cosine(panned, 64, 3*cols+3, 0); c < 0.99 {
		t.Errorf("without texture, the cosine of the moving patch and the rest is %v, want 1", c)
	}
}

func TestColourSeparates(t *testing.T) {
	const rows, cols = 4, 8
	pix := fill(rows, cols, func(x, _ int) [3]byte {
		if x < cols*Stride/2 {
			return [3]byte{60, 110, 60} // grass
		}
		return [3]byte{120, 120, 130} // road
	})
	x := make([]float32, rows*cols*64)
	newDescriptor(t).Describe(x, rows, cols, pix, nil)
	if c := cosine(x, 64, cols, cols+1); c < 0.999 {
		t.Errorf("cosine within one colour is %v", c)
	}
	if c := cosine(x, 64, cols+1, 2*cols-2); c > 0.9 {
		t.Errorf("cosine across two colours is %v, want less than 0.9", c)
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := New(7); err == nil {
		t.Error("New(7): no error")
	}
}

func TestDescribeAllocatesNothing(t *testing.T) {
	d := newDescriptor(t)
	pix := make([]byte, 22*40*64*3)
	flow := make([]float32, 22*40*64*2)
	x := make([]float32, 880*64)
	if n := testing.AllocsPerRun(3, func() { d.Describe(x, 22, 40, pix, flow) }); n != 0 {
		t.Errorf("Describe allocates %v times, want 0", n)
	}
}

func ExampleDescriptor_Describe() {
	d, err := New(16)
	if err != nil {
		panic(err)
	}
	const rows, cols = 2, 3
	pix := make([]byte, rows*Stride*cols*Stride*3) // black
	x := make([]float32, rows*cols*16)
	d.Describe(x, rows, cols, pix, nil)
	fmt.Printf("cosine of two black cells: %.3f\n", cosine(x, 16, 0, 5))
	// Output: cosine of two black cells: 1.000
}

func BenchmarkDescribe(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	pix := fill(22, 40, func(int, int) [3]byte { return [3]byte{byte(rng.Uint32()), byte(rng.Uint32()), byte(rng.Uint32())} })
	flow := make([]float32, 22*40*64*2)
	x := make([]float32, 880*64)
	d := newDescriptor(b)
	for b.Loop() {
		d.Describe(x, 22, 40, pix, flow)
	}
}
