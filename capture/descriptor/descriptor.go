package descriptor

import (
	"fmt"
	"math"
	"math/rand/v2"

	"glomstream/glom/camera"
)

// Stride is the side of a location's cell in pixels.
const Stride = 8

// The features of a location, in this order. Each is scaled so that a difference of about 1 is
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
	scaleL      = 1.0 / 20 // Lab lightness runs from 0 to 100
	scaleAB     = 1.0 / 13 // a and b from about -100 to 100, mostly within 40
	scaleFine   = 1.0 / 25 // grey values per two pixels
	scaleCoarse = 1.0 / 35
	scaleFlow   = 3.0 // of tanh(v/4), v in pixels per frame
)

// Descriptor computes fixed features. Make one with New.
type Descriptor struct {
	dim  int
	freq []float32 // (dim/2, numFeatures)

	linear [256]float32  // sRGB to linear light
	root   [4097]float32 // the function f of CIE Lab over 0 to 1

	grey     []float32 // (H, W)
	half     []float32 // (H/2, W/2) grey of 2 by 2 pixels
	features []float32 // (N, numFeatures) of the cells by themselves
	blurred  []float32 // (N, numFeatures) with their neighbours
	camera   camera.Motion
	moves    []float32 // (N, 2) motion of the cells, in cells
	sure     []float32 // (N) how far the motion of a cell can be trusted, 0 to 1
}

// New returns a Descriptor that makes vectors of dim dimensions, an even number.
func New(dim int) (*Descriptor, error) {
	if dim < 2 || dim%2 != 0 {
		return nil, fmt.Errorf("descriptor: %d dimensions, want an even number", dim)
	}
	d := &Descriptor{dim: dim, freq: frequencies(dim / 2)}
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

// frequencies returns n directions of numFeatures dimensions, always the same ones: orthonormal
// in groups, with the lengths that gaussian vectors have.
func frequencies(n int) []float32 {
	rng := rand.New(rand.NewPCG(20210225, 1)) // the paper's date
	normal := func() []float64 {
		v := make([]float64, numFeatures)
		for k := range v {
			v[k] = rng.NormFloat64()
		}
		return v
	}
	out := make([]float32, 0, n*numFeatures)
	var group [][]float64
	for range n {
		if len(group) == numFeatures {
			group = group[:0]
		}
		v := normal()
		for _, u := range group { // Gram-Schmidt
			s := dot(u, v)
			for k := range v {
				v[k] -= s * u[k]
			}
		}
		length := math.Sqrt(dot(v, v))
		for k := range v {
			v[k] /= length
		}
		group = append(group, v)
		g := normal()
		length = math.Sqrt(dot(g, g))
		for _, a := range v {
			out = append(out, float32(length*a))
		}
	}
	return out
}

func dot(a, b []float64) (s float64) {
	for k := range a {
		s += a[k] * b[k]
	}
	return s
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
	d.sure = resize(d.sure, N)
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

// project turns the features f of each location into a unit vector of the cosines and sines of
// w·f, w from frequencies (random Fourier features: Rahimi and Recht, 2007). The cosine of the
// angle between two such vectors is nearly exp(-|f-g|²/2), wherever in the feature space f and g
// lie: the same step in colour counts the same in the light and in the dark.
func (d *Descriptor) project(dst []float32) {
	scale := math.Sqrt(2 / float64(d.dim))
	for i := range len(dst) / d.dim {
		f := d.blurred[i*numFeatures:][:numFeatures]
		y := dst[i*d.dim:][:d.dim]
		for k := range d.dim / 2 {
			var phase float32
			for n, w := range d.freq[k*numFeatures:][:numFeatures] {
				phase += w * f[n]
			}
			sin, cos := math.Sincos(float64(phase))
			y[2*k], y[2*k+1] = float32(scale*cos), float32(scale*sin)
		}
	}
}
