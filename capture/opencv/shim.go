package opencv

/*
#cgo pkg-config: opencv4
#cgo CXXFLAGS: -std=c++17 -O2
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"gocv.io/x/gocv"
)

// SetThreads sets how many threads OpenCV uses in this process, for flow, resizing and nets;
// 0 means no threads of its own. DIS flow splits the picture by threads, so its last digits
// depend on their number.
func SetThreads(n int) {
	C.shim_setup()
	C.shim_set_threads(C.int(n))
}

// Threads returns how many threads OpenCV uses.
func Threads() int { return int(C.shim_threads()) }

// shimError takes over a reason of the shim, and is nil for none.
func shimError(reason *C.char) error {
	if reason == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(reason))
	return errors.New(C.GoString(reason))
}

func bytePtr(b []byte) *C.uint8_t { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }

func floatPtr(f []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(f))) }

// device is a cv::VideoCapture and the buffer that it decodes into.
type device struct{ p *C.shim_video }

// stated is what a container or a driver says of itself, unchecked.
type stated struct{ fps, frames, width, height float64 }

// openDevice returns a device without p if OpenCV could not open it and gave no reason.
func openDevice(path string, backend gocv.VideoCaptureAPI, number int, opt VideoOptions) (device, stated, error) {
	C.shim_setup()
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	var d device
	err := shimError(C.shim_video_open(&d.p, cpath, C.shim_video_options{
		backend: C.int(backend),
		device:  C.int(number),
		open_ms: C.int(opt.OpenTimeout.Milliseconds()),
		read_ms: C.int(opt.ReadTimeout.Milliseconds()),
		width:   C.int(opt.Width),
		height:  C.int(opt.Height),
		fps:     C.double(opt.FPS),
	}))
	if err != nil || d.p == nil {
		return device{}, stated{}, err
	}
	s := C.shim_video_state(d.p)
	return d, stated{float64(s.fps), float64(s.frames), float64(s.width), float64(s.height)}, nil
}

// read decodes the next picture; ok is false if there was none, for whatever reason.
func (d device) read() (w, h int, msec float64, ok bool, err error) {
	var got, cw, ch C.int
	var ms C.double
	err = shimError(C.shim_video_read(d.p, &got, &cw, &ch, &ms))
	return int(cw), int(ch), float64(ms), got != 0, err
}

// copy writes the picture of the last read, w by h pixels, into pix.
func (d device) copy(pix []byte, w, h int) error {
	if len(pix) < 3*w*h {
		panic("opencv: pixel buffer is too short")
	}
	return shimError(C.shim_video_copy(d.p, bytePtr(pix), C.int(w), C.int(h)))
}

func (d device) close() { C.shim_video_close(d.p) }

// resize scales src, rows stride bytes apart, into the packed dst.
func resize(dst []byte, dw, dh int, src []byte, w, h, stride int) error {
	if len(dst) < 3*dw*dh || stride < 3*w || len(src) < (h-1)*stride+3*w {
		panic("opencv: pixel buffer is too short")
	}
	return shimError(C.shim_resize(bytePtr(dst), C.int(dw), C.int(dh),
		bytePtr(src), C.int(w), C.int(h), C.int(stride)))
}

// gray writes the luma of the packed BGR picture.
func gray(dst, bgr []byte, w, h int) error {
	if len(dst) < w*h || len(bgr) < 3*w*h {
		panic("opencv: pixel buffer is too short")
	}
	return shimError(C.shim_gray(bytePtr(dst), bytePtr(bgr), C.int(w), C.int(h)))
}
