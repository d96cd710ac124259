//go:build cgo && !novpx

package vpx

/*
#include "vpx.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"unsafe"
)

// Decoder reads a stream back, to check what viewers get. It is used by one goroutine and must
// be closed.
type Decoder struct {
	c *C.glom_vpx_decoder // nil once closed
}

// NewDecoder returns a decoder for a stream of a codec.
func NewDecoder(codec Codec) (*Decoder, error) {
	if codec != VP8 && codec != VP9 {
		return nil, fmt.Errorf("decode video: codec %q is neither %q nor %q", codec, VP8, VP9)
	}
	d, vp9 := new(Decoder), C.int(0)
	if codec == VP9 {
		vp9 = 1
	}
	if why := C.glom_vpx_decoder_open(&d.c, vp9); why != nil {
		return nil, fmt.Errorf("decode video: open %s: %s", codec, C.GoString(why))
	}
	return d, nil
}

// Decode takes the next packet's data and copies the picture into dst, whose memory it reuses. Y is
// in 16 … 235, unlike what package image takes it for. A picture that is not to be shown leaves
// dst as it is.
func (d *Decoder) Decode(dst *image.YCbCr, data []byte) error {
	if d.c == nil {
		return fmt.Errorf("decode video: the decoder is %w", fs.ErrClosed)
	}
	if len(data) == 0 {
		return errors.New("decode video: the packet is empty")
	}
	var out C.glom_vpx_picture
	why := C.glom_vpx_decode(d.c, &out, (*C.uint8_t)(&data[0]), C.size_t(len(data)))
	if why != nil {
		return fmt.Errorf("decode video: %s", C.GoString(why))
	}
	if out.planes[0] == nil {
		return nil
	}
	w, h := int(out.w), int(out.h)
	cw, ch := (w+1)/2, (h+1)/2
	dst.Rect, dst.SubsampleRatio = image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420
	dst.YStride, dst.CStride = w, cw
	dst.Y = appendPlane(dst.Y[:0], out.planes[0], int(out.strides[0]), w, h)
	dst.Cb = appendPlane(dst.Cb[:0], out.planes[1], int(out.strides[1]), cw, ch)
	dst.Cr = appendPlane(dst.Cr[:0], out.planes[2], int(out.strides[2]), cw, ch)
	return nil
}

// appendPlane copies h rows of w bytes that are stride bytes apart.
func appendPlane(dst []byte, plane *C.uint8_t, stride, w, h int) []byte {
	for y := range h {
		dst = append(dst, unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(plane), y*stride)), w)...)
	}
	return dst
}

// Close frees the decoder and may be called twice.
func (d *Decoder) Close() error {
	C.glom_vpx_decoder_free(d.c)
	d.c = nil
	return nil
}
