package compose

import (
	"math"

	"glomstream/glom/clips"
)

// margin is how far beyond its mask an object may reach: masks are not exact, and what would be
// left of its border would be repeated all over it.
const margin = 8

// fillIn paints the background over the objects of p: each row of them becomes what lies left
// and right of it, mirrored, the one blended into the other.
func (w *worker) fillIn(r *raster, p *clips.Photo) {
	hole := grow(w.hole, p.W)
	w.hole = hole
	for y := range p.H {
		clear(hole)
		for v := max(y-margin, 0); v <= min(y+margin, p.H-1); v += margin / 2 {
			for x, o := range p.Objects[v*p.W:][:p.W] {
				hole[x] = hole[x] || o != 0
			}
		}
		for x := 0; x < p.W; x++ {
			if !hole[x] {
				continue
			}
			// Holes that are near to each other are one, so that what lies between is not used.
			end := x + 1
			for v := end; v < min(end+2*margin, p.W); v++ {
				if hole[v] {
					end = v + 1
				}
			}
			bridge(r, y, max(x-margin, 0), min(end+margin, p.W))
			x = end
		}
	}
}

// bridge fills x0 to x1 of row y.
func bridge(r *raster, y, x0, x1 int) {
	row := r.pix[y*r.w:][:r.w]
	left, right := x0, r.w-x1 // texels that are known to each side, or filled by now
	for x := x0; x < x1; x++ {
		i, j := x-x0, x1-1-x // steps from the sides
		above := r.pix[max(y-1, 0)*r.w+x]
		p := above
		switch {
		case left == 0 && right == 0:
		case left == 0:
			p = row[x1+mirror(j, right)]
		case right == 0:
			p = row[x0-1-mirror(i, left)]
		default:
			p = lerp(row[x0-1-mirror(i, left)], row[x1+mirror(j, right)], uint32(256*(i+1)/(i+j+2)))
		}
		// Rows that differ in where they begin must not show as steps.
		row[x] = lerp(above, p, 96)
	}
}

// cutOut adds an object of one of the photos as a layer. Where it finds none that is large
// enough it adds nothing.
func (w *worker) cutOut(photos []int) error {
	i := photos[w.Intn(len(photos))]
	p, err := w.cfg.Store.Photo(i)
	if err != nil {
		return err
	}
	present := [256]bool{}
	for _, o := range p.Objects {
		present[o] = true
	}
	which, n := 0, 0
	for o := 1; o < 256; o++ {
		if present[o] {
			if n++; w.Intn(n) == 0 {
				which = o
			}
		}
	}
	if which == 0 {
		return nil
	}
	b := boxOf(p, byte(which))
	// Less than a location or two tells nothing; a thing that fills its photo is its background.
	if b.area < 300 || min(b.x1-b.x0, b.y1-b.y0) < 10 || b.area > p.H*p.W*3/4 {
		return nil
	}
	w.photos = append(w.photos, i)
	r := w.cut(p, b, byte(which))
	w.blendIn(r)
	height := w.size(0.2, 1.1)
	if p.Parts != nil {
		height = w.size(0.3, 1.4)
	}
	scale := min(height/float64(max(b.x1-b.x0, b.y1-b.y0)), 1.7)
	l := w.layer(r)
	object := w.object()
	for id := range l.ids {
		l.ids[id].object = object
	}
	if p.Parts != nil {
		for _, id := range r.id {
			if id != 0 && l.ids[id].part == 0 {
				l.ids[id].part = w.part()
			}
		}
	}
	scale = r.fit(scale)
	own := shift(-float64(r.w)/2, -float64(r.h)/2)
	if w.Chance(0.5) {
		own.a, own.tx = -1, -own.tx // mirrored
	}
	m, free := w.actor(scale)
	if w.Chance(0.7) {
		m.turn = w.small(0.08) // most things stand upright
	} else {
		m.turn = w.Float()
	}
	w.walk(l, m, free, own)
	if !w.frozen && w.Chance(0.4) {
		long := float64(max(r.w, r.h))
		w.swell(&l.bend, float64(0.4*long), float64(1.5*long))
	}
	if p.Parts != nil && !w.frozen && w.Chance(0.6) {
		w.hinge(w.Range(0.4, 0.6))
		if w.Chance(0.5) {
			w.hinge(w.Range(0.12, 0.22))
		}
	}
	return nil
}

// hinge makes two layers of the last one, so that what is above share of its height, as a person's
// trunk or head, swings about the middle of the cut.
func (w *worker) hinge(share float64) {
	const overlap = 2 // rows that both have, so that no gap opens
	low := &w.layers[len(w.layers)-1]
	r := w.raster(low.tex.w, low.tex.h)
	copy(r.pix, low.tex.pix)
	copy(r.id, low.tex.id)
	row := int(float64(share * float64(r.h)))
	clear(r.pix[min(row+overlap, r.h)*r.w:])
	clear(low.tex.pix[:max(row-overlap, 0)*r.w])
	sum, n := 0, 0
	for x, p := range r.pix[row*r.w:][:r.w] {
		if p>>24 >= 128 {
			sum, n = sum+x, n+1
		}
	}
	joint := motion{x: float64(r.w) / 2, y: float64(row), scale: 1}
	if n > 0 {
		joint.x = float64(sum) / float64(n)
	}
	joint.sway, joint.rate, joint.phase = w.Range(0.01, 0.05), w.Range(0.03, 0.2), w.Float()
	high := w.layer(r)
	low = &w.layers[len(w.layers)-2]
	high.ids, high.bend = low.ids, low.bend
	for t := range high.to {
		a := joint.at(w.tau(t))
		a = a.after(shift(-joint.x, -joint.y))
		high.to[t] = low.to[t].after(a)
	}
}

// size throws a size in pixels, in shares low … high of the height but not below two locations: any
// octave is as likely as any other, as is any number in it.
func (w *worker) size(low, high float64) float64 {
	low, high = max(float64(low*float64(w.cfg.H)), 2*clips.Cell), float64(high*float64(w.cfg.H))
	for range 16 {
		v := float64(low * float64(uint(1)<<w.Intn(4)))
		if v = float64(v * w.Range(1, 2)); v < high {
			return v
		}
	}
	return low // there is no such size in a very flat picture
}

// box is where an object lies in a photo.
type box struct{ x0, y0, x1, y1, area int }

func boxOf(p *clips.Photo, object byte) box {
	b := box{x0: p.W, y0: p.H}
	for i, o := range p.Objects {
		if o == object {
			x, y := i%p.W, i/p.W
			b.x0, b.x1 = min(b.x0, x), max(b.x1, x+1)
			b.y0, b.y1 = min(b.y0, y), max(b.y1, y+1)
			b.area++
		}
	}
	return b
}

// cut makes a raster of an object with two clear texels around it. Its border is soft, and a
// texel narrower than the mask, which often takes some of the background along.
func (w *worker) cut(p *clips.Photo, b box, object byte) *raster {
	const pad = 2
	r := w.raster(b.x1-b.x0+2*pad, b.y1-b.y0+2*pad)
	clear(r.pix)
	clear(r.id)
	for y := b.y0; y < b.y1; y++ {
		for x := b.x0; x < b.x1; x++ {
			i := y*p.W + x
			if p.Objects[i] != object {
				continue
			}
			near := 0 // of the nine texels around
			for v := y - 1; v <= y+1; v++ {
				for u := x - 1; u <= x+1; u++ {
					// Beyond the photo the object may go on.
					if u < 0 || v < 0 || u >= p.W || v >= p.H || p.Objects[v*p.W+u] == object {
						near++
					}
				}
			}
			at := (y-b.y0+pad)*r.w + x - b.x0 + pad
			alpha := uint32(min(max(near-4, 0)*256/5, 256))
			r.pix[at] = fade(opaque(p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2]), alpha)
			if p.Parts != nil {
				r.id[at] = p.Parts[i]
			}
		}
	}
	return r
}

// twin adds the last object once more, with the same looks and its own path.
func (w *worker) twin() {
	last := len(w.layers)
	first := last - 1
	object := w.layers[first].ids[0].object
	for first > 1 && w.layers[first-1].ids[0].object == object {
		first--
	}
	mine := w.object()
	base := w.parts
	low := uint16(math.MaxUint16) // of its parts, which have consecutive ids
	for i := first; i < last; i++ {
		for _, id := range w.layers[i].ids {
			if id.part != 0 {
				low = min(low, id.part)
			}
		}
	}
	// Where it is, seen from the first: turned about the middle of its first layer and moved.
	var offset motion
	offset.x, offset.y = float64(w.Range(-0.5, 0.5)*float64(w.cfg.W)), float64(w.Range(-0.3, 0.3)*float64(w.cfg.H))
	offset.turn, offset.scale = w.small(0.1), w.Range(0.8, 1.2)
	if !w.frozen {
		offset.vx, offset.vy = w.velocity(fastest)
	}
	for i := first; i < last; i++ {
		l := w.layer(w.layers[i].tex)
		old := &w.layers[i]
		l.ids, l.bend = old.ids, old.bend
		for id := range l.ids {
			l.ids[id].object = mine
			if part := l.ids[id].part; part != 0 {
				l.ids[id].part = part - low + 1 + base
				w.parts = max(w.parts, l.ids[id].part)
			}
		}
		root := &w.layers[first]
		for t := range l.to {
			cx, cy := float64(root.tex.w)/2, float64(root.tex.h)/2
			sx, sy := root.to[t].point(cx, cy)
			a := offset.at(w.tau(t))
			a.tx, a.ty = a.tx+sx, a.ty+sy
			a = a.after(shift(-sx, -sy))
			l.to[t] = a.after(old.to[t])
		}
	}
}
