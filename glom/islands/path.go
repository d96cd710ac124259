package islands

import (
	"math"

	"glomstream/glom"
)

// track is what a Tracker knows of one id. Lengths are in locations, times in frames.
type track struct {
	id   uint16 // 0: the slot is free
	now  int32  // index of its island in this frame, -1 while it has none
	age  int    // since birth
	from uint16 // id of what it split from at birth, 0 for none
	gone int    // since it was last seen
	host int32  // slot of the track that it merged into, -1 for none

	vector []float32 // (D) unit mean of its island, slowly following
	area   float64   // usual area, slowly following
	x, y   float64   // centroid when last seen
	vx, vy float64   // velocity

	// The shape when it was last seen as a whole, and how far it has moved since.
	cells  []int32
	cx, cy float64 // its centroid
	dx, dy float64
	held   bool // the shape is that of this frame
	partly int  // since the shape was held

	carried   int     // locations of this frame that came from its island
	heirs     int     // islands of this frame that came out of its island
	guest     float64 // usual area of the smallest track that merged into it, +Inf for none
	contested bool    // its island is a merger that falls apart in this frame
}

// How fast a track follows its island, chosen on the synthetic scenes.
const (
	grow         = 0.3 // of the way per frame, area
	shrink       = 0.03
	followVector = 0.2
	followSpeed  = 0.3
	wholeFrom    = 0.8 // of the usual area: what is smaller is partly hidden
	wholeTo      = 1.3 // what is larger is more than the island
	leastOver    = 8   // locations that say which of two is in front
	grownUp      = 8   // frames from its birth on after which an island is a thing of its own
)

// predict moves the track on by a frame.
func (tr *track) predict() {
	tr.now, tr.carried, tr.heirs, tr.guest = -1, 0, 0, math.Inf(1)
	tr.held, tr.contested = false, false
	tr.age++
	tr.dx += tr.vx
	tr.dy += tr.vy
}

// admit counts a track that merged into tr, unless it is too small to matter or a piece of tr: one that is
// back, or that was never long on its own.
func (tr *track) admit(guest *track) {
	if guest.area > (wholeTo-1)*tr.area && guest.from != tr.id && guest.age-guest.gone >= grownUp {
		tr.guest = min(tr.guest, guest.area)
	}
}

// merged tells whether the island of tr is that of others, too.
func (tr *track) merged() bool { return !math.IsInf(tr.guest, 1) }

// cosine of unit vectors; 1 if there are none.
func cosine(a, b []float32) float64 {
	if len(a) == 0 || len(a) != len(b) {
		return 1
	}
	return float64(glom.Dot(a, b))
}

// moves returns how well the motion of island j fits the velocity of tr, 0 to 1.
func (t *Tracker) moves(tr *track, j int) float64 {
	if t.view.flow == nil {
		return 0.8
	}
	return tr.goes(t.view.flow[2*j], t.view.flow[2*j+1])
}

// goes returns how well a motion fits the velocity of tr, 0 to 1.
func (tr *track) goes(dx, dy float64) float64 {
	ex, ey := dx-tr.vx, dy-tr.vy
	s := 0.2 + 0.25*math.Hypot(tr.vx, tr.vy)
	return math.Exp(-(ex*ex + ey*ey) / (2 * s * s))
}

// front returns how much better the motion of island j fits tr than the other, -1 to 1, at the locations where
// the moved shapes of both lie over each other: what is seen there is the one in front. Without such locations it
// is 0.
func (t *Tracker) front(tr, other *track, j int) float64 {
	t.over = resize(t.over, t.rows*t.cols)
	clear(t.over)
	t.eachMoved(other, func(i int) { t.over[i] = true })
	var sum float64
	n := 0
	t.eachMoved(tr, func(i int) {
		dx, dy := t.view.motion[2*i], t.view.motion[2*i+1]
		if t.over[i] && int(t.view.ids[i]) == j+1 && sane(dx, dy) {
			sum += tr.goes(float64(dx), float64(dy)) - other.goes(float64(dx), float64(dy))
			n++
		}
	})
	if n < leastOver {
		return 0
	}
	return sum / float64(n)
}

// eachMoved calls f for the locations that the moved shape of tr covers.
func (t *Tracker) eachMoved(tr *track, f func(i int)) {
	sx, sy := int(math.Round(tr.dx)), int(math.Round(tr.dy))
	for _, i := range tr.cells {
		x, y := int(i)%t.cols+sx, int(i)/t.cols+sy
		if x >= 0 && x < t.cols && y >= 0 && y < t.rows {
			f(y*t.cols + x)
		}
	}
}

// shadow counts in t.hits the locations of each island that the moved shape of tr covers, and sets
// t.reach to how far off it may be.
func (t *Tracker) shadow(tr *track) {
	t.hits = resize(t.hits, len(t.view.islands))
	clear(t.hits)
	t.reach = 0.5 + 0.5*math.Sqrt(tr.area) + (0.05+0.15*math.Hypot(tr.vx, tr.vy))*float64(tr.gone)
	t.eachMoved(tr, func(i int) { t.hits[t.view.ids[i]-1]++ })
}

// overlap returns the intersection over union of island j and the moved shape of tr, after shadow.
func (t *Tracker) overlap(tr *track, j int) float64 {
	hit := float64(t.hits[j])
	return hit / (float64(len(tr.cells)+t.view.islands[j].Area) - hit)
}

// fit returns how well island j fits the shape and place where tr should be, 0 to 1, after shadow.
func (t *Tracker) fit(tr *track, j int) float64 {
	s := &t.view.islands[j]
	hit := float64(t.hits[j])
	ex, ey := s.X-tr.cx-tr.dx, s.Y-tr.cy-tr.dy
	away := (ex*ex + ey*ey) / (2 * t.reach * t.reach)
	if hit == 0 && away > 1.1 { // most pairs: less than minFit without the work
		return 0
	}
	// What comes out from behind something is only a part of it at first.
	part := 0.6 * hit / float64(min(s.Area, len(tr.cells)))
	near := 0.6 * math.Exp(-away)
	return max(t.overlap(tr, j), part, near)
}

// handOver deals with islands that something covers in the middle, so that they are seen in two
// pieces: the id goes to the piece that fits the whole shape best.
func (t *Tracker) handOver() {
	for k := range t.tracks {
		tr := &t.tracks[k]
		if tr.id == 0 || tr.partly == 0 || tr.gone > 0 {
			continue
		}
		most := 0
		t.shadow(tr)
		if tr.now >= 0 {
			if most = t.view.islands[tr.now].Area; float64(most) >= wholeFrom*tr.area {
				continue
			}
		}
		best := tr.now
		for j, slot := range t.view.slot {
			s := &t.view.islands[j]
			if s.Area <= most || float64(s.Area) > wholeTo*tr.area || slot >= 0 && t.tracks[slot].age >= tr.partly {
				continue // what was there before is something else
			}
			if cosine(tr.vector, s.Vector) >= minAlike && t.moves(tr, j) >= 0.5 && t.fit(tr, j) >= minFit {
				best, most = int32(j), s.Area
			}
		}
		t.swap(int32(k), best)
	}
}

// byMotion gives the island of a merger to the one of its tracks that is in front when they cross: the one that
// moves where both should be, or that the island moves like, unless it is much smaller than the island.
func (t *Tracker) byMotion() {
	if t.view.flow == nil {
		return
	}
	for k := range t.tracks {
		tr := &t.tracks[k]
		if tr.id == 0 || tr.now >= 0 || tr.host < 0 || tr.contested {
			continue
		}
		host := &t.tracks[tr.host]
		j := host.now
		if j < 0 {
			continue
		}
		lead := t.front(tr, host, int(j))
		if lead == 0 && float64(t.view.islands[j].Area) <= 2*tr.area {
			lead = t.moves(tr, int(j)) - t.moves(host, int(j))
		}
		if lead >= minLead {
			t.swap(int32(k), j)
		}
	}
}

// swap gives an island to the track in slot, and the island that this one had to the other's track.
func (t *Tracker) swap(slot, island int32) {
	tr := &t.tracks[slot]
	if island == tr.now {
		return
	}
	other := t.view.slot[island]
	if tr.now >= 0 {
		t.view.slot[tr.now] = other
	}
	if other >= 0 {
		t.tracks[other].now = tr.now
	}
	t.view.slot[island], tr.now = slot, island
}

// follow takes in the island that was found to be tr. What it shares with others tells nothing
// about it, and what is partly hidden only how it moves.
func (t *Tracker) follow(tr *track) {
	s := &t.view.islands[tr.now]
	area := float64(s.Area)
	whole := !tr.merged() && area >= wholeFrom*tr.area
	if !tr.merged() {
		rate := shrink
		if area > tr.area {
			rate = grow
		}
		tr.area += rate * (area - tr.area)
		tr.steer(t.view.flow, int(tr.now), whole, s)
	}
	tr.x, tr.y, tr.gone, tr.host = s.X, s.Y, 0, -1
	if tr.partly++; !whole {
		return
	}
	tr.partly = 0
	if len(tr.vector) != len(s.Vector) {
		tr.vector = append(tr.vector[:0], s.Vector...)
	}
	for k, v := range s.Vector {
		tr.vector[k] += followVector * (v - tr.vector[k])
	}
	normalise(tr.vector)
	tr.hold(s)
}

// steer lets the velocity follow the flow, or the centroid if there is none.
func (tr *track) steer(flow []float64, j int, whole bool, s *Island) {
	var ux, uy float64
	switch {
	case flow != nil:
		ux, uy = flow[2*j], flow[2*j+1]
	case whole && tr.gone == 0:
		ux, uy = s.X-tr.x, s.Y-tr.y
	default:
		return
	}
	rate := max(followSpeed, 1/float64(tr.age+1))
	tr.vx += rate * (ux - tr.vx)
	tr.vy += rate * (uy - tr.vy)
}

// hold makes the shape of s the one that moves on.
func (tr *track) hold(s *Island) {
	tr.cells, tr.held = tr.cells[:0], true
	tr.cx, tr.cy, tr.dx, tr.dy = s.X, s.Y, 0, 0
}
