package descriptor

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Stride is the side of a location's cell in pixels.
const Stride = 8

// The features of a location, in this order. Each is scaled so that a difference of about 0.5 is
// one that the eye takes for a border.
const (
	featL       = iota // lightness
	featA              // green to red
	featB              // blue to yellow
	fine               // gradients of neighbouring pixels: strength, then
	_                  // strength*cos(2θ), strength*sin(2θ) of their direction
	_                  //
	coarse             // the same of pixels averaged two by two
	_                  //
	_                  //
	flowX              // motion against the camera's
	flowY              //
	numFeatures        //
)

// Scales of the features, in the units of the sums that they are made of.
const (
	scaleL      = 1.0 / 40 // Lab lightness runs from 0 to 100
	scaleAB     = 1.0 / 26 // a and b from about -100 to 100, mostly within 40
	scaleFine   = 1.0 / 45 // grey values per two pixels
	scaleCoarse = 1.0 / 60
	scaleFlow   = 1.6 // of tanh(v/4), v in pixels per frame
)

// Descriptor computes fixed features. Make one with New.
type Descriptor struct {
	dim   int
	basis []float32 // (numFeatures+1, dim) orthonormal rows; the last carries the constant 1

	linear [256]float32  // sRGB to linear light
	root   [4097]float32 // the function f of CIE Lab over 0 to 1

	grey     []float32 // (H, W)
	half     []float32 // (H/2, W/2) grey of 2 by 2 pixels
	features []float32 // (N, numFeatures) of the cells by themselves
	blurred  []float32 // (N, numFeatures) with their neighbours
	sorted   []float32 // (N) scratch of the median
}

// New returns a Descriptor that makes vectors of dim dimensions, at least 12.
func New(dim int) (*Descriptor, error) {
	if dim < numFeatures+1 {
		return nil, fmt.Errorf("descriptor: %d dimensions, want at least %d", dim, numFeatures+1)
	}
	d := &Descriptor{dim: dim, basis: orthonormal(numFeatures+1, dim)}
	for i := range d.linear {
		v := float64(i) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		d.linear[i] = float32(v)
	}
	for i := range d.root {
		t := float64(i) / float64(len(d.root)-1)
		if t > 216.0/24389 {
			t = math.Cbrt(t)
		} else {
			t = (24389.0/27*t + 16) / 116
		}
		d.root[i] = float32(t)
	}
	return d, nil
}

// orthonormal returns n orthonormal rows of dim dimensions, always the same ones.
func orthonormal(n, dim int) []float32 {
	rng := rand.New(rand.NewPCG(20210225, 1)) // the paper's date
	rows := make([][]float64, n)
	out := make([]float32, 0, n*dim)
	for i := range rows {
		v := make([]float64, dim)
		for k := range v {
			v[k] = rng.NormFloat64()
		}
		for _, u := range rows[:i] { // Gram-Schmidt
			var s float64
			for k := range v {
				s += u[k] * v[k]
			}
			for k := range v {
				v[k] -= s * u[k]
			}
		}
		var s float64
		for _, a := range v {
			s += a * a
		}
		for k := range v {
			v[k] /= math.Sqrt(s)
			out = append(out, float32(v[k]))
		}
		rows[i] = v
	}
	return out
}

// Describe writes the unit vectors of rows by cols locations into dst (N, dim). pix is
// (8*rows, 8*cols, 3) BGR; flow is (8*rows, 8*cols, 2), the motion in pixels per frame, or nil
// when there is none. It panics when a slice has another length.
func (d *Descriptor) Describe(dst []float32, rows, cols int, pix []byte, flow []float32) {
	H, W, N := Stride*rows, Stride*cols, rows*cols
	if rows < 1 || cols < 1 || len(dst) != N*d.dim || len(pix) != H*W*3 || flow != nil && len(flow) != H*W*2 {
		panic("descriptor: slices do not have the shape of the grid")
	}
	d.grey = resize(d.grey, H*W)
	d.half = resize(d.half, H*W/4)
	d.features = resize(d.features, N*numFeatures)
	d.blurred = resize(d.blurred, N*numFeatures)
	d.sorted = resize(d.sorted, N)
	clear(d.features)
	d.colour(pix, H, W, cols)
	gradients(d.features[fine:], d.grey, H, W, Stride, cols, scaleFine/(Stride*Stride))
	gradients(d.features[coarse:], d.half, H/2, W/2, Stride/2, cols, scaleCoarse/(Stride*Stride/4))
	if flow != nil {
		d.motion(flow, W, rows, cols)
	}
	blur(d.blurred, d.features, rows, cols)
	d.project(dst)
}

func resize(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}

// project turns the features f of each location into unit([1, f] basis). The constant makes the
// cosine fall with the distance between features instead of the angle between them.
func (d *Descriptor) project(dst []float32) {
	for i := range len(dst) / d.dim {
		f := d.blurred[i*numFeatures:][:numFeatures]
		y := dst[i*d.dim:][:d.dim]
		length := float32(1)
		for _, v := range f {
			length += v * v
		}
		inv := float32(1 / math.Sqrt(float64(length)))
		for k, b := range d.basis[numFeatures*d.dim:] {
			y[k] = inv * b
		}
		for n, v := range f {
			s := inv * v
			for k, b := range d.basis[n*d.dim:][:d.dim] {
				y[k] += s * b
			}
		}
	}
}
