package opencv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"gocv.io/x/gocv"

	"glomstream/capture"
)

// maxSide and maxPixels bound a picture, as in package capture.
const (
	maxSide   = 16384
	maxPixels = 64 << 20
)

// ErrUnreadable is the reason for a file or stream that gives no picture without OpenCV telling why.
var ErrUnreadable = errors.New("no video in it that can be read")

// check finds the faults that OpenCV would report as "could not open".
func check(spec capture.Spec) error {
	switch spec.Kind {
	case capture.Webcam:
		return checkWebcam(spec.Path)
	case capture.Stream:
		for _, scheme := range []string{"rtsp://", "rtsps://", "http://", "https://"} {
			if strings.HasPrefix(spec.Path, scheme) {
				return nil
			}
		}
		return errors.New("this is not an rtsp, rtsps, http or https address")
	case capture.File:
		return checkFile(spec.Path)
	}
	return fmt.Errorf("a source of kind %v is not read by OpenCV", spec.Kind)
}

// checkWebcam opens the device for a moment, because OpenCV does not say why it cannot.
func checkWebcam(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no such camera: %w", plain(err))
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: join the group video", plain(err))
	case err != nil:
		return plain(err)
	}
	return f.Close()
}

// openRegular opens a file that has something in it. Opening a pipe or a device could block, so
// it looks first.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, plain(err)
	case info.IsDir():
		return nil, errors.New("it is a directory, not a regular file")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() == 0:
		return nil, errors.New("it is empty")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, plain(err)
	}
	return f, nil
}

func checkFile(path string) error {
	f, err := openRegular(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 20)
	n, err := f.Read(head)
	if err != nil {
		return plain(err)
	}
	// FFmpeg would open the files that a playlist names.
	for _, mark := range []string{"#EXTM3U", "ffconcat", "<MPD", "<?xml"} {
		if strings.HasPrefix(strings.TrimPrefix(string(head[:n]), "\ufeff"), mark) {
			return errors.New("it is a playlist, not a video")
		}
	}
	return nil
}

// plain drops the path, which the caller's error names already.
func plain(err error) error {
	if e := new(os.PathError); errors.As(err, &e) {
		return e.Err
	}
	return err
}

type opened struct {
	d   device
	s   stated
	err error
}

// open waits for OpenCV in another goroutine, because it cannot be interrupted.
func open(ctx context.Context, spec capture.Spec, opt VideoOptions) (device, stated, error) {
	// OpenCV's own time-out comes first, except while it looks up the name of a host.
	const grace = 500 * time.Millisecond
	timer := time.NewTimer(opt.OpenTimeout + grace)
	defer timer.Stop()
	result, abandoned := make(chan opened), make(chan struct{})
	go func() {
		var o opened
		o.d, o.s, o.err = openNow(spec, opt)
		select {
		case result <- o:
		case <-abandoned:
			if o.err == nil {
				o.d.close()
			}
		}
	}()
	select {
	case o := <-result:
		return o.d, o.s, o.err
	case <-timer.C:
		close(abandoned)
		return device{}, stated{}, silent(opt.OpenTimeout)
	case <-ctx.Done():
		close(abandoned)
		return device{}, stated{}, context.Cause(ctx)
	}
}

func openNow(spec capture.Spec, opt VideoOptions) (device, stated, error) {
	backend, number, path := gocv.VideoCaptureFFmpeg, -1, spec.Path
	switch spec.Kind {
	case capture.Webcam:
		backend, number = gocv.VideoCaptureV4L2, spec.Device
	case capture.File:
		path = "file:" + path // else FFmpeg takes a:b.mp4 for the protocol a
	}
	start := time.Now()
	d, s, err := openDevice(path, backend, number, opt)
	switch {
	case err != nil || d.p != nil:
		return d, s, err
	case spec.Kind == capture.Stream && time.Since(start) > opt.OpenTimeout*9/10:
		return d, s, silent(opt.OpenTimeout)
	case spec.Kind == capture.Stream:
		return d, s, fmt.Errorf("%w; check the address, the user and the password", ErrUnreadable)
	case spec.Kind == capture.Webcam:
		return d, s, errors.New("the camera gives no pictures: it is in use, or not a camera")
	}
	return d, s, ErrUnreadable
}

func silent(d time.Duration) error {
	return fmt.Errorf("no answer within %v: %w", d, os.ErrDeadlineExceeded)
}

// describe clamps what the source states of itself.
func describe(spec capture.Spec, s stated) capture.Info {
	info := capture.Info{Name: spec.Name(), W: size(s.width), H: size(s.height)}
	info.FPS, info.Frames, info.Duration = plausible(s)
	// A camera on the network has no length; a file on a web server has one.
	info.Live = spec.Kind == capture.Webcam || spec.Kind == capture.Stream && info.Frames == 0
	if info.Live {
		info.Frames, info.Duration = 0, 0
	}
	return info
}

func size(v float64) int {
	if v >= 1 && v <= maxSide {
		return int(v)
	}
	return 0
}
