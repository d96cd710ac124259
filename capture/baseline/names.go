package baseline

import (
	"cmp"
	"math"
	"slices"
)

// minOverlap is the intersection over union from which on two regions of successive frames are
// one; the same as for islands.
const minOverlap = 0.3

const maxID = math.MaxUint16

// names gives regions the ids that they had in the frame before. What is at a pixel now was, by
// the optical flow, at some pixel of the frame before, and brings along its id from there. A
// region that overlaps the pixels of an id by an intersection over union of 0.3 or more takes it,
// the best pair first; the others get ids that were never used.
type names struct {
	w, h int
	last []uint16 // (H*W) ids of the frame before
	used int      // ids 1 to used have been given out

	moved  []uint16         // (H*W) last where the flow took it, 0 where it came from outside
	shared map[uint32]int32 // pixels by id before and region now
	before []int32          // (ids) pixels
	now    []int32          // (regions+1) pixels
	pairs  []pair
	id     []uint16 // (regions+1) ids to come, 0 for none yet
	taken  []bool   // (ids) whether id has it
}

// pair is an id of the frame before and a region of this one that share pixels.
type pair struct {
	iou     float64
	id, now uint16
}

func (s *names) reset() { s.w, s.h = 0, 0 }

// keep renames the n regions that labels numbers from 1.
func (s *names) keep(labels []uint16, n int, v *view) {
	s.id = resize(s.id, n+1)
	clear(s.id)
	s.taken, s.before = resize(s.taken, maxID+1), resize(s.before, maxID+1)
	clear(s.taken)
	clear(s.before)
	if s.w == v.w && s.h == v.h {
		s.carry(v)
		s.compare(labels, n)
		for _, p := range s.pairs {
			if s.id[p.now] == 0 && !s.taken[p.id] {
				s.id[p.now], s.taken[p.id] = p.id, true
			}
		}
	} else {
		s.used = 0
	}
	s.baptise()
	for i, l := range labels {
		labels[i] = s.id[l]
	}
	s.w, s.h = v.w, v.h
	s.last = append(s.last[:0], labels...)
}

// carry fills s.moved.
func (s *names) carry(v *view) {
	s.moved = resize(s.moved, len(s.last))
	if v.flow == nil {
		copy(s.moved, s.last)
		return
	}
	for i := range s.moved {
		x := i%v.w - int(math.Round(float64(v.flow[2*i])))
		y := i/v.w - int(math.Round(float64(v.flow[2*i+1])))
		s.moved[i] = 0
		if x >= 0 && x < v.w && y >= 0 && y < v.h {
			s.moved[i] = s.last[y*v.w+x]
		}
	}
}

// compare fills s.pairs with the pairs that overlap enough, the best first.
func (s *names) compare(labels []uint16, n int) {
	s.now = resize(s.now, n+1)
	clear(s.now)
	if s.shared == nil {
		s.shared = make(map[uint32]int32)
	}
	clear(s.shared)
	for i := 0; i < len(labels); { // by runs of equal pairs, since a map is slow
		l, m, start := labels[i], s.moved[i], i
		for i < len(labels) && labels[i] == l && s.moved[i] == m {
			i++
		}
		run := int32(i - start)
		s.before[m] += run
		s.now[l] += run
		s.shared[uint32(m)<<16|uint32(l)] += run
	}
	s.pairs = s.pairs[:0]
	for key, shared := range s.shared {
		p := pair{id: uint16(key >> 16), now: uint16(key)}
		p.iou = float64(shared) / float64(s.before[p.id]+s.now[p.now]-shared)
		if p.id > 0 && p.iou >= minOverlap {
			s.pairs = append(s.pairs, p)
		}
	}
	slices.SortFunc(s.pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.iou, a.iou), cmp.Compare(a.id, b.id), cmp.Compare(a.now, b.now))
	})
}

// baptise gives ids to the regions that have none: new ones, or after 65535 the smallest that
// neither frame has.
func (s *names) baptise() {
	free := 0
	for k := 1; k < len(s.id); k++ {
		if s.id[k] > 0 {
			continue
		}
		if s.used < maxID {
			s.used++
			s.id[k] = uint16(s.used)
			continue
		}
		for free++; s.taken[free] || s.before[free] > 0; free++ {
			if free == maxID { // none is left that the frame before did not have
				clear(s.before)
				free = 0
			}
		}
		s.id[k], s.taken[free] = uint16(free), true
	}
}
