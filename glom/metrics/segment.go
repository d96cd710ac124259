package metrics

import (
	"math"
	"slices"
)

// The notation is that of [Table]: n_ij, a_i, b_j and N.

// ARI returns the adjusted Rand index (Hubert and Arabie 1985), by ordered pairs of pixels:
//
//	(R-E) / (M-E),  R = Σ n(n-1),  A = Σ a(a-1),  B = Σ b(b-1),  E = A·B / N(N-1),  M = (A+B)/2
//
// It is 1 for labelings that are the same but for names, near 0 for labelings that have nothing to
// do with each other, at least -1, and symmetric. Where M = E (both have one label, both only
// single pixels, or there are no pixels) it is 1, as in the metrics of slot-attention-video.
func (t *Table) ARI() float64 { return t.read().ari(0) }

// FGARI returns the ARI over the pixels that are not background in the truth. The prediction keeps
// all its labels, so it says nothing about where objects end. Without objects it is 1; leave such
// samples out of means ([Table.Objects]).
func (t *Table) FGARI() float64 {
	v := t.read()
	return v.ari(v.firstObject())
}

// ari returns the ARI of the truth labels from index first on.
func (v *view) ari(first int) float64 {
	pairs := func(n int) float64 { return float64(n) * float64(n-1) }
	var n int
	var r, a, b float64
	sums := make([]int, len(v.preds))
	for _, c := range v.cells {
		if c.truth >= first {
			r += pairs(c.n)
			sums[c.pred] += c.n
			n += c.n
		}
	}
	for _, s := range v.a[first:] {
		a += pairs(s)
	}
	for _, s := range sums {
		b += pairs(s)
	}
	e := a / max(1, pairs(n)) * b // in this order exact for a single label
	m := (a + b) / 2
	if m == e {
		return 1
	}
	return (r - e) / (m - e)
}

// MBO returns the mean best overlap: the mean, over the labels of the truth but the background, of
// max_j IoU(i, j). The choice of j is not one-to-one. Range 0 to 1.
func (t *Table) MBO() float64 {
	v := t.read()
	iou, _ := v.best()
	return mean(iou[v.firstObject():])
}

// BestIoU returns the predicted label that overlaps the given label of the truth best, and their
// intersection over union; 0 and 0 if that label does not occur.
func (t *Table) BestIoU(truth uint16) (pred uint16, iou float64) {
	v := t.read()
	i, ok := slices.BinarySearch(v.truths, truth)
	if !ok {
		return 0, 0
	}
	all, j := v.best()
	return v.preds[j[i]], all[i]
}

// BestIoUs returns max_j IoU(i, j) of each label of the truth but the background, in ascending
// order of the labels: the input of [AverageRecall].
func (t *Table) BestIoUs() []float64 {
	v := t.read()
	iou, _ := v.best()
	return iou[v.firstObject():]
}

// HungarianIoU returns the mean IoU over the labels of the truth but the background, under the
// one-to-one matching of truth and prediction with the greatest sum. A label of the truth that
// gets no partner counts 0. Range 0 to 1, at most [Table.MBO].
func (t *Table) HungarianIoU() float64 {
	v := t.read()
	_, sum := v.match()
	return ratio(sum, float64(len(v.truths)-v.firstObject()))
}

// Matching returns the matching behind [Table.HungarianIoU], from labels of the truth to labels
// of the prediction. Labels that overlap nothing are not in it.
func (t *Table) Matching() map[uint16]uint16 {
	v := t.read()
	pairs, _ := v.match()
	m := make(map[uint16]uint16, len(pairs))
	for _, c := range pairs {
		m[v.truths[c.truth]] = v.preds[c.pred]
	}
	return m
}

// match returns the pairs of the one-to-one matching of objects and predictions with the greatest
// sum of IoU, and that sum.
func (v *view) match() (pairs []cell, sum float64) {
	first := v.firstObject()
	column := make([]int, len(v.preds)) // of a prediction that meets an object, from 1
	cols := 0
	for _, c := range v.cells {
		if c.truth >= first && column[c.pred] == 0 {
			cols++
			column[c.pred] = cols
		}
	}
	rows := len(v.truths) - first
	gain := make([]float64, rows*cols)
	for _, c := range v.cells {
		if c.truth >= first {
			gain[(c.truth-first)*cols+column[c.pred]-1] = v.iou(c)
		}
	}
	given := assign(gain, rows, cols)
	for _, c := range v.cells {
		if c.truth >= first && given[c.truth-first] == column[c.pred]-1 {
			pairs = append(pairs, c)
			sum += v.iou(c)
		}
	}
	return pairs, sum
}

// VI returns the variation of information (Meilă 2003), H(G) + H(S) - 2 I(G;S), in bits. It is 0
// for labelings that are the same but for names, at most log2 N, symmetric, and a metric.
func (t *Table) VI() float64 {
	v := t.read()
	var sum float64
	for _, c := range v.cells { // H(G|S) + H(S|G), each term at least 0
		n := float64(c.n)
		sum += n * (math.Log2(float64(v.a[c.truth])/n) + math.Log2(float64(v.b[c.pred])/n))
	}
	return ratio(sum, float64(v.n))
}

// Covering returns the covering of the truth by the prediction (Arbeláez et al. 2011), the mean of
// the best IoU weighted by size, background included: 1/N Σ_i a_i max_j IoU(i, j). Range 0 to 1.
func (t *Table) Covering() float64 {
	v := t.read()
	iou, _ := v.best()
	var sum float64
	for i, u := range iou {
		sum += float64(v.a[i]) * u
	}
	return ratio(sum, float64(v.n))
}

// ASA returns the achievable segmentation accuracy (Liu et al. 2011), what remains right if every
// predicted label is given the name of the truth label that it covers most: 1/N Σ_j max_i n_ij.
// Range 0 to 1. It favours many small labels: a pixel each gives 1.
func (t *Table) ASA() float64 {
	v := t.read()
	_, n := v.majority()
	var sum int
	for _, k := range n {
		sum += k
	}
	return ratio(float64(sum), float64(v.n))
}

// UE returns the undersegmentation error of Neubert and Protzel (2012),
// 1/N Σ_ij min(n_ij, b_j - n_ij). Smaller is better. It lies between 1 - ASA and 2 (1 - ASA), and is
// 2 (1 - ASA) where no predicted label meets more than two of the truth.
func (t *Table) UE() float64 {
	v := t.read()
	var sum int
	for _, c := range v.cells {
		sum += min(c.n, v.b[c.pred]-c.n)
	}
	return ratio(float64(sum), float64(v.n))
}

// UELevinshtein returns the undersegmentation error of Levinshtein et al. (2009), the mean over all
// labels of the truth of (Σ_{j: n_ij>0} b_j - a_i) / a_i: the bleeding of the predictions that
// touch i, relative to the size of i. Smaller is better, from 0, without an upper bound. Over the
// frames of a video it is the 3-D undersegmentation error of LIBSVX.
func (t *Table) UELevinshtein() float64 {
	v := t.read()
	touching := make([]int, len(v.truths))
	for _, c := range v.cells {
		touching[c.truth] += v.b[c.pred]
	}
	var sum float64
	for i, n := range touching {
		sum += float64(n-v.a[i]) / float64(v.a[i])
	}
	return ratio(sum, float64(len(touching)))
}

// Accuracy3D returns the 3-D segmentation accuracy of LIBSVX (Xu and Corso 2012): the mean, over the
// labels of the truth but the background, of the fraction that lies in predictions of which at
// least half is in it, 1/a_i Σ_{j: 2 n_ij >= b_j} n_ij. Range 0 to 1. It means a volume after the
// frames of a video were added; of a single picture it is the 2-D accuracy.
func (t *Table) Accuracy3D() float64 {
	v := t.read()
	inside := make([]float64, len(v.truths))
	for _, c := range v.cells {
		if 2*c.n >= v.b[c.pred] {
			inside[c.truth] += float64(c.n) / float64(v.a[c.truth])
		}
	}
	return mean(inside[v.firstObject():])
}

// AQ returns the association quality of STQ (Weber et al. 2021): the mean, over the labels of the
// truth but the background, of 1/a_i Σ_j n_ij IoU(i, j). Over the frames of a video it says how
// much of an object keeps one id. Range 0 to 1.
func (t *Table) AQ() float64 {
	v := t.read()
	sums := make([]float64, len(v.truths))
	for _, c := range v.cells {
		sums[c.truth] += float64(c.n) * v.iou(c) / float64(v.a[c.truth])
	}
	return mean(sums[v.firstObject():])
}

// mean returns the mean of v, 0 if it is empty.
func mean(v []float64) float64 {
	var sum float64
	for _, x := range v {
		sum += x
	}
	return ratio(sum, float64(len(v)))
}
