package compose

// render draws all layers into the pictures and writes the labels.
func (w *worker) render() {
	n := w.cfg.H * w.cfg.W
	w.owner = grow(w.owner, w.cfg.T*n)
	shutter := 0.0 // the part of a frame in which it is open
	if !w.frozen && w.Chance(0.3) {
		shutter = w.Range(0.3, 1)
	}
	for i := range w.blend {
		w.blend[i] = grow(w.blend[i], 3*n)
	}
	for t := range w.cfg.T {
		pix := w.dst.Pix[3*t*n:][:3*n]
		for i := range w.layers {
			l := &w.layers[i]
			w.draw(pix, l, l.to[t], w.tau(t))
			w.mark(t, i)
		}
		if shutter > 0 && w.cfg.T > 1 {
			w.expose(pix, t, shutter)
		}
	}
}

// expose adds the pictures of before and after the middle of the time that the shutter is open.
func (w *worker) expose(pix []byte, t int, shutter float64) {
	for k, part := range [...]float64{-shutter / 3, shutter / 3} {
		for i := range w.layers {
			l := &w.layers[i]
			before, now := l.to[max(t, 1)-1], l.to[max(t, 1)]
			if t == 0 {
				w.draw(w.blend[k], l, before.beyond(now, -part), w.tau(t)+part)
			} else {
				w.draw(w.blend[k], l, now.beyond(before, part), w.tau(t)+part)
			}
		}
	}
	a, b := w.blend[0], w.blend[1][:len(w.blend[0])]
	for i := range a {
		pix[i] = byte((uint32(pix[i]) + uint32(a[i]) + uint32(b[i])) * 21846 >> 16)
	}
}

// draw lays l over pix.
func (w *worker) draw(pix []byte, l *layer, to affine, tau float64) {
	x0, y0, x1, y1 := w.reaches(l, &to)
	w.spans(l, to, tau, x0, y0, x1, y1, func(x, y, n int, u, v, du, dv int64) {
		row := pix[3*(y*w.cfg.W+x):][:3*n]
		if l.whole {
			l.tex.mirrored(row, u-one/2, v-one/2, du, dv)
		} else {
			l.tex.over(row, u-one/2, v-one/2, du, dv)
		}
	})
}

// reaches bounds what l covers of the screen.
func (w *worker) reaches(l *layer, to *affine) (x0, y0, x1, y1 int) {
	if l.whole {
		return 0, 0, w.cfg.W, w.cfg.H
	}
	return to.reaches(l.tex.w, l.tex.h, int(float64(l.bend.most*to.scale()))+1, w.cfg.W, w.cfg.H)
}

// over lays texels from u, v on, du, dv apart, over a row of pixels.
func (r *raster) over(row []byte, u, v, du, dv int64) {
	for len(row) >= 3 {
		x, y := int(u>>24), int(v>>24)
		if uint(x) < uint(r.w-1) && uint(y) < uint(r.h-1) {
			p := r.bilinear(y*r.w+x, y*r.w+r.w+x, 1, uint32(u>>16)&255, uint32(v>>16)&255)
			switch alpha := p >> 24; {
			case alpha >= 253: // rounding takes up to two of an opaque texel
				row[0], row[1], row[2] = byte(p), byte(p>>8), byte(p>>16)
			case alpha > 0:
				rest := 256 - alpha - alpha>>7
				row[0] = byte(p) + byte(uint32(row[0])*rest>>8)
				row[1] = byte(p>>8) + byte(uint32(row[1])*rest>>8)
				row[2] = byte(p>>16) + byte(uint32(row[2])*rest>>8)
			}
		}
		row, u, v = row[3:], u+du, v+dv
	}
}

// bilinear mixes the texels at i and j, which is the row below, and those step behind them.
func (r *raster) bilinear(i, j, step int, fx, fy uint32) uint32 {
	return lerp(lerp(r.pix[i], r.pix[i+step], fx), lerp(r.pix[j], r.pix[j+step], fx), fy)
}

// at returns what lies at u, v. Beyond its edges r is mirrored.
func (r *raster) at(u, v int64) uint32 {
	x, y := int(u>>24), int(v>>24)
	i, j, step := y*r.w+x, y*r.w+r.w+x, 1
	if uint(x) >= uint(r.w-1) || uint(y) >= uint(r.h-1) {
		left := mirror(x, r.w)
		step = mirror(x+1, r.w) - left
		i, j = mirror(y, r.h)*r.w+left, mirror(y+1, r.h)*r.w+left
	}
	return r.bilinear(i, j, step, uint32(u>>16)&255, uint32(v>>16)&255)
}

// mirrored writes texels from u, v on, du, dv apart, into a row of pixels.
func (r *raster) mirrored(row []byte, u, v, du, dv int64) {
	for len(row) >= 3 {
		p := r.at(u, v)
		row[0], row[1], row[2] = byte(p), byte(p>>8), byte(p>>16)
		row, u, v = row[3:], u+du, v+dv
	}
}

// mark writes the labels of layer i in frame t, where it covers more than half of a pixel.
func (w *worker) mark(t, i int) {
	l := &w.layers[i]
	r := l.tex
	x0, y0, x1, y1 := w.reaches(l, &l.to[t])
	at := t * w.cfg.H * w.cfg.W
	w.spans(l, l.to[t], w.tau(t), x0, y0, x1, y1, func(x, y, n int, u, v, du, dv int64) {
		row := at + y*w.cfg.W
		for end := x + n; x < end; x, u, v = x+1, u+du, v+dv {
			tx, ty := int(u>>24), int(v>>24)
			inside := uint(tx) < uint(r.w) && uint(ty) < uint(r.h)
			var id label
			switch {
			case l.whole && !inside && l.edge:
				// unknown
			case l.whole:
				id = l.ids[r.id[mirror(ty, r.h)*r.w+mirror(tx, r.w)]]
			case !inside || r.pix[ty*r.w+tx]>>24 < 128:
				continue
			default:
				id = l.ids[r.id[ty*r.w+tx]]
			}
			w.owner[row+x] = uint8(i)
			w.dst.Labels[0][row+x], w.dst.Labels[1][row+x], w.dst.Labels[2][row+x] = id.part, id.object, 1
		}
	})
}
