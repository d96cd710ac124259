//go:build cgo && !novpx

package vpx

/*
#include "vpx.h"

// Pointers to Go's memory may be arguments, but not lie in an array that C is given.
static void convert(uint8_t *y, uint8_t *u, uint8_t *v, int y_stride, int c_stride, const uint8_t *bgr, ptrdiff_t stride, int w, int h)
{
	glom_bgr_to_i420((uint8_t *const[3]){y, u, v}, (const int[3]){y_stride, c_stride, c_stride}, bgr, stride, w, h);
}
*/
import "C"

import (
	"image"

	"glomstream/capture"
)

// convert does what Encode does first, into a picture of the same size, or one less where that
// is odd. It is here for the tests, which cannot use cgo themselves.
func convert(dst *image.YCbCr, f *capture.Frame) {
	pointer := func(b []byte) *C.uint8_t { return (*C.uint8_t)(&b[0]) }
	C.convert(pointer(dst.Y), pointer(dst.Cb), pointer(dst.Cr), C.int(dst.YStride), C.int(dst.CStride),
		pointer(f.Pix), C.ptrdiff_t(f.Stride), C.int(f.W&^1), C.int(f.H&^1))
}
