package eval

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"glomstream/glom"
	"glomstream/glom/metrics"
	"glomstream/pipeline"
)

// picture is what the scores need to know of a frame besides its labels.
type picture struct {
	w, h int
	flow []float32 // (h, w, 2) motion in pixels since the frame before; nil if there is none
}

// scorer is the sink that scores a sequence.
type scorer struct {
	seq   *Sequence
	model *glom.Model
	truth Truth
	pic   picture

	levels  []levelScore
	pairs   []pairScore
	others  []*segmented
	finders []*found
	follow  []*followed

	frames, labelled int
	speed            mean // of the objects
	grid             []uint16
	motion           []float64
}

func newScorer(seq *Sequence, c *Config) (*scorer, error) {
	s := &scorer{seq: seq, model: c.Model}
	L := c.Model.Config().Levels
	for l := range L {
		s.levels = append(s.levels, newLevelScore(seq, l, L))
	}
	for l := range L - 1 {
		s.pairs = append(s.pairs, newPairScore(seq, l, L))
	}
	for _, m := range c.Segmenters {
		v, err := m.New()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", m.Name, err), s.Close())
		}
		o := &segmented{name: m.Name, Segmenter: v, labels: labels{mean: make(means)}}
		for g := range seq.Grains {
			o.divisions = append(o.divisions, newDivision(seq, g, -1, true))
		}
		s.others = append(s.others, o)
	}
	if !seq.Binary || seq.Still {
		return s, nil
	}
	for _, m := range c.Finders {
		v, err := m.New()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", m.Name, err), s.Close())
		}
		s.finders = append(s.finders, &found{name: m.Name, Finder: v})
	}
	for _, m := range c.Followers {
		v, err := m.New()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", m.Name, err), s.Close())
		}
		s.follow = append(s.follow, &followed{name: m.Name, Follower: v})
	}
	return s, nil
}

// Write scores one frame. The methods do not depend on each other and work at the same time.
func (s *scorer) Write(r *pipeline.Result) error {
	if err := s.seq.truth(&s.truth, &r.Frame); err != nil {
		return err
	}
	s.frames++
	for _, maps := range s.truth.Maps {
		if len(maps) > 0 {
			s.labelled++
			break
		}
	}
	s.pic.w, s.pic.h = r.Frame.W, r.Frame.H
	s.pic.flow = enlarge(s.pic.flow, r)
	s.measureSpeed(r)
	var g errgroup.Group
	g.SetLimit(4)
	for l := range s.levels {
		g.Go(func() error { s.levels[l].add(s, r); return nil })
	}
	for l := range s.pairs {
		g.Go(func() error { s.pairs[l].add(s, r); return nil })
	}
	for _, o := range s.others {
		g.Go(func() error { return o.add(s, r) })
	}
	for _, o := range s.finders {
		g.Go(func() error { return o.add(s, r) })
	}
	for _, o := range s.follow {
		g.Go(func() error { return o.add(s, r) })
	}
	return g.Wait()
}

// measureSpeed takes how fast the objects move against the median motion of the picture.
func (s *scorer) measureSpeed(r *pipeline.Result) {
	g := slices.Index(s.seq.FromTop, 1)
	if r.Motion == nil || g < 0 || len(s.truth.Maps[g]) != 1 {
		return
	}
	s.grid = majority(s.grid, s.truth.Maps[g][0], r.Frame.W, r.Frame.H, r.Evidence.Rows, r.Evidence.Cols)
	median := func(axis int) float64 {
		s.motion = s.motion[:0]
		for i := axis; i < len(r.Motion); i += 2 {
			s.motion = append(s.motion, float64(r.Motion[i]))
		}
		slices.Sort(s.motion)
		return s.motion[len(s.motion)/2]
	}
	x, y := median(0), median(1)
	var sum float64
	n := 0
	for i, id := range s.grid {
		if id != 0 && id != metrics.Ignore && (s.truth.Things == nil || s.truth.Things[id]) {
			sum += math.Hypot(float64(r.Motion[2*i])-x, float64(r.Motion[2*i+1])-y)
			n++
		}
	}
	if n > 0 {
		s.speed.sum += sum / float64(n)
		s.speed.n++
	}
}

// Close frees the methods.
func (s *scorer) Close() error {
	var errs []error
	for _, o := range s.others {
		errs = append(errs, o.Close())
	}
	for _, o := range s.finders {
		errs = append(errs, o.Close())
	}
	for _, o := range s.follow {
		errs = append(errs, o.Close())
	}
	return errors.Join(errs...)
}

// enlarge brings the flow of the working picture to the size of the frame.
func enlarge(dst []float32, r *pipeline.Result) []float32 {
	ev := &r.Evidence
	if ev.Flow == nil {
		return nil
	}
	w, h := r.Frame.W, r.Frame.H
	if cap(dst) < 2*w*h {
		dst = make([]float32, 2*w*h)
	}
	dst = dst[:2*w*h]
	sx, sy := float32(w)/float32(ev.W), float32(h)/float32(ev.H)
	for y := range h {
		from := ev.Flow[2*(y*ev.H/h)*ev.W:]
		for x := range w {
			k := 2 * (x * ev.W / w)
			dst[2*(y*w+x)], dst[2*(y*w+x)+1] = from[k]*sx, from[k+1]*sy
		}
	}
	return dst
}

// labels are the scores of a division that need no truth.
type labels struct {
	mean   means
	life   metrics.Durations
	before []uint16 // (H*W) of the frame before
	w, h   int
}

func (t *labels) add(pred []uint16, p *picture, r *pipeline.Result) {
	t.mean.add("ev", metrics.ExplainedVariation(pred, r.Frame.Pix, p.w, p.h, r.Frame.Stride))
	t.life.Add(pred)
	if p.flow != nil && t.w == p.w && t.h == p.h {
		t.mean.add("warp", metrics.WarpConsistency(t.before, pred, p.flow, p.w, p.h))
	}
	t.w, t.h = p.w, p.h
	t.before = append(t.before[:0], pred...)
}

func (t *labels) scores(still bool) map[string]float64 {
	if !still && t.life.Mean() > 0 {
		t.mean.add("life", t.life.Mean())
	}
	return t.mean.scores()
}

// levelScore scores one level of the model.
type levelScore struct {
	level int
	labels
	divisions []*division
	auc       []means // (grains)
	grid      []uint16
	rng       *rand.Rand
}

func newLevelScore(seq *Sequence, level, levels int) levelScore {
	s := levelScore{level: level, labels: labels{mean: make(means)}, rng: rand.New(rand.NewPCG(1, uint64(level)))}
	for g := range seq.Grains {
		// The whole list is for the level that the granularity belongs to, and for all levels
		// when there is but one granularity.
		full := len(seq.Grains) == 1 || levels-1-seq.FromTop[g] == level
		s.divisions = append(s.divisions, newDivision(seq, g, level, full))
		s.auc = append(s.auc, make(means))
	}
	return s
}

// every is how many frames lie between two looks at the spectrum of the embeddings.
const every = 8

func (s *levelScore) add(all *scorer, r *pipeline.Result) {
	l, st := s.level, r.State
	pred := r.Labels[l]
	N := st.Rows * st.Cols
	s.mean.add("islands", float64(len(r.Islands[l].Islands)))
	s.labels.add(pred, &all.pic, r)
	s.mean.add("mean_cosine", metrics.MeanCosine(st.Level(l), N, st.Dim))
	var agree float64
	for _, v := range r.Agreement[l] {
		agree += float64(v)
	}
	s.mean.add("agreement", agree/float64(N))
	if (all.frames-1)%every == 0 {
		s.mean.add("rank", metrics.EffectiveRank(st.Level(l), N, st.Dim))
		s.mean.add("perplexity", all.model.Perplexity(st, l))
	}
	for g, d := range s.divisions {
		d.add(&all.truth, pred, &all.pic)
		for _, truth := range all.truth.Maps[g] {
			s.grid = majority(s.grid, truth, r.Frame.W, r.Frame.H, st.Rows, st.Cols)
			if auc, ok := affinity(st.Level(l), s.grid, N, st.Dim, s.rng); ok {
				s.auc[g].add("auc", auc)
			}
		}
	}
}

// affinity returns the AUC of a frame, if its truth has locations of two regions.
func affinity(x []float32, grid []uint16, n, dim int, rng *rand.Rand) (float64, bool) {
	first, two := uint16(metrics.Ignore), false
	for _, id := range grid {
		switch {
		case id == metrics.Ignore:
		case first == metrics.Ignore:
			first = id
		case id != first:
			two = true
		}
	}
	if !two {
		return 0, false
	}
	return metrics.AffinityAUC(x, grid, n, dim, 4096, rng), true
}

// majority gives each location the label that at least three quarters of its pixels have, or Ignore.
func majority(dst, labels []uint16, w, h, rows, cols int) []uint16 {
	dst = dst[:0]
	for r := range rows {
		y0, y1 := r*h/rows, max((r+1)*h/rows, r*h/rows+1)
		for c := range cols {
			x0, x1 := c*w/cols, max((c+1)*w/cols, c*w/cols+1)
			// The label that a majority has is the one left after pairs of different ones cancel.
			best, votes := uint16(metrics.Ignore), 0
			for y := y0; y < y1; y++ {
				for _, id := range labels[y*w+x0 : y*w+x1] {
					switch {
					case votes == 0:
						best, votes = id, 1
					case id == best:
						votes++
					default:
						votes--
					}
				}
			}
			n := 0
			for y := y0; y < y1; y++ {
				for _, id := range labels[y*w+x0 : y*w+x1] {
					if id == best {
						n++
					}
				}
			}
			if 4*n < 3*(x1-x0)*(y1-y0) {
				best = metrics.Ignore
			}
			dst = append(dst, best)
		}
	}
	return dst
}

// pairScore scores how a level nests in the one above.
type pairScore struct {
	level   int
	mean    means
	parents metrics.Parents
	grain   int // that belongs to the level, with the next for the one above; -1 for none
	judged  bool
}

func newPairScore(seq *Sequence, level, levels int) pairScore {
	s := pairScore{level: level, mean: make(means), grain: -1}
	for g := range len(seq.Grains) - 1 {
		if levels-1-seq.FromTop[g] == level && seq.FromTop[g+1] == seq.FromTop[g]-1 {
			s.grain = g
		}
	}
	return s
}

func (s *pairScore) add(all *scorer, r *pipeline.Result) {
	child, parent := r.Labels[s.level], r.Labels[s.level+1]
	s.mean.add("nesting", metrics.Nesting(child, parent))
	s.mean.add("ends", r.Islands[s.level].Nesting)
	if g := s.grain; g >= 0 && len(all.truth.Maps[g]) == 1 && len(all.truth.Maps[g+1]) == 1 {
		s.parents.Add(child, parent, all.truth.Maps[g][0], all.truth.Maps[g+1][0])
		s.judged = true
	}
}

func (s *pairScore) scores() map[string]float64 {
	if s.judged {
		s.mean.add("parents", s.parents.Rate())
	}
	return s.mean.scores()
}

// segmented scores another method.
type segmented struct {
	name string
	Segmenter
	labels
	divisions []*division
	pred      []uint16
	busy      time.Duration
	failed    error
}

func (o *segmented) add(all *scorer, r *pipeline.Result) error {
	if !o.divide(r) {
		return nil
	}
	o.mean.add("islands", float64(different(o.pred)))
	o.labels.add(o.pred, &all.pic, r)
	for _, d := range o.divisions {
		d.add(&all.truth, o.pred, &all.pic)
	}
	return nil
}

// divide runs the method. One that cannot do a picture of that size has no scores for the sequence.
func (o *segmented) divide(r *pipeline.Result) bool {
	if o.failed != nil {
		return false
	}
	o.pred = sized(o.pred, r.Frame.W*r.Frame.H)
	object := max(0, len(r.Islands)-2)
	began := time.Now()
	o.failed = o.Segment(o.pred, r, len(r.Islands[object].Islands))
	o.busy += time.Since(began)
	return o.failed == nil
}

// different counts the labels.
func different(labels []uint16) int {
	seen := make(map[uint16]bool)
	last := uint16(0)
	for i, id := range labels {
		if i == 0 || id != last {
			seen[id] = true
			last = id
		}
	}
	return len(seen)
}

func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
