package compose

// sight is how a front end sees motion: memory for move.
type sight struct{}

// move writes the flow of all frames.
func (w *worker) move() {
	n := w.cfg.H * w.cfg.W
	clear(w.dst.Flow[:2*n])
	for t := 1; t < w.cfg.T; t++ {
		w.exact(w.dst.Flow[2*t*n:][:2*n], t)
	}
}

// exact writes the motion of frame t: p minus where the layer had in frame t-1 what it has at p.
func (w *worker) exact(out []float32, t int) {
	const tiny = 1.0 / one
	n := w.cfg.H * w.cfg.W
	owner := w.owner[t*n:][:n]
	var steps [256]fixed
	for i := range w.layers {
		steps[i] = w.layers[i].step(t)
	}
	for y := range w.cfg.H {
		for x := range w.cfg.W {
			i := y*w.cfg.W + x
			dx, dy := steps[owner[i]].at(x, y)
			out[2*i], out[2*i+1] = float32(dx)*tiny, float32(dy)*tiny
		}
	}
}

// step returns the map from a place in frame t to the motion there.
func (l *layer) step(t int) fixed {
	back := l.to[t].inverse()
	m := l.to[t-1].after(back)
	m = affine{1 - m.a, -m.b, -m.c, 1 - m.d, -m.tx, -m.ty}
	return m.fixed()
}
