package islands

import "math"

// keep returns for how many frames an id is remembered after its island is gone.
func (t *Tracker) keep() int {
	if t.Keep == 0 {
		return 45
	}
	return max(0, t.Keep)
}

// update lets the tracks follow their islands, begins new ones and ends old ones.
func (t *Tracker) update(l *Level) {
	t.spare = 0
	for j, slot := range t.view.slot {
		if slot < 0 {
			t.begin(l, j)
		}
	}
	for k := range t.tracks {
		t.tracks[k].guest = math.Inf(1)
		if tr := &t.tracks[k]; tr.id > 0 && tr.now < 0 {
			t.leave(l, int32(k))
		}
	}
	for k := range t.tracks {
		if tr := &t.tracks[k]; tr.id > 0 && tr.now < 0 {
			t.wait(l, int32(k))
		}
	}
	for k := range t.tracks {
		if tr := &t.tracks[k]; tr.id > 0 && tr.now >= 0 {
			t.stay(l, tr)
		}
	}
	for i, id := range t.view.ids {
		if tr := &t.tracks[t.view.slot[id-1]]; tr.held {
			tr.cells = append(tr.cells, int32(i))
		}
	}
	t.trim(l)
}

// leave notes that a track has no island in this frame.
func (t *Tracker) leave(l *Level, slot int32) {
	tr := &t.tracks[slot]
	if tr.gone++; tr.gone > 1 {
		return
	}
	tr.host = t.heir(slot)
	e := Event{Kind: Lost, ID: tr.id}
	if tr.host >= 0 {
		e.Kind, e.Other = Merge, t.tracks[tr.host].id
	}
	l.Events = append(l.Events, e)
}

// wait lets a track without island go with the host that its host went into, or ends it.
func (t *Tracker) wait(l *Level, slot int32) {
	tr := &t.tracks[slot]
	if tr.gone > t.keep() {
		t.end(l, slot)
		return
	}
	if tr.host >= 0 && t.tracks[tr.host].now < 0 {
		tr.host = t.tracks[tr.host].host
	}
	if tr.host >= 0 {
		t.tracks[tr.host].admit(tr)
	}
}

// heir returns the slot of the track whose island took the place of a track, -1 if none did or
// if that island is unlike it, so that it is only in front.
func (t *Tracker) heir(slot int32) int32 {
	tr := &t.tracks[slot]
	for _, o := range t.view.overlaps {
		if o.slot == slot && 2*int(o.shared) > tr.carried &&
			cosine(tr.vector, t.view.islands[o.island].Vector) >= mergeCosine {
			return t.view.slot[o.island]
		}
	}
	return -1
}

// stay lets a track follow its island.
func (t *Tracker) stay(l *Level, tr *track) {
	if tr.gone > 0 {
		e := Event{Kind: Found, ID: tr.id}
		if tr.host >= 0 && t.tracks[tr.host].id > 0 {
			e.Kind, e.Other = Split, t.tracks[tr.host].id
		}
		l.Events = append(l.Events, e)
	}
	t.follow(tr)
}

// begin gives island j a track of its own.
func (t *Tracker) begin(l *Level, j int) {
	for t.spare < len(t.tracks) && t.tracks[t.spare].id > 0 {
		t.spare++
	}
	if t.spare == len(t.tracks) {
		t.tracks = append(t.tracks, track{})
	}
	s := &l.Islands[j]
	tr := &t.tracks[t.spare]
	*tr = track{
		id: t.baptise(), now: int32(j), host: -1, area: float64(s.Area), x: s.X, y: s.Y,
		vector: append(tr.vector[:0], s.Vector...), cells: tr.cells[:0], cx: s.X, cy: s.Y,
	}
	t.view.slot[j] = int32(t.spare)
	e := Event{Kind: Birth, ID: tr.id}
	if from := t.view.from[j]; from >= 0 && t.tracks[from].now >= 0 {
		e.Kind, e.Other = Split, t.tracks[from].id
		tr.from = e.Other
	}
	l.Events = append(l.Events, e)
}

// baptise returns an id that no track has.
func (t *Tracker) baptise() uint16 {
	t.uses = resize(t.uses, maxID+1)
	for {
		t.used = t.used%maxID + 1
		if !t.uses[t.used] {
			t.uses[t.used] = true
			return uint16(t.used)
		}
	}
}

// trim ends the tracks that were gone longest while too many are remembered.
func (t *Tracker) trim(l *Level) {
	for {
		gone, oldest := 0, int32(0)
		for k := range t.tracks {
			tr := &t.tracks[k]
			if tr.id == 0 || tr.gone == 0 {
				continue
			}
			if gone++; gone == 1 || tr.gone > t.tracks[oldest].gone {
				oldest = int32(k)
			}
		}
		if gone <= maxGone {
			return
		}
		t.end(l, oldest)
	}
}
