package libav

/*
#include <stdlib.h>
#include <libavutil/error.h>
#include "libav.h"
enum { timed_out = AVERROR_EXIT, invalid_data = AVERROR_INVALIDDATA, end_of_file = AVERROR_EOF };
*/
import "C"

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// ProbeInfo describes the video stream of a file. Zero means unknown.
type ProbeInfo struct {
	Container string        // as libavformat names it, such as "matroska,webm" or "avi"
	Codec     string        // such as "h264"
	W, H      int           // pixels as coded, before rotation
	Rotation  int           // degrees clockwise that make the picture upright: 0, 90, 180 or 270
	FPS       float64       // frames per second as the container has it, up to 240
	Duration  time.Duration // as the container states it
	Packets   int           // Count only: how many frames there are
	Last      time.Duration // Count only: time of the last frame in order of presentation
}

// The reasons for which a file that opens is not a video to work with. Other errors are
// circumstances, such as os.ErrNotExist and os.ErrDeadlineExceeded, or FFmpeg's own words.
var (
	ErrNotVideo  = errors.New("not a video file, or damaged from its start")
	ErrNoVideo   = errors.New("no video stream")
	ErrEncrypted = errors.New("encrypted")
	ErrNoPicture = errors.New("no picture can be decoded")
)

// Probe opens a file, or an http, https, rtsp or rtsps URL, and decodes its first picture. It
// is for telling why something cannot be opened: the error says so in plain words and holds
// the name without a password. A timeout of 0 is none; looking up a host name cannot be timed
// out. A path is always taken as a file: no other protocol or pattern is tried, and what the
// file refers to is read by the same protocol only.
func Probe(path string, timeout time.Duration) (ProbeInfo, error) {
	info, err := inspect(path, timeout, false)
	return info, named(path, err)
}

// Count is Probe that goes on to the end of the file and counts its frames.
func Count(path string, timeout time.Duration) (ProbeInfo, error) {
	info, err := inspect(path, timeout, true)
	return info, named(path, err)
}

// Times returns the presentation times of the next frames of a file behind after, ascending,
// from the start of its video track: 256 at most, and none if the file does not tell.
func Times(path string, after time.Duration) []time.Duration {
	address, protocols, err := locate(path)
	if err != nil || protocols != "file" {
		return nil
	}
	a := C.CString(address)
	defer C.free(unsafe.Pointer(a))
	var found [256]C.int64_t
	n := C.libav_times(&found[0], C.int(len(found)), a, C.int64_t(after.Microseconds()))
	var times []time.Duration
	for i := range max(0, int(n)) {
		times = append(times, time.Duration(found[i])*time.Microsecond)
	}
	slices.Sort(times)
	return times
}

// named says which file err is about, without a password.
func named(path string, err error) error {
	if err == nil {
		return nil
	}
	if u, e := url.Parse(path); e == nil && u.User != nil {
		path = u.Redacted()
	}
	return fmt.Errorf("probe %q: %w", path, err)
}

// inspect does the work; its errors do not name the file.
func inspect(path string, timeout time.Duration, count bool) (ProbeInfo, error) {
	address, protocols, err := locate(path)
	if err != nil {
		return ProbeInfo{}, err
	}
	a, p := C.CString(address), C.CString(protocols)
	defer C.free(unsafe.Pointer(a))
	defer C.free(unsafe.Pointer(p))
	var all C.int
	if count {
		all = 1
	}
	limit := max(0, timeout.Microseconds())
	if timeout > 0 {
		limit = max(1, limit)
	}
	var c C.libav_info
	if code := C.libav_probe(&c, a, p, C.int64_t(limit), all); code < 0 {
		return ProbeInfo{}, openError(code, C.GoString(&c.note[0]), timeout)
	}
	if err := unusable(&c); err != nil {
		return ProbeInfo{}, err
	}
	return ProbeInfo{
		Container: C.GoString(&c.format[0]),
		Codec:     C.GoString(&c.codec[0]),
		W:         int(c.w),
		H:         int(c.h),
		Rotation:  int(c.rotation),
		FPS:       plausible(float64(c.fps)),
		Duration:  time.Duration(c.duration) * time.Microsecond,
		Packets:   int(c.packets) * int(all),
		Last:      time.Duration(c.last) * time.Microsecond * time.Duration(all),
	}, nil
}

// locate turns path into what libavformat is given, and the protocols that it may use.
func locate(path string) (address, protocols string, err error) {
	if strings.ContainsRune(path, 0) {
		return "", "", errors.New("the name holds a zero byte")
	}
	scheme, _, isURL := strings.Cut(path, "://")
	switch scheme = strings.ToLower(scheme); {
	case isURL && (scheme == "http" || scheme == "https"):
		return path, "http,https,tls,tcp", nil
	case isURL && (scheme == "rtsp" || scheme == "rtsps"):
		return path, "rtsp,rtsps,rtp,srtp,udp,tcp,tls", nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", "", bare(err)
	case info.IsDir():
		return "", "", errors.New("is a directory")
	case !info.Mode().IsRegular():
		return "", "", errors.New("is a device or pipe, not a file")
	case info.Size() == 0:
		return "", "", errors.New("the file is empty")
	}
	return "file:" + path, "file", nil
}

// openError is the reason for which libavformat gave up.
func openError(code C.int, note string, timeout time.Duration) error {
	switch {
	case code == C.timed_out:
		return fmt.Errorf("no answer within %v: %w", timeout, os.ErrDeadlineExceeded)
	case strings.Contains(note, "moov atom not found"):
		return errors.New("no index (moov atom) in it: the file is cut off, was never finished, or is no mp4")
	case code == C.end_of_file:
		return errors.New("it ends before its first picture")
	case code == C.invalid_data && firstLine(note) == "":
		return ErrNotVideo
	case code == C.invalid_data:
		return fmt.Errorf("%w (%s)", ErrNotVideo, firstLine(note))
	}
	return averror(code, note)
}

// unusable is the reason for which an open file gives no pictures, nil if it does.
func unusable(c *C.libav_info) error {
	codec, why := C.GoString(&c.codec[0]), firstLine(C.GoString(&c.note[0]))
	switch {
	case c.video == 0 && c.audio > 0:
		return fmt.Errorf("%w (sound only)", ErrNoVideo)
	case c.video == 0:
		return ErrNoVideo
	case codec == "ansi" || codec == "bintext" || codec == "xbin" || codec == "idf":
		return fmt.Errorf("%w (it is text)", ErrNotVideo)
	case c.encrypted != 0:
		return fmt.Errorf("%w %s; there is no key for it", ErrEncrypted, codec)
	case c.packets == 0:
		return fmt.Errorf("%w: the file is a header without frames", ErrNoPicture)
	case c.decoder == 0:
		return fmt.Errorf("%w: this FFmpeg has no decoder for %s", ErrNoPicture, codec)
	case c.picture == 0 && why != "":
		return fmt.Errorf("%w: %s", ErrNoPicture, why)
	case c.picture == 0:
		return ErrNoPicture
	}
	return nil
}

// plausible is the rate, or 0 for what only damage states.
func plausible(fps float64) float64 {
	if fps > 0 && fps <= 240 {
		return fps
	}
	return 0
}
