package metrics

import (
	"math"
)

// A flow (h, w, 2) holds, for each pixel of the frame now, its motion in x and y since the frame
// before: what is at p now was at p - flow(p) before. The source of p is the pixel nearest to that
// point, if it lies inside. The flow may also be marked as valid or not, pixel by pixel, as by a
// check that flow and backward flow agree; a nil mask stands for valid everywhere.

// WarpConsistency returns the fraction of pixels whose label is that of their source, among those
// with a source. Range 0 to 1. A single label gives 1.
func WarpConsistency(before, now []uint16, flow []float32, w, h int) float64 {
	return WarpConsistencyValid(before, now, flow, nil, w, h)
}

// WarpConsistencyValid is WarpConsistency over the valid pixels only.
func WarpConsistencyValid(before, now []uint16, flow []float32, valid []bool, w, h int) float64 {
	if len(before) != w*h || len(now) != w*h {
		panic("metrics: WarpConsistency: shapes do not fit")
	}
	var same, n int
	eachSource(flow, valid, w, h, func(p, source int) {
		n++
		if now[p] == before[source] {
			same++
		}
	})
	return ratio(float64(same), float64(n))
}

// Warp fills dst with the labels that the frame before predicts for now, and with [Ignore] where a
// pixel has no source. Added to a [Table] as the truth, with the labels now as the prediction,
// it gives the temporal consistency TC as a mean IoU.
func Warp(dst, before []uint16, flow []float32, valid []bool, w, h int) {
	if len(dst) != w*h || len(before) != w*h {
		panic("metrics: Warp: shapes do not fit")
	}
	for i := range dst {
		dst[i] = Ignore
	}
	eachSource(flow, valid, w, h, func(p, source int) { dst[p] = before[source] })
}

// WarpError returns the warping error of values (h, w, dim) (Lai et al. 2018), the mean over the
// valid pixels with a source of ‖now(p) - before(source)‖². At least 0.
func WarpError(before, now []float32, dim int, flow []float32, valid []bool, w, h int) float64 {
	if len(before) != w*h*dim || len(now) != w*h*dim {
		panic("metrics: WarpError: shapes do not fit")
	}
	var sum float64
	var n int
	eachSource(flow, valid, w, h, func(p, source int) {
		n++
		a, b := now[p*dim:(p+1)*dim], before[source*dim:(source+1)*dim]
		for i, v := range a {
			d := float64(v) - float64(b[i])
			sum += d * d
		}
	})
	return ratio(sum, float64(n))
}

// eachSource calls do for each valid pixel that has a source.
func eachSource(flow []float32, valid []bool, w, h int, do func(p, source int)) {
	if len(flow) != 2*w*h || (valid != nil && len(valid) != w*h) {
		panic("metrics: warp: shape of flow or valid does not fit")
	}
	for y := range h {
		for x := range w {
			p := y*w + x
			if valid != nil && !valid[p] {
				continue
			}
			u := math.Floor(float64(x) - float64(flow[2*p]) + 0.5)
			v := math.Floor(float64(y) - float64(flow[2*p+1]) + 0.5)
			if u >= 0 && u < float64(w) && v >= 0 && v < float64(h) { // no NaN comes through
				do(p, int(v)*w+int(u))
			}
		}
	}
}
