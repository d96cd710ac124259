package baseline

import (
	"math"
	"slices"

	"glomstream/capture"
)

// superpixels is how many superpixels a picture is cut into before they are merged.
const superpixels = 600

// flowWeight is how many steps of Lab colour one pixel of motion in a picture of 320 pixels
// counts for.
const flowWeight = 5

// merged is a Segmenter that merges superpixels.
type merged struct {
	divide func(dst []uint16, f *capture.Frame, size int) (int, error)
	view   view
	graph  graph
	names  names
}

// Segment merges the two neighbouring regions whose union has the least more variance of colour
// and motion (Ward's rule), again and again until count are left.
func (m *merged) Segment(dst []uint16, f *capture.Frame, ev *capture.Evidence, count int) error {
	if err := checkSegment(dst, f, count); err != nil {
		return err
	}
	if err := m.view.look(f, ev); err != nil {
		return err
	}
	n, err := m.divide(dst, f, superpixelSize(f.W, f.H, max(superpixels, 3*count)))
	if err != nil {
		return err
	}
	m.graph.build(dst, n, &m.view)
	n = m.graph.merge(dst, count)
	m.names.keep(dst, n, &m.view)
	return nil
}

func (m *merged) Reset() { m.names.reset() }

func (m *merged) Close() error { return nil }

// superpixelSize is the side of about n superpixels, within what package opencv takes.
func superpixelSize(w, h, n int) int {
	size := int(math.Sqrt(float64(w) * float64(h) / float64(n)))
	return max(4, min(size, min(w, h)/4))
}

// features is what regions are compared by: L, a, b and the motion dx, dy.
type features [5]float32

// graph is the regions of a picture and which of them touch.
type graph struct {
	sum   []features // (regions) of the means, weighted by area, until build is done; then means
	area  []float32  // (regions) in pixels; 0 for one that was merged away
	into  []int32    // (regions) what a region was merged into, itself at first
	edges []edge
	keys  []uint32
	name  []uint16 // (regions)
}

// edge joins two neighbours. cost is what their union adds to the sum of squared differences
// from the means of the regions.
type edge struct {
	a, b int32 // a < b
	cost float32
}

// build makes the graph of n regions that labels numbers from 1.
func (g *graph) build(labels []uint16, n int, v *view) {
	g.sum, g.area, g.into = resize(g.sum, n), resize(g.area, n), resize(g.into, n)
	clear(g.sum)
	clear(g.area)
	g.measure(labels, v)
	for k := range g.sum {
		for i := range g.sum[k] {
			g.sum[k][i] /= g.area[k]
		}
		g.into[k] = int32(k)
	}
	g.connect(labels, v.w)
}

// measure adds up the features of each region.
func (g *graph) measure(labels []uint16, v *view) {
	scale := float32(flowWeight) * 320 / float32(max(v.w, v.h))
	for i, l := range labels {
		s, p := &g.sum[l-1], v.lab[3*i:][:3]
		s[0] += float32(p[0]) * (100. / 255)
		s[1] += float32(p[1]) - 128
		s[2] += float32(p[2]) - 128
		if v.flow != nil {
			s[3] += v.flow[2*i] * scale
			s[4] += v.flow[2*i+1] * scale
		}
		g.area[l-1]++
	}
}

// connect lists each pair of regions that share a border once.
func (g *graph) connect(labels []uint16, w int) {
	g.keys = g.keys[:0]
	add := func(a, b uint16) {
		if a != b { // twice or more, which Compact mends
			g.keys = append(g.keys, uint32(min(a, b)-1)<<16|uint32(max(a, b)-1))
		}
	}
	for i, l := range labels {
		if (i+1)%w != 0 {
			add(l, labels[i+1])
		}
		if i+w < len(labels) {
			add(l, labels[i+w])
		}
	}
	slices.Sort(g.keys)
	g.edges = g.edges[:0]
	for _, k := range slices.Compact(g.keys) {
		e := edge{a: int32(k >> 16), b: int32(k & 0xffff)}
		e.cost = g.cost(e.a, e.b)
		g.edges = append(g.edges, e)
	}
}

func (g *graph) cost(a, b int32) float32 {
	var d float32
	p, q := &g.sum[a], &g.sum[b]
	for i := range p {
		d += (p[i] - q[i]) * (p[i] - q[i])
	}
	return d * g.area[a] * g.area[b] / (g.area[a] + g.area[b])
}

// merge joins neighbours until count regions are left, or until none have neighbours, and numbers
// the labels anew from 1 in the order of a scan. It returns how many there are.
//
// A pass over all edges for each merge is quadratic, but takes 1 ms for a thousand superpixels.
func (g *graph) merge(labels []uint16, count int) int {
	for left := len(g.area); left > count && len(g.edges) > 0; left-- {
		best := g.edges[0]
		for _, e := range g.edges[1:] {
			if e.cost < best.cost {
				best = e
			}
		}
		g.join(best.a, best.b)
	}
	g.name = resize(g.name, len(g.into))
	clear(g.name)
	n := 0
	for i, l := range labels {
		k := int32(l - 1)
		for g.into[k] != k {
			k = g.into[k]
		}
		if g.name[k] == 0 {
			n++
			g.name[k] = uint16(n)
		}
		labels[i] = g.name[k]
	}
	return n
}

// join merges region b into a. An edge from b may become a second one between the same regions,
// which does no harm.
func (g *graph) join(a, b int32) {
	p, q := &g.sum[a], &g.sum[b]
	whole := g.area[a] + g.area[b]
	for i := range p {
		p[i] = (p[i]*g.area[a] + q[i]*g.area[b]) / whole
	}
	g.area[a], g.area[b], g.into[b] = whole, 0, a
	kept := g.edges[:0]
	for _, e := range g.edges {
		if e.a == b {
			e.a = a
		}
		if e.b == b {
			e.b = a
		}
		if e.a == e.b {
			continue
		}
		if e.a == a || e.b == a {
			e.cost = g.cost(e.a, e.b)
		}
		kept = append(kept, e)
	}
	g.edges = kept
}
