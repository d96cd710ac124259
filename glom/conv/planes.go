package conv

import "glomstream/glom/internal/vec"

// A layer reads its input from planes with a border of one reflected pixel, (I, H+2, W+2). For a
// layer of stride 2 each row is split into its even columns and then its odd ones, so that what a
// tap of the kernel reads for a row of outputs always lies side by side.

// geometry is a layer at one picture size.
type geometry struct {
	shape
	h, w   int // of the input
	oh, ow int // of the output
}

func (s shape) at(h, w int) geometry {
	return geometry{shape: s, h: h, w: w, oh: h / s.stride, ow: w / s.stride}
}

func (g geometry) row() int    { return g.w + 2 }               // length of a row of a plane
func (g geometry) plane() int  { return (g.h + 2) * (g.w + 2) } // size of a plane
func (g geometry) places() int { return g.oh * g.ow }

// tap returns where the input of the first output of row y lies in its plane for tap (ky, kx).
func (g geometry) tap(y, ky, kx int) int {
	o := (y*g.stride + ky) * g.row()
	if g.stride == 1 {
		return o + kx
	}
	return o + kx/2 + kx%2*(g.row()/2)
}

// fillRow writes the pixels src (W) into a row of a plane and reflects its ends.
func fillRow[T vec.Float](g geometry, dst, src []T) {
	w := g.w
	if g.stride == 1 {
		dst[0], dst[w+1] = src[1], src[w-2]
		copy(dst[1:], src)
		return
	}
	half := w/2 + 1
	even, odd := dst[:half], dst[half:half+half]
	even[0], odd[half-1] = src[1], src[w-2]
	for i := range half - 1 {
		odd[i], even[i+1] = src[2*i], src[2*i+1]
	}
}

// foldRow undoes fillRow: it writes the gradient of the pixels into dst (W).
func foldRow[T vec.Float](g geometry, dst, src []T) {
	w := g.w
	if g.stride == 1 {
		copy(dst, src[1:w+1])
		dst[1] += src[0]
		dst[w-2] += src[w+1]
		return
	}
	half := w/2 + 1
	even, odd := src[:half], src[half:half+half]
	for i := range half - 1 {
		dst[2*i], dst[2*i+1] = odd[i], even[i+1]
	}
	dst[1] += even[0] // no tap reads the other end
}

// reflectRows copies the rows next to the border of each plane onto its first and last row.
func reflectRows[T vec.Float](g geometry, planes []T) {
	n := g.row()
	for p := planes; len(p) >= g.plane(); p = p[g.plane():] {
		copy(p[:n], p[2*n:3*n])
		copy(p[(g.h+1)*n:(g.h+2)*n], p[(g.h-1)*n:g.h*n])
	}
}

// foldRows undoes reflectRows.
func foldRows[T vec.Float](g geometry, planes []T) {
	n := g.row()
	for p := planes; len(p) >= g.plane(); p = p[g.plane():] {
		vec.Axpy(p[2*n:3*n], 1, p[:n])
		vec.Axpy(p[(g.h-1)*n:g.h*n], 1, p[(g.h+1)*n:(g.h+2)*n])
	}
}

// columns writes what each output sees into col (9I, oh*ow).
func columns[T vec.Float](g geometry, col, planes []T) {
	step, n := g.stride*g.row(), g.ow
	for i := range g.in {
		p := planes[i*g.plane() : (i+1)*g.plane()]
		for tap := range 9 {
			at := g.tap(0, tap/3, tap%3)
			for range g.oh {
				copy(col[:n], p[at:at+n])
				col = col[n:]
				at += step
			}
		}
	}
}

// addColumns undoes columns: it adds col to planes.
func addColumns[T vec.Float](g geometry, planes, col []T) {
	step, n := g.stride*g.row(), g.ow
	for i := range g.in {
		p := planes[i*g.plane() : (i+1)*g.plane()]
		for tap := range 9 {
			at := g.tap(0, tap/3, tap%3)
			for range g.oh {
				vec.Axpy(p[at:at+n], 1, col[:n])
				col = col[n:]
				at += step
			}
		}
	}
}
