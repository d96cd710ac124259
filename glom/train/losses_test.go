package train

import (
	"fmt"
	"math"
	"math/rand/v2"
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

func units[T vec.Float](rng *rand.Rand, n, D int) []T {
	v := draw[float64](rng, n*D, 1)
	vec.UnitRows(v, nil, n, D)
	return gradcheck.Convert[T](gradcheck.Convert[float32](v))
}

func checkGrad(t *testing.T, what string, got, p []float64, f func() float64) {
	t.Helper()
	const tol = 1e-7
	if e := gradcheck.RelErr(got, gradcheck.Numeric(p, f)); !(e < tol) {
		t.Errorf("%s: relative error %.1e, want < %.0e", what, e, tol)
	}
}

func checkSame(t *testing.T, what string, got []float32, want []float64) {
	t.Helper()
	const tol = 1e-5
	if e := gradcheck.RelErr(gradcheck.Convert[float64](got), want); !(e < tol) {
		t.Errorf("%s: float32 differs from float64 by %.1e, want < %.0e", what, e, tol)
	}
}

// decoderCase returns the loss of a reconstruction and its gradients.
func decoderCase[T vec.Float](all, x, want, weight []T, D, H int, places []int) (loss float64, dx, dall []T) {
	dx, dall = make([]T, len(x)), make([]T, len(all))
	var f field[T]
	loss = f.reconstruct(dx, decoderOver(dall, D, H), decoderOver(all, D, H), x, want, weight, places)
	return loss, dx, dall
}

func TestReconstruct(t *testing.T) {
	const N, D, H = 6, 8, 16
	places := []int{0, 9, 63}
	rng := rand.New(rand.NewPCG(1, 1))
	all := draw[float32](rng, decoderSize(D, H), 0.5)
	x, want, weight := units[float32](rng, N, D), draw[float32](rng, N*len(places)*rgb, 1), []float32{1, 0, .5, .25, 2, .125}
	all64, x64, want64, weight64 := gradcheck.Convert[float64](all), gradcheck.Convert[float64](x), gradcheck.Convert[float64](want), gradcheck.Convert[float64](weight)
	loss, dx, dall := decoderCase(all64, x64, want64, weight64, D, H, places)
	f := func() float64 { l, _, _ := decoderCase(all64, x64, want64, weight64, D, H, places); return l }
	checkGrad(t, "weights", dall, all64, f)
	checkGrad(t, "vectors", dx, x64, f)
	loss32, dx32, dall32 := decoderCase(all, x, want, weight, D, H, places)
	checkSame(t, "loss", []float32{float32(loss32)}, []float64{loss})
	checkSame(t, "vectors", dx32, dx)
	checkSame(t, "weights", dall32, dall)
}

// slowIslands is the formula of the contrast, written out.
func slowIslands(x []float64, sizes []int, D int, tau float64) float64 {
	var island []int
	for k, m := range sizes {
		for range m {
			island = append(island, k)
		}
	}
	S := len(island)
	var loss float64
	for i := range S {
		var z float64
		for j := range S {
			z += math.Exp(vec.Dot(x[i*D:i*D+D], x[j*D:j*D+D]) / tau)
		}
		m := float64(sizes[island[i]])
		l := -math.Log(m)
		for j := range S {
			if island[j] == island[i] {
				l -= (vec.Dot(x[i*D:i*D+D], x[j*D:j*D+D])/tau - math.Log(z)) / m
			}
		}
		loss += l / float64(S)
	}
	return loss
}

// slowAffinity is the formula of the affinity, written out.
func slowAffinity(x []float64, sizes []int, D int, tau float64) float64 {
	var island []int
	for k, m := range sizes {
		for range m {
			island = append(island, k)
		}
	}
	var loss, n [2]float64
	for i := range island {
		for j := range island {
			if i == j {
				continue
			}
			z := (vec.Dot(x[i*D:i*D+D], x[j*D:j*D+D]) - 0.5) / tau
			if island[i] == island[j] {
				loss[0] += math.Log(1 + math.Exp(-z))
				n[0]++
			} else {
				loss[1] += math.Log(1 + math.Exp(z))
				n[1]++
			}
		}
	}
	return loss[0]/2/max(1, n[0]) + loss[1]/2/max(1, n[1])
}

func TestIslands(t *testing.T) {
	const D = 8
	for _, sizes := range [][]int{{5}, {3, 1, 4}, {2, 2, 2, 9}} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(2, 0))
			S := 0
			for _, m := range sizes {
				S += m
			}
			x := units[float32](rng, S, D)
			x64 := gradcheck.Convert[float64](x)
			const tau, weight, pairs = 0.3, 1.5, 0.7
			c := contrast[float64]{x: x64}
			loss, affinity := c.islands(sizes, D, tau, weight, pairs)
			if want := weight * slowIslands(x64, sizes, D, tau); math.Abs(loss-want) > 1e-12 {
				t.Errorf("loss %v, want %v", loss, want)
			}
			if want := pairs * slowAffinity(x64, sizes, D, tau); math.Abs(affinity-want) > 1e-12 {
				t.Errorf("loss of affinity %v, want %v", affinity, want)
			}
			grad := append([]float64(nil), c.d...)
			checkGrad(t, "vectors", grad, x64, func() float64 {
				l, a := c.islands(sizes, D, tau, weight, pairs)
				return l + a
			})
			c32 := contrast[float32]{x: x}
			c32.islands(sizes, D, tau, weight, pairs)
			checkSame(t, "vectors", c32.d, grad)
		})
	}
	// The floor is zero: islands of equal vectors, opposite to each other.
	x := make([]float64, 6*D)
	for i := range 6 {
		x[i*D] = 1 - 2*float64(i/3)
	}
	c := contrast[float64]{x: x}
	loss, none := c.islands([]int{3, 3}, D, 0.1, 1, 0)
	_, affinity := c.islands([]int{3, 3}, D, 0.1, 0, 1)
	if math.Abs(loss) > 1e-7 || none != 0 || affinity > 0.01 {
		t.Errorf("perfect islands have losses %v, %v and %v, want 0", loss, none, affinity)
	}
	_, affinity = c.islands([]int{2, 1, 3}, D, 0.1, 0, 1)
	if affinity < 0.4 {
		t.Errorf("one of the six vectors is of another island than it seems: the loss of affinity is %v only", affinity)
	}
}

func TestAgree(t *testing.T) {
	const N, D = 5, 8
	rng := rand.New(rand.NewPCG(3, 3))
	y, x := units[float64](rng, N, D), units[float64](rng, N, D)
	dy, dx := make([]float64, N*D), make([]float64, N*D)
	loss := agree(dy, dx, y, x, D, 0.7)
	var want float64
	for i := range x {
		want += 0.7 * (y[i] - x[i]) * (y[i] - x[i]) / N
	}
	if math.Abs(loss-want) > 1e-6 {
		t.Errorf("loss %v, want %v", loss, want)
	}
	f := func() float64 { return agree(make([]float64, N*D), nil, y, x, D, 0.7) }
	checkGrad(t, "predictions", dy, y, f)
	checkGrad(t, "consensus", dx, x, f)
	if l := agree(dy, dx, x, x, D, 1); math.Abs(l) > 1e-6 {
		t.Errorf("equal vectors have loss %v, want 0", l)
	}
}

func TestMatch(t *testing.T) {
	const N, M, D = 5, 7, 8
	rng := rand.New(rand.NewPCG(4, 4))
	x, y, w, weight := units[float32](rng, N, D), units[float32](rng, M, D), draw[float32](rng, D*D, 0.2), draw[float32](rng, M, 1)
	from := []int{0, 3, -1, 3, 4, 2, 0}
	run := func(x, y, w, weight []float64) (loss float64, dx, dw []float64) {
		var p predictor[float64]
		dx, dw = make([]float64, N*D), make([]float64, D*D)
		return p.match(dx, dw, w, x, from, y, weight, D), dx, dw
	}
	x64, y64, w64, weight64 := gradcheck.Convert[float64](x), gradcheck.Convert[float64](y), gradcheck.Convert[float64](w), gradcheck.Convert[float64](weight)
	loss, dx, dw := run(x64, y64, w64, weight64)
	f := func() float64 { l, _, _ := run(x64, y64, w64, weight64); return l }
	checkGrad(t, "vectors", dx, x64, f)
	checkGrad(t, "weights", dw, w64, f)
	var p predictor[float32]
	dx32, dw32 := make([]float32, N*D), make([]float32, D*D)
	loss32 := p.match(dx32, dw32, w, x, from, y, weight, D)
	checkSame(t, "vectors", dx32, dx)
	checkSame(t, "weights", dw32, dw)
	checkSame(t, "loss", []float32{float32(loss32)}, []float64{loss})
	// Without weights the prediction is the vector itself.
	if l := p.match(dx32, dw32, make([]float32, D*D), x, []int{0, 1, 2, 3, 4}, x, []float32{1, 1, 1, 1, 1}, D); math.Abs(l) > 1e-5 {
		t.Errorf("a prediction of itself has loss %v, want 0", l)
	}
}

func TestSpread(t *testing.T) {
	const S, M, D = 9, 6, 8
	for _, w := range [][2]float64{{1, 0}, {0, 1}, {0.5, 2}} {
		rng := rand.New(rand.NewPCG(5, 5))
		x, bank := units[float64](rng, S, D), units[float64](rng, M, D)
		for i := range x { // some dimensions are spread too little, some too much
			x[i] *= 0.3 + 0.4*float64(i%D)
		}
		var s spread[float64]
		dx := make([]float64, S*D)
		s.terms(dx, x, bank, D, w[0], w[1])
		checkGrad(t, fmt.Sprintf("weights %v", w), dx, x, func() float64 {
			v, c := s.terms(make([]float64, S*D), x, bank, D, w[0], w[1])
			return v + c
		})
		x32 := gradcheck.Convert[float32](x)
		x64, dx32, dx64 := gradcheck.Convert[float64](x32), make([]float32, S*D), make([]float64, S*D)
		var s32 spread[float32]
		s32.terms(dx32, x32, gradcheck.Convert[float32](bank), D, w[0], w[1])
		s.terms(dx64, x64, gradcheck.Convert[float64](gradcheck.Convert[float32](bank)), D, w[0], w[1])
		checkSame(t, fmt.Sprintf("weights %v", w), dx32, dx64)
	}
	// Vectors that are all the same are as far from spread as can be; the variance term says so.
	x := make([]float64, S*D)
	for i := range S {
		x[i*D] = 1
	}
	var s spread[float64]
	if v, c := s.terms(make([]float64, S*D), x, nil, D, 1, 1); math.Abs(v-1) > 0.01 || c != 0 {
		t.Errorf("collapsed: variance %v, covariance %v; want 1, 0", v, c)
	}
}

// slowChosen is the formula of the contrast without labels, written out.
func slowChosen(x, targets, bank []float64, D int, b band, tau float64) float64 {
	S, M := len(x)/D, len(bank)/D
	row := func(v []float64, i int) []float64 { return v[i*D : i*D+D] }
	var loss float64
	for i := range S {
		var pos, neg []float64
		for j := range S {
			c := vec.Dot(row(x, i), row(x, j))
			if j != i && c < b.different {
				neg = append(neg, math.Exp(max(c, b.apart)/tau))
			} else if j != i && c > b.same && targets == nil {
				pos = append(pos, math.Exp(c/tau))
			}
		}
		for j := range M {
			neg = append(neg, math.Exp(max(vec.Dot(row(x, i), row(bank, j)), b.apart)/tau))
		}
		if targets != nil {
			pos = append(pos, math.Exp(vec.Dot(row(x, i), row(targets, i))/tau))
		}
		if len(pos) == 0 || len(neg) == 0 {
			continue
		}
		var z float64
		for _, e := range append(append([]float64(nil), pos...), neg...) {
			z += e
		}
		for _, e := range pos {
			loss -= (math.Log(e/z) + math.Log(float64(len(pos)))) / float64(len(pos)) / float64(S)
		}
	}
	return loss
}

func TestChosen(t *testing.T) {
	const S, D, tau, weight = 14, 8, 0.3, 1.5
	b := band{same: 0.5, different: 0.3, apart: -0.2}
	for _, aimed := range []bool{false, true} {
		for _, M := range []int{0, 5} {
			rng := rand.New(rand.NewPCG(6, uint64(M)))
			// Two soft islands and some strays.
			x := units[float32](rng, S, D)
			for i := range 10 {
				vec.Axpy(x[i*D:i*D+D], 1.2, x[(10+i%2)*D:][:D])
			}
			vec.UnitRows(x, nil, S, D)
			x64, bank64 := gradcheck.Convert[float64](x), gradcheck.Convert[float64](units[float32](rng, M, D))
			var targets64 []float64
			if aimed {
				targets64 = gradcheck.Convert[float64](units[float32](rng, S, D))
			}
			c := contrast[float64]{x: x64}
			loss := c.chosen(targets64, bank64, D, b, tau, weight)
			if want := weight * slowChosen(x64, targets64, bank64, D, b, tau); math.Abs(loss-want) > 1e-12 || want == 0 {
				t.Errorf("targets %v, bank %d: loss %v, want %v", aimed, M, loss, want)
			}
			grad := append([]float64(nil), c.d...)
			checkGrad(t, fmt.Sprintf("targets %v, bank %d", aimed, M), grad, x64, func() float64 { return c.chosen(targets64, bank64, D, b, tau, weight) })
			if aimed {
				c32 := contrast[float32]{x: x}
				c32.chosen(gradcheck.Convert[float32](targets64), gradcheck.Convert[float32](bank64), D, b, tau, weight)
				checkSame(t, "targets", c32.d, grad)
			}
		}
	}
	// What is apart is not pushed further (paper, note 24), what is near is.
	pull := func(cos float64) float64 {
		x := make([]float64, 2*D)
		x[0], x[D], x[D+1] = 1, cos, math.Sqrt(1-cos*cos)
		target := make([]float64, 2*D)
		target[2], target[D+2] = 1, 1
		c := contrast[float64]{x: x}
		c.chosen(target, nil, D, b, tau, 1)
		return vec.Dot(c.d[:D], x[D:])
	}
	if free := pull(-0.3); math.Abs(free) > 1e-12 {
		t.Errorf("beyond the hinge the gradient is %v, want 0", free)
	}
	if near := pull(0.2); near <= 0 {
		t.Errorf("before the hinge the gradient is %v, want above 0", near)
	}
}
