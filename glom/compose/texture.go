package compose

import "glomstream/glom/clips"

// texture fills r, opaque and without ids: with a piece of a photo, as what is behind it, or painted. Where
// nothing moves it is not as what is behind it, since nothing would give it away.
func (w *worker) texture(r *raster) error {
	switch kind := w.Float(); {
	case len(w.scenes) == 0 || kind < 0.05:
		w.paint(r)
	case kind < 0.9 && !w.frozen:
		w.camouflage(r)
	default:
		if err := w.photoTexture(r); err != nil {
			return err
		}
		w.blendIn(r)
	}
	return nil
}

// camouflage fills r with a piece of the background, as large as that is on the screen: only its
// motion gives it away.
func (w *worker) camouflage(r *raster) {
	clear(r.id)
	ground := w.layers[0].tex
	back := w.layers[0].to[w.cfg.T/2].inverse()
	x0, y0 := float64(w.Float()*float64(w.cfg.W)), float64(w.Float()*float64(w.cfg.H))
	back = back.after(shift(x0, y0))
	m := back.fixed()
	for y := range r.h {
		u, v := m.at(0, y)
		for x := range r.w {
			r.pix[y*r.w+x] = ground.at(u, v)
			u, v = u+m.a, v+m.c
		}
	}
}

// blendIn brings the colours of r nearer to those of the background, in three cases of four: what is
// pasted must not always be known by its light.
func (w *worker) blendIn(r *raster) {
	if w.Chance(0.25) {
		return
	}
	part := w.Intn(257)
	own, ground := r.mean(), w.layers[0].tex.mean()
	var move [3]int
	for k := range move {
		move[k] = (ground[k] - own[k]) * part >> 8
	}
	for i, p := range r.pix {
		alpha := int(p >> 24)
		if alpha == 0 {
			continue
		}
		out := p & 0xff000000
		for k, d := range move {
			v := int(p>>(8*k))&255 + d*alpha/255
			out |= uint32(min(max(v, 0), alpha)) << (8 * k)
		}
		r.pix[i] = out
	}
}

// mean returns the mean colour of every seventh texel, of those that are opaque.
func (r *raster) mean() (c [3]int) {
	n := 0
	for i := 0; i < len(r.pix); i += 7 {
		if p := r.pix[i]; p>>24 == 255 {
			for k := range c {
				c[k] += int(p>>(8*k)) & 255
			}
			n++
		}
	}
	for k := range c {
		c[k] /= max(n, 1)
	}
	return c
}

// paint fills r with one or two colours.
func (w *worker) paint(r *raster) {
	clear(r.id)
	a := opaque(w.colour())
	b := lerp(a, opaque(w.colour()), uint32(w.Intn(257)))
	switch w.Intn(5) {
	case 0:
		for i := range r.pix {
			r.pix[i] = a
		}
	case 1:
		w.ramp(r, a, b)
	case 2:
		w.stripes(r, a, b, false)
	case 3:
		w.stripes(r, a, b, true)
	default:
		w.clouds(r, a, b)
	}
}

// colour throws a colour; real ones are mostly dull.
func (w *worker) colour() (b, g, r byte) {
	grey := w.Range(10, 245)
	vivid := float64(w.Float() * 120)
	c := [3]byte{}
	for k := range c {
		c[k] = byte(min(max(grey+float64(vivid*w.Range(-1, 1)), 0), 255))
	}
	return c[0], c[1], c[2]
}

// photoTexture takes a piece of a photo, of one of those in the clip now and then, so that things look
// like what is behind them.
func (w *worker) photoTexture(r *raster) error {
	clear(r.id)
	i := w.Intn(w.cfg.Store.Photos())
	if len(w.photos) > 0 && w.Chance(0.25) {
		i = w.photos[w.Intn(len(w.photos))]
	}
	p, err := w.cfg.Store.Photo(i)
	if err != nil {
		return err
	}
	x0, y0 := w.Intn(p.W), w.Intn(p.H)
	step := 1
	if w.Chance(0.3) {
		step = 2
	}
	for y := range r.h {
		for x := range r.w {
			r.pix[y*r.w+x] = texel(p, x0+step*x, y0+step*y, step)
		}
	}
	return nil
}

// texel returns the mean of step by step pixels of p, mirrored beyond its edges.
func texel(p *clips.Photo, x, y, step int) uint32 {
	var b, g, r uint32
	for v := range step {
		for u := range step {
			q := p.Pix[3*(mirror(y+v, p.H)*p.W+mirror(x+u, p.W)):][:3]
			b, g, r = b+uint32(q[0]), g+uint32(q[1]), r+uint32(q[2])
		}
	}
	n := uint32(step * step)
	return opaque(byte(b/n), byte(g/n), byte(r/n))
}

// tile repeats from in r.
func (r *raster) tile(from *raster) {
	clear(r.id)
	for y := range r.h {
		row := from.pix[mirror(y, from.h)*from.w:][:from.w]
		for x := range r.w {
			r.pix[y*r.w+x] = row[mirror(x, from.w)]
		}
	}
}

// across returns a direction as steps to the right and down in 1/65536.
func (w *worker) across(length float64) (dx, dy int) {
	sin, cos := sincos(w.Float())
	return int(float64(cos * length * 65536)), int(float64(sin * length * 65536))
}

// ramp goes from a to b over the raster.
func (w *worker) ramp(r *raster, a, b uint32) {
	dx, dy := w.across(256 / float64(max(r.w, r.h)))
	for y := range r.h {
		for x := range r.w {
			f := 128 + (dx*(x-r.w/2)+dy*(y-r.h/2))>>16
			r.pix[y*r.w+x] = lerp(a, b, uint32(min(max(f, 0), 256)))
		}
	}
}

// stripes paints stripes of a and b, or a chequered board.
func (w *worker) stripes(r *raster, a, b uint32, board bool) {
	dx, dy := w.across(512 / w.Range(6, 36))
	for y := range r.h {
		for x := range r.w {
			f := band(dx*x + dy*y)
			if board {
				f ^= band(dx*y - dy*x)
			}
			r.pix[y*r.w+x] = lerp(a, b, uint32(f&256))
		}
	}
}

// band is 256 in every second band of 1<<24.
func band(v int) int { return v >> 16 & 256 }

// clouds paints noise of two octaves.
func (w *worker) clouds(r *raster, a, b uint32) {
	var lattice [256]uint32
	for i := range lattice {
		lattice[i] = uint32(w.Intn(256))
	}
	bits := 2 + w.Intn(3) // a cell of 4 to 16 texels
	for y := range r.h {
		for x := range r.w {
			f := (2*valueNoise(&lattice, x, y, bits) + valueNoise(&lattice, x+71, y+37, bits-1)) / 3
			r.pix[y*r.w+x] = lerp(a, b, f)
		}
	}
}

// valueNoise interpolates between random values at the corners of cells of 1<<bits texels.
func valueNoise(lattice *[256]uint32, x, y, bits int) uint32 {
	i, j := x>>bits, y>>bits
	at := func(i, j int) uint32 { return lattice[(i*37+j*101+(i*j)>>1)&255] }
	mask, scale := 1<<bits-1, 8-bits
	fx, fy := uint32(x&mask)<<scale, uint32(y&mask)<<scale
	top := at(i, j)*(256-fx) + at(i+1, j)*fx
	low := at(i, j+1)*(256-fx) + at(i+1, j+1)*fx
	return (top*(256-fy) + low*fy) >> 16
}
