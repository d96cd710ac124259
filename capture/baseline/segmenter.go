package baseline

import (
	"errors"
	"fmt"
	"io"

	"glomstream/capture"
	"glomstream/capture/opencv"
)

// Segmenter divides each frame of a video into regions that keep their ids over frames.
type Segmenter interface {
	// Segment writes an id from 1 for each pixel of f into dst (H*W). There are count regions,
	// or fewer where the picture is too small for as many. ev is the front end's evidence for f;
	// without its flow nothing is known to have moved.
	Segment(dst []uint16, f *capture.Frame, ev *capture.Evidence, count int) error
	// Reset forgets the frame before, as after a cut.
	Reset()
	// Close frees the segmenter and may be called twice.
	io.Closer
}

// SLIC returns a Segmenter that merges SLIC superpixels.
func SLIC() Segmenter { return &merged{divide: opencv.SLIC} }

// SEEDS returns a Segmenter that merges SEEDS superpixels.
func SEEDS() Segmenter { return &merged{divide: opencv.SEEDS} }

// KMeans returns a Segmenter that clusters colour, position and motion. Its regions need not be
// connected.
func KMeans() Segmenter { return new(clusters) }

// view is a frame and its motion, as all segmenters look at it.
type view struct {
	w, h int
	lab  []byte    // (H, W, 3), see opencv.Lab
	flow []float32 // (H, W, 2) in pixels of the frame; nil if nothing is known to have moved

	moved []float32 // behind flow
}

// look fills v from a frame.
func (v *view) look(f *capture.Frame, ev *capture.Evidence) error {
	if f.W <= 0 || f.H <= 0 {
		return errors.New("the frame has no pixels")
	}
	v.w, v.h = f.W, f.H
	v.lab = resize(v.lab, 3*f.W*f.H)
	if err := opencv.Lab(v.lab, f); err != nil {
		return err
	}
	return v.follow(f, ev)
}

// follow fills v.flow alone.
func (v *view) follow(f *capture.Frame, ev *capture.Evidence) error {
	v.flow = nil
	if ev == nil || ev.Flow == nil {
		return nil
	}
	v.moved = resize(v.moved, 2*f.W*f.H)
	v.flow = v.moved
	return opencv.ResizeFlow(v.flow, f.W, f.H, ev.Flow, ev.W, ev.H)
}

func checkSegment(dst []uint16, f *capture.Frame, count int) error {
	if len(dst) != f.W*f.H {
		panic("baseline: Segment: labels do not fit the frame")
	}
	if count < 1 {
		return fmt.Errorf("%d regions are not possible: ask for 1 or more", count)
	}
	return nil
}

// resize returns s with length n, in new memory only if it does not fit.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
