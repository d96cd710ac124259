package islands

import (
	"math"

	"glomstream/glom"
)

// regions merges the locations of a grid into regions, each judged by its mean vector. A region
// is named by its root, one of its locations.
//
// The mean, not the border, decides: across a soft border each step is small, so that linking
// neighbour to neighbour (single linkage) would run from one island into the next.
type regions struct {
	n, cols, dim int
	above        []uint16  // (N) regions lie in one of these ids each; nil: wherever
	parent       []int32   // (N) union-find forest; a root is its own parent
	area         []int32   // (N) locations of the region, at its root
	sum          []float32 // (N, D) sum of its vectors, at its root
	inv          []float32 // (N) 1/|sum|, 0 for a zero sum
	offered      []int32   // (N) area at which the region's candidates were last computed
	stamp        []uint32  // (N) how often that was; candidates of before are void

	head, tail []int32 // (N) first and last entry of the list of neighbours, -1 for none
	next       []int32 // (entries) the entry that follows, -1 for none
	near       []int32 // (entries) a location in the neighbouring region
	mark       []int32 // (N) last pass that met the region
	pass       int32
	solid      []bool  // (N) whether the region is somewhere two locations wide both ways, at its root
	grown      []int32 // (N) area of the region when that was found out
	heap       []candidate
}

// candidate is a pair of neighbouring regions, a < b.
type candidate struct {
	cos   float32
	a, b  int32
	stamp uint32 // sum of the stamps of both; stamps only grow, so it tells whether either changed
}

// before orders candidates: the most similar first, then in scan order.
func (c candidate) before(d candidate) bool {
	if c.cos != d.cos {
		return c.cos > d.cos
	}
	if c.a != d.a {
		return c.a < d.a
	}
	return c.b < d.b
}

// reset makes every location of x (N, D) a region, which can grow within its id of above (N), if that
// is not nil.
func (g *regions) reset(x []float32, above []uint16, rows, cols, dim int) {
	n := rows * cols
	g.n, g.cols, g.dim, g.above = n, cols, dim, above
	g.parent, g.area = resize(g.parent, n), resize(g.area, n)
	g.sum, g.inv = resize(g.sum, n*dim), resize(g.inv, n)
	g.offered, g.stamp, g.mark = resize(g.offered, n), resize(g.stamp, n), resize(g.mark, n)
	g.solid, g.grown = resize(g.solid, n), resize(g.grown, n)
	g.head, g.tail = resize(g.head, n), resize(g.tail, n)
	g.next, g.near = resize(g.next, 4*n)[:0], resize(g.near, 4*n)[:0]
	g.heap = g.heap[:0]
	copy(g.sum, x)
	clear(g.stamp)
	clear(g.mark)
	g.pass = 0
	for i := range n {
		g.parent[i], g.area[i] = int32(i), 1
		g.head[i], g.tail[i] = -1, -1
		g.measure(int32(i))
	}
}

func (g *regions) vector(a int32) []float32 { return g.sum[int(a)*g.dim:][:g.dim] }

// measure updates the length of the sum of region a.
func (g *regions) measure(a int32) {
	v := g.vector(a)
	g.inv[a] = 0
	if d := glom.Dot(v, v); d > 1e-12 {
		g.inv[a] = float32(1 / math.Sqrt(float64(d)))
	}
}

// cos returns the cosine between the means of two regions. Regions without a direction are
// alike, and like no other.
func (g *regions) cos(a, b int32) float32 {
	s := g.inv[a] * g.inv[b]
	if s == 0 {
		if g.inv[a] == g.inv[b] {
			return 1
		}
		return 0
	}
	return s * glom.Dot(g.vector(a), g.vector(b))
}

func (g *regions) find(i int32) int32 {
	for g.parent[i] != i {
		g.parent[i] = g.parent[g.parent[i]]
		i = g.parent[i]
	}
	return i
}

// union makes region b a part of region a.
func (g *regions) union(a, b int32) {
	g.parent[b] = a
	g.area[a] += g.area[b]
	add(g.vector(a), g.vector(b))
	g.measure(a)
	switch {
	case g.head[a] < 0:
		g.head[a], g.tail[a] = g.head[b], g.tail[b]
	case g.head[b] >= 0:
		g.next[g.tail[a]] = g.head[b]
		g.tail[a] = g.tail[b]
	}
}

// larger returns a and b, the one of more locations first, the first in scan order if equal.
func (g *regions) larger(a, b int32) (int32, int32) {
	if g.area[b] > g.area[a] || g.area[b] == g.area[a] && b < a {
		return b, a
	}
	return a, b
}

// growPlateaus joins neighbours whose regions have a cosine over level, in scan order.
func (g *regions) growPlateaus(level float32) {
	for i := range int32(g.n) {
		a := i
		if int(i)%g.cols > 0 {
			if b := g.find(i - 1); g.within(i, i-1) && g.cos(a, b) > level {
				g.union(b, a)
				a = b
			}
		}
		if up := int(i) - g.cols; up >= 0 {
			if b := g.find(int32(up)); b != a && g.within(i, int32(up)) && g.cos(a, b) > level {
				g.union(g.larger(a, b))
			}
		}
	}
}

// within tells whether two locations have the same id above.
func (g *regions) within(i, j int32) bool { return g.above == nil || g.above[i] == g.above[j] }

// connect lists the neighbours of each region: those within the same id above, or those across.
func (g *regions) connect(within bool) {
	for i := range int32(g.n) {
		a := g.find(i)
		if right := i + 1; int(right)%g.cols > 0 && g.within(i, right) == within {
			g.border(a, g.find(right))
		}
		if down := int(i) + g.cols; down < g.n && g.within(i, int32(down)) == within {
			g.border(a, g.find(int32(down)))
		}
	}
}

func (g *regions) border(a, b int32) {
	if a != b {
		g.list(a, b)
		g.list(b, a)
	}
}

// list appends b to the neighbours of a.
func (g *regions) list(a, b int32) {
	e := int32(len(g.next))
	g.next, g.near = append(g.next, -1), append(g.near, b)
	if g.head[a] < 0 {
		g.head[a] = e
	} else {
		g.next[g.tail[a]] = e
	}
	g.tail[a] = e
}

// neighbours calls f with the root of each neighbour of region a, once each, and drops the
// entries that repeat one or have become part of a.
func (g *regions) neighbours(a int32, f func(b int32)) {
	g.pass++
	g.mark[a] = g.pass
	last := int32(-1)
	for e := g.head[a]; e >= 0; e = g.next[e] {
		b := g.find(g.near[e])
		if g.mark[b] == g.pass {
			continue
		}
		g.mark[b] = g.pass
		g.near[e] = b
		if last < 0 {
			g.head[a] = e
		} else {
			g.next[last] = e
		}
		last = e
		f(b)
	}
	g.tail[a] = last
	if last < 0 {
		g.head[a] = -1
	} else {
		g.next[last] = -1
	}
}

// link merges the most similar pair of neighbours, again and again, while its cosine is over limit.
//
// A region computes the candidates with all its neighbours only when it has grown by a quarter,
// so that the work stays within N log N dot products; those of before are checked when their
// turn comes.
func (g *regions) link(limit float32) {
	for i := range int32(g.n) {
		if g.parent[i] == i {
			g.offerAll(i, i, limit)
		}
	}
	for len(g.heap) > 0 {
		c := g.pop()
		if g.parent[c.a] != c.a || g.parent[c.b] != c.b || g.stamp[c.a]+g.stamp[c.b] != c.stamp {
			continue
		}
		if g.cos(c.a, c.b) < c.cos { // they have grown apart
			g.offer(c.a, c.b, limit)
			continue
		}
		a, b := g.larger(c.a, c.b)
		if g.area[a]+g.area[b] > g.offered[a]*5/4 {
			g.union(a, b)
			g.stamp[a]++
			g.offerAll(a, -1, limit)
			continue
		}
		g.neighbours(b, func(int32) {})
		g.union(a, b)
		for e := g.head[b]; e >= 0; e = g.next[e] { // what was b's list is the end of a's
			g.offer(a, g.near[e], limit)
		}
	}
}

// offerAll offers region a with each of its neighbours after the location given.
func (g *regions) offerAll(a, after int32, limit float32) {
	g.offered[a] = g.area[a]
	g.neighbours(a, func(b int32) {
		if b > after {
			g.offer(a, b, limit)
		}
	})
}

// offer makes the pair a candidate if its cosine is over limit.
func (g *regions) offer(a, b int32, limit float32) {
	if a == b {
		return
	}
	if c := g.cos(a, b); c > limit {
		a, b = min(a, b), max(a, b)
		g.push(candidate{c, a, b, g.stamp[a] + g.stamp[b]})
	}
}

// absorb gives regions smaller than area to the most similar neighbour, the smallest first.
func (g *regions) absorb(area int32) {
	for size := int32(1); size < area; size++ {
		for i := range int32(g.n) {
			if g.parent[i] == i && g.area[i] == size {
				g.yield(i)
			}
		}
	}
}

// absorbRims gives regions that are nowhere two locations wide both ways to the most similar
// neighbour, in scan order, until there is none: they are the rims that the mixed locations along
// a border make, which are like neither side. In a grid of one row or column all is as it was.
func (g *regions) absorbRims() {
	if g.cols < 2 || g.n < 2*g.cols {
		return
	}
	for found := true; found; {
		found = false
		g.markSolid()
		for i := range int32(g.n) {
			// One that has grown since may have become solid: the next round tells.
			if g.parent[i] == i && !g.solid[i] && g.grown[i] == g.area[i] {
				found = g.yield(i) || found
			}
		}
	}
}

// markSolid marks the roots of the regions that hold a square of 2x2 locations, and notes the area
// of all.
func (g *regions) markSolid() {
	clear(g.solid)
	for i := range int32(g.n) {
		g.grown[i] = g.area[i]
		right, down := i+1, i+int32(g.cols)
		if int(right)%g.cols == 0 || int(down) >= g.n {
			continue
		}
		if a := g.find(i); g.find(right) == a && g.find(down) == a && g.find(down+1) == a {
			g.solid[a] = true
		}
	}
}

// yield makes region a a part of the most similar neighbour, if it has one.
func (g *regions) yield(a int32) bool {
	best, top := int32(-1), float32(math.Inf(-1))
	g.neighbours(a, func(b int32) {
		if c := g.cos(a, b); c > top || c == top && b < best {
			best, top = b, c
		}
	})
	if best < 0 {
		return false
	}
	g.union(best, a)
	return true
}

func (g *regions) push(c candidate) {
	h := append(g.heap, c)
	i := len(h) - 1
	for i > 0 && c.before(h[(i-1)/2]) {
		h[i] = h[(i-1)/2]
		i = (i - 1) / 2
	}
	h[i] = c
	g.heap = h
}

func (g *regions) pop() candidate {
	h := g.heap
	top, c := h[0], h[len(h)-1]
	h = h[:len(h)-1]
	i := 0
	for {
		k := 2*i + 1
		if k >= len(h) {
			break
		}
		if k+1 < len(h) && h[k+1].before(h[k]) {
			k++
		}
		if !h[k].before(c) {
			break
		}
		h[i] = h[k]
		i = k
	}
	if len(h) > 0 {
		h[i] = c
	}
	g.heap = h
	return top
}
