package salient

import (
	"math"

	"glomstream/glom"
	"glomstream/glom/islands"
)

const (
	remembered = 64 // islands
	every      = 4  // frames between those whose islands are remembered
)

// sums are what is known of an island.
type sums struct {
	evidence   float32 // mean
	edge, rim  float32 // sides of its locations that are the border of the picture; all its outer sides
	groundless float32 // 1 for a thing, less for what lies along the border
}

// recorded is what is remembered of an island, besides its vector.
type recorded struct{ evidence, area float32 }

// judge fills score.
func (f *Finder) judge(in *Frame) {
	f.measureIslands(in.Islands)
	if f.steps%every == 0 {
		f.remember(in.Islands)
	}
	f.steps++
	looks, island := float32(f.cfg.Looks), float32(f.cfg.Island)
	for i, e := range f.filled {
		own := &f.sums[f.index[in.Islands.ID[i]]]
		s := e * own.groundless
		if looks > 0 {
			s += looks * (f.recall(in.Vectors[i*f.dim:][:f.dim]) - s)
		}
		f.score[i] = s + island*(own.evidence-s)
	}
}

// measureIslands fills index and sums.
func (f *Finder) measureIslands(l *islands.Level) {
	f.index = resize(f.index, math.MaxUint16+1)
	f.sums = resize(f.sums, len(l.Islands))
	clear(f.sums)
	for k := range l.Islands {
		f.index[l.Islands[k].ID] = int32(k)
	}
	for i, id := range l.ID {
		s := &f.sums[f.index[id]]
		s.evidence += f.filled[i]
		r, c := i/f.cols, i%f.cols
		for _, at := range [4][2]int{{r, c - 1}, {r, c + 1}, {r - 1, c}, {r + 1, c}} {
			switch {
			case at[0] < 0 || at[1] < 0 || at[0] == f.rows || at[1] == f.cols:
				s.edge++
				s.rim++
			case l.ID[at[0]*f.cols+at[1]] != id:
				s.rim++
			}
		}
	}
	for k := range f.sums {
		s := &f.sums[k]
		s.groundless = max(0, 1-float32(f.cfg.Border)*ratio(s.edge, s.rim))
		s.evidence *= s.groundless / float32(l.Islands[k].Area)
	}
}

// remember adds the islands to those of the last frames; the oldest go.
func (f *Finder) remember(l *islands.Level) {
	for k := range l.Islands {
		f.seen = append(f.seen, l.Islands[k].Vector...)
		f.worth = append(f.worth, recorded{f.sums[k].evidence, float32(l.Islands[k].Area)})
	}
	if over := len(f.worth) - remembered; over > 0 {
		f.seen = f.seen[:copy(f.seen, f.seen[over*f.dim:])]
		f.worth = f.worth[:copy(f.worth, f.worth[over:])]
	}
}

// recall returns the mean evidence of the remembered islands, by how much they look like v and by
// their area.
func (f *Finder) recall(v []float32) float32 {
	var sum, total float32
	for k, w := range f.worth {
		a := f.like(glom.Dot(v, f.seen[k*f.dim:][:f.dim])) * w.area
		sum += a
		total += a * w.evidence
	}
	return ratio(total, sum)
}

// choose fills found. A location that was salient where it comes from stays so a little longer.
func (f *Finder) choose() {
	const stay = 0.9
	n := len(f.score)
	copy(f.sorted, f.score)
	top := quantile(f.sorted, n-1-n/200)
	middle := quantile(f.sorted, n/2)
	threshold := max(float32(f.cfg.Least), middle+float32(f.cfg.Over)*(top-middle))
	f.found, f.was = f.was, f.found
	for i, s := range f.score {
		x, y := int(float32(i%f.cols)-f.motion[2*i]+0.5), int(float32(i/f.cols)-f.motion[2*i+1]+0.5)
		x, y = min(max(x, 0), f.cols-1), min(max(y, 0), f.rows-1)
		f.found[i] = s > threshold || f.was[y*f.cols+x] && s > stay*threshold
	}
}
