package eval

import (
	"io"

	"glomstream/capture"
	"glomstream/capture/descriptor"
	"glomstream/glom/islands"
	"glomstream/pipeline"
)

// Segmenter is another way to divide the frames of a video into regions.
type Segmenter interface {
	// Segment writes a label for each pixel of r.Frame, from 1, of about count regions. Frames
	// come in their order. A label that stays the same is the same region.
	Segment(dst []uint16, r *pipeline.Result, count int) error
	io.Closer
}

// Finder finds what is salient in a video.
type Finder interface {
	// Find tells for each pixel of r.Frame whether it is of a moving object. Frames come in order.
	Find(dst []bool, r *pipeline.Result) error
	io.Closer
}

// Follower follows regions from the first frame on.
type Follower interface {
	// Start takes the regions of the first frame that is judged: 0 background, else the id.
	Start(regions []uint16, r *pipeline.Result) error
	// Follow writes the regions of the frame after.
	Follow(dst []uint16, r *pipeline.Result) error
	io.Closer
}

// Method makes a thing to be measured, anew for each sequence.
type Method[T any] struct {
	Name string
	New  func() (T, error)
}

// Evidence returns the division that the front end alone gives, without settling: the ablation
// that tells what recurrence is worth.
func Evidence() Method[Segmenter] {
	return Method[Segmenter]{"front end alone", func() (Segmenter, error) {
		return newEvidence(func(ev *capture.Evidence) ([]float32, int) { return ev.X, ev.Dim }), nil
	}}
}

// Fixed returns the division by a fixed descriptor of the same pictures and flow: nothing is learned, and
// nothing settles.
func Fixed() Method[Segmenter] {
	return Method[Segmenter]{"fixed descriptor", func() (Segmenter, error) {
		const dim = 64
		d, err := descriptor.New(dim)
		if err != nil {
			return nil, err
		}
		var x []float32
		return newEvidence(func(ev *capture.Evidence) ([]float32, int) {
			x = sized(x, ev.Rows*ev.Cols*dim)
			d.Describe(x, ev.Rows, ev.Cols, ev.Pix, ev.Flow)
			return x, dim
		}), nil
	}}
}

func newEvidence(vectors func(*capture.Evidence) ([]float32, int)) *evidence {
	return &evidence{vectors: vectors, reader: islands.NewReader(islands.Config{})}
}

type evidence struct {
	vectors func(*capture.Evidence) (x []float32, dim int) // (N, dim)
	reader  *islands.Reader
	tracker islands.Tracker
	level   islands.Level
	ups     islands.Upsampler
}

func (e *evidence) Segment(dst []uint16, r *pipeline.Result, _ int) error {
	ev := &r.Evidence
	x, dim := e.vectors(ev)
	e.reader.Read(&e.level, nil, x, nil, ev.Rows, ev.Cols, dim)
	e.tracker.Track(&e.level, r.Motion)
	e.ups.Labels(dst, r.Frame.W, r.Frame.H, &e.level, r.Frame.Pix, r.Frame.Stride)
	return nil
}

func (e *evidence) Close() error { return nil }
