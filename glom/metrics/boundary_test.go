package metrics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// blob returns a mask of a few discs and rectangles, which may reach over the border.
func blob(rng *rand.Rand, w, h int) []bool {
	mask := make([]bool, w*h)
	for range rng.IntN(4) {
		cx, cy, r, round := rng.IntN(w), rng.IntN(h), 1+rng.IntN(w/3+1), rng.IntN(2) == 0
		for i := range mask {
			dx, dy := i%w-cx, i/w-cy
			if (round && dx*dx+dy*dy <= r*r) || (!round && max(dx, -dx) <= r && max(dy, -dy) <= r/2) {
				mask[i] = true
			}
		}
	}
	return mask
}

// shifted moves a mask and adds some noise.
func shifted(rng *rand.Rand, mask []bool, w, h int) []bool {
	out := make([]bool, w*h)
	dx, dy := rng.IntN(7)-3, rng.IntN(7)-3
	for i := range out {
		x, y := i%w-dx, i/w-dy
		out[i] = x >= 0 && x < w && y >= 0 && y < h && mask[y*w+x]
		if rng.IntN(400) == 0 {
			out[i] = !out[i]
		}
	}
	return out
}

func TestFAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var b Boundary
	var between int
	for range 150 {
		w, h := 1+rng.IntN(60), 1+rng.IntN(60)
		if rng.IntN(8) == 0 {
			w = 200 // radius 2
		}
		truth := blob(rng, w, h)
		pred := shifted(rng, truth, w, h)
		got, want := b.F(truth, pred, w, h), slowF(truth, pred, w, h)
		approx(t, "F", got, want, 1e-12)
		if got != F(truth, pred, w, h) {
			t.Errorf("F depends on the frames before")
		}
		if got > 0 && got < 1 {
			between++
		}
	}
	if between < 50 {
		t.Errorf("only %d of 150 pairs of masks are of interest", between)
	}
}

// slowF is the definition, with the distances between all pairs of boundary pixels.
func slowF(truth, pred []bool, w, h int) float64 {
	points := func(m []bool) (p [][2]int) {
		at := func(x, y int) bool { return x < w && y < h && m[y*w+x] }
		for y := range h {
			for x := range w {
				v := at(x, y)
				e, s, se := v != at(x+1, y), v != at(x, y+1), v != at(x+1, y+1)
				switch {
				case x == w-1 && y == h-1:
					continue
				case y == h-1:
					s, se = false, false
				case x == w-1:
					e, se = false, false
				}
				if e || s || se {
					p = append(p, [2]int{x, y})
				}
			}
		}
		return p
	}
	radius := math.Ceil(0.008 * math.Sqrt(float64(w*w+h*h)))
	fraction := func(p, q [][2]int) float64 {
		var hit float64
		for _, a := range p {
			for _, b := range q {
				if math.Hypot(float64(a[0]-b[0]), float64(a[1]-b[1])) <= radius {
					hit++
					break
				}
			}
		}
		return hit / float64(len(p))
	}
	g, s := points(truth), points(pred)
	var precision, recall float64
	switch {
	case len(s) == 0 && len(g) > 0:
		precision, recall = 1, 0
	case len(s) > 0 && len(g) == 0:
		precision, recall = 0, 1
	case len(s) == 0 && len(g) == 0:
		precision, recall = 1, 1
	default:
		precision, recall = fraction(s, g), fraction(g, s)
	}
	if precision+recall == 0 {
		return 0
	}
	return 2 * precision * recall / (precision + recall)
}

// bar returns a mask that is set in columns from to to-1.
func bar(w, h, from, to int) []bool {
	m := make([]bool, w*h)
	for i := range m {
		m[i] = i%w >= from && i%w < to
	}
	return m
}

func TestFSpecialCases(t *testing.T) {
	const w, h = 854, 480 // radius 8
	empty, full := bar(w, h, 0, 0), bar(w, h, 0, w)
	wide := bar(w, h, 100, 300)
	for _, c := range []struct {
		name        string
		truth, pred []bool
		want        float64
	}{
		{"both empty", empty, empty, 1},
		{"identical", wide, wide, 1},
		{"no prediction", wide, empty, 0},
		{"no truth", empty, wide, 0},
		{"a full mask has no boundary", full, empty, 1},
		{"moved by the radius", wide, bar(w, h, 108, 308), 1},
		{"moved by more", wide, bar(w, h, 109, 309), 0},
		{"one edge right", wide, bar(w, h, 100, 309), 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			approx(t, "F", F(c.truth, c.pred, w, h), c.want, 1e-12)
			approx(t, "F exchanged", F(c.pred, c.truth, w, h), c.want, 1e-12)
		})
	}
	for _, size := range [][2]int{{0, 0}, {0, 3}, {3, 0}, {1, 1}} {
		m := make([]bool, size[0]*size[1])
		approx(t, "F of a tiny picture", F(m, m, size[0], size[1]), 1, 0)
	}
}

// patches returns labels that are constant in rectangles.
func patches(rng *rand.Rand, w, h, n int) []uint16 {
	l := make([]uint16, w*h)
	for k := range n {
		x0, y0, x1, y1 := rng.IntN(w), rng.IntN(h), rng.IntN(w+1), rng.IntN(h+1)
		for y := y0; y < y1; y++ {
			for x := x0; x < x1; x++ {
				l[y*w+x] = uint16(k)
				if k == n-1 {
					l[y*w+x] = Ignore
				}
			}
		}
	}
	return l
}

func TestBoundaryRecallAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	var b Boundary
	var between int
	for range 100 {
		w, h := 1+rng.IntN(30), 1+rng.IntN(30)
		if rng.IntN(3) == 0 {
			w = 250 + rng.IntN(500) // radius 1 to 2
			h = 1 + rng.IntN(10)
		}
		truth, pred := patches(rng, w, h, 6), patches(rng, w, h, 9)
		r := int(math.Round(0.0025 * math.Sqrt(float64(w*w+h*h))))
		got := b.Recall(truth, pred, w, h)
		want := slowRecall([][]uint16{truth}, [][]uint16{pred}, w, h, r)
		approx(t, "Recall", got, want, 1e-12)
		if got != BoundaryRecall(truth, pred, w, h) {
			t.Errorf("Recall depends on the frames before")
		}
		if got > 0 && got < 1 {
			between++
		}
	}
	if between < 30 {
		t.Errorf("only %d of 100 pairs of labelings are of interest", between)
	}
}

func TestVideoBoundaryAgainstDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 40 {
		w, h, frames := 2+rng.IntN(20), 2+rng.IntN(20), 1+rng.IntN(5)
		v := VideoBoundary{Tolerance: rng.IntN(3)}
		var truths, preds [][]uint16
		for f := range frames {
			truth, pred := patches(rng, w, h, 5), patches(rng, w, h, 5)
			if f > 0 && rng.IntN(2) == 0 {
				truth = truths[f-1] // nothing moves
			}
			truths, preds = append(truths, truth), append(preds, pred)
			v.Add(truth, pred, w, h)
			approx(t, "Recall", v.Recall(), slowRecall(truths, preds, w, h, v.Tolerance), 1e-12)
		}
	}
}

// slowRecall looks at all neighbours of all pixels of all frames.
func slowRecall(truths, preds [][]uint16, w, h, r int) float64 {
	is := func(frames [][]uint16, f, x, y int, ignore bool) bool {
		own := frames[f][y*w+x]
		for _, d := range [][3]int{{0, 0, 1}, {0, 0, -1}, {0, 1, 0}, {0, -1, 0}, {1, 0, 0}, {-1, 0, 0}} {
			g, v, u := f+d[0], y+d[1], x+d[2]
			if g < 0 || g >= len(frames) || v < 0 || v >= h || u < 0 || u >= w {
				continue
			}
			other := frames[g][v*w+u]
			if own != other && !(ignore && (own == Ignore || other == Ignore)) {
				return true
			}
		}
		return false
	}
	var hit, n float64
	for f := range truths {
		for i := range w * h {
			x, y := i%w, i/w
			if !is(truths, f, x, y, true) {
				continue
			}
			n++
			found := 0.
			for v := max(0, y-r); v <= min(h-1, y+r); v++ {
				for u := max(0, x-r); u <= min(w-1, x+r); u++ {
					if is(preds, f, u, v, false) {
						found = 1
					}
				}
			}
			hit += found
		}
	}
	if n == 0 {
		return 0
	}
	return hit / n
}

// A change of the size must not compare frames across it.
func TestVideoBoundaryNewSize(t *testing.T) {
	var v VideoBoundary
	v.Add([]uint16{1, 1, 1, 1}, []uint16{1, 1, 1, 1}, 2, 2)
	v.Add([]uint16{2, 2, 2, 2}, []uint16{2, 2, 2, 2}, 4, 1)
	v.Add([]uint16{2, 2, 2, 3}, []uint16{2, 2, 2, 2}, 4, 1)
	// Of the truth, the last pixel of both frames and its neighbour in the last.
	if hit, n := v.count(); hit != 0 || n != 3 {
		t.Errorf("hit %d of %d, want 0 of 3", hit, n)
	}
}

func TestBoundaryDoesNotAllocate(t *testing.T) {
	const w, h = 64, 48
	rng := rand.New(rand.NewPCG(4, 4))
	a, c := bar(w, h, 3, 30), bar(w, h, 5, 31)
	p, q := patches(rng, w, h, 5), patches(rng, w, h, 5)
	var b Boundary
	var v VideoBoundary
	run := func() {
		b.F(a, c, w, h)
		b.Recall(p, q, w, h)
		v.Add(p, q, w, h)
	}
	if got := testing.AllocsPerRun(10, run); got != 0 {
		t.Errorf("%v allocations a frame", got)
	}
}
