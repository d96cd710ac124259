package islands

import "image"

// outline is the memory behind the rings of a level.
type outline struct {
	corners []image.Point
	rings   [][]image.Point
}

// tracer follows the cracks between locations of different islands. A ring is walked with its
// island on the right, so clockwise around it and the other way around its holes (y points down).
// Where two locations of the island touch at a corner only, the ring turns right and keeps them
// apart: islands are connected by edges.
type tracer struct {
	level *Level
	seen  []bool  // (N) whether a ring has passed the upper edge of the location, from left to right
	ends  []int32 // (rings) where each ring ends in the corners
	count []int32 // (islands) rings so far, after each island
}

// begin starts a level.
func (t *tracer) begin(l *Level) {
	t.level = l
	t.seen = resize(t.seen, len(l.ID))
	clear(t.seen)
	t.ends, t.count = t.ends[:0], t.count[:0]
	l.outline.corners = l.outline.corners[:0]
}

// island traces the rings of the next island, whose locations are in scan order. Every ring has
// an upper edge; the first one that a scan meets is outside.
func (t *tracer) island(at []int32) {
	l := t.level
	for _, i := range at {
		if up := int(i) - l.Cols; !t.seen[i] && (up < 0 || l.ID[up] != l.ID[i]) {
			t.ring(int(i)%l.Cols, int(i)/l.Cols)
		}
	}
	t.count = append(t.count, int32(len(t.ends)))
}

// ring traces the ring that goes along the upper edge of location (x, y).
func (t *tracer) ring(x, y int) {
	l := t.level
	id := l.ID[y*l.Cols+x]
	inside := func(x, y int) bool {
		return uint(x) < uint(l.Cols) && uint(y) < uint(l.Rows) && l.ID[y*l.Cols+x] == id
	}
	dx, dy := 1, 0
	l.outline.corners = append(l.outline.corners, image.Pt(x, y)) // a corner: else it would be seen
	for {
		if dx == 1 {
			if t.seen[y*l.Cols+x] {
				break // where it began
			}
			t.seen[y*l.Cols+x] = true
		}
		x, y = x+dx, y+dy
		// The two locations ahead of corner (x, y), on the right and on the left of the way.
		rx, ry := x+(dx-dy-1)/2, y+(dx+dy-1)/2
		lx, ly := x+(dx+dy-1)/2, y+(dy-dx-1)/2
		switch {
		case !inside(rx, ry):
			dx, dy = -dy, dx
		case inside(lx, ly):
			dx, dy = dy, -dx
		default:
			continue
		}
		l.outline.corners = append(l.outline.corners, image.Pt(x, y))
	}
	last := len(l.outline.corners) - 1 // where it began
	l.outline.corners = l.outline.corners[:last]
	t.ends = append(t.ends, int32(last))
}

// end gives the rings to the islands, now that their memory does not move any more.
func (t *tracer) end(l *Level) {
	l.outline.rings = resize(l.outline.rings, len(t.ends))
	from := int32(0)
	for i, to := range t.ends {
		l.outline.rings[i] = l.outline.corners[from:to:to]
		from = to
	}
	from = 0
	for i, to := range t.count {
		l.Islands[i].Outline = l.outline.rings[from:to:to]
		from = to
	}
	t.level = nil
}
