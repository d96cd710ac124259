package metrics

import (
	"math"
)

// J returns the region similarity of DAVIS (Perazzi et al. 2016), the intersection over union of
// two masks. Range 0 to 1; two empty masks give 1. To leave pixels out, clear them in both masks. It
// panics if the lengths differ.
func J(truth, pred []bool) float64 {
	if len(truth) != len(pred) {
		panic("metrics: J: lengths differ")
	}
	var both, either int
	for i, g := range truth {
		s := pred[i]
		if g && s {
			both++
		}
		if g || s {
			either++
		}
	}
	if either == 0 {
		return 1
	}
	return float64(both) / float64(either)
}

// Summary sums J or F up over the frames of one object in one video.
type Summary struct {
	Mean   float64
	Recall float64 // fraction of frames over 0.5
	Decay  float64 // mean of the first quarter minus mean of the last; small is good
}

// Summarise returns the statistics of DAVIS over the values of the frames. The quarters are those of
// the reference: with n frames, counted from 0, the first ends with frame (n-1)/4 and the last
// begins with frame 3(n-1)/4, both rounded half up. DAVIS leaves out the first frame, which
// is given in its semi-supervised task, and the last; that is the caller's choice. Without frames
// all are 0.
func Summarise(perFrame []float64) Summary {
	n := len(perFrame)
	if n == 0 {
		return Summary{}
	}
	var over int
	for _, v := range perFrame {
		if v > 0.5 {
			over++
		}
	}
	first := ((n-1)*2 + 4) / 8 // round((n-1)/4)
	last := ((n-1)*6 + 4) / 8  // round(3(n-1)/4)
	return Summary{
		Mean:   mean(perFrame),
		Recall: float64(over) / float64(n),
		Decay:  mean(perFrame[:first+1]) - mean(perFrame[last:]),
	}
}

// AverageRecall returns the mean, over the thresholds 0.50, 0.55, ... 0.95, of the fraction of ious
// that reach the threshold: the average recall of COCO for one proposal set, where ious holds the
// best overlap of each object or part ([Table.BestIoUs]). Range 0 to 1; 0 for none.
func AverageRecall(ious []float64) float64 {
	const thresholds = 10
	var reached int
	for _, u := range ious {
		for k := range thresholds {
			if u >= float64(50+5*k)/100 {
				reached++
			}
		}
	}
	return ratio(float64(reached), float64(thresholds*len(ious)))
}

// ExplainedVariation returns how much of a picture's colour variation lies between the labels
// (Moore et al. 2008): Σ_j b_j (μ_j - μ)² / Σ_x (I(x) - μ)², summed over the channels. bgr has
// 3 bytes a pixel and rows that begin stride bytes apart. Range 0 to 1; 0 for one label and for a
// picture of a single colour.
func ExplainedVariation(labels []uint16, bgr []byte, w, h, stride int) float64 {
	if len(labels) != w*h || (len(labels) > 0 && (stride < 3*w || len(bgr) < (h-1)*stride+3*w)) {
		panic("metrics: ExplainedVariation: shapes do not fit")
	}
	type sums struct{ n, b, g, r int }
	var all sums
	var squares int
	each := make([]sums, 0, 256)
	for y := range h {
		row := bgr[y*stride:]
		for x, l := range labels[y*w : (y+1)*w] {
			for int(l) >= len(each) {
				each = append(each, sums{})
			}
			b, g, r := int(row[3*x]), int(row[3*x+1]), int(row[3*x+2])
			s := &each[l]
			s.n, s.b, s.g, s.r = s.n+1, s.b+b, s.g+g, s.r+r
			squares += b*b + g*g + r*r
		}
	}
	square := func(s sums) float64 { // n times the square of the mean
		b, g, r := float64(s.b), float64(s.g), float64(s.r)
		return ratio(b*b+g*g+r*r, float64(s.n))
	}
	var between float64
	for _, s := range each {
		between += square(s)
		all = sums{all.n + s.n, all.b + s.b, all.g + s.g, all.r + s.r}
	}
	total := float64(squares) - square(all)
	if total <= 0 {
		return 0
	}
	return math.Max(0, math.Min(1, (between-square(all))/total))
}
