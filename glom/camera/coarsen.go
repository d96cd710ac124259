package camera

// Coarsen writes the mean of a dense optical flow over each location into dst (rows*cols, 2), whose
// memory it uses again, and returns it: dx, dy since the frame before in locations, x to the right
// and y down. What is at location p now was at p - dst(p) in the frame before. flow is (h, w, 2) in
// its own pixels, w >= cols and h >= rows; without flow the result is nil. Coarsen panics on a
// shape that does not fit.
func Coarsen(dst, flow []float32, w, h, rows, cols int) []float32 {
	if flow == nil {
		return nil
	}
	if rows < 1 || cols < 1 || w < cols || h < rows || len(flow) != 2*w*h {
		panic("camera: Coarsen: shapes do not fit")
	}
	dst = resize(dst, 2*rows*cols)
	for r := range rows {
		y0, y1 := r*h/rows, (r+1)*h/rows
		for c := range cols {
			x0, x1 := c*w/cols, (c+1)*w/cols
			var dx, dy float32
			for y := y0; y < y1; y++ {
				for row := flow[2*(y*w+x0) : 2*(y*w+x1)]; len(row) > 1; row = row[2:] {
					dx += row[0]
					dy += row[1]
				}
			}
			area := float32((y1 - y0) * (x1 - x0))
			dst[2*(r*cols+c)] = dx / area * float32(cols) / float32(w)
			dst[2*(r*cols+c)+1] = dy / area * float32(rows) / float32(h)
		}
	}
	return dst
}
