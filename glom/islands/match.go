package islands

import (
	"cmp"
	"slices"
)

// minOverlap is the intersection over union from which on two islands of successive frames are one.
const minOverlap = 0.3

// Matcher gives an island the id that it had in the frame before. The zero value works; it
// serves one level of one video, from one goroutine at a time. For a new video, or to forget what
// was before a cut, assign a zero Matcher.
type Matcher struct {
	rows, cols int
	last       []uint16 // (N) ids of the frame before
	used       int      // ids 1 to used have been given out

	area  []int32   // (ids) locations of each island of the frame before, by id
	name  []uint16  // (islands) new id of each island of this frame, by index; 0 while it has none
	taken []bool    // (ids) whether the id is in use in this frame
	pairs []overlap // islands of both frames that share locations
	keys  []uint32  // (N) island before and now of each location
}

// overlap is a pair of islands that share locations.
type overlap struct {
	iou    float64
	before uint16 // id
	now    uint16 // index
}

// Match renames the islands of l, which must come fresh from a Reader: an island that overlaps one
// of the frame before by an intersection over union of 0.3 or more takes its id, the best pair
// first; the others get ids that were never used. After 65535 ids, the smallest that neither
// frame uses is given out again. A change of the grid starts afresh.
//
// Islands is sorted by the new ids.
func (m *Matcher) Match(l *Level) {
	n := len(l.ID)
	if n != l.Rows*l.Cols {
		panic("islands: Match: shapes do not fit")
	}
	if l.Rows != m.rows || l.Cols != m.cols {
		m.rows, m.cols, m.used = l.Rows, l.Cols, 0
		m.last = resize(m.last, n)
		clear(m.last)
	}
	m.compare(l)
	m.name = resize(m.name, len(l.Islands))
	clear(m.name)
	m.taken = resize(m.taken, maxID+1)
	clear(m.taken)
	for _, p := range m.pairs {
		if m.name[p.now] == 0 && !m.taken[p.before] {
			m.name[p.now] = p.before
			m.taken[p.before] = true
		}
	}
	m.baptise()
	for i, id := range l.ID {
		l.ID[i] = m.name[id-1]
	}
	for k := range l.Islands {
		l.Islands[k].ID = m.name[k]
	}
	slices.SortFunc(l.Islands, func(a, b Island) int { return cmp.Compare(a.ID, b.ID) })
	copy(m.last, l.ID)
}

// compare fills m.pairs with the pairs that overlap enough, the best first.
func (m *Matcher) compare(l *Level) {
	m.area = resize(m.area, maxID+1)
	clear(m.area)
	m.keys = m.keys[:0]
	for i, id := range m.last {
		if id > 0 {
			m.area[id]++
			m.keys = append(m.keys, uint32(id)<<16|uint32(l.ID[i]-1))
		}
	}
	slices.Sort(m.keys)
	m.pairs = m.pairs[:0]
	for i := 0; i < len(m.keys); {
		k := i + 1
		for k < len(m.keys) && m.keys[k] == m.keys[i] {
			k++
		}
		p := overlap{before: uint16(m.keys[i] >> 16), now: uint16(m.keys[i])}
		shared := k - i
		p.iou = float64(shared) / float64(int(m.area[p.before])+l.Islands[p.now].Area-shared)
		if p.iou >= minOverlap {
			m.pairs = append(m.pairs, p)
		}
		i = k
	}
	slices.SortFunc(m.pairs, func(a, b overlap) int {
		return cmp.Or(cmp.Compare(b.iou, a.iou), cmp.Compare(a.before, b.before), cmp.Compare(a.now, b.now))
	})
}

// baptise gives ids to the islands that have none.
func (m *Matcher) baptise() {
	free := 1
	for k, id := range m.name {
		if id > 0 {
			continue
		}
		if m.used < maxID {
			m.used++
			m.name[k] = uint16(m.used)
			continue
		}
		for m.taken[free] || m.area[free] > 0 {
			if free++; free > maxID { // none left that the frame before did not use
				clear(m.area)
				free = 1
			}
		}
		m.name[k] = uint16(free)
		m.taken[free] = true
	}
}
