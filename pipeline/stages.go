package pipeline

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"glomstream/capture"
	"glomstream/capture/cut"
	"glomstream/glom"
	"glomstream/glom/camera"
	"glomstream/glom/islands"
	"glomstream/overlay"
)

// looking turns frames into evidence.
type looking struct {
	frontEnd   FrontEnd
	dim        int // of the model
	w, h       int // of the frame before, 0 before the first
	rows, cols int
	cuts       cut.Detector
}

func (l *looking) do(s *slot) error {
	defer s.since(s.clock(), &s.spent.FrontEnd)
	f, ev := &s.res.Frame, &s.res.Evidence
	first := l.w == 0
	if f.W != l.w || f.H != l.h {
		s.resized = !first
		l.w, l.h = f.W, f.H
		l.rows, l.cols = l.frontEnd.Grid(f.W, f.H)
		l.frontEnd.Reset()
		l.cuts.Reset()
	}
	if f.Anew && !first {
		s.res.Cut = true
		l.frontEnd.Reset()
		l.cuts.Reset()
	}
	if err := l.look(ev, f); err != nil {
		return err
	}
	if len(ev.Pix) > 0 && l.cuts.Cut(ev.Pix, ev.Flow, ev.W, ev.H) {
		s.res.Cut = true
		l.frontEnd.Reset() // optical flow across a cut means nothing
		return l.look(ev, f)
	}
	return nil
}

// look asks the front end for the evidence of a frame.
func (l *looking) look(ev *capture.Evidence, f *capture.Frame) error {
	if err := l.frontEnd.Evidence(ev, f); err != nil {
		return fmt.Errorf("front end: %w", err)
	}
	if ev.Rows != l.rows || ev.Cols != l.cols || ev.Dim != l.dim || len(ev.X) != l.rows*l.cols*l.dim {
		return fmt.Errorf("front end: evidence is (%d, %d, %d) with %d values, want (%d, %d, %d)",
			ev.Rows, ev.Cols, ev.Dim, len(ev.X), l.rows, l.cols, l.dim)
	}
	return nil
}

// move finds the motion of the locations.
func (s *slot) move() {
	defer s.since(s.clock(), &s.spent.FrontEnd)
	ev := &s.res.Evidence
	s.res.Motion = camera.Coarsen(s.res.Motion, ev.Flow, ev.W, ev.H, ev.Rows, ev.Cols)
}

// settling owns the state of the video.
type settling struct {
	model *glom.Model
	burst int         // settling steps on a first frame
	steps int         // on the others
	state *glom.State // nil before the first frame
	clock func() time.Time
	rate  meter
}

func (t *settling) do(s *slot) error {
	defer s.since(s.clock(), &s.spent.Settle)
	ev := &s.res.Evidence
	if t.state == nil || s.resized {
		state, err := t.model.NewState(ev.Rows, ev.Cols)
		if err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		t.state = state
	}
	if s.res.Cut {
		t.state.Reset()
	}
	steps := t.steps
	if t.state.Steps == 0 {
		steps = t.burst
	}
	s.res.Steps = 0
	for range steps {
		t.model.Step(t.state, ev.X)
		s.res.Steps++
		if t.state.NonFinite > 0 {
			t.state.Reset()
			s.reset = true
			break
		}
	}
	s.res.FPS = t.rate.tick(t.clock())
	if err := t.copyTo(s); err != nil {
		return err
	}
	motion := s.res.Motion
	if s.res.Steps > 1 {
		motion = nil // the last step was on the same picture as the one before
	}
	s.res.Unsettled = t.state.Unsettled(s.unrest, motion)
	return nil
}

// copyTo leaves a copy of the state in the slot.
func (t *settling) copyTo(s *slot) error {
	if s.state == nil || s.state.Rows != t.state.Rows || s.state.Cols != t.state.Cols {
		state, err := t.model.NewState(t.state.Rows, t.state.Cols)
		if err != nil {
			return fmt.Errorf("settle: %w", err)
		}
		s.state, s.res.State = state, state
		n := state.Rows * state.Cols
		s.unrest = make([]float32, state.Levels*n)
		for l := range s.res.Agreement {
			s.res.Agreement[l] = state.Agreement(l)
			s.res.Unrest[l] = s.unrest[l*n : l*n+n]
		}
	}
	s.state.CopyFrom(t.state)
	return nil
}

// readOut finds the islands of all levels, from the top down: those of a level lie within those above.
func (s *slot) readOut() {
	defer s.since(s.clock(), &s.spent.ReadOut)
	x := s.state
	var above *islands.Level
	for l := range slices.Backward(s.res.Islands) {
		level := &s.res.Islands[l]
		s.readers[l].Read(level, above, x.Level(l), x.Agreement(l), x.Rows, x.Cols, x.Dim)
		above = level
	}
}

// tracking knows the islands of the frames before, so that islands keep their ids.
type tracking struct {
	trackers []islands.Tracker // (L)
}

func (m *tracking) do(s *slot) error {
	defer s.since(s.clock(), &s.spent.ReadOut)
	for l := range m.trackers {
		if s.resized || s.res.Cut {
			m.trackers[l].Cut()
		}
		m.trackers[l].Track(&s.res.Islands[l], s.res.Motion)
	}
	return nil
}

// link makes the levels a parse tree.
func (s *slot) link() {
	defer s.since(s.clock(), &s.spent.ReadOut)
	s.linker.Link(s.res.Islands)
}

// upsample gives the pixels their island ids, at the levels where that is wanted.
func (s *slot) upsample() {
	defer s.since(s.clock(), &s.spent.Upsample)
	f := &s.res.Frame
	n := f.W * f.H
	for _, l := range s.pixels {
		if cap(s.labels[l]) < n {
			s.labels[l] = make([]uint16, n)
		}
		s.labels[l] = s.labels[l][:n]
		s.ups.Labels(s.labels[l], f.W, f.H, &s.res.Islands[l], f.Pix, f.Stride)
	}
}

// drawCanvas draws what is known of the frame.
func (s *slot) drawCanvas() {
	if s.draw == nil {
		return
	}
	defer s.since(s.clock(), &s.spent.Draw)
	r := &s.res
	canvas := s.canvas.Frame(s.draw.Size(r.Frame.W, r.Frame.H))
	canvas.Seq, canvas.PTS, canvas.Captured = r.Frame.Seq, r.Frame.PTS, r.Frame.Captured
	r.Canvas = canvas
	s.draw.Draw(&r.Canvas, &overlay.Scene{
		Frame:     &r.Frame,
		Levels:    len(r.Islands),
		FPS:       r.FPS,
		Labels:    r.Labels,
		Rows:      s.state.Rows,
		Cols:      s.state.Cols,
		Agreement: r.Agreement,
		Unrest:    r.Unrest,
		Unsettled: r.Unsettled,
		Cut:       r.Cut,
		FlowW:     r.Evidence.W,
		FlowH:     r.Evidence.H,
		Flow:      r.Evidence.Flow,
	})
}

// writing gives results to the sinks and keeps the books.
type writing struct {
	sinks    []Sink
	progress func(Stats)
	clock    func() time.Time
	began    time.Time
	log      *slog.Logger
	stats    Stats
}

func (w *writing) do(s *slot) error {
	began := s.clock()
	if s.resized {
		w.log.Info("the picture's size changed: state reset", "frame", s.res.Frame.Seq, "width", s.res.Frame.W, "height", s.res.Frame.H)
	}
	if s.res.Cut {
		w.log.Info("cut: settling anew", "frame", s.res.Frame.Seq, "steps", s.res.Steps)
	}
	if s.reset {
		w.log.Warn("embeddings were not finite: state reset", "frame", s.res.Frame.Seq)
	}
	for _, sink := range w.sinks {
		if err := sink.Write(&s.res); err != nil {
			return err // a sink names itself
		}
	}
	now := w.clock()
	s.spent.Sink = now.Sub(began)
	w.stats.add(s)
	w.stats.Wall = now.Sub(w.began)
	if w.progress != nil {
		w.progress(w.stats)
	}
	return nil
}
