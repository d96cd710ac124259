package libav

/*
#include <stdlib.h>
#include "libav.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"io"
	"unsafe"
)

// Sizes tells the size of each picture of a file without decoding it, for decoders that expect
// all pictures to be like the first. It is used by one goroutine and must be closed.
type Sizes struct {
	c *C.libav_sizes // nil once closed
}

// OpenSizes opens a file; other protocols are refused.
func OpenSizes(path string) (*Sizes, error) {
	address, protocols, err := locate(path)
	if err == nil && protocols != "file" {
		err = errors.New("is no file")
	}
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", path, err)
	}
	a := C.CString(address)
	defer C.free(unsafe.Pointer(a))
	s := new(Sizes)
	if code := C.libav_sizes_open(&s.c, a); code < 0 {
		return nil, fmt.Errorf("open %q: %w", path, averror(code, ""))
	}
	return s, nil
}

// Next returns the width and height in pixels of the next picture in the order of the file, as
// coded, before rotation. They are 0 where the stream does not tell: H.264, HEVC, VP8, AV1 and
// motion JPEG do. The error is io.EOF at the end of what can be read.
func (s *Sizes) Next() (w, h int, err error) {
	var cw, ch C.int
	if s.c == nil || C.libav_sizes_next(s.c, &cw, &ch) < 0 {
		return 0, 0, io.EOF
	}
	return int(cw), int(ch), nil
}

// Close frees everything. It may be called again.
func (s *Sizes) Close() {
	if s.c != nil {
		C.libav_sizes_free(s.c)
		s.c = nil
	}
}
