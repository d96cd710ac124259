package main

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"glomstream/capture"
	"glomstream/capture/libav"
	"glomstream/pipeline"
)

// output is a sink that has to be finished.
type output interface {
	pipeline.Sink
	io.Closer
}

type outputs []output

func (o outputs) sinks() []pipeline.Sink {
	var s []pipeline.Sink
	for _, out := range o {
		s = append(s, out)
	}
	return s
}

// Close finishes all outputs and returns the first error.
func (o outputs) Close() error {
	var first error
	for _, out := range o {
		if err := out.Close(); first == nil {
			first = err
		}
	}
	return first
}

// openOutputs opens what the flags ask for.
func openOutputs(f *processFlags, info capture.Info, levels int, t terminal) (outputs, error) {
	var outs outputs
	add := func(o output, err error) error {
		if err != nil {
			return errors.Join(err, outs.Close())
		}
		outs = append(outs, o)
		return nil
	}
	if f.masks != "" {
		if err := add(newMasks(f.masks, levels, f.overwrite)); err != nil {
			return nil, err
		}
	}
	if f.json != "" {
		if err := add(newLines(f.json, t.out)); err != nil {
			return nil, err
		}
	}
	if f.coco != "" {
		if err := add(newCoco(f.coco, levels)); err != nil {
			return nil, err
		}
	}
	if f.salient != "" {
		if err := add(newSalience(f)); err != nil {
			return nil, err
		}
	}
	if f.follow != "" {
		if err := add(newFollowing(f, info.Name)); err != nil {
			return nil, err
		}
	}
	if f.output != "" { // last, as others draw on the canvas
		opt := libav.Options{FPS: info.FPS, Overwrite: f.overwrite}
		outs = append(outs, &video{path: f.output, opt: opt, src: info.Name})
	}
	return outs, nil
}

// video records the canvas. The file is created with the first frame, whose size it needs.
type video struct {
	path string
	opt  libav.Options
	src  string // name of the source
	rec  *libav.Recorder
	w, h int // of the frames, not the canvas
}

func (v *video) Write(r *pipeline.Result) error {
	if v.rec == nil {
		v.w, v.h = r.Frame.W, r.Frame.H
		v.opt.W, v.opt.H = r.Canvas.W, r.Canvas.H
		rec, err := libav.Create(v.path, v.opt)
		if err != nil {
			return err
		}
		v.rec = rec
	}
	if r.Frame.W != v.w || r.Frame.H != v.h {
		return fmt.Errorf("%q changes from %dx%d to %dx%d pixels, but a video has one size: leave out -o, or split the source",
			v.src, v.w, v.h, r.Frame.W, r.Frame.H)
	}
	return v.rec.Write(&r.Canvas)
}

func (v *video) Close() error {
	if v.rec == nil {
		return nil
	}
	return v.rec.Close()
}

// masks writes DIR/levelL/NNNNN.png for every frame and level.
type masks struct {
	folders []*pictures
	images  []*image.Gray16 // one per level, reused
}

func newMasks(dir string, levels int, overwrite bool) (*masks, error) {
	m := &masks{}
	for l := range levels {
		folder, err := newPictures(filepath.Join(dir, "level"+strconv.Itoa(l)), overwrite)
		if err != nil {
			return nil, err
		}
		m.folders = append(m.folders, folder)
		m.images = append(m.images, new(image.Gray16))
	}
	return m, nil
}

// Write encodes the levels at the same time; they go into separate files.
func (m *masks) Write(r *pipeline.Result) error {
	var g errgroup.Group
	for l := range m.folders {
		g.Go(func() error { return m.write(l, r) })
	}
	return g.Wait()
}

func (m *masks) write(l int, r *pipeline.Result) error {
	w, h := r.Frame.W, r.Frame.H
	img := m.images[l]
	if img.Rect.Dx() != w || img.Rect.Dy() != h {
		*img = *image.NewGray16(image.Rect(0, 0, w, h))
	}
	for i, id := range r.Labels[l] {
		img.Pix[2*i], img.Pix[2*i+1] = byte(id>>8), byte(id)
	}
	return m.folders[l].write(r.Frame.Seq, img)
}

// bare drops the path of a file error, for texts that name the file already.
func bare(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

func (m *masks) Close() error { return nil }

// pngBuffers lets the encoder reuse its buffers.
type pngBuffers struct{ pool sync.Pool }

func (p *pngBuffers) Get() *png.EncoderBuffer {
	b, _ := p.pool.Get().(*png.EncoderBuffer)
	return b
}

func (p *pngBuffers) Put(b *png.EncoderBuffer) { p.pool.Put(b) }
