package metrics

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNesting(t *testing.T) {
	lower := []uint16{1, 1, 2, 2, 3, 3}
	for _, c := range []struct {
		name  string
		upper []uint16
		want  float64
	}{
		{"the same", lower, 1},
		{"a tree", []uint16{7, 7, 7, 7, 8, 8}, 1},
		{"one above", []uint16{7, 7, 7, 7, 7, 7}, 1},
		{"one island cut", []uint16{7, 7, 7, 8, 8, 8}, 5. / 6},
		{"finer above", []uint16{1, 2, 3, 4, 5, 6}, 0.5},
	} {
		approx(t, c.name, Nesting(lower, c.upper), c.want, 1e-15)
	}
	approx(t, "nothing", Nesting(nil, nil), 0, 0)
	rng := rand.New(rand.NewPCG(1, 1))
	a, b := random(rng, 500, 9), random(rng, 500, 3)
	var sum float64
	for l := range uint16(9) {
		var most float64
		for u := range uint16(3) {
			var n float64
			for i := range a {
				if a[i] == l && b[i] == u {
					n++
				}
			}
			most = max(most, n)
		}
		sum += most
	}
	approx(t, "Nesting", Nesting(a, b), sum/500, 1e-12)
}

func TestParents(t *testing.T) {
	// A dog (1) of head (1) and body (2), a man (2) of head (3) and body (4), and background.
	part := []uint16{1, 1, 2, 2, 0, 0, 3, 3, 4, 4}
	whole := []uint16{1, 1, 1, 1, 0, 0, 2, 2, 2, 2}
	good := []uint16{11, 11, 12, 12, 10, 10, 13, 13, 14, 14}
	for _, c := range []struct {
		name          string
		child, parent []uint16
		rate, f1      float64
	}{
		{"the truth", part, whole, 1, 1},
		{"other names", good, []uint16{51, 51, 51, 51, 50, 50, 52, 52, 52, 52}, 1, 1},
		// Each child lies above itself: its parent is in the right whole, but only one of two parts has
		// the island that is matched with the whole above it. 2·2 / (4 + 4).
		{"nothing grouped", good, good, 1, 0.5},
		// One island above everything: it is more dog than anything, as both are of one size and
		// the dog comes first. 2·2 / (4 + 4).
		{"everything grouped", good, make([]uint16, 10), 0.5, 0.5},
		// The man's head is given to the dog.
		{"one wrong", good, []uint16{51, 51, 51, 51, 50, 50, 51, 51, 52, 52}, 0.75, 0.75},
		// Every part in two: the rate does not mind, F1 counts half of the islands as wrong.
		// 2·4 / (8 + 4).
		{"children in pieces", []uint16{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, whole, 1, 2. / 3},
		// The children are wholes already, each matched with one of two parts. 2·2 / (2 + 4).
		{"no parts", []uint16{1, 1, 1, 1, 0, 0, 2, 2, 2, 2}, whole, 1, 2. / 3},
		{"background in pieces", []uint16{11, 11, 12, 12, 8, 9, 13, 13, 14, 14}, whole, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p Parents
			approx(t, "Rate of nothing", p.Rate(), 0, 0)
			approx(t, "F1 of nothing", p.F1(), 0, 0)
			for range 3 { // the same frame changes neither
				p.Add(c.child, c.parent, part, whole)
				approx(t, "Rate", p.Rate(), c.rate, 1e-15)
				approx(t, "F1", p.F1(), c.f1, 1e-15)
			}
		})
	}
}

// An island holds two parts of a man and a larger one of a dog, but more of the man: its parent, the same
// island, is the man's. A parent that is mostly dog is not.
func TestParentsOfMixedChild(t *testing.T) {
	part := []uint16{1, 1, 1, 2, 2, 3, 3, 4}
	whole := []uint16{1, 1, 1, 2, 2, 2, 2, 1}
	mixed := []uint16{1, 1, 1, 1, 1, 1, 1, 2}
	var same, other Parents
	same.Add(mixed, []uint16{5, 5, 5, 5, 5, 5, 5, 6}, part, whole)
	approx(t, "the same island above", same.Rate(), 1, 0)
	other.Add(mixed, []uint16{5, 5, 5, 5, 5, 5, 6, 5}, part, whole) // 4 of dog, 3 of man
	approx(t, "more dog above", other.Rate(), 0.5, 0)
}

// Islands that are mostly background are not asked: 1 by the part that has most of it, 2 by the
// whole, as parts of what has no whole add up.
func TestParentsOfBackground(t *testing.T) {
	part := []uint16{0, 0, 0, 1, 2, 2, 2, 3, 3, 4, 4}
	whole := []uint16{1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0}
	var p Parents
	p.Add([]uint16{1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2}, slices.Repeat([]uint16{9}, len(part)), part, whole)
	if p.Pairs() != 0 {
		t.Errorf("Pairs = %d, want 0", p.Pairs())
	}
}

// Ids that change between frames cost F1, which is over volumes, and not the rate.
func TestParentsOverTime(t *testing.T) {
	part, whole := []uint16{1, 1, 2, 2}, []uint16{1, 1, 1, 1}
	var p Parents
	p.Add([]uint16{1, 1, 2, 2}, []uint16{1, 1, 1, 1}, part, whole)
	p.Add([]uint16{3, 3, 4, 4}, []uint16{1, 1, 1, 1}, part, whole)
	approx(t, "Rate", p.Rate(), 1, 0)
	approx(t, "F1", p.F1(), 2.*2/(4+2), 1e-15)
	if p.Pairs() != 4 {
		t.Errorf("Pairs = %d, want 4", p.Pairs())
	}
}

// An island that is matched with nothing, under one that is matched with nothing, is wrong.
func TestParentsUnmatched(t *testing.T) {
	part := []uint16{1, 1, 1, 2, 2, 2, 0}
	whole := []uint16{1, 1, 1, 1, 1, 1, 0}
	var p Parents
	p.Add([]uint16{11, 11, 12, 13, 13, 13, 10}, []uint16{51, 51, 52, 53, 53, 53, 50}, part, whole)
	approx(t, "F1", p.F1(), 2.*1/(3+2), 1e-15) // 13 under 53 alone is right
}

// Pixels without a part may have a whole.
func TestParentsIgnoredPart(t *testing.T) {
	part, whole := []uint16{1, 1, Ignore}, []uint16{1, 1, 1}
	var p Parents
	p.Add([]uint16{1, 1, 2}, []uint16{1, 1, 1}, part, whole)
	approx(t, "Rate", p.Rate(), 1, 0)
	approx(t, "F1", p.F1(), 1, 0)
	if p.Pairs() != 1 {
		t.Errorf("Pairs = %d, want 1", p.Pairs())
	}
}

// Where the truth says nothing, or names no whole, there is nothing to get wrong.
func TestParentsWithoutTruth(t *testing.T) {
	part := []uint16{1, 1, 2, 2, Ignore, Ignore, 3, 3}
	whole := []uint16{1, 1, 1, 1, Ignore, Ignore, 0, 0}
	var p Parents
	p.Add([]uint16{1, 1, 2, 2, 3, 3, 4, 4}, []uint16{1, 1, 1, 1, 2, 2, 3, 3}, part, whole)
	approx(t, "Rate", p.Rate(), 1, 0)
	approx(t, "F1", p.F1(), 1, 0)
	if p.Pairs() != 2 {
		t.Errorf("Pairs = %d, want 2", p.Pairs())
	}
}
