package train

import (
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
	kindScene
	kinds
)

// LossNames returns the objectives' names, in the order of reports.
func LossNames() []string { n := lossNames(); return n[:] }

func lossNames() [kinds]string {
	return [kinds]string{"reconstruction", "hidden", "agreement", "part", "object", "scene"}
}

// losses adds the losses of frame f, which step i settled, to out, and their gradients to w.back.
func (w *worker) losses(i, f int, out *outcome) {
	c, share := w.t.cfg.Losses, w.frames[f].lossPart
	if c.Reconstruction > 0 {
		w.reconstruct(i, f, share*c.Reconstruction, out)
	}
	if c.Agreement > 0 {
		w.agreement(i, share*c.Agreement, out)
	}
	top := w.t.model.Config().Levels - 1
	if !w.t.cfg.SelfSupervised {
		w.labelled(i, f, top-1, clips.Object, share*c.Object, &out.losses[kindObject])
		w.labelled(i, f, top-2, clips.Part, share*c.Part, &out.losses[kindPart])
	}
	if c.Scene > 0 && len(w.bank) > 0 {
		w.scenes(i, top, share*c.Scene, out)
	}
}

// reconstruct compares the colours that the neural field sees in level 0 with the picture, at a
// few random places of each location.
func (w *worker) reconstruct(i, f int, weight float64, out *outcome) {
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
	x, d := w.tape.Level(i, 0), decoderOver(out.grad[t.atDecoder:], t.dec.D, t.dec.H)
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
		out.losses[kindHidden] += shares[1]
	}
	out.losses[kindReconstruction] += shares[0] - shares[1]
}

// agreement lets the predictions follow the consensus.
func (w *worker) agreement(i int, weight float64, out *outcome) {
	L, D := w.t.model.Config().Levels, w.t.model.Config().Dim
	each := weight / float64(2*(L-1))
	for l := range L {
		x := w.tape.Level(i, l)
		if l > 0 {
			out.losses[kindAgreement] += agree(w.back.BU(l), nil, w.tape.BU(i, l), x, D, each)
		}
		if l < L-1 {
			out.losses[kindAgreement] += agree(w.back.TD(l), nil, w.tape.TD(i, l), x, D, each)
		}
	}
}

// labelled contrasts the islands that the labels of that kind show, at level l.
func (w *worker) labelled(i, f, l, kind int, weight float64, loss *float64) {
	labels := w.clip.Labels[kind]
	if weight == 0 || labels == nil || l < 0 {
		return
	}
	size := w.clip.H * w.clip.W
	majority(w.ids, labels[f*size:][:size], w.rows, w.cols)
	w.picks.draw(w.rng, w.ids, contrasts)
	if len(w.picks.sizes) < 2 {
		return
	}
	*loss += w.contrast(i, l, nil, weight)
}

// contrast contrasts the islands of w.picks at level l of step i.
func (w *worker) contrast(i, l int, bank []float32, weight float64) float64 {
	D := w.t.model.Config().Dim
	gather(&w.pair, w.tape.Level(i, l), w.picks.at, D)
	loss := w.pair.islands(w.picks.sizes, bank, D, tau, weight)
	dx := w.back.Level(l)
	for k, n := range w.picks.at {
		vec.Axpy(dx[n*D:n*D+D], 1, w.pair.d[k*D:k*D+D])
	}
	return loss
}

// gather copies the rows of x (N, D) that at names to c.x.
func gather(c *contrast[float32], x []float32, at []int, D int) {
	c.x = grow(c.x, len(at)*D)
	for k, n := range at {
		copy(c.x[k*D:k*D+D], x[n*D:n*D+D])
	}
}

// scenes contrasts some locations, as one island, with those of other clips.
func (w *worker) scenes(i, top int, weight float64, out *outcome) {
	w.pickAny()
	w.picks.sizes = append(w.picks.sizes[:0], len(w.picks.at))
	out.losses[kindScene] += w.contrast(i, top, w.bank, weight)
}

// pickAny draws perClip locations; some may come twice.
func (w *worker) pickAny() {
	w.picks.at = w.picks.at[:0]
	for range perClip {
		w.picks.at = append(w.picks.at, w.rng.IntN(w.rows*w.cols))
	}
}

// pickScene keeps some vectors of the top level after the last step, for the bank.
func (w *worker) pickScene(out *outcome) {
	D, top := w.t.model.Config().Dim, w.t.model.Config().Levels-1
	w.pickAny()
	x := w.state.Level(top)
	out.scene = grow(out.scene, perClip*D)
	for k, n := range w.picks.at {
		copy(out.scene[k*D:k*D+D], x[n*D:n*D+D])
	}
}

// fillBank gathers the vectors of the update before, but for those of the clip's own scene.
func (w *worker) fillBank() {
	w.bank = w.bank[:0]
	n := perClip * w.t.model.Config().Dim
	for k, source := range w.t.bankSources {
		if source != w.clip.Source || source == "" {
			w.bank = append(w.bank, w.t.bank[k*n:k*n+n]...)
		}
	}
}
