package main

import (
	"context"
	"fmt"

	"glomstream/capture"
	"glomstream/capture/libav"
)

// steady ends a video file whose pictures change their size: OpenCV goes on in the first one's
// size and fills it with stripes. Each picture is measured before its frame is passed on.
type steady struct {
	capture.Source
	sizes *libav.Sizes // nil if they cannot be measured
	read  uint64       // pictures measured
	w, h  int          // of the first one, 0 as long as unknown
	err   error        // once the size has changed
}

func newSteady(src capture.Source, spec capture.Spec) *steady {
	s := &steady{Source: src}
	// A file that another library reads, but this one does not, is taken as it is.
	s.sizes, _ = libav.OpenSizes(spec.Path)
	return s
}

func (s *steady) Next(ctx context.Context) (capture.Frame, error) {
	f, err := s.Source.Next(ctx)
	for err == nil && s.err == nil && s.sizes != nil && s.read <= f.Seq {
		s.measure()
	}
	if err == nil && s.err != nil {
		f.Release()
		return capture.Frame{}, s.err
	}
	return f, err
}

func (s *steady) measure() {
	w, h, err := s.sizes.Next()
	switch {
	case err != nil:
		s.sizes.Close()
		s.sizes = nil
	case w == 0: // unknown
	case s.w == 0:
		s.w, s.h = w, h
	case w != s.w || h != s.h:
		s.err = fmt.Errorf("read %q: its picture changes from %dx%d to %dx%d pixels after %d frames: cut it there and take the parts one by one",
			s.Info().Name, s.w, s.h, w, h, s.read)
	}
	s.read++
}

func (s *steady) Close() error {
	if s.sizes != nil {
		s.sizes.Close()
	}
	return s.Source.Close()
}
