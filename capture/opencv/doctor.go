package opencv

/*
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"context"
	"embed"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unsafe"

	"gocv.io/x/gocv"

	"glomstream/capture"
)

// samples holds a tiny video in each codec, made by samples/make.sh.
//
//go:embed samples/*.mkv
var samples embed.FS

// Report is what OpenCV can do on this machine.
type Report struct {
	OpenCV, GoCV string   // versions
	VideoIO      []string // how OpenCV's video input was built, one library a line
	FFmpeg, V4L2 bool     // whether these backends are there
	Threads      int      // that OpenCV uses

	Cameras  []Camera
	Decoders []Decoder
	Flow     time.Duration // median time of DIS flow at 320x176
	FlowErr  error
}

// Camera is a video device of this machine.
type Camera struct {
	Path string // "/dev/video0"
	Name string // as the driver calls it, "" if unknown
	Info capture.Info
	Err  error // why it gives no pictures
}

// Decoder says whether a codec can be read.
type Decoder struct {
	Codec string // "h264"
	Err   error  // why not
}

// Inspect looks at what is there: it opens each camera for one picture, decodes a tiny video
// of each codec and times the flow. It returns early, with what it has, once ctx ends.
func Inspect(ctx context.Context) Report {
	r := Report{
		OpenCV:  gocv.OpenCVVersion(),
		GoCV:    gocv.Version(),
		VideoIO: videoIO(buildInformation()),
		FFmpeg:  hasBackend(gocv.VideoCaptureFFmpeg),
		V4L2:    hasBackend(gocv.VideoCaptureV4L2),
		Threads: Threads(),
	}
	r.Cameras = cameras(ctx)
	r.Decoders = decoders(ctx)
	r.Flow, r.FlowErr = timeFlow()
	return r
}

func hasBackend(b gocv.VideoCaptureAPI) bool {
	C.shim_setup()
	return C.shim_has_backend(C.int(b)) != 0
}

func buildInformation() string {
	text := C.shim_build_information()
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}

// videoIO returns the paragraph "Video I/O" of OpenCV's build information.
func videoIO(text string) []string {
	_, text, _ = strings.Cut(text, "Video I/O:\n")
	text, _, _ = strings.Cut(text, "\n\n")
	var lines []string
	for line := range strings.Lines(text) {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines
}

func cameras(ctx context.Context) []Camera {
	paths, err := filepath.Glob("/dev/video[0-9]*")
	if err != nil {
		return nil
	}
	var all []Camera
	for _, p := range paths {
		if ctx.Err() != nil {
			break
		}
		c := Camera{Path: p}
		name, err := os.ReadFile(filepath.Join("/sys/class/video4linux", filepath.Base(p), "name"))
		if err == nil {
			c.Name = strings.TrimSpace(string(name))
		}
		spec, err := capture.ParseSpec(p)
		if err != nil {
			c.Err = err
		} else {
			c.Info, _, c.Err = tryVideo(ctx, spec, 1)
		}
		all = append(all, c)
	}
	return all
}

// tryVideo reads up to n frames.
func tryVideo(ctx context.Context, spec capture.Spec, n int) (info capture.Info, frames int, err error) {
	v, err := OpenVideo(ctx, spec, VideoOptions{ReadTimeout: 3 * time.Second})
	if err != nil {
		return info, 0, err
	}
	defer v.Close()
	for ; frames < n; frames++ {
		f, err := v.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return v.Info(), frames, err
		}
		f.Release()
	}
	return v.Info(), frames, nil
}

func decoders(ctx context.Context) []Decoder {
	dir, err := os.MkdirTemp("", "glom-doctor-")
	if err != nil {
		return []Decoder{{Codec: "all", Err: err}}
	}
	defer os.RemoveAll(dir)
	entries, err := samples.ReadDir("samples")
	if err != nil {
		return []Decoder{{Codec: "all", Err: err}}
	}
	var all []Decoder
	for _, entry := range entries {
		if ctx.Err() != nil {
			break
		}
		codec, _, _ := strings.Cut(entry.Name(), ".")
		all = append(all, Decoder{Codec: codec, Err: tryDecoder(ctx, dir, entry.Name())})
	}
	return all
}

func tryDecoder(ctx context.Context, dir, name string) error {
	data, err := samples.ReadFile(path.Join("samples", name))
	if err != nil {
		return err
	}
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		return err
	}
	const frames = 3 // of each sample
	_, n, err := tryVideo(ctx, capture.Spec{Kind: capture.File, Raw: name, Path: file}, frames+1)
	if err == nil && n != frames {
		err = fmt.Errorf("decode %q: got %d frames, not %d", name, n, frames)
	}
	return err
}

// timeFlow returns the median time of DIS flow between two pictures of moving stripes.
func timeFlow() (time.Duration, error) {
	const w, h, runs = 320, 176, 9
	prev, cur, dst := make([]byte, w*h), make([]byte, w*h), make([]float32, 2*w*h)
	for i := range prev {
		x, y := i%w, i/w
		prev[i] = byte(x*x/16 + y*y/8)
		cur[i] = byte((x-2)*(x-2)/16 + y*y/8)
	}
	f, err := NewFlow()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var times []time.Duration
	for range runs {
		start := time.Now()
		if err := f.Calc(dst, prev, cur, w, h); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times[runs/2], nil
}
