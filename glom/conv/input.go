package conv

import "slices"

// Input makes the input of a net from a picture and its flow. Its zero value is ready; it keeps
// scratch space and is used by one goroutine at a time.
type Input struct {
	samples []float32 // of the flow
}

// Fill writes planes (C, h, w): R, G, B in 0..1 and, if there are five, the flow minus its median
// over the picture, as tanh((v - median)/4). pix is (h, w, 3) BGR, flow (h, w, 2) dx, dy in pixels
// or nil: no motion.
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
	dx, dy := in.Median(flow, h, w, 0), in.Median(flow, h, w, 1)
	flow = flow[:2*size]
	for i := range u {
		u[i], v[i] = squash(flow[2*i]-dx), squash(flow[2*i+1]-dy)
	}
}

// Median returns the median of one channel of the flow, of every fourth pixel of every fourth
// row: optical flow finds no finer motion.
func (in *Input) Median(flow []float32, h, w, channel int) float32 {
	in.samples = in.samples[:0]
	for y := 2; y < h; y += 4 {
		for x := 2; x < w; x += 4 {
			in.samples = append(in.samples, flow[2*(y*w+x)+channel])
		}
	}
	slices.Sort(in.samples)
	return in.samples[len(in.samples)/2]
}

// squash returns tanh(v/4), to 1e-6. With t = tanh(v/8) it is 2t/(1+t^2), and t is Lambert's
// continued fraction to the seventh term, x + x/(1 + x^2/(3 + x^2/(5 + ...))) written out.
func squash(v float32) float32 {
	x := min(max(v/8, -4.9), 4.9)
	q := x * x
	t := x * (135135 + q*(17325+q*(378+q))) / (135135 + q*(62370+q*(3150+q*28)))
	return 2 * t / (1 + t*t)
}
