package main

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"

	"glomstream/glom/follow"
	"glomstream/glom/islands"
	"glomstream/glom/salient"
	"glomstream/overlay"
	"glomstream/pipeline"
)

// pictures writes DIR/NNNNN.png, one picture per frame.
type pictures struct {
	folder string
	enc    png.Encoder
}

// newPictures makes a folder, which must be empty unless what is in it may be overwritten.
func newPictures(folder string, overwrite bool) (*pictures, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, fmt.Errorf("make folder %q: %w", folder, bare(err))
	}
	entries, err := os.ReadDir(folder)
	switch {
	case err != nil:
		return nil, fmt.Errorf("read folder %q: %w", folder, bare(err))
	case len(entries) > 0 && !overwrite:
		return nil, fmt.Errorf("write %q: it holds masks already; give -y to overwrite them", folder)
	}
	// Pictures of an earlier run must not mix with the new ones.
	for _, e := range entries {
		if old, _ := filepath.Match("[0-9][0-9][0-9][0-9][0-9]*.png", e.Name()); old {
			if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
				return nil, fmt.Errorf("remove %q: %w", filepath.Join(folder, e.Name()), bare(err))
			}
		}
	}
	return &pictures{folder, png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: new(pngBuffers)}}, nil
}

func (p *pictures) write(seq uint64, img image.Image) error {
	name := filepath.Join(p.folder, fmt.Sprintf("%05d.png", seq))
	file, err := os.Create(name)
	if err == nil {
		err = p.enc.Encode(file, img)
		if cerr := file.Close(); err == nil {
			err = cerr
		}
	}
	if err != nil {
		return fmt.Errorf("write %q: %w", name, bare(err))
	}
	return nil
}

// region is a mask at pixel size that is made of each frame, written and drawn.
type region struct {
	out  *pictures  // nil: not written
	draw bool       // on the canvas
	ink  color.RGBA // of the value 255
	img  image.Gray
}

// resize makes room for the mask of a frame.
func (g *region) resize(w, h int) {
	if g.img.Rect.Dx() != w || g.img.Rect.Dy() != h {
		g.img = *image.NewGray(image.Rect(0, 0, w, h))
	}
}

// finish writes and draws the mask.
func (g *region) finish(r *pipeline.Result) error {
	// Side by side the levels are drawn at another size than the frame's.
	if g.draw && r.Canvas.W == r.Frame.W && r.Canvas.H == r.Frame.H {
		overlay.Outline(&r.Canvas, g.img.Pix, g.ink)
	}
	if g.out == nil {
		return nil
	}
	return g.out.write(r.Frame.Seq, &g.img)
}

// salientFrame is what the finder of salient objects sees of a result.
func salientFrame(r *pipeline.Result) salient.Frame {
	l, ev := r.Object(), &r.Evidence
	return salient.Frame{
		Rows: r.State.Rows, Cols: r.State.Cols, Dim: r.State.Dim,
		Vectors: r.State.Level(l), Islands: &r.Islands[l], Pix: ev.Pix, Flow: ev.Flow, W: ev.W, H: ev.H,
	}
}

// salience writes DIR/NNNNN.png: 255 where something moves by itself, 0 elsewhere.
type salience struct {
	region
	finder *salient.Finder
}

func newSalience(f *processFlags) (*salience, error) {
	out, err := newPictures(f.salient, f.overwrite)
	if err != nil {
		return nil, err
	}
	return &salience{region: region{out: out, draw: f.output != "", ink: color.RGBA{255, 220, 0, 255}}, finder: salient.New(salient.Config{})}, nil
}

func (s *salience) Write(r *pipeline.Result) error {
	in := salientFrame(r)
	s.finder.Step(&in)
	s.resize(r.Frame.W, r.Frame.H)
	s.finder.Mask(s.img.Pix, r.Frame.W, r.Frame.H, r.Frame.Pix, r.Frame.Stride)
	return s.finish(r)
}

func (s *salience) Close() error { return nil }

// following writes DIR/NNNNN.png: the grey value of the region that each pixel belongs to.
type following struct {
	region
	seed     seed
	src      string // name of the source
	follower *pipeline.Follower
	w, h     int // of the first frame, 0 before it
}

func newFollowing(f *processFlags, src string) (*following, error) {
	s := &following{region: region{draw: f.output != "", ink: color.RGBA{255, 255, 255, 255}}, src: src, follower: pipeline.NewFollower(f.following())}
	var err error
	if s.seed, err = parseSeed(f.follow); err != nil {
		return nil, err
	}
	if f.followOut != "" {
		s.out, err = newPictures(f.followOut, f.overwrite)
	}
	return s, err
}

func (s *following) Write(r *pipeline.Result) error {
	w, h := r.Frame.W, r.Frame.H
	s.resize(w, h)
	switch {
	case s.w == 0:
		if err := s.begin(r); err != nil {
			return err
		}
		s.w, s.h = w, h
		return s.finish(r)
	case w != s.w || h != s.h:
		return fmt.Errorf("%q changes from %dx%d to %dx%d pixels, but --follow names a region of the first size: split the source",
			s.src, s.w, s.h, w, h)
	}
	s.follower.Step(s.img.Pix, r)
	return s.finish(r)
}

// begin gives the follower the regions of the first frame, which is the mask of that frame.
func (s *following) begin(r *pipeline.Result) error {
	w, h := r.Frame.W, r.Frame.H
	switch {
	case s.seed.grey != nil && (s.seed.w != w || s.seed.h != h):
		return fmt.Errorf("mask %q is %dx%d, but %q is %dx%d pixels: scale it without smoothing",
			s.seed.name, s.seed.w, s.seed.h, s.src, w, h)
	case s.seed.grey != nil:
		copy(s.img.Pix, s.seed.grey)
	case s.seed.at.X >= w || s.seed.at.Y >= h:
		return fmt.Errorf("--follow %s: the point is outside %q, which is %dx%d pixels", s.seed.name, s.src, w, h)
	default:
		var up islands.Upsampler
		labels := make([]uint16, w*h)
		for l := r.Object(); l >= 0; l-- {
			up.Labels(labels, w, h, &r.Islands[l], r.Frame.Pix, r.Frame.Stride)
			if follow.Pick(s.img.Pix, labels, w, h, s.seed.at) || l == 0 {
				break
			}
		}
	}
	s.follower.Start(r, s.img.Pix)
	return nil
}

func (s *following) Close() error { return nil }
