package compose

// move writes the flow of all frames.
func (w *worker) move() {
	n := w.cfg.H * w.cfg.W
	clear(w.dst.Flow[:2*n])
	exact := w.cfg.ExactFlow || w.Chance(0.7)
	for t := 1; t < w.cfg.T; t++ {
		out := w.dst.Flow[2*t*n:][:2*n]
		w.exact(out, t)
		if !exact {
			w.see(out, t)
		}
	}
}

// exact writes the motion of frame t: p minus where the layer had in frame t-1 what it has at p.
func (w *worker) exact(out []float32, t int) {
	const tiny = 1.0 / one
	n := w.cfg.H * w.cfg.W
	owner := w.owner[t*n:][:n]
	bent := false
	for i := range w.layers {
		w.steps[i] = w.layers[i].step(t)
		bent = bent || w.layers[i].bend.on
	}
	for y := range w.cfg.H {
		for x := range w.cfg.W {
			i := y*w.cfg.W + x
			dx, dy := w.steps[owner[i]].at(x, y)
			out[2*i], out[2*i+1] = float32(dx)*tiny, float32(dy)*tiny
		}
	}
	if !bent {
		return
	}
	for k := range w.layers {
		l := &w.layers[k]
		if !l.bend.on {
			continue
		}
		w.drift(l, t)
		for i, o := range owner {
			if int(o) == k {
				dx, dy := w.mesh.motion(i%w.cfg.W, i/w.cfg.W)
				out[2*i], out[2*i+1] = float32(dx)*tiny, float32(dy)*tiny
			}
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

// appeared reports whether pixel (x, y) of frame t shows what frame t-1 did not, given how it
// moves.
func (w *worker) appeared(t, x, y int, dx, dy float32) bool {
	u, v := int(float32(x)+0.5-dx), int(float32(y)+0.5-dy)
	if uint(u) >= uint(w.cfg.W) || uint(v) >= uint(w.cfg.H) {
		return true
	}
	n := w.cfg.H * w.cfg.W
	return w.owner[(t-1)*n+v*w.cfg.W+u] != w.owner[t*n+y*w.cfg.W+x]
}
