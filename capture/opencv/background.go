package opencv

/*
#include "segment.h"
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"glomstream/capture"
)

// BackgroundModel tells what moves from what is always there, for a camera that stands: MOG2, a
// mixture of Gaussians at each pixel (Zivkovic 2004), with OpenCV's defaults. Make one with
// NewBackgroundModel and Close it.
type BackgroundModel struct {
	p    *C.shim_background
	w, h int // of the frame before; 0 if there is none
}

// NewBackgroundModel returns a BackgroundModel that has seen nothing.
func NewBackgroundModel() (*BackgroundModel, error) {
	C.shim_setup()
	b := new(BackgroundModel)
	if err := shimError(C.shim_background_new(&b.p)); err != nil {
		return nil, fmt.Errorf("background model: %w", err)
	}
	return b, nil
}

// Apply writes into dst (H*W) whether a pixel of f is foreground, and learns from f. Shadows
// count as background, and a median over 5 by 5 pixels takes the specks away. With the first
// frame, or one of another size, it starts afresh: nothing is foreground yet.
func (b *BackgroundModel) Apply(dst []bool, f *capture.Frame) error {
	p := picture(f)
	n := f.W * f.H
	if len(dst) < n {
		panic("opencv: mask buffer is too short")
	}
	fresh := b.w != f.W || b.h != f.H
	err := shimError(C.shim_background_apply(b.p, (*C.bool)(unsafe.SliceData(dst)), p, C.bool(fresh)))
	if err != nil {
		b.Reset()
		return fmt.Errorf("background of %dx%d pixels: %w", f.W, f.H, err)
	}
	if fresh {
		clear(dst[:n])
	}
	b.w, b.h = f.W, f.H
	return nil
}

// Reset forgets what was learnt.
func (b *BackgroundModel) Reset() { b.w, b.h = 0, 0 }

// Close frees b. It may be called twice.
func (b *BackgroundModel) Close() error {
	if b.p != nil {
		C.shim_background_close(b.p)
		b.p = nil
	}
	return nil
}
