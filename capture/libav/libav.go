package libav

/*
#cgo pkg-config: libavformat libavcodec libavutil libswscale
#cgo LDFLAGS: -lm
#include <stdlib.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libswscale/swscale.h>
#include "libav.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"unsafe"
)

// Build says which FFmpeg this program runs with.
type Build struct {
	FFmpeg  string // the release, such as "5.1.6-0+deb12u1"
	Format  string // libavformat, such as "59.27.100"
	Codec   string // libavcodec
	Util    string // libavutil
	Scale   string // libswscale
	Licence string // of libavcodec as it was built; Debian's is the GPL
}

// String names the release and the library that matters most.
func (b Build) String() string { return fmt.Sprintf("%s, libavcodec %s", b.FFmpeg, b.Codec) }

// Version returns the versions of the libraries as loaded, not as compiled against.
func Version() Build {
	return Build{
		FFmpeg:  C.GoString(C.av_version_info()),
		Format:  version(C.avformat_version()),
		Codec:   version(C.avcodec_version()),
		Util:    version(C.avutil_version()),
		Scale:   version(C.swscale_version()),
		Licence: C.GoString(C.avcodec_license()),
	}
}

// version unpacks FFmpeg's form, 8 bits each for minor and micro.
func version(v C.uint) string {
	return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&0xff, v&0xff)
}

// Encoders lists the codecs that Options.Codec may name and that this FFmpeg can encode.
func Encoders() []string {
	var names []string
	for _, c := range codecs() {
		if c.available() {
			names = append(names, c.name)
		}
	}
	return names
}

// Decoders lists which of the codecs that video footage mostly comes in this FFmpeg can decode.
func Decoders() []string {
	var names []string
	for _, name := range []string{"h264", "hevc", "vp8", "vp9", "av1", "mpeg4", "mpeg2video", "mjpeg", "ffv1", "rawvideo", "gif"} {
		s := C.CString(name)
		d := C.avcodec_descriptor_get_by_name(s)
		C.free(unsafe.Pointer(s))
		if d != nil && C.avcodec_find_decoder(d.id) != nil {
			names = append(names, name)
		}
	}
	return names
}

func (c codec) available() bool {
	name := C.CString(c.encoder)
	defer C.free(unsafe.Pointer(name))
	return C.avcodec_find_encoder_by_name(name) != nil
}

// averror makes a Go error of an AVERROR code: a syscall.Errno where it carries one, else
// FFmpeg's own words, and behind them the first thing that it logged.
func averror(code C.int, note string) error {
	var buf [128]C.char
	err := error(syscall.Errno(-code))
	switch {
	case code == -1: // what some encoders return for everything; never EPERM
		err = errors.New("refused by FFmpeg")
	case code < -4095: // a tag of four letters, not an errno
		C.av_strerror(code, &buf[0], C.size_t(len(buf)))
		err = errors.New(lowerFirst(C.GoString(&buf[0])))
	}
	if line := firstLine(note); line != "" {
		return fmt.Errorf("%w (%s)", err, line)
	}
	return err
}

// firstLine returns the first message of a note, without what could harm a terminal.
func firstLine(note string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(note), "\n")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(line, "?"))
	return lowerFirst(strings.TrimSuffix(strings.TrimSpace(line), "."))
}

// lowerFirst makes the first letter small, unless the word is an abbreviation.
func lowerFirst(s string) string {
	if len(s) < 2 || s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
