package follow

import (
	"math"
	"slices"

	"glomstream/glom"
)

const (
	regionLooks = 16   // vectors that a memory of a region holds
	restLooks   = 32   // the same of all the rest
	alike       = 0.98 // cosine above which two looks are one
)

// memory holds what a region looks like: some unit vectors, each for a piece of it.
type memory struct {
	dim int
	v   []float32 // (n, dim)
	met []float32 // (n, dim) sums, scratch
}

// newMemory picks up to size vectors of the locations that belong to the region for more than
// half, or as much as any, and lets them settle by k-means. It begins with the first location in
// scan order and goes on with the one that is least like those before.
func newMemory(x, share []float32, dim, size int) memory {
	m := memory{dim: dim}
	var top float32
	for _, s := range share {
		top = max(top, s)
	}
	var own []int
	for i, s := range share {
		if s > 0.5 || s > 0 && s == top {
			own = append(own, i)
		}
	}
	near := make([]float32, len(own)) // cosine to the most similar vector picked so far
	for k := range near {
		near[k] = -2
	}
	next := 0
	for len(m.v) < size*dim && next < len(own) {
		v := x[own[next]*dim:][:dim]
		m.v = append(m.v, v...)
		least := float32(alike)
		next = len(own)
		for k, i := range own {
			near[k] = max(near[k], glom.Dot(v, x[i*dim:][:dim]))
			if near[k] < least {
				least, next = near[k], k
			}
		}
	}
	const rounds = 3
	for range rounds {
		m.begin()
		for _, i := range own {
			v := x[i*dim:][:dim]
			_, k := m.nearest(v)
			m.meet(k, v)
		}
		m.learn(1)
	}
	return m
}

func (m *memory) clone() memory { return memory{dim: m.dim, v: slices.Clone(m.v)} }

// nearest returns the largest cosine between v and the memory, -1 if it is empty, and where it is.
func (m *memory) nearest(v []float32) (cos float32, at int) {
	cos = -1
	for k := 0; k*m.dim < len(m.v); k++ {
		if c := glom.Dot(v, m.v[k*m.dim:][:m.dim]); c > cos {
			cos, at = c, k
		}
	}
	return cos, at
}

// begin forgets what was met.
func (m *memory) begin() {
	m.met = resize(m.met, len(m.v))
	clear(m.met)
}

// meet adds v to what vector k, its nearest, meets.
func (m *memory) meet(k int, v []float32) {
	if len(m.v) > 0 {
		add(m.met[k*m.dim:][:m.dim], v)
	}
}

// learn moves each vector towards the mean of what it met, if anything.
func (m *memory) learn(rate float32) {
	for k := 0; k < len(m.v); k += m.dim {
		v, met := m.v[k:k+m.dim], m.met[k:k+m.dim]
		if unit(met) {
			scale(v, v, 1-rate)
			scale(met, met, rate)
			add(v, met)
			unit(v)
		}
	}
}

// unit scales v to unit length, unless it has none.
func unit(v []float32) bool {
	s := float64(glom.Dot(v, v))
	if !(s > 1e-12) {
		return false
	}
	scale(v, v, float32(1/math.Sqrt(s)))
	return true
}

// scale writes s x into y.
func scale(y, x []float32, s float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] = s * x[i]
	}
}

// add adds x to y.
func add(y, x []float32) {
	x = x[:len(y)]
	for i := range y {
		y[i] += x[i]
	}
}
