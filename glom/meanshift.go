package glom

import "glomstream/glom/internal/vec"

// MeanShift moves vectors to the modes of the density around them, so that islands become
// plateaus: attention without the nets, within a square window (paper, section 10.2: such
// attention is a smoothing). Its zero value is ready; it keeps scratch space and is used by one
// goroutine at a time.
type MeanShift struct {
	next   []float32 // (N, D)
	keys   []int32   // (window)
	logits []float32 // (window+3)
	moved  []bool    // (N) in the last step
	near   []bool    // (N) something in the window moved: to be computed in the next step
	rows   []bool    // (N) scratch of spread
}

// still is the squared distance of a step below which a vector has arrived.
const still = 1e-3

// Run takes steps until no vector moves any more, and at most steps of them:
//
//	x_i = unit(Σ_j softmax_j(beta x_i·x_j) x_j),   |row_i-row_j|, |col_i-col_j| <= radius
//
// all locations at the same time. x is (rows*cols, dim), of unit vectors. A location in whose
// window nothing moved is not computed again. It returns the number of steps taken.
func (m *MeanShift) Run(x []float32, rows, cols, dim, radius int, beta float64, steps int) int {
	N, side := rows*cols, 2*radius+1
	if len(x) != N*dim {
		panic("glom: vectors do not have the shape of the grid")
	}
	m.next, m.logits = resize(m.next, N*dim), resize(m.logits, side*side+3)
	m.keys = resize(m.keys, side*side)
	m.moved, m.near, m.rows = resize(m.moved, N), resize(m.near, N), resize(m.rows, N)
	for i := range m.near {
		m.near[i] = true
	}
	for step := range steps {
		moving := false
		for i := range N {
			m.moved[i] = false
			if !m.near[i] {
				continue
			}
			o := i * dim
			y := m.next[o : o+dim]
			keys := m.window(i, rows, cols, radius)
			vec.AttendKeys(y, m.logits, x[o:o+dim], x, keys, float32(beta))
			vec.UnitRows(y, nil, 1, dim)
			m.moved[i] = distance2(y, x[o:o+dim]) > still
			moving = moving || m.moved[i]
		}
		for i, near := range m.near {
			if near {
				copy(x[i*dim:i*dim+dim], m.next[i*dim:i*dim+dim])
			}
		}
		if !moving {
			return step + 1
		}
		m.spread(rows, cols, radius)
	}
	return steps
}

// window lists the locations around i.
func (m *MeanShift) window(i, rows, cols, radius int) []int32 {
	r, c := i/cols, i%cols
	keys := m.keys[:0]
	for y := max(0, r-radius); y <= min(rows-1, r+radius); y++ {
		for x := max(0, c-radius); x <= min(cols-1, c+radius); x++ {
			keys = append(keys, int32(y*cols+x))
		}
	}
	return keys
}

// spread sets near where something moved within the window, first along the rows, then along
// the columns.
func (m *MeanShift) spread(rows, cols, radius int) {
	clear(m.rows)
	clear(m.near)
	for i, moved := range m.moved {
		if moved {
			c := i % cols
			for x := max(0, c-radius); x <= min(cols-1, c+radius); x++ {
				m.rows[i-c+x] = true
			}
		}
	}
	for i, moved := range m.rows {
		if moved {
			r, c := i/cols, i%cols
			for y := max(0, r-radius); y <= min(rows-1, r+radius); y++ {
				m.near[y*cols+c] = true
			}
		}
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func distance2(a, b []float32) float32 {
	b = b[:len(a)]
	var s float32
	for i := range a {
		s += (a[i] - b[i]) * (a[i] - b[i])
	}
	return s
}
