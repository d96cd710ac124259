package conv

import (
	"math"
	"slices"

	"glomstream/glom/camera"
)

// Input makes the input of a net from a picture and its flow. Its zero value is ready; it keeps
// scratch space and is used by one goroutine at a time.
type Input struct {
	camera camera.Motion
	mean   []float32 // (N, 2) flow of the locations, in locations, then what of it is against the camera
	length []float32 // (N) of that
	motion []float32 // (h, w, 2) against the camera, in pixels
}

// The scale of motion is so many times its median, but lies between these speeds, in pixels a frame.
const times, slowest, fastest = 6, 0.3, 3

// Fill writes planes (C, h, w): R, G, B in 0..1 and, if there are five, the motion v against the
// camera, which is fitted to the flow ([camera.Motion]), as v/s / sqrt(1 + |v|/s): slow motion shows
// although fast motion is not cut off. The scale s is six times the median of |v|, 0.3 to 3 pixels:
// where water or trees move everywhere, motion says less. pix is (h, w, 3) BGR, flow (h, w, 2) dx, dy in pixels or
// nil: no motion. h and w are multiples of Stride.
func (in *Input) Fill(planes []float32, pix []byte, flow []float32, h, w int) {
	size := h * w
	r, g, b := planes[:size], planes[size:2*size], planes[2*size:3*size]
	for i := range r {
		p := pix[3*i : 3*i+3 : 3*i+3]
		b[i], g[i], r[i] = float32(p[0])/255, float32(p[1])/255, float32(p[2])/255
	}
	if len(planes) == 3*size {
		return
	}
	u, v := planes[3*size:4*size], planes[4*size:5*size]
	if flow == nil {
		clear(u)
		clear(v)
		return
	}
	scale := in.against(flow, h, w)
	for i := range u {
		x, y := scale*in.motion[2*i], scale*in.motion[2*i+1]
		k := 1 / sqrt(1+sqrt(x*x+y*y))
		u[i], v[i] = k*x, k*y
	}
}

// against fills in.motion and returns 1/s.
func (in *Input) against(flow []float32, h, w int) float32 {
	rows, cols := h/Stride, w/Stride
	in.mean, in.motion = camera.Coarsen(in.mean, flow, w, h, rows, cols), grow(in.motion, 2*h*w)
	in.camera.Fit(in.mean, nil, rows, cols)
	in.camera.Residual(in.motion, flow, h, w, Stride)
	in.camera.Residual(in.mean, in.mean, rows, cols, 1)
	in.length = grow(in.length, rows*cols)
	for i := range in.length {
		x, y := in.mean[2*i], in.mean[2*i+1]
		in.length[i] = Stride * sqrt(x*x+y*y)
	}
	slices.Sort(in.length)
	return 1 / min(max(times*in.length[len(in.length)/2], slowest), fastest)
}

func sqrt(v float32) float32 { return float32(math.Sqrt(float64(v))) }
