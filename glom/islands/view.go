package islands

import "slices"

// view is the present frame as a Tracker sees it.
type view struct {
	ids      []uint16 // (N) as the Reader gave them: index of the island + 1
	islands  []Island
	slot     []int32   // (islands) its track, -1 while it has none
	from     []int32   // (islands) slot of the track that most of its locations came from, -1 for none
	overlaps []overlap // tracks and islands that share locations
	motion   []float32 // (N, 2) nil if none is known
	mean     []float64 // (islands, 2) behind flow
	flow     []float64 // (islands, 2) mean motion; nil if none is known
}

// overlap is how many locations of an island came from the track in slot.
type overlap struct{ slot, island, shared int32 }

// see looks at a new frame.
func (t *Tracker) see(l *Level, motion []float32) {
	v := &t.view
	v.ids, v.islands, v.motion = l.ID, l.Islands, motion
	K := len(l.Islands)
	v.slot, v.from = resize(v.slot, K), resize(v.from, K)
	for j := range K {
		v.slot[j], v.from[j] = -1, -1
	}
	v.flow = nil
	if motion != nil {
		t.flows(motion)
	}
	t.carry(l.ID, motion)
}

// flows finds the mean motion of every island.
func (t *Tracker) flows(motion []float32) {
	v := &t.view
	v.mean = resize(v.mean, 2*len(v.islands))
	clear(v.mean)
	for i, id := range v.ids {
		if dx, dy := motion[2*i], motion[2*i+1]; sane(dx, dy) {
			area := float64(v.islands[id-1].Area)
			v.mean[2*(id-1)] += float64(dx) / area
			v.mean[2*(id-1)+1] += float64(dy) / area
		}
	}
	v.flow = v.mean
}

// sane tells a motion from what is none.
func sane(dx, dy float32) bool {
	const far = 1e4                                       // locations
	return dx > -far && dx < far && dy > -far && dy < far // NaN is not
}

// carry lets every location look back at the track that it came from.
func (t *Tracker) carry(ids []uint16, motion []float32) {
	v := &t.view
	t.keys = t.keys[:0]
	for i, id := range ids {
		at := i
		if motion != nil {
			if at = t.before(i, motion[2*i], motion[2*i+1]); at < 0 {
				continue
			}
		}
		if slot := t.last[at]; slot >= 0 {
			t.keys = append(t.keys, int64(id-1)<<32|int64(slot))
		}
	}
	slices.Sort(t.keys)
	v.overlaps = v.overlaps[:0]
	for i := 0; i < len(t.keys); {
		k := i + 1
		for k < len(t.keys) && t.keys[k] == t.keys[i] {
			k++
		}
		o := overlap{slot: int32(t.keys[i]), island: int32(t.keys[i] >> 32), shared: int32(k - i)}
		t.tracks[o.slot].carried += k - i
		v.overlaps = append(v.overlaps, o)
		i = k
	}
	t.descend()
}

// before returns the location in the frame before of what is at i now, -1 if it was out of view.
func (t *Tracker) before(i int, dx, dy float32) int {
	if !sane(dx, dy) {
		return i
	}
	x, y := float32(i%t.cols)-dx, float32(i/t.cols)-dy
	if x <= -0.5 || y <= -0.5 || x >= float32(t.cols)-0.5 || y >= float32(t.rows)-0.5 {
		return -1
	}
	return int(y+0.5)*t.cols + int(x+0.5)
}

// descend finds the track that each island mainly came from. The overlaps are sorted by island.
func (t *Tracker) descend() {
	v := &t.view
	best := int32(0)
	for k, o := range v.overlaps {
		if k == 0 || v.overlaps[k-1].island != o.island {
			best = 0
		}
		if o.shared > best && 2*int(o.shared) >= v.islands[o.island].Area {
			best = o.shared
			v.from[o.island] = o.slot
		}
	}
}

// contest finds the mergers that fall apart in this frame.
func (t *Tracker) contest() {
	for k := range t.tracks {
		if tr := &t.tracks[k]; tr.id > 0 && tr.host >= 0 {
			t.tracks[tr.host].admit(tr)
		}
	}
	for j, slot := range t.view.from {
		if slot < 0 {
			continue
		}
		if tr := &t.tracks[slot]; float64(t.view.islands[j].Area) >= 0.25*min(tr.guest, tr.area) {
			tr.heirs++
		}
	}
	for k := range t.tracks {
		tr := &t.tracks[k]
		h := tr
		if tr.host >= 0 {
			h = &t.tracks[tr.host]
		}
		tr.contested = h.merged() && h.heirs > 1
	}
}
