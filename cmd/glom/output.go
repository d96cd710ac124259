package main

import (
	"bufio"
	"encoding/json"
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
	"glomstream/glom/islands"
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

// lines writes one JSON object per frame and flushes it.
type lines struct {
	name string
	file io.Closer // nil for the standard output
	buf  *bufio.Writer
}

func newLines(name string, stdout io.Writer) (*lines, error) {
	if name == "-" {
		return &lines{name: "standard output", buf: bufio.NewWriter(stdout)}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("create %q: %w", name, bare(err))
	}
	return &lines{name: strconv.Quote(name), file: file, buf: bufio.NewWriter(file)}, nil
}

// frameLine is one line of --json. Positions and areas are in pixels of the frame, y downward,
// as precise as the grid of locations.
type frameLine struct {
	Frame   uint64      `json:"frame"`  // number from 0; a gap is a frame that was dropped
	Time    float64     `json:"time_s"` // presentation time in seconds
	Width   int         `json:"width"`
	Height  int         `json:"height"`
	Dropped int         `json:"dropped"` // frames dropped so far
	Levels  []levelLine `json:"levels"`
}

type levelLine struct {
	Level   int          `json:"level"`
	Islands []islandLine `json:"islands"`
}

type islandLine struct {
	ID        uint16     `json:"id"` // the same from frame to frame
	Area      float64    `json:"area"`
	Box       [4]float64 `json:"box"`      // x, y, width, height
	Centroid  [2]float64 `json:"centroid"` // x, y
	Cohesion  float64    `json:"cohesion"`
	Agreement float64    `json:"agreement"`
}

func (l *lines) Write(r *pipeline.Result) error {
	line := frameLine{
		Frame: r.Frame.Seq, Time: round(r.Frame.PTS.Seconds(), 1e6), Width: r.Frame.W, Height: r.Frame.H,
		Dropped: r.Dropped, Levels: make([]levelLine, len(r.Islands)),
	}
	for k := range r.Islands {
		line.Levels[k] = describe(k, &r.Islands[k], r.Frame.W, r.Frame.H)
	}
	err := json.NewEncoder(l.buf).Encode(line)
	if err == nil {
		err = l.buf.Flush()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", l.name, bare(err))
	}
	return nil
}

// describe turns the islands of a level from locations into pixels.
func describe(level int, in *islands.Level, w, h int) levelLine {
	sx, sy := float64(w)/float64(in.Cols), float64(h)/float64(in.Rows)
	out := levelLine{Level: level, Islands: make([]islandLine, len(in.Islands))}
	for i, s := range in.Islands {
		b := s.Box
		out.Islands[i] = islandLine{
			ID:   s.ID,
			Area: round(float64(s.Area)*sx*sy, 1),
			Box: [4]float64{
				round(float64(b.Min.X)*sx, 10), round(float64(b.Min.Y)*sy, 10),
				round(float64(b.Dx())*sx, 10), round(float64(b.Dy())*sy, 10),
			},
			Centroid:  [2]float64{round((s.X+0.5)*sx, 10), round((s.Y+0.5)*sy, 10)},
			Cohesion:  round(s.Cohesion, 1e4),
			Agreement: round(s.Agreement, 1e4),
		}
	}
	return out
}

// round rounds to 1/unit.
func round(v, unit float64) float64 {
	if v < 0 {
		return -round(-v, unit)
	}
	return float64(int64(v*unit+0.5)) / unit
}

func (l *lines) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}
