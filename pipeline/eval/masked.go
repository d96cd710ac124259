package eval

import (
	"fmt"
	"slices"
	"time"

	"glomstream/glom/metrics"
	"glomstream/pipeline"
)

// overlap keeps J and F of the frames.
type overlap struct {
	j        []float64
	f        mean
	boundary metrics.Boundary
	truth    []bool
	pred     []bool
	busy     time.Duration
	frames   int
}

// judge scores a mask. What the truth does not know counts as what was said.
func (o *overlap) judge(truth []uint16, pred []bool, id uint16, w, h int) {
	o.truth = sized(o.truth, len(truth))
	for i, t := range truth {
		switch {
		case t == metrics.Ignore:
			o.truth[i] = pred[i]
		case id == 0:
			o.truth[i] = t != 0
		default:
			o.truth[i] = t == id
		}
	}
	o.j = append(o.j, metrics.J(o.truth, pred))
	o.f.sum += o.boundary.F(o.truth, pred, w, h)
	o.f.n++
}

func (o *overlap) scores() map[string]float64 {
	s := make(map[string]float64)
	if len(o.j) > 0 {
		sum := metrics.Summarise(o.j)
		s["j"], s["j_recall"], s["j_decay"] = sum.Mean, sum.Recall, sum.Decay
		s["f"] = o.f.sum / float64(o.f.n)
	}
	if o.busy > 0 {
		s["fps"] = float64(o.frames) / o.busy.Seconds()
	}
	return s
}

// found scores a finder of salient objects.
type found struct {
	name string
	Finder
	overlap
}

func (o *found) add(all *scorer, r *pipeline.Result) error {
	w, h := r.Frame.W, r.Frame.H
	o.pred = sized(o.pred, w*h)
	began := time.Now()
	if err := o.Find(o.pred, r); err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	o.busy += time.Since(began)
	o.frames++
	if maps := all.truth.Maps[0]; len(maps) == 1 {
		o.judge(maps[0], o.pred, 0, w, h)
	}
	return nil
}

// followed scores a follower, started with the truth of the first frame that has an object. That
// frame is not judged.
type followed struct {
	name string
	Follower
	overlap
	started bool
	ids     []uint16
	regions []uint16
}

func (o *followed) add(all *scorer, r *pipeline.Result) error {
	w, h := r.Frame.W, r.Frame.H
	maps := all.truth.Maps[0]
	if !o.started {
		if len(maps) == 0 {
			return nil
		}
		start := onlyThings(nil, maps[0], nil)
		for _, id := range start {
			if id != 0 && !slices.Contains(o.ids, id) {
				o.ids = append(o.ids, id)
			}
		}
		if len(o.ids) == 0 {
			return nil
		}
		o.started = true
		if err := o.Start(start, r); err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		return nil
	}
	o.regions = sized(o.regions, w*h)
	began := time.Now()
	if err := o.Follow(o.regions, r); err != nil {
		return fmt.Errorf("%s: %w", o.name, err)
	}
	o.busy += time.Since(began)
	o.frames++
	if len(maps) != 1 {
		return nil
	}
	o.pred = sized(o.pred, w*h)
	for _, id := range o.ids {
		for i, got := range o.regions {
			o.pred[i] = got == id
		}
		o.judge(maps[0], o.pred, id, w, h)
	}
	return nil
}
