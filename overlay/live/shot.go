package live

import (
	"sync/atomic"
	"time"

	"glomstream/capture"
	"glomstream/glom/islands"
	"glomstream/overlay"
	"glomstream/overlay/meta"
	"glomstream/pipeline"
)

// shot is what is kept of a result: all that is drawn or told of it. It has several owners, each of
// whom releases it once.
type shot struct {
	refs atomic.Int32
	home chan *shot

	frame  capture.Frame
	buffer []byte // of the frame's pixels

	levels               []islands.Level // without vectors and outlines
	rows, cols           int
	agreement, unrest    [][]float32 // (L, N); nil unless they are drawn
	flow                 []float32   // (flowH, flowW, 2); nil unless it is drawn
	flowW, flowH         int
	guide                []byte // (guideH, guideW, 3) the working picture
	guideW, guideH       int
	fps, unsettled       float64
	cut                  bool
	steps, dropped       int
	mask                 []uint8 // (H, W) of the frame: 255 where something is followed
	followed             *meta.Followed
	agreeMem, unrestMem  []float32
	flowMem              []float32
	levelAgree, levelUnr [][]float32
}

// blank returns a shot that nobody uses.
func (l *Live) blank() *shot {
	select {
	case s := <-l.free:
		return s
	default:
		return &shot{home: l.free}
	}
}

func (s *shot) retain() { s.refs.Add(1) }

func (s *shot) release() {
	if s.refs.Add(-1) > 0 {
		return
	}
	s.refs.Store(0)
	select {
	case s.home <- s:
	default:
	}
}

// fill copies what is needed of r.
func (s *shot) fill(r *pipeline.Result, draw *overlay.Config) {
	s.copyFrame(&r.Frame)
	s.copyLevels(r.Islands)
	s.rows, s.cols = r.State.Rows, r.State.Cols
	s.fps, s.unsettled, s.cut, s.steps, s.dropped = r.FPS, r.Unsettled, r.Cut, r.Steps, r.Dropped
	ev := &r.Evidence
	s.guideW, s.guideH = ev.W, ev.H
	s.guide = append(s.guide[:0], ev.Pix...)
	s.agreement, s.unrest, s.flow = nil, nil, nil
	s.flowW, s.flowH = ev.W, ev.H
	switch draw.View {
	case overlay.Agreement:
		s.agreement = copyGrids(&s.levelAgree, &s.agreeMem, r.Agreement)
	case overlay.Unsettled:
		s.unrest = copyGrids(&s.levelUnr, &s.unrestMem, r.Unrest)
	case overlay.Flow:
		if ev.Flow != nil {
			s.flowMem = append(s.flowMem[:0], ev.Flow...)
			s.flow = s.flowMem
		}
	}
}

func (s *shot) copyFrame(f *capture.Frame) {
	n := 3 * f.W * f.H
	if cap(s.buffer) < n {
		s.buffer = make([]byte, n)
	}
	s.frame = capture.Frame{Seq: f.Seq, PTS: f.PTS, Captured: f.Captured, W: f.W, H: f.H, Stride: 3 * f.W, Pix: s.buffer[:n]}
	if s.frame.Captured.IsZero() {
		s.frame.Captured = time.Now()
	}
	for y := range f.H {
		copy(s.frame.Pix[y*s.frame.Stride:][:3*f.W], f.Pix[y*f.Stride:])
	}
}

func (s *shot) copyLevels(from []islands.Level) {
	if len(s.levels) != len(from) {
		s.levels = make([]islands.Level, len(from))
	}
	for i := range from {
		in, out := &from[i], &s.levels[i]
		out.Rows, out.Cols, out.Nesting, out.Agreement = in.Rows, in.Cols, in.Nesting, in.Agreement
		out.ID = append(out.ID[:0], in.ID...)
		out.Islands = append(out.Islands[:0], in.Islands...)
		for k := range out.Islands {
			out.Islands[k].Vector, out.Islands[k].Outline = nil, nil // theirs
		}
	}
}

// copyGrids copies grids of equal size into memory that is used again.
func copyGrids(to *[][]float32, mem *[]float32, from [][]float32) [][]float32 {
	*to, *mem = (*to)[:0], (*mem)[:0]
	for _, v := range from {
		*mem = append(*mem, v...)
	}
	at := 0
	for _, v := range from {
		*to = append(*to, (*mem)[at:at+len(v)])
		at += len(v)
	}
	return *to
}

// scene is what a drawer sees of a shot.
func (s *shot) scene(labels [][]uint16) overlay.Scene {
	return overlay.Scene{
		Frame: &s.frame, Levels: len(s.levels), FPS: s.fps, Cut: s.cut, Unsettled: s.unsettled,
		Labels: labels, Rows: s.rows, Cols: s.cols, Agreement: s.agreement, Unrest: s.unrest,
		FlowW: s.flowW, FlowH: s.flowH, Flow: s.flow,
	}
}
