package overlay

// step says where the centre of one pixel lies on a coarser line of values: fraction of the way from
// value i to value i+1.
type step struct {
	i        int
	fraction float32
}

// stepOf returns the place of pixel x of n on a line of m values whose first and last pixel share the
// borders of the picture. Beyond the centre of the last value the last value goes on.
func stepOf(x, n, m int) step {
	at := (float32(x)+0.5)*float32(m)/float32(n) - 0.5
	at = min(max(at, 0), float32(m-1))
	i := min(int(at), max(m-2, 0))
	return step{i, at - float32(i)}
}

// enlarger interpolates a grid of values to the size of a picture, bilinearly and row by row.
type enlarger struct {
	grid       []float32 // (rows, cols, dim)
	rows, cols int
	dim        int
	w, h       int // of the picture

	steps []step    // (w)
	line  []float32 // (cols+1, dim) the grid at the height of the row in work; the last value is there twice
}

// enlarge prepares to interpolate a grid (rows, cols, dim) to w by h pixels, with memory of sc.
func (sc *scratch) enlarge(grid []float32, rows, cols, dim, w, h int) enlarger {
	sc.steps = grow(sc.steps, w)
	for x := range sc.steps {
		sc.steps[x] = stepOf(x, w, cols)
	}
	sc.line = grow(sc.line, (cols+1)*dim)
	return enlarger{grid, rows, cols, dim, w, h, sc.steps, sc.line}
}

// row returns the line at the height of row y of the picture. It is valid until the next call and may
// be changed.
func (e *enlarger) row(y int) []float32 {
	n := e.cols * e.dim
	s := stepOf(y, e.h, e.rows)
	a := e.grid[s.i*n:][:n]
	b := e.grid[min(s.i+1, e.rows-1)*n:][:n]
	line := e.line[:n]
	for i, v := range a {
		line[i] = v + s.fraction*(b[i]-v)
	}
	copy(e.line[n:], line[n-e.dim:])
	return e.line
}
