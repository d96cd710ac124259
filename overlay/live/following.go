package live

import (
	"image"
	"sync"

	"glomstream/glom/follow"
	"glomstream/glom/islands"
	"glomstream/overlay/meta"
	"glomstream/pipeline"
)

// following follows the thing that an operator chose. step is called by the pipeline, in the order
// of the frames; the other methods by anybody. The zero value follows nothing and has a good cfg.
type following struct {
	cfg      follow.Config
	follower *pipeline.Follower
	ups      islands.Upsampler
	labels   []uint16
	mask     []uint8 // (h, w) 255 where the thing is
	w, h     int     // of the frame, 0 if nothing is followed
	rows     int     // of the grid
	cols     int
	level    int // whose islands are told
	votes    map[uint16]int

	mu     sync.Mutex
	wanted *meta.Command // the next to follow
	over   bool          // no longer follow
	told   *meta.Followed
}

func (f *following) want(c *meta.Command) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted, f.over = c, false
}

func (f *following) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wanted, f.over, f.told = nil, true, nil
}

// now tells what is followed; nil for nothing.
func (f *following) now() *meta.Followed {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told
}

// step follows into the next frame, and returns whether what is to be told has changed.
func (f *following) step(r *pipeline.Result) (changed bool) {
	f.mu.Lock()
	want, over := f.wanted, f.over
	f.wanted, f.over = nil, false
	f.mu.Unlock()
	switch {
	case over:
		f.w = 0
	case want != nil:
		f.begin(r, want)
	case f.w == 0:
		return false
	case f.w != r.Frame.W || f.h != r.Frame.H || f.rows != r.State.Rows || f.cols != r.State.Cols:
		f.w = 0 // another picture altogether
	default:
		f.follower.Step(f.mask, r)
	}
	return f.tell(r)
}

// tell notes which island the thing is in now.
func (f *following) tell(r *pipeline.Result) (changed bool) {
	var now *meta.Followed
	if f.w > 0 {
		id := f.island(&r.Islands[f.level])
		now = &meta.Followed{Level: f.level, Island: int(id), Lost: id == 0}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over || f.wanted != nil {
		return false // something else was said meanwhile
	}
	changed = (now == nil) != (f.told == nil) || now != nil && *now != *f.told
	f.told = now
	return changed
}

// begin starts to follow what a command names. If there is no such thing, nothing is followed.
func (f *following) begin(r *pipeline.Result, c *meta.Command) {
	w, h := r.Frame.W, r.Frame.H
	if len(f.mask) != w*h {
		f.mask, f.labels = make([]uint8, w*h), make([]uint16, w*h)
	}
	f.w = 0
	var found bool
	if c.Island != nil && c.Level != nil {
		f.level = min(*c.Level, len(r.Islands)-1)
		found = f.pick(r, f.level, uint16(*c.Island))
	} else if c.X != nil {
		f.level, found = f.pickAt(r, image.Pt(min(int(*c.X*float64(w)), w-1), min(int(*c.Y*float64(h)), h-1)), c.Level)
	}
	if !found {
		return
	}
	if f.follower == nil {
		f.follower, f.votes = pipeline.NewFollower(f.cfg), map[uint16]int{}
	}
	f.follower.Start(r, f.mask)
	f.w, f.h, f.rows, f.cols = w, h, r.State.Rows, r.State.Cols
}

// pick marks an island.
func (f *following) pick(r *pipeline.Result, level int, id uint16) (found bool) {
	f.ups.Labels(f.labels, r.Frame.W, r.Frame.H, &r.Islands[level], r.Frame.Pix, r.Frame.Stride)
	for i, l := range f.labels {
		f.mask[i] = 0
		if l == id {
			f.mask[i], found = 255, true
		}
	}
	return found
}

// pickAt marks the island at a point: of a level, or of the coarsest one at which it is a thing
// rather than a ground.
func (f *following) pickAt(r *pipeline.Result, at image.Point, want *int) (level int, found bool) {
	level = r.Object()
	if want != nil {
		level = min(*want, len(r.Islands)-1)
	}
	for {
		f.ups.Labels(f.labels, r.Frame.W, r.Frame.H, &r.Islands[level], r.Frame.Pix, r.Frame.Stride)
		if follow.Pick(f.mask, f.labels, r.Frame.W, r.Frame.H, at) || level == 0 || want != nil {
			break
		}
		level--
	}
	return level, f.labels[at.Y*r.Frame.W+at.X] != 0
}

// island returns the island of a level that most of the thing is in, 0 if it is out of sight.
func (f *following) island(l *islands.Level) uint16 {
	clear(f.votes)
	var best uint16
	for row := range l.Rows {
		for col := range l.Cols {
			y, x := (2*row+1)*f.h/(2*l.Rows), (2*col+1)*f.w/(2*l.Cols)
			if f.mask[y*f.w+x] == 0 {
				continue
			}
			id := l.ID[row*l.Cols+col]
			f.votes[id]++
			if f.votes[id] > f.votes[best] || f.votes[id] == f.votes[best] && id < best {
				best = id
			}
		}
	}
	return best
}

// copyTo gives a shot the mask of what is followed, and returns what it is.
func (f *following) copyTo(s *shot) *meta.Followed {
	if f.w == 0 {
		return nil
	}
	s.mask = append(s.mask[:0], f.mask...)
	return f.now()
}
