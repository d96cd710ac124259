package opencv

/*
#include "shim.h"
*/
import "C"

import "fmt"

// Sides that DIS needs: for its 8x8 patches, and for one level of its pyramid.
const minShort, minLong = 8, 12

// Flow computes dense optical flow by DIS (Kroeger et al. 2016, dense inverse search) at the medium
// preset, which ends at half the size of the picture, and by variational refinement (Brox et al. 2004) at
// the whole. It keeps its buffers from call to call. Make one with NewFlow and Close it.
type Flow struct{ p *C.shim_flow }

// NewFlow returns a Flow.
func NewFlow() (*Flow, error) {
	C.shim_setup()
	f := new(Flow)
	if err := shimError(C.shim_flow_new(&f.p)); err != nil {
		return nil, fmt.Errorf("optical flow: %w", err)
	}
	return f, nil
}

// Calc writes into dst (h, w, 2) the motion dx, dy in pixels from prev to cur, two grey
// pictures (h, w): what is at p in cur was at p - dst(p) in prev. It takes any size, and a new
// one at each call. In a picture with a side below 8 pixels, or both below 12, no motion can be
// found and dst is zero. Calc panics if a slice is too short.
func (f *Flow) Calc(dst []float32, prev, cur []byte, w, h int) error {
	n := w * h
	if w <= 0 || h <= 0 || len(dst) < 2*n || len(prev) < n || len(cur) < n {
		panic("opencv: flow buffer is too short")
	}
	if min(w, h) < minShort || max(w, h) < minLong {
		clear(dst[:2*n])
		return nil
	}
	err := shimError(C.shim_flow_calc(f.p, floatPtr(dst), bytePtr(prev), bytePtr(cur), C.int(w), C.int(h)))
	if err != nil {
		return fmt.Errorf("optical flow of %dx%d pixels: %w", w, h, err)
	}
	return nil
}

// Close frees f. It may be called twice.
func (f *Flow) Close() error {
	if f.p != nil {
		C.shim_flow_close(f.p)
		f.p = nil
	}
	return nil
}
