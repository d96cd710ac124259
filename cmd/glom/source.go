package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"glomstream/capture"
	"glomstream/capture/libav"
	"glomstream/capture/opencv"
	"glomstream/capture/scene"
)

// sourceHelp is the part of the help that tells what a SOURCE is.
const sourceHelp = `SOURCE is one of
  video.mp4                  a video file of any kind that FFmpeg reads
  0  /dev/video0             a webcam
  rtsp://…  http(s)://…      a network stream
  frames/  'frames/*.png'    pictures: a folder, a pattern (also img_%05d.png) or a single one
  -                          YUV4MPEG2 on the standard input
  synthetic:NAME?seed=1      a scene with known islands; NAME is one of
                             `

// sourceOptions says how to open a source.
type sourceOptions struct {
	openTimeout time.Duration
	frames      int // stop after so many frames; 0 = all
}

// openSource opens what name stands for.
func openSource(ctx context.Context, name string, stdin io.Reader, opt sourceOptions) (capture.Source, error) {
	spec, err := capture.ParseSpec(name)
	if err != nil {
		return nil, err
	}
	src, err := openSpec(ctx, spec, stdin, opt)
	if err != nil {
		return nil, err
	}
	if opt.frames > 0 {
		src = capture.Limit(src, opt.frames)
	}
	return src, nil
}

func openSpec(ctx context.Context, spec capture.Spec, stdin io.Reader, opt sourceOptions) (capture.Source, error) {
	switch spec.Kind {
	case capture.Y4M:
		return capture.NewY4M(ctx, stdin, "-")
	case capture.Images:
		return capture.OpenImages(spec, 0)
	case capture.Synthetic:
		c, err := scene.Parse(strings.TrimPrefix(spec.Raw, "synthetic:"))
		if err != nil {
			return nil, err
		}
		return scene.New(c)
	}
	vo := opencv.VideoOptions{OpenTimeout: opt.openTimeout, ReadTimeout: opt.openTimeout}
	if spec.Kind == capture.File {
		vo.Times = func(after time.Duration) []time.Duration { return libav.Times(spec.Path, after) }
	}
	began := time.Now()
	src, err := opencv.OpenVideo(ctx, spec, vo)
	switch {
	case spec.Kind == capture.Webcam && errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w; glom doctor lists those that are here", err)
	case err != nil && !errors.Is(err, opencv.ErrUnreadable), err == nil && spec.Kind != capture.File:
		return src, err
	}
	if reason := diagnose(spec, opt.openTimeout-time.Since(began)); reason != nil {
		if err == nil {
			src.Close()
		}
		return nil, reason
	}
	if err != nil {
		return nil, err
	}
	return newSteady(src, spec), nil
}

// diagnose asks FFmpeg why a file or stream gives no pictures, or none that are worth it: OpenCV
// does not tell, makes noise of what is encrypted, and takes a text for a film of it.
func diagnose(spec capture.Spec, timeout time.Duration) error {
	_, err := libav.Probe(spec.Path, max(timeout, time.Millisecond))
	if err == nil {
		return nil
	}
	if inner := errors.Unwrap(err); inner != nil {
		err = inner // which does not name the source
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil // the time was up for this question only
	}
	if text, _, ok := strings.Cut(err.Error(), " ("); ok && strings.Contains(err.Error(), "://") {
		err = errors.New(text) // the address in the brackets may hold a password
	}
	return fmt.Errorf("open %q: %w", spec.Name(), err)
}

// sceneNames lists the scenes for the help.
func sceneNames() string { return strings.Join(scene.Names(), " ") }
