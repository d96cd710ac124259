package islands

import (
	"cmp"
	"slices"
)

// Linker makes the levels of a frame a parse tree. The zero value works; it keeps its scratch
// memory, so use it from one goroutine at a time.
type Linker struct {
	start  []int32 // (ids) where the island's locations begin in order, then where they end
	order  []int32 // (N) the locations, island by island, each in scan order
	shared []int32 // (ids) locations that an island shares with those above it; zero between islands
	kin    []kin   // of a level
	tracer tracer  // of the outlines
}

// Link completes levels, the finest first, whose ids are final: the parent of an island is the
// island one level up that shares the most locations with it, the smallest id if several do.
//
// Island.Nesting says whether the vectors of the island end where its parent does: of what would be
// one island with it if the level had been read without the one above, the share that lies inside its
// parent. For a level that was read so it is the share of the island itself. Level.Nesting is the mean
// over all locations, about 1 where the vectors make a strict tree by themselves. At the top there is
// neither.
//
// The confidence of an island is the product of three answers from 0 to 1:
//
//	Norm               are its vectors one? (over space)
//	Agreement          do its parts, its whole, its past and its neighbours predict it? (over levels)
//	(Age+1)/(Age+2)    will it be there in the next frame? (over time)
//
// The last is Laplace's rule of succession for an island that was found in each of its Age+1 frames:
// 1/2 at birth, 30/31 after a second of video. A product, as an island is doubtful already when
// one of the answers is no.
//
// The outline is exact: filled by the even-odd rule its rings cover the island's locations and no
// others. A corner (x, y) is the upper left corner of location (x, y). The first ring runs clockwise
// around the island, holes follow in the other direction; a ring is closed by its first corner,
// which is not repeated, and has no corner on a straight line. The rings are valid until the
// level is read or linked again.
//
// Link panics on levels of different grids, and if the areas do not add up to the grid.
func (k *Linker) Link(levels []Level) {
	k.start = resize(k.start, maxID+1)
	k.shared = resize(k.shared, maxID+1)
	for i := range levels {
		l := &levels[i]
		if len(l.ID) != l.Rows*l.Cols || l.Rows != levels[0].Rows || l.Cols != levels[0].Cols {
			panic("islands: Link: shapes do not fit")
		}
		k.sort(l)
		var above []uint16
		if i+1 < len(levels) {
			above = levels[i+1].ID
		}
		k.complete(l, above)
	}
}

// sort lists the locations of each island.
func (k *Linker) sort(l *Level) {
	k.order = resize(k.order, len(l.ID))
	next := 0
	for i := range l.Islands {
		s := &l.Islands[i]
		k.start[s.ID] = int32(next)
		next += s.Area
	}
	if next != len(l.ID) {
		panic("islands: Link: the areas of the islands do not fit")
	}
	for i, id := range l.ID {
		k.order[k.start[id]] = int32(i)
		k.start[id]++
	}
}

// complete fills in what Link adds to a level and its islands. above has the ids one level up, nil
// at the top.
func (k *Linker) complete(l *Level, above []uint16) {
	agreement := 0.0
	k.kin = k.kin[:0]
	k.tracer.begin(l)
	for i := range l.Islands {
		s := &l.Islands[i]
		at := k.order[int(k.start[s.ID])-s.Area : k.start[s.ID]]
		s.Parent, s.Nesting = 0, 0
		if above != nil {
			parent, most := k.parent(at, above)
			s.Parent, s.Nesting = parent, float64(most)/float64(s.Area)
			if s.alike > 0 {
				k.kin = append(k.kin, kin{s.alike, parent, int32(i), most})
			}
		}
		agreement += s.Agreement * float64(s.Area)
		s.Confidence = confidence(s)
		k.tracer.island(at)
	}
	k.tracer.end(l)
	k.nest(l)
	inside := 0.0
	for i := range l.Islands {
		inside += l.Islands[i].Nesting * float64(l.Islands[i].Area)
	}
	l.Nesting = inside / float64(len(l.ID))
	l.Agreement = agreement / float64(len(l.ID))
}

// kin is an island of those that are alike.
type kin struct {
	alike  int32
	parent uint16
	island int32 // index
	inside int   // locations within the parent
}

// nest sets the nesting of the islands of l that are in k.kin.
func (k *Linker) nest(l *Level) {
	slices.SortFunc(k.kin, func(a, b kin) int {
		return cmp.Or(cmp.Compare(a.alike, b.alike), cmp.Compare(a.parent, b.parent), cmp.Compare(a.island, b.island))
	})
	for first := 0; first < len(k.kin); {
		end, area := first, 0
		for ; end < len(k.kin) && k.kin[end].alike == k.kin[first].alike; end++ {
			area += l.Islands[k.kin[end].island].Area
		}
		for first < end {
			same, inside := first, 0
			for ; same < end && k.kin[same].parent == k.kin[first].parent; same++ {
				inside += k.kin[same].inside
			}
			for ; first < same; first++ {
				l.Islands[k.kin[first].island].Nesting = float64(inside) / float64(area)
			}
		}
	}
}

// parent returns the id that most of the locations have one level up, and how many do.
func (k *Linker) parent(at []int32, above []uint16) (id uint16, most int) {
	var n int32
	for _, i := range at {
		b := above[i]
		k.shared[b]++
		if c := k.shared[b]; c > n || c == n && b < id {
			id, n = b, c
		}
	}
	for _, i := range at {
		k.shared[above[i]] = 0
	}
	return id, int(n)
}

func confidence(s *Island) float64 {
	age := float64(s.Age)
	return s.Norm * min(max(s.Agreement, 0), 1) * (age + 1) / (age + 2)
}
