package opencv

import (
	"fmt"
	"io"
	"os"
	"time"

	"glomstream/capture"
)

// maxFailures is after how many failing reads in a row a source has ended. OpenCV reports a
// picture that does not decode in the same way as the end, and goes on behind it.
const maxFailures = 64

// reader decodes a device. It is used by one goroutine, which frees the device.
type reader struct {
	d           device
	spec        capture.Spec
	info        capture.Info
	readTimeout time.Duration
	pool        *capture.Pool
	clock       clock
	seq         uint64 // frames so far
	late        bool   // whether the last picture took as long as may be
	reason      error  // why the last picture that failed did
}

func newReader(d device, spec capture.Spec, info capture.Info, opt VideoOptions) *reader {
	fps := info.FPS
	if fps == 0 {
		fps = fallbackFPS
	}
	interval := time.Duration(float64(time.Second) / fps)
	return &reader{
		d: d, spec: spec, info: info, readTimeout: opt.ReadTimeout,
		pool:  capture.NewPool(8),
		clock: clock{live: info.Live, interval: interval, times: opt.Times},
	}
}

func (r *reader) run(frames chan<- decoded, stop <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	defer r.d.close()
	for {
		f, err := r.next()
		select {
		case frames <- decoded{f, err}:
		case <-stop:
			f.Release()
			return
		}
		if err != nil {
			return
		}
	}
}

// next returns the next frame that decodes.
func (r *reader) next() (capture.Frame, error) {
	start := time.Now()
	for range maxFailures {
		w, h, msec, ok, err := r.d.read()
		late := time.Since(start) > r.readTimeout*9/10
		if ok {
			r.late = late
			return r.frame(w, h, msec)
		}
		if err != nil {
			r.reason = err
		}
		if late {
			r.late = true
			break
		}
	}
	// What had come when the time was up may have made one more picture.
	if r.late && r.spec.Kind != capture.File {
		return capture.Frame{}, r.fail(stalled(r.readTimeout))
	}
	return capture.Frame{}, r.end()
}

func (r *reader) frame(w, h int, msec float64) (capture.Frame, error) {
	if w > maxSide || h > maxSide || w*h > maxPixels {
		return capture.Frame{}, r.fail(fmt.Errorf("a picture of %dx%d pixels is too large", w, h))
	}
	f := r.pool.Frame(w, h)
	if err := r.d.copy(f.Pix, w, h); err != nil {
		f.Release()
		return capture.Frame{}, r.fail(err)
	}
	f.Captured = time.Now()
	f.Seq, f.PTS = r.seq, r.clock.next(msec, f.Captured)
	r.seq++
	return f, nil
}

// end says what it means that no more pictures come.
func (r *reader) end() error {
	if r.seq == 0 {
		reason := r.reason
		if reason == nil {
			reason = ErrUnreadable
		}
		return r.fail(reason)
	}
	last := r.clock.pts.Round(time.Millisecond)
	if r.info.Live {
		return r.fail(fmt.Errorf("the stream ended after %d frames, at %v: %w", r.seq, last, io.ErrUnexpectedEOF))
	}
	if r.early() {
		return r.fail(fmt.Errorf("it is cut off or damaged, and ends at %v of %v: %w",
			last, r.info.Duration.Round(time.Millisecond), io.ErrUnexpectedEOF))
	}
	return io.EOF
}

// early says whether frames are missing at the end. Without help from the file's structure,
// that is 1 s and 10 % more than inexact headers explain.
func (r *reader) early() bool {
	missing := r.info.Duration - r.clock.pts - r.clock.interval
	if missing < 2*r.clock.interval {
		return false
	}
	switch r.ending() {
	case endWhole:
		return false
	case endCut:
		return true
	}
	return missing > max(time.Second, r.info.Duration/10)
}

func (r *reader) ending() ending {
	if r.spec.Kind != capture.File {
		return endUnknown
	}
	f, err := os.Open(r.spec.Path)
	if err != nil {
		return endUnknown
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return endUnknown
	}
	return endingOf(f, info.Size())
}

func (r *reader) fail(err error) error { return fmt.Errorf("read %q: %w", r.spec.Name(), err) }

func stalled(d time.Duration) error {
	return fmt.Errorf("the source stalled, no picture for %v: %w", d, os.ErrDeadlineExceeded)
}
