package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"glomstream/glom/internal/gradcheck"
	"glomstream/glom/internal/vec"
)

// draw returns n random numbers that float32 and float64 hold alike.
func draw[T vec.Float](rng *rand.Rand, n int, scale float64) []T {
	v := make([]T, n)
	for i := range v {
		v[i] = T(float32(scale * rng.NormFloat64()))
	}
	return v
}

// run is a net on one picture, whose loss is a random linear function of the vectors.
type run[T vec.Float] struct {
	net[T]
	h, w  int
	in, r []T
}

func newRun[T vec.Float](cfg Config, h, w int) *run[T] {
	rng := rand.New(rand.NewPCG(1, 2))
	cfg = cfg.withDefaults()
	e := &run[T]{net: makeNet[T](cfg), h: h, w: w}
	copy(e.all, draw[T](rng, len(e.all), 0.3))
	for _, l := range e.layers {
		for o := range l.gain {
			l.gain[o] += 1
		}
	}
	e.in = draw[T](rng, cfg.Channels*h*w, 1)
	e.r = draw[T](rng, h/8*(w/8)*cfg.Dim, 1)
	return e
}

func (e *run[T]) forward(p *pass[T], f *frame[T]) float64 {
	e.standardise()
	x := make([]T, len(e.r))
	p.forward(&e.net, x, e.in, e.h, e.w, f)
	var loss float64
	for i := range x {
		loss += float64(x[i]) * float64(e.r[i])
	}
	return loss
}

func (e *run[T]) backward() (grad, din []T) {
	var p pass[T]
	var f frame[T]
	e.forward(&p, &f)
	grad, din = make([]T, len(e.all)), make([]T, len(e.in))
	p.backward(&e.net, grad, append([]T(nil), e.r...), din, &f)
	e.unstandardise(grad)
	return grad, din
}

func TestGradients(t *testing.T) {
	const tol = 1e-7
	for _, size := range [][2]int{{16, 24}, {24, 16}} {
		e := newRun[float64](Config{Widths: []int{3, 4, 4, 5}, Dim: 6}, size[0], size[1])
		f := func() float64 { return e.forward(new(pass[float64]), new(frame[float64])) }
		grad, din := e.backward()
		if err := gradcheck.RelErr(grad, gradcheck.Numeric(e.all, f)); !(err < tol) {
			t.Errorf("%v: weights: relative error %.1e, want < %.0e", size, err, tol)
		}
		if err := gradcheck.RelErr(din, gradcheck.Numeric(e.in, f)); !(err < tol) {
			t.Errorf("%v: input: relative error %.1e, want < %.0e", size, err, tol)
		}
	}
}

func TestFloat32Gradients(t *testing.T) {
	const tol = 1e-5
	want, wantIn := newRun[float64](Config{}, 40, 56).backward()
	got, gotIn := newRun[float32](Config{}, 40, 56).backward()
	if err := gradcheck.RelErr(gradcheck.Convert[float64](got), want); !(err < tol) {
		t.Errorf("weights: float32 differs by %.1e, want < %.0e", err, tol)
	}
	if err := gradcheck.RelErr(gradcheck.Convert[float64](gotIn), wantIn); !(err < tol) {
		t.Errorf("input: float32 differs by %.1e, want < %.0e", err, tol)
	}
}

// slowForward convolves by definition, in float64, with reflected borders.
func slowForward(n *Net, in []float32, h, w int) []float64 {
	x := gradcheck.Convert[float64](in)
	for k, l := range n.layers {
		oh, ow := h/l.stride, w/l.stride
		y := make([]float64, l.out*oh*ow)
		for o := range l.out {
			var sum, square float64
			for _, v := range l.w[o*l.taps():][:l.taps()] {
				sum += float64(v)
			}
			mean := sum / float64(l.taps())
			if k == 0 {
				mean = 0 // the first layer is not centred
			}
			for _, v := range l.w[o*l.taps():][:l.taps()] {
				square += (float64(v) - mean) * (float64(v) - mean)
			}
			scale := float64(l.gain[o]) / math.Sqrt(square)
			for r := range oh {
				for c := range ow {
					v := float64(l.bias[o])
					for i := range l.in {
						for ky := range 3 {
							for kx := range 3 {
								a, b := mirror(r*l.stride+ky-1, h), mirror(c*l.stride+kx-1, w)
								v += scale * (float64(l.w[((o*l.in+i)*3+ky)*3+kx]) - mean) * x[(i*h+a)*w+b]
							}
						}
					}
					if k < len(n.layers)-1 {
						v = max(v, 0)
					}
					y[(o*oh+r)*ow+c] = v
				}
			}
		}
		x, h, w = y, oh, ow
	}
	D := n.cfg.Dim
	out := make([]float64, len(x))
	for i := range h * w {
		var sum float64
		for d := range D {
			sum += x[d*h*w+i] * x[d*h*w+i]
		}
		for d := range D {
			out[i*D+d] = x[d*h*w+i] / math.Sqrt(sum)
		}
	}
	return out
}

func mirror(i, n int) int {
	switch {
	case i < 0:
		return -i
	case i >= n:
		return 2*n - 2 - i
	}
	return i
}

func TestForward(t *testing.T) {
	for _, c := range []Config{{}, {Channels: 3, Widths: []int{7, 9, 8}, Dim: 16, Seed: 3}} {
		for _, size := range [][2]int{{16, 16}, {24, 40}} {
			n, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(3, 4))
			for i := range n.Params {
				n.Params[i] += float32(0.1 * rng.NormFloat64())
			}
			n.Changed()
			h, w := size[0], size[1]
			in := draw[float32](rng, n.cfg.Channels*h*w, 1)
			x := make([]float32, h/8*(w/8)*n.cfg.Dim)
			var p Pass
			var f Frame
			p.Forward(n, x, in, h, w, &f)
			for i, want := range slowForward(n, in, h, w) {
				if math.Abs(float64(x[i])-want) > 1e-5 {
					t.Fatalf("%+v %v: x[%d] = %v, want %v", c, size, i, x[i], want)
				}
			}
			grad := make([]float32, len(n.Params))
			p.Backward(n, grad, make([]float32, len(x)), &f)
			// gonum's own products, which run here, allocate; ours must not.
			if small := testing.AllocsPerRun(1, func() { fill(n.layers[0].at(h, w), f.planes[0], in) }); small != 0 {
				t.Errorf("fill allocates %v times", small)
			}
		}
	}
}

// A new net keeps the scale of its input through the layers.
func TestNewNetKeepsScale(t *testing.T) {
	n, err := New(Config{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	const h, w = 64, 64
	var p Pass
	var f Frame
	p.Forward(n, make([]float32, 64*64), draw[float32](rng, 5*h*w, 1), h, w, &f)
	for k := 1; k < len(f.planes); k++ {
		var sum float64
		for _, v := range f.planes[k] {
			sum += float64(v) * float64(v)
		}
		if ms := sum / float64(len(f.planes[k])); ms < 0.3 || ms > 3 {
			t.Errorf("layer %d: mean square %.2f, want about 1", k, ms)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{Channels: 4}, "channels 4"},
		{Config{Widths: []int{8}}, "1 widths"},
		{Config{Widths: make([]int, 16)}, "16 widths"},
		{Config{Widths: []int{8, 0, 8}}, "width 0"},
		{Config{Dim: 4096}, "width 4096"},
	} {
		if _, err := New(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v): %v, want %q", tt.c, err, tt.want)
		}
	}
}

func BenchmarkPass(b *testing.B) {
	for _, size := range [][2]int{{96, 160}, {176, 320}} {
		b.Run(fmt.Sprintf("%dx%d", size[1], size[0]), func(b *testing.B) {
			n, _ := New(Config{})
			h, w := size[0], size[1]
			rng := rand.New(rand.NewPCG(3, 4))
			in := draw[float32](rng, 5*h*w, 1)
			x := make([]float32, h/8*(w/8)*64)
			dx, grad := draw[float32](rng, len(x), 1), make([]float32, len(n.Params))
			var p Pass
			var f Frame
			for b.Loop() {
				p.Forward(n, x, in, h, w, &f)
				p.Backward(n, grad, dx, &f)
			}
			flop := 3 * n.cfg.FLOP(h*w/64) * float64(b.N)
			b.ReportMetric(flop/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
