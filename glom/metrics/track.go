package metrics

// Switches counts identity switches as CLEAR-MOT does (Bernardin and Stiefelhagen 2008). In each
// frame every object of the truth is matched with the prediction that overlaps it by an
// intersection over union of at least 0.5, one-to-one; since predictions do not overlap each other,
// there is only one, but for exact halves, where the one matched before goes first. A switch is a
// match with another id than the one with which the object was last matched, however long ago. The
// zero value works.
type Switches struct {
	frame           Table
	last            map[uint16]uint16 // id with which each object was last matched
	count           int
	matched, missed int
}

const minMatch = 0.5 // IoU

// Add takes the next frame. Label 0 of the truth is the background, which is not tracked. It
// panics if the lengths differ.
func (s *Switches) Add(truth, pred []uint16) {
	if s.last == nil {
		s.last = make(map[uint16]uint16)
	}
	s.frame.Reset()
	s.frame.Add(truth, pred)
	v := s.frame.read()
	given, taken := make([]bool, len(v.truths)), make([]bool, len(v.preds))
	match := func(kept bool) {
		for _, c := range v.cells {
			g, p := v.truths[c.truth], v.preds[c.pred]
			if g == 0 || given[c.truth] || taken[c.pred] || v.iou(c) < minMatch {
				continue
			}
			before, known := s.last[g]
			if kept && (!known || before != p) {
				continue
			}
			if known && before != p {
				s.count++
			}
			given[c.truth], taken[c.pred] = true, true
			s.last[g] = p
			s.matched++
		}
	}
	matched := s.matched
	match(true)
	match(false)
	s.missed += len(v.truths) - v.firstObject() - (s.matched - matched)
}

// Count returns the number of switches so far.
func (s *Switches) Count() int { return s.count }

// Frames returns how often an object of a frame was matched, and how often it was not. An object
// that is not there counts as neither.
func (s *Switches) Frames() (matched, missed int) { return s.matched, s.missed }

// Durations measures how long ids live, the mean supervoxel duration of LIBSVX. The zero value works.
type Durations struct {
	frame int
	seen  map[uint16]int // last frame of each id, from 1
	total int            // frames, summed over the ids
}

// Add takes the labels of the next frame.
func (d *Durations) Add(pred []uint16) {
	if d.seen == nil {
		d.seen = make(map[uint16]int)
	}
	d.frame++
	for i, l := range pred {
		if i > 0 && l == pred[i-1] {
			continue
		}
		if d.seen[l] != d.frame {
			d.seen[l] = d.frame
			d.total++
		}
	}
}

// IDs returns the number of ids so far.
func (d *Durations) IDs() int { return len(d.seen) }

// Mean returns the mean number of frames in which an id occurs; at most the number of frames.
func (d *Durations) Mean() float64 { return ratio(float64(d.total), float64(len(d.seen))) }

// Consistency is the video consistency VC_k of VSPW (Miao et al. 2021): of the pixels whose truth is
// the same in k successive frames, the fraction whose prediction is too, whatever its name; the mean
// over all windows of k frames in which there is such a pixel. (The reference leaves the last
// window out.) The zero value works.
type Consistency struct {
	Window int // frames k, default 8; not to be changed after the first Add

	truth, pred       []uint16 // last frame
	truthAge, predAge []int32  // frames for which each pixel has had its label
	sum               float64
	windows           int
}

// Add takes the next frame. A change of the number of pixels begins a new video, whose windows count
// along with those before.
func (c *Consistency) Add(truth, pred []uint16) {
	if len(truth) != len(pred) {
		panic("metrics: Consistency.Add: lengths differ")
	}
	k := int32(c.Window)
	if k <= 0 {
		k = 8
	}
	if len(truth) != len(c.truth) {
		c.truth, c.pred = append(c.truth[:0], truth...), append(c.pred[:0], pred...)
		c.truthAge, c.predAge = make([]int32, len(truth)), make([]int32, len(truth))
	}
	var same, constant int
	for i, g := range truth {
		if g == c.truth[i] {
			c.truthAge[i]++
		} else {
			c.truthAge[i] = 1
		}
		if pred[i] == c.pred[i] {
			c.predAge[i]++
		} else {
			c.predAge[i] = 1
		}
		if g != Ignore && c.truthAge[i] >= k {
			constant++
			if c.predAge[i] >= k {
				same++
			}
		}
	}
	copy(c.truth, truth)
	copy(c.pred, pred)
	if constant > 0 {
		c.windows++
		c.sum += float64(same) / float64(constant)
	}
}

// Mean returns the mean over the windows so far. Range 0 to 1; 0 if there was none.
func (c *Consistency) Mean() float64 { return ratio(c.sum, float64(c.windows)) }
