package libav

/*
#include <stdlib.h>
#include "libav.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"glomstream/capture"
)

// Options of a recording. W and H are needed; the rest may be zero.
type Options struct {
	Codec     string  // "h264", "vp8", "vp9", "mpeg4" or "ffv1" (lossless); "" = h264, for .webm vp8
	W, H      int     // size of the frames in pixels, 1 to 16384 (some encoders take less)
	FPS       float64 // expected frames per second, for rate control and key frames only; 0 = 30
	Quality   int     // 1 (small) to 100 (best); 0 = 75. ffv1 ignores it
	Overwrite bool    // an existing file may go
}

const (
	maxSide        = 16384
	defaultFPS     = 30
	defaultQuality = 75
)

// Recorder writes one video file. It is used by one goroutine and must be closed.
type Recorder struct {
	path   string
	opt    Options
	ticks  int64 // per second
	file   *os.File
	c      *C.libav_recorder // nil once closed
	frames int

	last  int64 // the last frame's time in ticks, -1 before the first
	gap   int64 // from the frame before to the last one, in ticks
	shift int64 // added to every time, in ticks

	note   [C.LIBAV_NOTE]C.char // what the libraries say about an error
	err    error                // the first write error, as Write returned it
	result error                // of Close
}

// Create starts a recording in the file path, whose ending chooses the container: .mkv, .webm
// or .mp4. It fails on an existing file unless opt.Overwrite is set, on a codec that the
// container cannot hold or this FFmpeg does not have, and on a size that the codec cannot do.
func Create(path string, opt Options) (*Recorder, error) {
	r, err := create(path, opt)
	if err != nil {
		return nil, fmt.Errorf("create %q: %w", path, err)
	}
	return r, nil
}

func create(path string, opt Options) (*Recorder, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	box, cod, err := choose(path, opt.Codec)
	if err != nil {
		return nil, err
	}
	file, isNew, err := openFile(path, opt.Overwrite)
	if err != nil {
		return nil, err
	}
	r := &Recorder{path: path, opt: opt, ticks: int64(box.ticks), file: file, last: -1}
	if err := r.open(box, cod); err != nil {
		_ = file.Close() // the first error is the one to tell
		if isNew {
			_ = os.Remove(path)
		}
		return nil, err
	}
	return r, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.W < 1 || o.H < 1 || o.W > maxSide || o.H > maxSide {
		return o, fmt.Errorf("a picture of %dx%d cannot be recorded (1 to %d each)", o.W, o.H, maxSide)
	}
	if o.Quality < 0 || o.Quality > 100 {
		return o, fmt.Errorf("quality %d is not between 1 and 100", o.Quality)
	}
	if o.Quality == 0 {
		o.Quality = defaultQuality
	}
	if !(o.FPS >= 0.1 && o.FPS <= 1000) { // also NaN, and what damaged headers state
		o.FPS = defaultFPS
	}
	return o, nil
}

// openFile opens path for writing and tells whether it was made just now.
func openFile(path string, overwrite bool) (file *os.File, isNew bool, err error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, false, errors.New("is a directory")
	case err == nil && !overwrite:
		return nil, false, fmt.Errorf("%w; give -y to overwrite", fs.ErrExist)
	case err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeSocket) != 0:
		return nil, false, errors.New("is a pipe; a recording needs a file")
	}
	isNew = err != nil
	flags := os.O_WRONLY | os.O_CREATE // what is there goes only when the encoder is open
	if isNew {
		flags |= os.O_EXCL // nobody may slip one in between
	}
	file, err = os.OpenFile(path, flags, 0o666)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("there is no folder %q; make it first", filepath.Dir(path))
	}
	return file, isNew, bare(err)
}

// bare strips what os puts before an error, for texts that name the file already.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

func (r *Recorder) open(box container, cod codec) error {
	pad := 1
	if cod.rgb {
		pad = 0
	}
	cfg := C.libav_config{
		muxer:    C.CString(box.muxer),
		encoder:  C.CString(cod.encoder),
		options:  C.CString(cod.options(r.opt)),
		mux:      C.CString(box.mux),
		w:        C.int(r.opt.W),
		h:        C.int(r.opt.H),
		padded_w: C.int(r.opt.W + r.opt.W&pad),
		padded_h: C.int(r.opt.H + r.opt.H&pad),
		rgb:      C.int(1 - pad),
		ticks:    C.int(box.ticks),
		rate:     C.int(r.opt.FPS * 1000),
		fd:       C.int(r.file.Fd()),
	}
	if r.opt.H >= 720 && !cod.only601 {
		cfg.bt709 = 1
	}
	defer func() {
		for _, s := range []*C.char{cfg.muxer, cfg.encoder, cfg.options, cfg.mux} {
			C.free(unsafe.Pointer(s))
		}
	}()
	if code := C.libav_create(&r.c, &cfg, &r.note[0]); code < 0 {
		return averror(code, C.GoString(&r.note[0]))
	}
	return nil
}

// Write encodes a frame, which stays the caller's. The frame must have the size that Create
// was given. The first error of the file is final: later calls return it again.
// Write panics if the frame's pixels are fewer than its size says.
func (r *Recorder) Write(f *capture.Frame) error {
	if r.err != nil {
		return r.err
	}
	if r.c == nil {
		return fmt.Errorf("write %q: %w", r.path, fs.ErrClosed)
	}
	if f.W != r.opt.W || f.H != r.opt.H {
		return fmt.Errorf("write %q: frame %d is %dx%d, the recording is %dx%d", r.path, f.Seq, f.W, f.H, r.opt.W, r.opt.H)
	}
	if f.Stride < 3*f.W || len(f.Pix) < (f.H-1)*f.Stride+3*f.W {
		panic("libav: a frame has fewer pixels than its size says")
	}
	at := r.tick(f.PTS)
	code := C.libav_write(r.c, (*C.uint8_t)(&f.Pix[0]), C.int(f.Stride), C.int64_t(at), &r.note[0])
	if code < 0 {
		r.err = r.fail(code)
		return r.err
	}
	r.frames++
	return nil
}

// tick gives the time at which the next frame is written and keeps it; see the package comment
// for the rule.
func (r *Recorder) tick(pts time.Duration) int64 {
	const s = int64(time.Second)
	p := max(0, int64(pts))
	t := p/s*r.ticks + (p%s*r.ticks+s/2)/s + r.shift
	if r.last < 0 {
		r.last = t
		return t
	}
	if behind := r.last - t; behind > r.ticks {
		r.shift += behind + max(1, r.gap)
		t = r.last + max(1, r.gap)
	}
	t = max(t, r.last+1)
	r.gap, r.last = t-r.last, t
	return t
}

// fail words the error of a write.
func (r *Recorder) fail(code C.int) error {
	err := averror(code, C.GoString(&r.note[0]))
	return fmt.Errorf("write %q: %w (%d frames were written)", r.path, err, r.frames)
}

// Frames returns how many frames Write has taken.
func (r *Recorder) Frames() int { return r.frames }

// Close finishes the file, forces it to the disk, and reads it back: it returns nil only if
// the file holds every frame that was written, with the last one at its time. After a write
// error it keeps what there is, and the error tells how many frames of it can be read.
// A recording without a frame is an error and leaves no file. Close may be called again and
// returns the same.
func (r *Recorder) Close() error {
	if r.c == nil {
		return r.result
	}
	r.finish()
	C.libav_free(r.c)
	r.c = nil
	info, err := r.file.Stat()
	if err == nil && info.Mode().IsRegular() {
		err = r.file.Sync()
	}
	if e := r.file.Close(); err == nil {
		err = e
	}
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("write %q: %w", r.path, bare(err))
	}
	r.result = r.verify(info)
	return r.result
}

// finish drains the encoder and writes the trailer.
func (r *Recorder) finish() {
	last := min(r.gap, r.ticks)
	if last == 0 {
		last = max(1, int64(float64(r.ticks)/r.opt.FPS))
	}
	if code := C.libav_finish(r.c, C.int64_t(last), &r.note[0]); code < 0 && r.err == nil {
		r.err = r.fail(code)
	}
}

// verify reads the closed file back. info is what it was while it was open.
func (r *Recorder) verify(info fs.FileInfo) error {
	now, err := os.Stat(r.path)
	same := err == nil && info != nil && os.SameFile(info, now)
	switch {
	case !same && r.err != nil:
		return fmt.Errorf("%w; the file was removed or replaced meanwhile", r.err)
	case !same:
		return fmt.Errorf("write %q: the file was removed or replaced meanwhile", r.path)
	case r.frames == 0 && r.err == nil:
		if info.Mode().IsRegular() {
			_ = os.Remove(r.path)
		}
		return fmt.Errorf("write %q: no frame came, so no file was kept", r.path)
	}
	got, err := inspect(r.path, 0, true)
	switch {
	case r.err != nil && err != nil:
		return fmt.Errorf("%w; the incomplete file was kept, but no frame can be read", r.err)
	case r.err != nil:
		return fmt.Errorf("%w; the incomplete file was kept, %d frames can be read", r.err, got.Packets)
	case err != nil:
		return fmt.Errorf("verify %q: %w", r.path, err)
	case got.Packets != r.frames:
		return fmt.Errorf("verify %q: %d frames can be read, %d were written", r.path, got.Packets, r.frames)
	}
	const s = int64(time.Second)
	want := time.Duration(r.last/r.ticks*s + r.last%r.ticks*s/r.ticks)
	if off := got.Last - want; off.Abs() > time.Millisecond {
		return fmt.Errorf("verify %q: the last frame is at %v instead of %v", r.path, got.Last, want)
	}
	return nil
}
