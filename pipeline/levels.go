package pipeline

import "glomstream/glom/follow"

// Object and Part are the levels that are called so, as far as the model has them.
func (r *Result) Object() int { return max(0, len(r.Islands)-2) }

// Part is the level below Object.
func (r *Result) Part() int { return max(0, len(r.Islands)-3) }

// FollowFrame is what a follower of regions sees of a result: what a region looks like is told by the
// primary, the part and the object level. The memory of vectors, which may be nil, is used again.
func (r *Result) FollowFrame(vectors [][]float32) follow.Frame {
	p, o, ev := r.Part(), r.Object(), &r.Evidence
	return follow.Frame{
		Rows: r.State.Rows, Cols: r.State.Cols, Dim: r.State.Dim,
		Vectors: append(vectors[:0], r.State.Level(0), r.State.Level(p), r.State.Level(o)),
		Islands: &r.Islands[p], Flow: ev.Flow, W: ev.W, H: ev.H,
	}
}
