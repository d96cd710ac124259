package overlay

import (
	"image"

	"glomstream/capture"
)

// scratch is the memory that one Draw needs beside its canvas.
type scratch struct {
	labels []uint16  // (h, w) labels of a tile
	sums   []uint32  // (W, 3) one row of the picture while it is scaled
	spans  []span    // (w) which columns of the source make each column of a tile
	line   []float32 // one row of a grid while it is enlarged
	steps  []step    // (w) where each column of the picture lies on the grid
}

// grow returns s with length n. Its values are whatever they were.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// row returns the pixels of row y without the gap behind them.
func row(f *capture.Frame, y int) []byte {
	return f.Pix[y*f.Stride:][:3*f.W]
}

// part returns the part r of f as a frame that shares its pixels.
func part(f *capture.Frame, r image.Rectangle) capture.Frame {
	from := r.Min.Y*f.Stride + 3*r.Min.X
	to := (r.Max.Y-1)*f.Stride + 3*r.Max.X
	return capture.Frame{W: r.Dx(), H: r.Dy(), Stride: f.Stride, Pix: f.Pix[from:to:to]}
}

// copyFrame copies the pixels of src to dst, which has the same size.
func copyFrame(dst, src *capture.Frame) {
	for y := range src.H {
		copy(row(dst, y), row(src, y))
	}
}

// clearFrame makes f black.
func clearFrame(f *capture.Frame) {
	for y := range f.H {
		clear(row(f, y))
	}
}
