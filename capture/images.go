package capture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// DefaultFPS is the frame rate of a source that states none.
const DefaultFPS = 25.0

// images reads still pictures one after the other.
type images struct {
	info   Info
	files  []string
	next   int
	pool   *Pool
	closed bool
}

// OpenImages opens the pictures of a spec of kind Images as a video of fps frames per second,
// 1 to 240, or DefaultFPS if fps is 0. Picture i of the list has Seq i and is due at i/fps.
//
// JPEG, PNG, BMP and WebP are told apart by their contents, whatever their names. EXIF
// orientation is honoured. Each frame has its own picture's size; Info has the first one's.
// Of an animated PNG the still picture is used; an animated WebP is an error.
//
// The error of a broken picture names its file; the Next after it goes on with the picture
// that follows.
func OpenImages(spec Spec, fps float64) (Source, error) {
	name := spec.Name()
	switch {
	case spec.Kind != Images || len(spec.Files) == 0:
		return nil, fmt.Errorf("open %q: not a list of pictures, but a %v", name, spec.Kind)
	case fps == 0:
		fps = DefaultFPS
	case !plausibleRate(fps):
		return nil, fmt.Errorf("open %q: %v frames per second are not in 1 to 240", name, fps)
	}
	s := &images{files: spec.Files, pool: NewPool(8)}
	s.info = Info{Name: name, FPS: fps, Frames: len(s.files), Duration: due(len(s.files), fps)}
	err := readPicture(s.files[0], func(p *picture) error {
		s.info.W, s.info.H = p.size()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// plausibleRate reports whether fps can be a frame rate; NaN cannot.
func plausibleRate(fps float64) bool { return 1 <= fps && fps <= 240 }

// due returns when frame i is due.
func due(i int, fps float64) time.Duration {
	return time.Duration(float64(i)/fps*float64(time.Second) + 0.5)
}

func (s *images) Info() Info { return s.info }

func (s *images) Next(ctx context.Context) (Frame, error) {
	switch {
	case s.closed:
		return Frame{}, fmt.Errorf("read %q: %w", s.info.Name, os.ErrClosed)
	case ctx.Err() != nil:
		return Frame{}, fmt.Errorf("read %q: %w", s.info.Name, context.Cause(ctx))
	case s.next == len(s.files):
		return Frame{}, io.EOF
	}
	i := s.next
	s.next++
	var f Frame
	err := readPicture(s.files[i], func(p *picture) (err error) {
		f, err = p.frame(s.pool)
		return err
	})
	if err != nil {
		return Frame{}, err
	}
	f.Seq, f.PTS, f.Captured = uint64(i), due(i, s.info.FPS), time.Now()
	return f, nil
}

func (s *images) Close() error {
	s.closed = true
	return nil
}

// readPicture opens a file for as long as use needs it. Its errors name the file.
func readPicture(path string, use func(*picture) error) error {
	f, err := openRegular(path)
	if err != nil {
		return openError(path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return openError(path, err)
	}
	if info.Size() > maxPictureBytes {
		return openError(path, errors.New("the file is longer than a picture can be (513 MiB)"))
	}
	p, err := openPicture(f)
	if err == nil {
		err = use(p)
	}
	if err != nil {
		return fmt.Errorf("read %q: %w", path, err)
	}
	return nil
}
