package metrics

import (
	"slices"
)

// Ignore is the label of the truth's pixels that count nowhere.
const Ignore = 0xffff

// Table is a contingency table: n_ij, the number of pixels with label i in the truth and label j
// in the prediction. With it come a_i, the pixels of i, b_j, the pixels of j among those that
// count, and N, all pixels that count. The zero value is an empty table.
type Table struct {
	counts map[uint32]int // n_ij by i<<16 | j
	sorted view           // of counts, while fresh
	fresh  bool
}

// view is a table laid out for reading, in ascending order of labels, so that sums always run in
// the same order.
type view struct {
	truths, preds []uint16
	a, b          []int // pixels of truths and preds
	cells         []cell
	n             int
}

// cell is one n_ij > 0. Truth and pred are indices into the labels of the view.
type cell struct{ truth, pred, n int }

// Add counts the pixels of a frame. It panics if the lengths differ.
func (t *Table) Add(truth, pred []uint16) {
	if len(truth) != len(pred) {
		panic("metrics: Table.Add: lengths differ")
	}
	if t.counts == nil {
		t.counts = make(map[uint32]int)
	}
	t.fresh = false
	for i := 0; i < len(truth); { // one look-up per run of equal pairs
		start, g, s := i, truth[i], pred[i]
		for i++; i < len(truth) && truth[i] == g && pred[i] == s; i++ {
		}
		if g != Ignore {
			t.counts[uint32(g)<<16|uint32(s)] += i - start
		}
	}
}

// Merge adds the counts of u, as if the frames that were added to u had been added to t.
func (t *Table) Merge(u *Table) {
	if t.counts == nil {
		t.counts = make(map[uint32]int, len(u.counts))
	}
	t.fresh = false
	for key, n := range u.counts {
		t.counts[key] += n
	}
}

// Reset empties the table and keeps its memory.
func (t *Table) Reset() {
	clear(t.counts)
	t.fresh = false
}

// N returns the number of pixels that count.
func (t *Table) N() int { return t.read().n }

// Truths returns the labels of the truth in ascending order, the background included.
func (t *Table) Truths() []uint16 { return slices.Clone(t.read().truths) }

// Preds returns the labels of the prediction in ascending order.
func (t *Table) Preds() []uint16 { return slices.Clone(t.read().preds) }

// Objects returns the number of labels of the truth but the background. Samples without any are
// left out of means over samples.
func (t *Table) Objects() int {
	v := t.read()
	return len(v.truths) - v.firstObject()
}

// read lays the table out, if it changed since the last time.
func (t *Table) read() *view {
	v := &t.sorted
	if t.fresh {
		return v
	}
	t.fresh = true
	keys := make([]uint32, 0, len(t.counts))
	v.preds = v.preds[:0]
	for key := range t.counts {
		keys = append(keys, key)
		v.preds = append(v.preds, uint16(key))
	}
	slices.Sort(keys)
	slices.Sort(v.preds)
	v.preds = slices.Compact(v.preds)

	v.truths, v.a, v.cells, v.n = v.truths[:0], v.a[:0], v.cells[:0], 0
	v.b = append(v.b[:0], make([]int, len(v.preds))...)
	for _, key := range keys {
		g, s, n := uint16(key>>16), uint16(key), t.counts[key]
		if len(v.truths) == 0 || v.truths[len(v.truths)-1] != g {
			v.truths, v.a = append(v.truths, g), append(v.a, 0)
		}
		i := len(v.truths) - 1
		j, _ := slices.BinarySearch(v.preds, s)
		v.cells = append(v.cells, cell{truth: i, pred: j, n: n})
		v.a[i] += n
		v.b[j] += n
		v.n += n
	}
	return v
}

// firstObject returns the index of the first truth label that is not background.
func (v *view) firstObject() int {
	if len(v.truths) > 0 && v.truths[0] == 0 {
		return 1
	}
	return 0
}

// iou returns the intersection over union of the two labels of c.
func (v *view) iou(c cell) float64 {
	return float64(c.n) / float64(v.a[c.truth]+v.b[c.pred]-c.n)
}

// best returns, for each truth label, the greatest IoU with a predicted label, and that label's
// index. Of equals the first wins.
func (v *view) best() (iou []float64, pred []int) {
	iou, pred = make([]float64, len(v.truths)), make([]int, len(v.truths))
	for _, c := range v.cells {
		if u := v.iou(c); u > iou[c.truth] {
			iou[c.truth], pred[c.truth] = u, c.pred
		}
	}
	return iou, pred
}

// majority returns, for each predicted label, the index of the truth label that has most of its
// pixels, and how many. Of equals the first wins.
func (v *view) majority() (truth, n []int) {
	truth, n = make([]int, len(v.preds)), make([]int, len(v.preds))
	for _, c := range v.cells {
		if c.n > n[c.pred] {
			truth[c.pred], n[c.pred] = c.truth, c.n
		}
	}
	return truth, n
}

// ratio returns a/b, and 0 if b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}
