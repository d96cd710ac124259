package compose

import (
	"math"

	"glomstream/glom/clips"
)

// fastest is the speed of the fastest objects in pixels a frame: two locations, beyond which
// the lateral connections of the model reach nothing.
const fastest = 2 * clips.Cell

// film throws the path of the camera.
func (w *worker) film() {
	w.camera = grow(w.camera, w.cfg.T)
	cx, cy := float64(w.cfg.W)/2, float64(w.cfg.H)/2
	m := motion{x: cx, y: cy, scale: 1}
	shake := 0.0
	if !w.frozen && w.Chance(0.85) {
		m.vx, m.vy = w.velocity(0.75 * fastest)
		m.ax, m.ay = w.Range(-0.4, 0.4), w.Range(-0.2, 0.2)
		if w.Chance(0.5) {
			m.spin = w.small(0.005)
		}
		if w.Chance(0.5) {
			m.zoom = w.small(0.03)
		}
		if w.Chance(0.4) {
			shake = w.Range(0.1, 1.5)
		}
	}
	for t := range w.camera {
		a := m.at(w.tau(t))
		a.tx += float64(shake * w.Normal())
		a.ty += float64(shake * w.Normal())
		w.camera[t] = a.after(shift(-cx, -cy))
	}
}

// small returns a number in -most … most, mostly small.
func (w *worker) small(most float64) float64 {
	f := w.Range(-1, 1)
	return float64(float64(f*math.Abs(f)) * most)
}

// velocity throws a speed up to most in any direction. Most are slow, as in films: half of them
// are below most/6, a third below most/17.
func (w *worker) velocity(most float64) (vx, vy float64) {
	f := w.Float()
	speed := float64(float64(f*f) * most)
	if w.Chance(0.6) {
		speed = float64(speed * f)
	}
	sin, cos := sincos(w.Float())
	return float64(speed * cos), float64(speed * sin)
}

// background makes the first layer.
func (w *worker) background() error {
	w.dst.Source = "painted"
	if len(w.scenes) == 0 || w.Chance(0.1) {
		w.paintedBackground()
		return nil
	}
	i := w.scenes[w.Intn(len(w.scenes))]
	w.photos = append(w.photos, i)
	p, err := w.cfg.Store.Photo(i)
	if err != nil {
		return err
	}
	w.dst.Source = p.Name
	r := w.raster(p.W, p.H)
	r.copyPhoto(p, 0, 0)
	l := w.layer(r)
	l.whole = true
	l.ids[0] = label{w.part(), w.object()}
	if p.Objects != nil {
		still := 0.4 // where all is at rest, objects at rest are what there is to learn
		if w.frozen {
			still = 0.9
		}
		if w.Chance(still) {
			w.keepObjects(l, p)
		} else {
			w.fillIn(r, p)
		}
	}
	cover := max(float64(w.cfg.W)/float64(p.W), float64(w.cfg.H)/float64(p.H))
	w.place(l, float64(cover*w.Range(1, 1.5)))
	return nil
}

// paintedBackground is for scenes without a photo.
func (w *worker) paintedBackground() {
	r := w.raster(w.cfg.W+w.cfg.W/2, w.cfg.H+w.cfg.H/2)
	w.paint(r)
	l := w.layer(r)
	l.whole = true
	l.ids[0] = label{w.part(), w.object()}
	if w.Chance(0.6) {
		for id := range 1 + w.Intn(3) {
			w.stripe(r, uint8(id+1))
			l.ids[id+1] = label{w.part(), w.object()}
		}
	}
	w.place(l, 1)
}

// stripe paints what lies below a wavy line over r, as hills before a sky, now and then beside it,
// as a wall. It is an object of its own.
func (w *worker) stripe(r *raster, id uint8) {
	over := w.raster(r.w, r.h)
	w.paint(over)
	upright := w.Chance(0.15)
	long, high := r.w, r.h
	if upright {
		long, high = r.h, r.w
	}
	row := float64(w.Range(0.15, 0.9) * float64(high))
	line := w.ripple(float64(w.Range(0.2, 1.5) * float64(long)))
	swing := float64(w.small(0.2) * float64(high))
	for y := range r.h {
		for x := range r.w {
			along, down := x, y
			if upright {
				along, down = y, x
			}
			if float64(down) > row+float64(swing*line.at(float64(along), 0, 0)) {
				i := y*r.w + x
				r.pix[i], r.id[i] = over.pix[i], id
			}
		}
	}
}

// place puts the background l at a random place under the screen, scale times as large as it is.
func (w *worker) place(l *layer, scale float64) {
	scale = l.tex.fit(scale)
	texW, texH := float64(l.tex.w), float64(l.tex.h)
	viewW, viewH := float64(w.cfg.W)/scale, float64(w.cfg.H)/scale
	// The middle of the screen shows x, y of the texture.
	x := texW/2 + float64(max(texW-viewW, 0)*w.Range(-0.5, 0.5))
	top, bottom := -0.5, 0.5
	if w.Chance(0.35) {
		bottom = -0.2 // in a portrait, where the head is
	}
	y := texH/2 + float64(max(texH-viewH, 0)*w.Range(top, bottom))
	m := motion{x: float64(w.cfg.W) / 2, y: float64(w.cfg.H) / 2, scale: scale}
	if w.Chance(0.3) {
		m.turn = w.small(0.04)
	}
	world := m.at(0)
	if w.Chance(0.5) {
		world.a, world.c = -world.a, -world.c // mirrored
	}
	world = world.after(shift(-x, -y))
	w.landscape(l, world)
	for t := range l.to {
		l.to[t] = w.camera[t].after(world)
	}
}

// keepObjects leaves the objects of p where they are in the background l. In a scene at rest they
// have ids of their own. Where things move, an object is what moves as one, and what rests on the
// background is neither a part of it nor not: only its parts are known.
func (w *worker) keepObjects(l *layer, p *clips.Photo) {
	l.edge = true // mirrored objects would be others
	var objects [256]uint16
	var codes [1 << 16]uint8 // id of each pair of object and part
	next := uint8(0)
	for i, o := range p.Objects {
		if o == 0 {
			continue
		}
		key := int(o) << 8
		if p.Parts != nil {
			key |= int(p.Parts[i])
		}
		if codes[key] == 0 {
			if next == 255 {
				continue
			}
			next++
			codes[key] = next
			if w.frozen {
				if objects[o] == 0 {
					objects[o] = w.object()
				}
				l.ids[next].object = objects[o]
			}
			if key&255 != 0 {
				l.ids[next].part = w.part()
			}
		}
		l.tex.id[i] = codes[key]
	}
}

// cast adds the objects in front of the background. Where nothing moves, only looks tell what an object
// is, so that those of photos are worth most.
func (w *worker) cast() error {
	count := [...]int{0, 1, 1, 1, 2, 2, 2, 3, 3, 4}
	person, thing := 0.25, 0.2
	if w.frozen {
		count = [...]int{0, 0, 0, 0, 1, 1, 1, 2, 2, 3}
		person, thing = 0.4, 0.9
	}
	for range count[w.Intn(len(count))] {
		first := len(w.layers)
		var err error
		switch {
		case first > 1 && w.Chance(0.12):
			w.twin()
			continue
		case len(w.persons) > 0 && w.Chance(person):
			err = w.cutOut(w.persons)
		case len(w.things) > 0 && w.Chance(thing):
			err = w.cutOut(w.things)
		}
		if err == nil && len(w.layers) == first {
			err = w.figure()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// actor throws the path of an object of the given size on the screen, in pixels.
func (w *worker) actor(scale float64) (m motion, free bool) {
	m = motion{
		x: float64(w.Range(0.02, 0.98) * float64(w.cfg.W)), y: float64(w.Range(0.05, 0.95) * float64(w.cfg.H)),
		scale: scale,
	}
	// Free of the world is what the camera follows, or what is near to it.
	free = w.Chance(0.4)
	if w.frozen || w.Chance(0.03) {
		return m, free && !w.frozen
	}
	m.vx, m.vy = w.velocity(fastest)
	if w.Chance(0.3) {
		m.ax, m.ay = w.Range(-1, 1), w.Range(-1, 1)
	}
	if w.Chance(0.6) {
		m.spin = w.small(0.02)
	}
	if w.Chance(0.4) {
		m.sway, m.rate, m.phase = w.small(0.04), w.Range(0.05, 0.25), w.Float()
	}
	if w.Chance(0.4) {
		m.zoom = w.small(0.06)
	}
	return m, free
}

// walk fills l.to: m moves what own places, in the world unless it is free of it.
func (w *worker) walk(l *layer, m motion, free bool, own affine) {
	for t := range l.to {
		a := m.at(w.tau(t))
		a = a.after(own)
		if !free {
			a = w.camera[t].after(a)
		}
		l.to[t] = a
	}
}
