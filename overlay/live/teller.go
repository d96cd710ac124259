package live

import (
	"image"
	"time"

	"glomstream/glom/islands"
	"glomstream/overlay/meta"
)

// teller makes the data that go with a frame. It is the worker's.
type teller struct {
	ups    islands.Upsampler
	frame  meta.Frame
	nodes  []meta.Nodes // (L), memory to use again
	msg    []byte
	frames int
	levels []bool // (L) which are watched
}

// tell sends the data of a shot to the viewers, made once for each level that somebody looks at.
func (l *Live) tell(s *shot, at moment) {
	t := &l.teller
	if !l.room.levels(&t.levels, len(s.levels)) {
		return
	}
	began := time.Now()
	t.begin(s, at)
	for level, watched := range t.levels {
		if !watched {
			continue
		}
		t.level(s, level)
		var err error
		if t.msg, err = meta.Append(t.msg[:0], &t.frame); err != nil {
			l.cfg.Log.Error("make the data of a frame", "frame", s.frame.Seq, "error", err)
			continue
		}
		over := l.busy.since(&l.busy.send[pictures])
		l.room.tell(level, t.msg)
		over()
	}
	l.cfg.Observe("meta", time.Since(began))
}

// begin fills in what is the same for all levels.
func (t *teller) begin(s *shot, at moment) {
	f := &t.frame
	labels := f.Labels
	*f = meta.Frame{
		Timestamp: at.rtp, Seq: s.frame.Seq, Captured: at.captured,
		W: s.frame.W, H: s.frame.H, Levels: len(s.levels), Labels: labels,
		Full: t.frames%fullEvery == 0 || s.cut, Cut: s.cut, Stale: at.sign != "",
		Unsettled: s.unsettled, FPS: s.fps, Dropped: s.dropped, Steps: s.steps,
	}
	t.frames++
	if len(t.nodes) != len(s.levels) {
		t.nodes = make([]meta.Nodes, len(s.levels))
	}
	for i := range s.levels {
		in, out := &s.levels[i], &t.nodes[i]
		if !f.Full && !t.levels[i] {
			continue
		}
		out.Level, out.Nesting, out.Agreement = i, in.Nesting, in.Agreement
		out.Islands = out.Islands[:0]
		for k := range in.Islands {
			out.Islands = append(out.Islands, node(&in.Islands[k], in, f.W, f.H))
		}
	}
}

// node tells of an island in pixels of a frame of w by h.
func node(in *islands.Island, l *islands.Level, w, h int) meta.Island {
	x, y := float64(w)/float64(l.Cols), float64(h)/float64(l.Rows)
	b := in.Box
	return meta.Island{
		ID: in.ID, Parent: in.Parent, Area: int(float64(in.Area)*x*y + 0.5),
		Box: image.Rect(int(float64(b.Min.X)*x), int(float64(b.Min.Y)*y), int(float64(b.Max.X)*x+0.5), int(float64(b.Max.Y)*y+0.5)),
		X:   int((in.X + 0.5) * x), Y: int((in.Y + 0.5) * y),
		Confidence: in.Confidence, Agreement: in.Agreement, Nesting: in.Nesting, Age: in.Age,
	}
}

// level adds the labels of a level, on the working picture, which is small, or on the grid itself
// if there is none.
func (t *teller) level(s *shot, level int) {
	f := &t.frame
	f.Level = level
	f.Nodes = t.nodes
	if !f.Full {
		f.Nodes = t.nodes[level : level+1]
	}
	in := &s.levels[level]
	if len(s.guide) == 0 {
		f.Labels.Cols, f.Labels.Rows = in.Cols, in.Rows
		f.Labels.ID = append(f.Labels.ID[:0], in.ID...)
		return
	}
	n := s.guideW * s.guideH
	f.Labels.Cols, f.Labels.Rows = s.guideW, s.guideH
	if cap(f.Labels.ID) < n {
		f.Labels.ID = make([]uint16, n)
	}
	f.Labels.ID = f.Labels.ID[:n]
	t.ups.Labels(f.Labels.ID, s.guideW, s.guideH, in, s.guide, 3*s.guideW)
}
