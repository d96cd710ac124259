package metrics

import (
	"math"
)

// Boundary measures how well boundaries agree. It keeps scratch memory between frames; the zero
// value works.
type Boundary struct {
	truth, pred []bool   // (h, w) boundary pixels
	dist        []uint16 // (h, w) distance in the column to the next boundary pixel, capped
	reach       []uint16 // by horizontal distance: how far a boundary pixel may be above or below
}

// F returns the contour accuracy of DAVIS (Perazzi et al. 2016). A mask's boundary pixels are those
// that differ from their right, lower or lower right neighbour. Precision is the fraction of the
// prediction's boundary that has a boundary pixel of the truth within a disk of radius
// ceil(0.008·√(w²+h²)), recall the converse, and F = 2PR/(P+R). Range 0 to 1. No boundary in either
// mask gives 1, in only one of them 0. A mask that fills the picture has no boundary. To leave pixels
// out, clear them in both masks.
func (b *Boundary) F(truth, pred []bool, w, h int) float64 {
	if len(truth) != w*h || len(pred) != w*h {
		panic("metrics: F: shapes do not fit")
	}
	b.resize(w * h)
	markMask(b.truth, truth, w, h)
	markMask(b.pred, pred, w, h)
	b.disk(int(math.Ceil(0.008 * diagonal(w, h))))
	hitPred, nPred := b.near(b.pred, b.truth, w, h)
	hitTruth, nTruth := b.near(b.truth, b.pred, w, h)
	switch {
	case nPred == 0 && nTruth == 0:
		return 1
	case nPred == 0 || nTruth == 0: // one of precision and recall is 1, the other 0
		return 0
	}
	precision, recall := float64(hitPred)/float64(nPred), float64(hitTruth)/float64(nTruth)
	return ratio(2*precision*recall, precision+recall)
}

// Recall returns the boundary recall of superpixels as in the benchmark of Stutz et al. (2018): the
// fraction of the truth's boundary pixels that have a predicted boundary pixel in the square of
// radius round(0.0025·√(w²+h²)) around them. Boundary pixels are those that differ from one of
// their four neighbours. Range 0 to 1; 0 if the truth has no boundary. Boundaries with [Ignore] are
// none. It favours many small labels.
func (b *Boundary) Recall(truth, pred []uint16, w, h int) float64 {
	if len(truth) != w*h || len(pred) != w*h {
		panic("metrics: BoundaryRecall: shapes do not fit")
	}
	b.resize(w * h)
	markLabels(b.truth, truth, w, h, true)
	markLabels(b.pred, pred, w, h, false)
	b.square(int(math.Round(0.0025 * diagonal(w, h))))
	hit, n := b.near(b.truth, b.pred, w, h)
	return ratio(float64(hit), float64(n))
}

// F is [Boundary.F] for a single frame.
func F(truth, pred []bool, w, h int) float64 {
	var b Boundary
	return b.F(truth, pred, w, h)
}

// BoundaryRecall is [Boundary.Recall] for a single frame.
func BoundaryRecall(truth, pred []uint16, w, h int) float64 {
	var b Boundary
	return b.Recall(truth, pred, w, h)
}

func diagonal(w, h int) float64 { return math.Sqrt(float64(w*w + h*h)) }

func (b *Boundary) resize(n int) {
	if cap(b.dist) < n {
		b.truth, b.pred, b.dist = make([]bool, n), make([]bool, n), make([]uint16, n)
	}
	b.truth, b.pred, b.dist = b.truth[:n], b.pred[:n], b.dist[:n]
}

// disk makes near look in a disk of radius r.
func (b *Boundary) disk(r int) {
	b.reach = b.reach[:0]
	for dx := range r + 1 {
		b.reach = append(b.reach, uint16(math.Sqrt(float64(r*r-dx*dx))))
	}
}

// square makes near look in a square of radius r.
func (b *Boundary) square(r int) {
	b.reach = b.reach[:0]
	for range r + 1 {
		b.reach = append(b.reach, uint16(r))
	}
}

// near counts the pixels of from, and those among them with a pixel of to within reach. Distances
// are computed for all pixels within columns, and across columns only where from asks.
func (b *Boundary) near(from, to []bool, w, h int) (hit, n int) {
	b.columns(to, w, h)
	r := len(b.reach) - 1
	for y := range h {
		row, dist := from[y*w:(y+1)*w], b.dist[y*w:(y+1)*w]
		for x, is := range row {
			if !is {
				continue
			}
			n++
			for c := max(0, x-r); c <= min(w-1, x+r); c++ {
				if dist[c] <= b.reach[max(c-x, x-c)] {
					hit++
					break
				}
			}
		}
	}
	return hit, n
}

// columns sets b.dist to the vertical distance to the next pixel of marks, at most one more than
// the radius.
func (b *Boundary) columns(marks []bool, w, h int) {
	if h == 0 {
		return
	}
	far := uint16(len(b.reach))
	above := b.dist[:w]
	for x, m := range marks[:w] {
		above[x] = far
		if m {
			above[x] = 0
		}
	}
	for y := 1; y < h; y++ {
		row := b.dist[y*w : (y+1)*w]
		for x, m := range marks[y*w : (y+1)*w] {
			row[x] = min(above[x]+1, far)
			if m {
				row[x] = 0
			}
		}
		above = row
	}
	for y := h - 2; y >= 0; y-- {
		row, below := b.dist[y*w:(y+1)*w], b.dist[(y+1)*w:(y+2)*w]
		for x, d := range below {
			row[x] = min(row[x], d+1)
		}
	}
}

// markMask marks the pixels of mask that differ from their right, lower or lower right neighbour.
// The last row looks only to the right, the last column only down.
func markMask(dst, mask []bool, w, h int) {
	if w == 0 {
		return
	}
	for y := range h {
		row, out := mask[y*w:(y+1)*w], dst[y*w:(y+1)*w]
		below := row
		if y < h-1 {
			below = mask[(y+1)*w : (y+2)*w]
		}
		for x := range w - 1 {
			m := row[x]
			corner := m
			if y < h-1 {
				corner = below[x+1]
			}
			out[x] = m != row[x+1] || m != below[x] || m != corner
		}
		out[w-1] = row[w-1] != below[w-1]
	}
}

// markLabels marks the pixels whose label differs from one of their four neighbours. With ignore,
// borders of Ignore are not marked.
func markLabels(dst []bool, labels []uint16, w, h int, ignore bool) {
	clear(dst)
	for y := range h {
		for i := y * w; i < (y+1)*w; i++ {
			if i+1 < (y+1)*w && differ(labels[i], labels[i+1], ignore) {
				dst[i], dst[i+1] = true, true
			}
			if y < h-1 && differ(labels[i], labels[i+w], ignore) {
				dst[i], dst[i+w] = true, true
			}
		}
	}
}

func differ(a, b uint16, ignore bool) bool {
	return a != b && (!ignore || (a != Ignore && b != Ignore))
}
