package metrics

import (
	"math"
)

// assign returns, for each row of the matrix gain (rows, cols), the column that it is given by the
// one-to-one assignment with the greatest sum, or -1 if there are too few columns.
//
// It is the Hungarian method with potentials u of rows and v of columns (Kuhn 1955, in the form of
// Jonker and Volgenant 1987): rows enter one after the other, each along a shortest path of
// alternating pairs under the reduced costs -gain - u - v, all of which stay at least 0. It takes
// O(k² m) steps for the lesser and the greater side k and m.
func assign(gain []float64, rows, cols int) []int {
	given := make([]int, rows)
	for r := range given {
		given[r] = -1
	}
	if rows > cols { // the shorter side must be the one that enters
		turned := make([]float64, len(gain))
		for r := range rows {
			for c := range cols {
				turned[c*rows+r] = gain[r*cols+c]
			}
		}
		for c, r := range assign(turned, cols, rows) {
			given[r] = c
		}
		return given
	}
	a := assignment{
		gain: gain, cols: cols,
		u: make([]float64, rows), v: make([]float64, cols+1),
		owner: make([]int, cols+1), from: make([]int, cols),
		cost: make([]float64, cols), done: make([]bool, cols+1),
	}
	for c := range a.owner {
		a.owner[c] = -1
	}
	for r := range rows {
		a.enter(r)
	}
	for c, r := range a.owner[:cols] {
		if r >= 0 {
			given[r] = c
		}
	}
	return given
}

// assignment is the state of assign. Column cols is the one that a row holds while it enters.
type assignment struct {
	gain  []float64 // (rows, cols)
	cols  int
	u, v  []float64 // potentials of rows and columns
	owner []int     // row of each column, -1 for none
	from  []int     // column before this one on the shortest path
	cost  []float64 // reduced cost of the shortest path to each column
	done  []bool    // columns whose shortest path is known
}

// enter adds row r to the assignment.
func (a *assignment) enter(r int) {
	for c := range a.cost {
		a.cost[c] = math.Inf(1)
	}
	clear(a.done)
	last := a.cols
	a.owner[last] = r
	for a.owner[last] >= 0 {
		last = a.advance(last)
	}
	for last != a.cols { // hand each column of the path to the row before
		before := a.from[last]
		a.owner[last] = a.owner[before]
		last = before
	}
	a.owner[a.cols] = -1
}

// advance goes on from column last to the nearest column that is not done, and returns it.
func (a *assignment) advance(last int) int {
	a.done[last] = true
	row := a.owner[last]
	next, delta := -1, math.Inf(1)
	for c, g := range a.gain[row*a.cols : (row+1)*a.cols] {
		if a.done[c] {
			continue
		}
		if cost := -g - a.u[row] - a.v[c]; cost < a.cost[c] {
			a.cost[c], a.from[c] = cost, last
		}
		if a.cost[c] < delta {
			next, delta = c, a.cost[c]
		}
	}
	for c, done := range a.done {
		switch {
		case done:
			a.u[a.owner[c]] += delta
			a.v[c] -= delta
		case c < a.cols:
			a.cost[c] -= delta
		}
	}
	return next
}
