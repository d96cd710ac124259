package train

import (
	"math"
	"math/rand/v2"

	"glomstream/glom/internal/vec"
)

// decoder is the neural field that turns the vector of a location and a place within it into a
// colour (paper, sections 2.3 and 7): a net of one hidden layer whose input is the vector and a
// Fourier code of the place.
//
//	rgb(i, s) = W2 gelu(Wx x_i + Wp code(s) + b1) + b2
//
// The product Wx x_i is computed once for all places of a location.
type decoder[T vec.Float] struct {
	D, H int
	all  []T
	w1   []T // (H, D+P)
	b1   []T // (H)
	w2   []T // (3, H)
	b2   []T // (3)
}

// Places within a location: the pixels of its patch.
const (
	cell        = 8
	codeOctaves = 3
	codeDim     = 4 * codeOctaves // P
	rgb         = 3
)

func decoderSize(D, H int) int { return H*(D+codeDim) + H + rgb*H + rgb }

// decoderOver views all as a decoder.
func decoderOver[T vec.Float](all []T, D, H int) decoder[T] {
	d := decoder[T]{D: D, H: H, all: all}
	take := func(n int) []T {
		v := all[:n:n]
		all = all[n:]
		return v
	}
	d.w1, d.b1, d.w2, d.b2 = take(H*(D+codeDim)), take(H), take(rgb*H), take(rgb)
	return d
}

func (d decoder[T]) draw(rng *rand.Rand) {
	for i := range d.w1 {
		d.w1[i] = T(rng.NormFloat64() * math.Sqrt(2/float64(d.D+codeDim)))
	}
	for i := range d.w2 {
		d.w2[i] = T(rng.NormFloat64() / math.Sqrt(float64(d.H)))
	}
	for i := range d.b2 {
		d.b2[i] = 0.5
	}
}

// placeCode writes the Fourier code (P) of a pixel of a patch.
func placeCode[T vec.Float](code []T, pixel int) {
	u, v := (float64(pixel%cell)+0.5)/cell, (float64(pixel/cell)+0.5)/cell
	for k := range codeOctaves {
		f := math.Pi * math.Exp2(float64(k))
		c := code[4*k : 4*k+4]
		c[0], c[1], c[2], c[3] = T(math.Sin(f*u)), T(math.Cos(f*u)), T(math.Sin(f*v)), T(math.Cos(f*v))
	}
}

// field is the scratch space to run a decoder forward and backward on N locations and S places
// of each.
type field[T vec.Float] struct {
	z, dz []T // (N, H) what the vectors add to the hidden layer
	term  []T // (S, H) what the places add, with the bias
	dterm []T // (S, H)
	code  []T // (S, P)
	h, dh []T // (N*S, H)
	slope []T // (N*S, H)
	out   []T // (N*S, 3)
	err   []T // (N*S) squared error, mean of the colours
}

// reconstruct adds to dx (N, D) and to d the gradient of
//
//	loss = Σ_i weight_i mean_s |rgb(i, s) - want(i, s)|² / 3
//
// and returns the loss. places (S) are pixels of the patches, want is (N, S, 3).
func (f *field[T]) reconstruct(dx []T, d, net decoder[T], x, want, weight []T, places []int) float64 {
	D, H, N, S := net.D, net.H, len(weight), len(places)
	f.forward(net, x, N, places)
	var loss float64
	norm := 1 / float64(rgb*S)
	for p := range N * S {
		w, sum := float64(weight[p/S])*norm, 0.0
		for c := range rgb {
			e := float64(f.out[p*rgb+c] - want[p*rgb+c])
			sum += e * e
			f.out[p*rgb+c] = T(2 * w * e) // from here on the gradient
		}
		loss += w * sum
		f.err[p] = T(sum / rgb)
	}
	out, h, dh := vec.Mat(f.out, N*S, rgb), vec.Mat(f.h, N*S, H), vec.Mat(f.dh, N*S, H)
	for p := range N * S {
		for c := range rgb {
			d.b2[c] += f.out[p*rgb+c]
		}
	}
	vec.Gemm(vec.Yes, vec.No, 1, out, h, 1, vec.Mat(d.w2, rgb, H))
	vec.Gemm(vec.No, vec.No, 1, out, vec.Mat(net.w2, rgb, H), 0, dh)
	clear(f.dterm)
	clear(f.dz)
	for p := range N * S {
		o := p * H
		vec.MulAdd(f.dh[o:o+H], f.slope[o:o+H], f.dterm[p%S*H:][:H])
		vec.Axpy(f.dz[p/S*H:][:H], 1, f.dh[o:o+H])
	}
	dz, dterm := vec.Mat(f.dz, N, H), vec.Mat(f.dterm, S, H)
	for s := range S {
		vec.Axpy(d.b1, 1, f.dterm[s*H:s*H+H])
	}
	dw1x, dw1p := vec.Strided(d.w1, H, D, D+codeDim), vec.Strided(d.w1[D:], H, codeDim, D+codeDim)
	vec.Gemm(vec.Yes, vec.No, 1, dterm, vec.Mat(f.code, S, codeDim), 1, dw1p)
	vec.Gemm(vec.Yes, vec.No, 1, dz, vec.Mat(x, N, D), 1, dw1x)
	vec.Gemm(vec.No, vec.No, 1, dz, vec.Strided(net.w1, H, D, D+codeDim), 1, vec.Mat(dx, N, D))
	return loss
}

// meanError is the mean of |rgb - want|² / 3 over the places of the locations that are marked, of
// the forward pass before; reconstruct keeps the errors.
func (f *field[T]) meanError(marked []bool, S int) float64 {
	var sum float64
	n := 0
	for i, m := range marked {
		if !m {
			continue
		}
		n++
		for _, e := range f.err[i*S : i*S+S] {
			sum += float64(e)
		}
	}
	return sum / float64(max(1, n*S))
}

// forward computes f.out (N, S, 3).
func (f *field[T]) forward(net decoder[T], x []T, N int, places []int) {
	D, H, S := net.D, net.H, len(places)
	f.z, f.dz = grow(f.z, N*H), grow(f.dz, N*H)
	f.term, f.dterm, f.code = grow(f.term, S*H), grow(f.dterm, S*H), grow(f.code, S*codeDim)
	f.h, f.dh, f.slope = grow(f.h, N*S*H), grow(f.dh, N*S*H), grow(f.slope, N*S*H)
	f.out, f.err = grow(f.out, N*S*rgb), grow(f.err, N*S)
	for s, p := range places {
		placeCode(f.code[s*codeDim:][:codeDim], p)
		copy(f.term[s*H:s*H+H], net.b1)
	}
	vec.Gemm(vec.No, vec.Yes, 1, vec.Mat(f.code, S, codeDim), vec.Strided(net.w1[D:], H, codeDim, D+codeDim), 1, vec.Mat(f.term, S, H))
	vec.Gemm(vec.No, vec.Yes, 1, vec.Mat(x, N, D), vec.Strided(net.w1, H, D, D+codeDim), 0, vec.Mat(f.z, N, H))
	for p := range N * S {
		o := p * H
		copy(f.h[o:o+H], f.z[p/S*H:][:H])
		vec.GeluBoth(f.h[o:o+H], f.slope[o:o+H], f.term[p%S*H:][:H])
		copy(f.out[p*rgb:p*rgb+rgb], net.b2)
	}
	vec.Gemm(vec.No, vec.Yes, 1, vec.Mat(f.h, N*S, H), vec.Mat(net.w2, rgb, H), 1, vec.Mat(f.out, N*S, rgb))
}

// grow returns s with length n, in new memory only if it does not fit.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
