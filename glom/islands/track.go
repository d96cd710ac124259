package islands

import (
	"cmp"
	"slices"
)

// Tracker lets an island keep its id from frame to frame. The zero value works; it serves one
// level of one video, from one goroutine at a time. For a new video assign a zero Tracker, for a
// cut call Cut.
//
// Three rounds give each island of a frame a track, the best pair first. In the first, islands
// compete for the tracks of the frame before by transported overlap: each location looks back
// along the optical flow at the track that it came from. In the second, islands that are left
// compete for tracks whose island is gone (hidden, or merged into another), and for all that came
// out of a merger which falls apart, by where those should be by now: the shape that they last
// had, moved on at the velocity that they had. In the third, what is left of a merger goes by
// overlap after all, or to any track of the merger that is left. An island that is several goes by
// the id of the one whose motion it has, which is the one in front. All scores take in the
// similarity of the mean vectors and of the velocities.
type Tracker struct {
	// Keep is for how many frames an id is remembered after its island is gone. Default 45;
	// negative means none.
	Keep int

	rows, cols int
	used       int     // the last id given out
	uses       []bool  // (ids) whether a track has that id
	tracks     []track // by slot; free ones have id 0
	spare      int     // all slots before it are taken
	last       []int32 // (N) slot of each location in the frame before, -1 for none
	cut        bool    // nothing of before counts for the next frame

	view  view    // this frame
	keys  []int64 // scratch of view
	pool  []pair  // candidates of a round
	hits  []int32 // (islands) scratch of shadow
	over  []bool  // (N) scratch of front
	reach float64 // set by shadow, see fit
}

// pair is a track and an island that could be it.
type pair struct {
	score        float64
	slot, island int32
}

// Limits of what may be taken for the same island, chosen on the synthetic scenes.
const (
	minOverlap  = 0.15 // intersection over union with the transported island
	minScore    = 0.6  // of pairs in the first and third round, up to 2
	minFit      = 0.2  // of shapes, see fit
	minReturn   = 1.1  // of pairs in the second round, up to 2
	minAlike    = 0.7  // cosine to an island that comes back, as for two regions in Config.Link
	minLead     = 0.3  // by which the motion of a merger must fit another one better, see Tracker.moves
	minBack     = 0.4  // of its area, and the inverse at most, for what comes back out of a merger
	mergeCosine = 0.5  // to the island that took the place, from which on that is a merger; else it is in front
	maxGone     = 256  // tracks without island that are remembered
)

// Cut tells that nothing of the frames before goes on in the next one: ids are not given again.
func (t *Tracker) Cut() { t.cut = true }

// Track renames the islands of l, which must come fresh from a Reader, sets their Age and writes
// what happened into l.Events. motion is (N, 2) as from Motion, or nil when none is known. An
// island that is not recognised gets an id that was never used; after 65535 ids they start again
// from 1, leaving out those in use. A change of the grid counts as a cut.
//
// Islands is sorted by the new ids.
func (t *Tracker) Track(l *Level, motion []float32) {
	n := len(l.ID)
	if n != l.Rows*l.Cols || motion != nil && len(motion) != 2*n {
		panic("islands: Track: shapes do not fit")
	}
	l.Events = l.Events[:0]
	if l.Rows != t.rows || l.Cols != t.cols || t.cut {
		t.forget(l)
	}
	for k := range t.tracks {
		t.tracks[k].predict()
	}
	t.see(l, motion)
	t.contest()
	t.byOverlap(false)
	t.byPath()
	t.handOver()
	t.byOverlap(true)
	t.byHost()
	t.byMotion()
	t.update(l)
	t.rename(l)
}

// forget ends all tracks.
func (t *Tracker) forget(l *Level) {
	for k := range t.tracks {
		t.end(l, int32(k))
	}
	t.rows, t.cols, t.cut = l.Rows, l.Cols, false
	t.last = resize(t.last, len(l.ID))
	for i := range t.last {
		t.last[i] = -1
	}
}

// end frees a slot.
func (t *Tracker) end(l *Level, slot int32) {
	if tr := &t.tracks[slot]; tr.id > 0 {
		l.Events = append(l.Events, Event{Kind: Death, ID: tr.id})
		t.uses[tr.id] = false
		tr.id, tr.host = 0, -1
	}
}

// byOverlap is the first round, and with rest the third: pairs that share locations.
func (t *Tracker) byOverlap(rest bool) {
	t.pool = t.pool[:0]
	for _, o := range t.view.overlaps {
		tr := &t.tracks[o.slot]
		if tr.now >= 0 || t.view.slot[o.island] >= 0 || tr.contested && !rest {
			continue
		}
		area := t.view.islands[o.island].Area
		iou := float64(o.shared) / float64(tr.carried+area-int(o.shared))
		part := 0.5 * float64(o.shared) / float64(min(tr.carried, area))
		score := iou + t.alike(o.slot, o.island)
		if (iou >= minOverlap || part >= 0.3 && t.sole(o)) && score >= minScore {
			t.pool = append(t.pool, pair{score, o.slot, o.island})
		}
	}
	t.assign()
}

// sole tells whether an island that is alike came from no other track than that of o.
func (t *Tracker) sole(o overlap) bool {
	from := t.view.from[o.island]
	return (from < 0 || from == o.slot) && cosine(t.tracks[o.slot].vector, t.view.islands[o.island].Vector) >= minAlike
}

// byPath is the second round: tracks without island, and islands where the tracks should be.
func (t *Tracker) byPath() {
	t.pool = t.pool[:0]
	if !slices.Contains(t.view.slot, -1) {
		return
	}
	for k := range t.tracks {
		tr := &t.tracks[k]
		if tr.id == 0 || tr.now >= 0 {
			continue
		}
		t.shadow(tr)
		for j, slot := range t.view.slot {
			if slot >= 0 {
				continue
			}
			f := t.fit(tr, j)
			s := &t.view.islands[j]
			if f < minFit || cosine(tr.vector, s.Vector) < minAlike {
				continue
			}
			if tr.host >= 0 && !tr.sized(s) {
				continue
			}
			if score := f + t.alike(int32(k), int32(j)); score >= minReturn {
				t.pool = append(t.pool, pair{score, int32(k), int32(j)})
			}
		}
	}
	t.assign()
}

// sized tells whether s may be what comes back of tr out of a merger, by its size.
func (tr *track) sized(s *Island) bool {
	size := float64(s.Area) / tr.area
	return size >= minBack && size <= 1/minBack
}

// byHost ends the third round: what came out of a merger is one of those that went into it, even if
// it is not where that should be, rather than something new.
func (t *Tracker) byHost() {
	t.pool = t.pool[:0]
	for k := range t.tracks {
		tr := &t.tracks[k]
		if tr.id == 0 || tr.now >= 0 || tr.host < 0 || !tr.contested {
			continue
		}
		for j, from := range t.view.from {
			s := &t.view.islands[j]
			if from == tr.host && t.view.slot[j] < 0 && tr.sized(s) && cosine(tr.vector, s.Vector) >= minAlike {
				t.pool = append(t.pool, pair{t.alike(int32(k), int32(j)), int32(k), int32(j)})
			}
		}
	}
	t.assign()
}

// assign makes pairs of the pool, the best first.
func (t *Tracker) assign() {
	slices.SortFunc(t.pool, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.slot, b.slot), cmp.Compare(a.island, b.island))
	})
	for _, p := range t.pool {
		if tr := &t.tracks[p.slot]; tr.now < 0 && t.view.slot[p.island] < 0 {
			tr.now = p.island
			t.view.slot[p.island] = p.slot
		}
	}
}

// alike returns how similar vectors and velocities are, 0 to 1.
func (t *Tracker) alike(slot, island int32) float64 {
	tr := &t.tracks[slot]
	return 0.5*max(0, cosine(tr.vector, t.view.islands[island].Vector)) + 0.5*t.moves(tr, int(island))
}

// rename gives the islands their ids, and remembers where they are.
func (t *Tracker) rename(l *Level) {
	for i, id := range l.ID {
		slot := t.view.slot[id-1]
		t.last[i] = slot
		l.ID[i] = t.tracks[slot].id
	}
	for k := range l.Islands {
		tr := &t.tracks[t.view.slot[k]]
		l.Islands[k].ID, l.Islands[k].Age = tr.id, tr.age
	}
	slices.SortFunc(l.Islands, func(a, b Island) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(l.Events, func(a, b Event) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind)) })
}
