package metrics

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sort"
)

// AffinityAUC returns the area under the ROC curve of the cosine as a predictor of "same label":
// the probability that a pair of locations with the same label has a greater cosine than a pair with
// different labels, where a tie counts half. x holds n vectors of unit length (n, dim). Of the given
// number of pairs, at least 2, half are drawn at random, with replacement, from all pairs of one kind
// and half from the other. Range 0 to 1; 0.5 is chance, and is returned if there is no pair of a
// kind. Locations with [Ignore] are left out.
func AffinityAUC(x []float32, labels []uint16, n, dim, pairs int, rng *rand.Rand) float64 {
	var a Affinity
	a.Add(x, labels, n, dim, pairs, rng)
	if a.frames == 0 {
		return 0.5
	}
	return a.sum
}

// Affinity is the mean of [AffinityAUC] over frames. The zero value works.
type Affinity struct {
	sum    float64
	frames int

	order  []int32 // locations, in order of their labels
	groups []group
	scores []score
}

// group is the part of the order with one label.
type group struct {
	first, size     int
	same, different int // ordered pairs in this and all groups before, that begin in them
}

type score struct {
	cosine float64
	same   bool
}

// Add takes a frame; see [AffinityAUC]. A frame without a pair of one kind does not count.
func (a *Affinity) Add(x []float32, labels []uint16, n, dim, pairs int, rng *rand.Rand) {
	if len(x) != n*dim || len(labels) != n {
		panic("metrics: Affinity.Add: shapes do not fit")
	}
	if pairs < 2 {
		panic("metrics: Affinity.Add: fewer than two pairs")
	}
	a.group(labels)
	if len(a.groups) == 0 {
		return
	}
	last := a.groups[len(a.groups)-1]
	if last.same == 0 || last.different == 0 {
		return
	}
	a.scores = a.scores[:0]
	for range pairs / 2 {
		a.score(x, dim, true, a.same, rng)
		a.score(x, dim, false, a.different, rng)
	}
	a.sum += a.auc()
	a.frames++
}

// Mean returns the mean over the frames that count, 0.5 if there are none.
func (a *Affinity) Mean() float64 {
	if a.frames == 0 {
		return 0.5
	}
	return a.sum / float64(a.frames)
}

// Frames returns the number of frames that count.
func (a *Affinity) Frames() int { return a.frames }

// group sorts the locations by label.
func (a *Affinity) group(labels []uint16) {
	a.order, a.groups = a.order[:0], a.groups[:0]
	for i, l := range labels {
		if l != Ignore {
			a.order = append(a.order, int32(i))
		}
	}
	slices.SortStableFunc(a.order, func(i, j int32) int { return cmp.Compare(labels[i], labels[j]) })
	n := len(a.order)
	var g group
	for i := range a.order {
		g.size++
		if i == n-1 || labels[a.order[i]] != labels[a.order[i+1]] {
			g.same += g.size * (g.size - 1)
			g.different += g.size * (n - g.size)
			a.groups = append(a.groups, g)
			g.first, g.size = i+1, 0
		}
	}
}

// same draws a pair of the same label, each with the same probability.
func (a *Affinity) same(rng *rand.Rand) (i, j int) {
	r := rng.IntN(a.groups[len(a.groups)-1].same)
	g := a.groups[sort.Search(len(a.groups), func(k int) bool { return a.groups[k].same > r })]
	i, j = rng.IntN(g.size), rng.IntN(g.size-1)
	if j >= i {
		j++
	}
	return g.first + i, g.first + j
}

// different draws a pair of different labels, each with the same probability.
func (a *Affinity) different(rng *rand.Rand) (i, j int) {
	r := rng.IntN(a.groups[len(a.groups)-1].different)
	g := a.groups[sort.Search(len(a.groups), func(k int) bool { return a.groups[k].different > r })]
	i, j = g.first+rng.IntN(g.size), rng.IntN(len(a.order)-g.size)
	if j >= g.first {
		j += g.size
	}
	return i, j
}

func (a *Affinity) score(x []float32, dim int, same bool, draw func(*rand.Rand) (i, j int), rng *rand.Rand) {
	i, j := draw(rng)
	p, q := int(a.order[i])*dim, int(a.order[j])*dim
	a.scores = append(a.scores, score{cosine: dot(x[p:p+dim], x[q:q+dim]), same: same})
}

// auc returns the probability that a score of the same kind is over one of the other, from the
// numbers of the latter below and at each value (Mann and Whitney 1947).
func (a *Affinity) auc() float64 {
	slices.SortFunc(a.scores, func(p, q score) int { return cmp.Compare(p.cosine, q.cosine) })
	var below, same, sum float64
	for i := 0; i < len(a.scores); {
		value := a.scores[i].cosine
		var equalSame, equalOther float64
		for ; i < len(a.scores) && cmp.Compare(a.scores[i].cosine, value) == 0; i++ {
			if a.scores[i].same {
				equalSame++
			} else {
				equalOther++
			}
		}
		sum += equalSame * (below + equalOther/2)
		below += equalOther
		same += equalSame
	}
	return sum / (same * below)
}

// dot returns the inner product of p and q.
func dot(p, q []float32) float64 {
	var sum float64
	for i, v := range p {
		sum += float64(v) * float64(q[i])
	}
	return sum
}
