package opencv

import (
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"glomstream/capture"
)

// VideoOptions says how to open a Video. Zero fields have the stated default.
type VideoOptions struct {
	OpenTimeout time.Duration // until the source is open, default 5 s
	ReadTimeout time.Duration // until the next frame of a live source, default 5 s

	// Wishes for a webcam, which takes the nearest that it has; 0 as it comes.
	Width, Height int
	FPS           float64

	// Times returns the presentation times of a file's frames after the given one, ascending,
	// from the start of its video track. OpenCV does not tell the times of the last frames of a
	// file, as many as the decoder holds back; without Times they follow each other evenly.
	// It is called at most once, near the end, from the goroutine that decodes.
	Times func(after time.Duration) []time.Duration
}

// Video reads a webcam, a video file or a network stream. It decodes one frame ahead in a
// goroutine of its own. Make one with OpenVideo.
type Video struct {
	name        string
	info        capture.Info
	readTimeout time.Duration

	frames chan decoded  // the reader sends, and nobody after an error
	stop   chan struct{} // closed by Close
	done   chan struct{} // closed by the reader once the device is freed
	once   sync.Once
	err    error // what Next returns from now on
}

type decoded struct {
	frame capture.Frame
	err   error
}

// OpenVideo opens a source of kind Webcam, File or Stream. Pixels come upright, as rotation
// metadata says. An error names the source without credentials; one for a time-out wraps
// os.ErrDeadlineExceeded.
//
// OpenCV cannot be interrupted. If ctx ends or the time is up first, OpenVideo returns and the
// half-open source frees itself when OpenCV comes back.
func OpenVideo(ctx context.Context, spec capture.Spec, opt VideoOptions) (*Video, error) {
	if opt.OpenTimeout <= 0 {
		opt.OpenTimeout = 5 * time.Second
	}
	if opt.ReadTimeout <= 0 {
		opt.ReadTimeout = 5 * time.Second
	}
	if err := check(spec); err != nil {
		return nil, fmt.Errorf("open %q: %w", spec.Name(), err)
	}
	d, s, err := open(ctx, spec, opt)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", spec.Name(), err)
	}
	v := &Video{
		name:        spec.Name(),
		info:        describe(spec, s),
		readTimeout: opt.ReadTimeout,
		frames:      make(chan decoded),
		stop:        make(chan struct{}),
		done:        make(chan struct{}),
	}
	r := newReader(d, spec, v.info, opt)
	go r.run(v.frames, v.stop, v.done)
	return v, nil
}

// Next returns the next frame, or io.EOF after the last one of a file. It fails if a file ends
// clearly before the length that it states (the error wraps io.ErrUnexpectedEOF), if it has no
// frame at all, and if a live source ends (io.ErrUnexpectedEOF) or gives nothing for
// ReadTimeout (os.ErrDeadlineExceeded). After an error other than ctx's it returns that again.
// Pictures that do not decode are left out.
func (v *Video) Next(ctx context.Context) (capture.Frame, error) {
	if v.err != nil {
		return capture.Frame{}, v.err
	}
	// A file on a slow disk may take its time.
	var late <-chan time.Time
	if v.info.Live {
		timer := time.NewTimer(v.readTimeout + time.Second)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case f := <-v.frames:
		if f.err != nil {
			v.err = f.err
		}
		if v.info.W == 0 {
			v.info.W, v.info.H = f.frame.W, f.frame.H
		}
		return f.frame, f.err
	case <-late:
		v.err = fmt.Errorf("read %q: %w", v.name, stalled(v.readTimeout))
		return capture.Frame{}, v.err
	case <-ctx.Done():
		return capture.Frame{}, context.Cause(ctx)
	}
}

// Info returns what the source states, clamped.
func (v *Video) Info() capture.Info { return v.info }

// Close frees the source and waits for that, at most ReadTimeout and a second: a reader that is
// stuck in a driver or a name server for longer is left behind on purpose, and frees the source
// if it ever comes back.
func (v *Video) Close() error {
	v.once.Do(func() { close(v.stop) })
	v.err = fmt.Errorf("read %q: %w", v.name, os.ErrClosed)
	timer := time.NewTimer(v.readTimeout + time.Second)
	defer timer.Stop()
	select {
	case <-v.done:
	case <-timer.C:
	}
	return nil
}
