package train

import (
	"slices"
	"strings"

	"glomstream/glom/clips"
	"glomstream/glom/internal/vec"
)

// The objectives, in the order of reports.
const (
	kindReconstruction = iota
	kindHidden
	kindAgreement
	kindPart
	kindObject
	kindAffinity
	kindScene
	kindIslands
	kindTrajectory
	kindAttention
	kindPrediction
	kindFeatures
	kindVariance
	kindCovariance
	kinds
)

// LossNames returns the objectives' names, in the order of reports.
func LossNames() []string { n := lossNames(); return n[:] }

func lossNames() [kinds]string {
	return [kinds]string{
		"reconstruction", "hidden", "agreement", "part", "object", "affinity", "scene",
		"islands", "trajectory", "attention", "prediction", "features", "variance", "covariance",
	}
}

// addLosses adds the losses of frame f, which step i settled, and their gradients to w.back.
func (w *worker) addLosses(i, f int) {
	c, share := w.t.cfg.Losses, w.frames[f].lossPart
	if c.Reconstruction > 0 {
		w.reconstruct(i, f, share*c.Reconstruction)
	}
	if c.Agreement > 0 {
		w.agreement(i, share*c.Agreement)
	}
	top := w.t.model.Config().Levels - 1
	if !w.t.cfg.SelfSupervised {
		w.labelled(i, f, clips.Object, top-1, top-1, share*c.Object, &w.episode.losses[kindObject])
		w.labelled(i, f, clips.Part, 0, top-2, share*c.Part, &w.episode.losses[kindPart])
	}
	w.unlabelled(i, f, share)
}

// reconstruct compares the colours that the neural field sees in level 0 with the picture, at a
// few random places of each location.
func (w *worker) reconstruct(i, f int, weight float64) {
	t, p := w.t, &w.frames[f]
	var at [places]int
	for k := range at {
		at[k] = w.rng.IntN(cell * cell)
	}
	pix := w.clip.Pix[f*w.clip.H*w.clip.W*3:]
	for n := range w.rows * w.cols {
		corner := (n/w.cols*w.clip.W + n%w.cols) * cell
		for k, place := range at {
			bgr := pix[3*(corner+place/cell*w.clip.W+place%cell):][:3]
			rgb := w.want[(n*places+k)*rgb:][:rgb]
			rgb[0], rgb[1], rgb[2] = float32(bgr[2])/255, float32(bgr[1])/255, float32(bgr[0])/255
		}
	}
	N := float32(len(p.hidden))
	x, d := w.tape.Level(i, 0), decoderOver(w.grad[t.atDecoder:], t.dec.D, t.dec.H)
	shares := [2]float64{}
	// The two parts of the loss only differ in the weights of the locations, and are reported apart.
	for n, hidden := range p.hidden {
		w.weight[n] = float32(weight) / N
		if hidden {
			w.weight[n] += float32(weight) / float32(p.nHidden)
		}
	}
	shares[0] = w.field.reconstruct(w.back.Level(0), d, t.dec, x, w.want, w.weight, at[:])
	if p.nHidden > 0 {
		shares[1] = w.field.meanError(p.hidden, places) * weight
		w.episode.losses[kindHidden] += shares[1]
	}
	w.episode.losses[kindReconstruction] += shares[0] - shares[1]
}

// agreement lets the predictions follow the consensus, and if asked for the consensus them. One that
// the model does not mix in is not asked, or it would still shape the level that it is made from.
func (w *worker) agreement(i int, weight float64) {
	L, D := w.t.model.Config().Levels, w.t.model.Config().Dim
	each := weight / float64(2*(L-1))
	for l := range L {
		x, mix := w.tape.Level(i, l), w.t.model.Config().Mix[l]
		var dx []float32
		if w.t.cfg.Both {
			dx = w.back.Level(l)
		}
		if l > 0 && mix.BU > 0 {
			w.episode.losses[kindAgreement] += agree(w.back.BU(l), dx, w.tape.BU(i, l), x, D, each)
		}
		if l < L-1 && mix.TD > 0 {
			w.episode.losses[kindAgreement] += agree(w.back.TD(l), dx, w.tape.TD(i, l), x, D, each)
		}
	}
}

// finer is what the parts count at the levels below theirs, as a share of what they count at their own. No label
// tells the islands there, but none of them lies in two parts.
const finer = 0.5

// labelled contrasts the islands that the labels of that kind show, at their level and those from low up to it.
func (w *worker) labelled(i, f, kind, low, level int, weight float64, loss *float64) {
	labels := w.clip.Labels[kind]
	if weight == 0 || labels == nil {
		return
	}
	size := w.clip.H * w.clip.W
	majority(w.ids, labels[f*size:][:size], w.rows, w.cols)
	for l := low; l <= level; l++ {
		share := weight
		if l < level {
			share *= finer
		}
		w.picks.draw(w.rng, w.ids, contrasts)
		if len(w.picks.sizes) < 2 {
			continue
		}
		contrast, affinity := w.contrast(i, l, share, share*w.t.cfg.Losses.Affinity)
		*loss += contrast
		w.episode.losses[kindAffinity] += affinity
	}
}

// contrast contrasts the islands of w.picks at level l of step i, as contrast.islands says.
func (w *worker) contrast(i, l int, weight, pairs float64) (loss, affinity float64) {
	D := w.t.model.Config().Dim
	gather(&w.pair, w.tape.Level(i, l), w.picks.at, D)
	loss, affinity = w.pair.islands(w.picks.sizes, D, tau, weight, pairs)
	dx := w.back.Level(l)
	for k, n := range w.picks.at {
		vec.Axpy(dx[n*D:n*D+D], 1, w.pair.d[k*D:k*D+D])
	}
	return loss, affinity
}

// gather copies the rows of x (N, D) that at names to c.x.
func gather(c *contrast[float32], x []float32, at []int, D int) {
	c.x = grow(c.x, len(at)*D)
	for k, n := range at {
		copy(c.x[k*D:k*D+D], x[n*D:n*D+D])
	}
}

// pickAny draws n locations; some may come twice.
func (w *worker) pickAny(n int) {
	w.picks.at = w.picks.at[:0]
	for range n {
		w.picks.at = append(w.picks.at, w.rng.IntN(w.rows*w.cols))
	}
}

// pickOthers keeps some vectors of each level after the last step, for the other clips.
func (w *worker) pickOthers() {
	L, D := w.t.model.Config().Levels, w.t.model.Config().Dim
	w.pickAny(perClip)
	w.at = append(w.at[:0], w.picks.at...)
	w.others, w.dScene = grow(w.others, L*perClip*D), grow(w.dScene, perClip*D)
	for l := range L {
		x := w.state.Level(l)
		for k, n := range w.at {
			copy(w.others[(l*perClip+k)*D:][:D], x[n*D:n*D+D])
		}
	}
	clear(w.dScene)
}

// addScene adds the gradient that the contrast of all clips has at the last step.
func (w *worker) addScene() {
	L, D := w.t.model.Config().Levels, w.t.model.Config().Dim
	dx := w.back.Level(L - 1)
	for k, n := range w.at {
		vec.Axpy(dx[n*D:n*D+D], 1, w.dScene[k*D:k*D+D])
	}
}

// fillBank gathers the vectors of the other clips by level, but for those of the same scene.
func (w *worker) fillBank() {
	n := perClip * w.t.model.Config().Dim
	for l := range w.bank {
		w.bank[l] = w.bank[l][:0]
		for k := range w.t.episodes {
			if e := &w.t.episodes[k]; e != w.episode && !sameScene(e.clip.Source, w.clip.Source) {
				w.bank[l] = append(w.bank[l], e.others[l*n:l*n+n]...)
			}
		}
	}
}

// sameScene compares the sources of two clips; one without a name is a scene of its own.
func sameScene(a, b string) bool { return a == b && a != "" }

// scenes contrasts the clips of an update at the top level: the locations of one scene are one
// island. Crop-level contrast is right at this level only (paper, section 7).
func (t *Trainer) scenes() {
	weight, D, top := t.cfg.Losses.Scene, t.cfg.Model.Dim, t.cfg.Model.Levels-1
	if weight == 0 || len(t.episodes) < 2 {
		return
	}
	order := make([]*episode, len(t.episodes))
	for i := range order {
		order[i] = &t.episodes[i]
	}
	slices.SortStableFunc(order, func(a, b *episode) int { return strings.Compare(a.clip.Source, b.clip.Source) })
	var sizes []int
	t.pair.x = t.pair.x[:0]
	for i, e := range order {
		t.pair.x = append(t.pair.x, e.others[top*perClip*D:(top+1)*perClip*D]...)
		if i > 0 && sameScene(e.clip.Source, order[i-1].clip.Source) {
			sizes[len(sizes)-1] += perClip
		} else {
			sizes = append(sizes, perClip)
		}
	}
	if len(sizes) < 2 {
		return
	}
	// The update takes the mean over the clips of their losses and gradients.
	loss, _ := t.pair.islands(sizes, D, tau, weight*float64(len(order)), 0)
	for i, e := range order {
		e.losses[kindScene] = loss / float64(len(order))
		copy(e.dScene, t.pair.d[i*perClip*D:])
	}
}
