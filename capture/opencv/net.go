package opencv

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"io"
	"math"
	"unsafe"

	"gocv.io/x/gocv"

	"glomstream/glom/conv"
)

// convNet is a convolutional net from an ONNX file, run by OpenCV's DNN module. GoCV's own calls
// abort the process on a bad file, so loading and running go through the shim, on GoCV's Mats.
type convNet struct {
	p        *C.shim_net
	channels int // of the input: 5 (R, G, B, dx, dy) or 3
	dim      int // of the output

	rows, cols int       // of the last run
	checked    bool      // the output's shape at this size
	in         gocv.Mat  // (1, channels, 8 rows, 8 cols) float32
	planes     []float32 // the memory of in
	input      conv.Input
	out        gocv.Mat // (1, dim, rows, cols) float32
}

// openNet loads a net from a file.
func openNet(path string, rows, cols int) (*convNet, error) {
	file, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	onnx, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	return readNet(onnx, rows, cols)
}

// readNet loads a net from the content of a file and runs it once on a grid of rows by cols, to
// learn what it takes and gives.
func readNet(onnx []byte, rows, cols int) (*convNet, error) {
	C.shim_setup()
	n := &convNet{in: gocv.NewMat(), out: gocv.NewMat()}
	data := C.CBytes(onnx)
	defer C.free(data)
	if err := shimError(C.shim_net_read(&n.p, (*C.char)(data), C.size_t(len(onnx)))); err != nil {
		n.close()
		return nil, fmt.Errorf("it is not an ONNX net that OpenCV can run: %w", err)
	}
	if err := n.learn(rows, cols); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

// learn finds out whether the net takes flow or colour alone, and its output size.
func (n *convNet) learn(rows, cols int) error {
	var first error
	for _, channels := range []int{5, 3} {
		n.channels = channels
		n.resize(rows, cols)
		clear(n.planes)
		err := n.forward()
		if err == nil {
			return n.measure()
		}
		if first == nil {
			first = err
		}
		n.rows = 0
	}
	return fmt.Errorf("it takes neither 5 channels (R, G, B, flow dx, dy) nor 3 (R, G, B): %w", first)
}

// resize makes the input fit a grid of rows by cols.
func (n *convNet) resize(rows, cols int) {
	if rows == n.rows && cols == n.cols {
		return
	}
	n.rows, n.cols, n.checked = rows, cols, false
	n.in.Close()
	n.in = gocv.NewMatWithSizes([]int{1, n.channels, stride * rows, stride * cols}, gocv.MatTypeCV32F)
	// These are C's bytes; they live as long as in does.
	data, err := n.in.DataPtrFloat32()
	if err != nil {
		panic("opencv: " + err.Error())
	}
	n.planes = data
}

func (n *convNet) forward() error {
	return shimError(C.shim_net_forward(n.p, unsafe.Pointer(n.in.Ptr()), unsafe.Pointer(n.out.Ptr())))
}

// measure checks the shape of an output against the grid, once for each size.
func (n *convNet) measure() error {
	if n.checked {
		return nil
	}
	size := n.out.Size()
	if len(size) != 4 || size[0] != 1 || n.out.Type() != gocv.MatTypeCV32F {
		return fmt.Errorf("its output has shape %v, not (1, D, rows, cols) float32", size)
	}
	if size[2] != n.rows || size[3] != n.cols {
		return fmt.Errorf("it gives %dx%d locations for %dx%d pixels; at stride %d there are %dx%d",
			size[2], size[3], stride*n.cols, stride*n.rows, stride, n.rows, n.cols)
	}
	if n.dim != 0 && size[1] != n.dim {
		return fmt.Errorf("it gives %d channels here and %d before", size[1], n.dim)
	}
	n.dim, n.checked = size[1], true
	return nil
}

// run writes the unit vectors of a picture into dst (N, D). flow may be nil: no motion.
func (n *convNet) run(dst []float32, rows, cols int, pix []byte, flow []float32) error {
	n.resize(rows, cols)
	n.input.Fill(n.planes, pix, flow, stride*rows, stride*cols)
	if err := n.forward(); err != nil {
		return err
	}
	if err := n.measure(); err != nil {
		return err
	}
	out, err := n.out.DataPtrFloat32()
	if err != nil {
		return err
	}
	return unitColumns(dst, out, rows*cols, n.dim)
}

// unitColumns transposes out (D, N) into dst (N, D) and scales each vector to unit length. One
// that is all zero, as a net that ends in ReLU may give, becomes the vector of equal parts.
func unitColumns(dst, out []float32, n, dim int) error {
	dst, out = dst[:n*dim], out[:n*dim]
	for j := range dim {
		for i, v := range out[j*n : (j+1)*n] {
			dst[i*dim+j] = v
		}
	}
	for i := range n {
		x := dst[i*dim : (i+1)*dim]
		var sum float64
		for _, v := range x {
			sum += float64(v) * float64(v)
		}
		if math.IsNaN(sum) || math.IsInf(sum, 0) {
			return fmt.Errorf("its output at location %d is not finite", i)
		}
		if sum == 0 {
			for j := range x {
				x[j] = 1
			}
			sum = float64(dim)
		}
		scale := float32(1 / math.Sqrt(sum))
		for j := range x {
			x[j] *= scale
		}
	}
	return nil
}

// close frees the net. It may be called twice.
func (n *convNet) close() {
	if n.p != nil {
		C.shim_net_close(n.p)
		n.p = nil
	}
	n.in.Close()
	n.out.Close()
}
