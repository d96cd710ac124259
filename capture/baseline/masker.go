package baseline

import (
	"io"

	"glomstream/capture"
	"glomstream/capture/opencv"
)

// Masker tells what stands out in each frame of a video.
type Masker interface {
	// Mask writes into dst (H*W) whether a pixel of f belongs to it. ev is the front end's evidence
	// for f.
	Mask(dst []bool, f *capture.Frame, ev *capture.Evidence) error
	// Reset forgets all frames before.
	Reset()
	// Close frees the masker and may be called twice.
	io.Closer
}

// mog2 is a Masker by background subtraction.
type mog2 struct{ model *opencv.BackgroundModel }

// MOG2 returns a Masker that takes for salient what differs from the background of a camera that
// stands still, less its shadow; see opencv.BackgroundModel. It ignores the evidence.
func MOG2() (Masker, error) {
	model, err := opencv.NewBackgroundModel()
	if err != nil {
		return nil, err
	}
	return &mog2{model}, nil
}

func (m *mog2) Mask(dst []bool, f *capture.Frame, _ *capture.Evidence) error {
	if len(dst) != f.W*f.H {
		panic("baseline: Mask: mask does not fit the frame")
	}
	return m.model.Apply(dst, f)
}

func (m *mog2) Reset() { m.model.Reset() }

func (m *mog2) Close() error { return m.model.Close() }
