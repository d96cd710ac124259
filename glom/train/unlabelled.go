package train

import (
	"math"

	"glomstream/glom/internal/vec"
)

// unlabelled adds the losses that need no labels, of frame f, which step i settled.
func (w *worker) unlabelled(i, f int, share float64) {
	c, L := w.t.cfg.Losses, w.t.model.Config().Levels
	between := share / float64(max(1, L-2)) // the levels between the lowest and the top
	w.follow(f)
	for l := 1; l < L-1; l++ {
		w.chosen(i, f, l, between)
	}
	if c.Prediction > 0 && f+1 < w.clip.T && w.frames[f+1].last > i {
		w.predict(i, f, share*c.Prediction/float64(L))
	}
	if c.Features > 0 {
		w.features(i, f, share*c.Features)
	}
	if c.Variance > 0 || c.Covariance > 0 {
		w.spreadOut(i, share/float64(L))
	}
}

// follow finds for each location of frame f where it was in the frame before; -1 where it came
// into view. What is at p was at p - flow(p), the mean over the location's pixels.
func (w *worker) follow(f int) {
	w.from = follow(w.from, &w.clip.Flow, f, w.rows, w.cols)
}

func follow(from []int, all *[]float32, f, rows, cols int) []int {
	from = grow(from, rows*cols)
	width := cell * cols
	flow := (*all)[f*rows*cols*cell*cell*2:]
	for n := range from {
		corner := (n/cols*width + n%cols) * cell
		var dx, dy float64
		for y := range cell {
			for x := range cell {
				p := 2 * (corner + y*width + x)
				dx, dy = dx+float64(flow[p]), dy+float64(flow[p+1])
			}
		}
		const pixels = cell * cell * cell // of a location, times its side
		r, c := n/cols-int(math.Round(dy/pixels)), n%cols-int(math.Round(dx/pixels))
		from[n] = -1
		if f > 0 && uint(r) < uint(rows) && uint(c) < uint(cols) {
			from[n] = r*cols + c
		}
	}
	return from
}

// chosen adds the contrasts without labels of level l.
func (w *worker) chosen(i, f, l int, share float64) {
	c, D, L := w.t.cfg.Losses, w.t.model.Config().Dim, w.t.model.Config().Levels
	b := bandOf(l, L)
	x := w.tape.Level(i, l)
	one := func(targets []float32, weight float64, loss *float64) {
		gather(&w.pair, x, w.picks.at, D)
		*loss += w.pair.chosen(targets, w.bank[l], D, b, tau, share*weight)
		dx := w.back.Level(l)
		for k, n := range w.picks.at {
			vec.Axpy(dx[n*D:n*D+D], 1, w.pair.d[k*D:k*D+D])
		}
	}
	if c.Islands > 0 {
		w.pickAny(contrasts)
		one(nil, c.Islands, &w.episode.losses[kindIslands])
	}
	if c.Trajectory > 0 && f > 0 && w.frames[f-1].last >= 0 {
		w.pickFollowed()
		if len(w.picks.at) > 0 {
			before := w.tape.Level(w.frames[f-1].last, l)
			w.targets = grow(w.targets, len(w.picks.at)*D)
			for k, n := range w.picks.at {
				copy(w.targets[k*D:k*D+D], before[w.from[n]*D:][:D])
			}
			one(w.targets, c.Trajectory, &w.episode.losses[kindTrajectory])
		}
	}
	if a := w.tape.Attention(i, l); c.Attention > 0 && a != nil && i > 0 {
		w.pickAny(contrasts)
		w.targets = grow(w.targets, len(w.picks.at)*D)
		w.tape.Attended(w.targets, w.state, i, l, w.picks.at)
		one(w.targets, c.Attention, &w.episode.losses[kindAttention])
	}
}

// pickFollowed draws locations that were in view a frame ago.
func (w *worker) pickFollowed() {
	w.pickAny(contrasts)
	kept := w.picks.at[:0]
	for _, n := range w.picks.at {
		if w.from[n] >= 0 {
			kept = append(kept, n)
		}
	}
	w.picks.at = kept
}

// predict predicts each level of the next frame along the trajectories.
func (w *worker) predict(i, f int, weight float64) {
	t, L, D := w.t, w.t.model.Config().Levels, w.t.model.Config().Dim
	w.next = follow(w.next, &w.clip.Flow, f+1, w.rows, w.cols)
	N := len(w.next)
	for n := range N {
		w.weight[n] = float32(weight / float64(N))
	}
	for l := range L {
		o := t.atPredict + l*D*D
		y := w.tape.Level(w.frames[f+1].last, l)
		w.episode.losses[kindPrediction] += w.predictor.match(w.back.Level(l), w.grad[o:o+D*D], t.predict[l*D*D:][:D*D],
			w.tape.Level(i, l), w.next, y, w.weight, D)
	}
}

// features predicts from level 0 what an averaged front end makes of the frame with nothing hidden.
func (w *worker) features(i, f int, weight float64) {
	t, p, D := w.t, &w.frames[f], w.t.model.Config().Dim
	N := len(p.hidden)
	w.every = w.every[:0]
	for n, hidden := range p.hidden {
		w.every = append(w.every, n)
		w.weight[n] = float32(weight / float64(N))
		if hidden {
			w.weight[n] += float32(weight / float64(p.nHidden))
		}
	}
	o := t.atFeatures
	w.episode.losses[kindFeatures] += w.predictor.match(w.back.Level(0), w.grad[o:o+D*D], t.features,
		w.tape.Level(i, 0), w.every, p.seen, w.weight, D)
}

// spreadOut keeps the vectors of all levels apart.
func (w *worker) spreadOut(i int, share float64) {
	c, D := w.t.cfg.Losses, w.t.model.Config().Dim
	for l := range w.t.model.Config().Levels {
		v, cov := w.spread.terms(w.back.Level(l), w.tape.Level(i, l), w.bank[l], D, share*c.Variance, share*c.Covariance)
		w.episode.losses[kindVariance] += v
		w.episode.losses[kindCovariance] += cov
	}
}
