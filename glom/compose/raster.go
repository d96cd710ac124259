package compose

import "glomstream/glom/clips"

// raster is a picture with transparency and an id at each texel.
type raster struct {
	w, h int
	pix  []uint32 // (h, w) B, G, R, A from the low byte up; colours are multiplied by A
	id   []uint8  // (h, w), 0 = nothing special
}

// raster returns w by h texels that are not cleared, in old memory.
func (w *worker) raster(width, height int) *raster {
	if w.used == len(w.rasters) {
		w.rasters = append(w.rasters, new(raster))
	}
	r := w.rasters[w.used]
	w.used++
	r.w, r.h = width, height
	r.pix = grow(r.pix, width*height)
	r.id = grow(r.id, width*height)
	return r
}

func opaque(b, g, r byte) uint32 { return uint32(b) | uint32(g)<<8 | uint32(r)<<16 | 255<<24 }

// fade multiplies a texel by f/256.
func fade(p uint32, f uint32) uint32 {
	return (p&0xff00ff*f)>>8&0xff00ff | (p>>8&0xff00ff)*f&0xff00ff00
}

// lerp returns p + (q - p) f/256 in each of the four bytes.
func lerp(p, q, f uint32) uint32 {
	even := p & 0xff00ff
	odd := p >> 8 & 0xff00ff
	even += ((q&0xff00ff - even) * f) >> 8
	odd += ((q>>8&0xff00ff - odd) * f) >> 8
	return even&0xff00ff | odd&0xff00ff<<8
}

// halve makes r half as large, each texel the mean of four; ids are those of the first.
func (r *raster) halve() {
	w, h := r.w/2, r.h/2
	for y := range h {
		for x := range w {
			i := 2*y*r.w + 2*x
			a, b, c, d := r.pix[i], r.pix[i+1], r.pix[i+r.w], r.pix[i+r.w+1]
			even := (a&0xff00ff + b&0xff00ff + c&0xff00ff + d&0xff00ff + 0x20002) >> 2 & 0xff00ff
			odd := (a>>8&0xff00ff + b>>8&0xff00ff + c>>8&0xff00ff + d>>8&0xff00ff + 0x20002) >> 2 & 0xff00ff
			r.pix[y*w+x], r.id[y*w+x] = even|odd<<8, r.id[i]
		}
	}
	r.w, r.h = w, h
	r.pix, r.id = r.pix[:w*h], r.id[:w*h]
}

// fit halves r until it is drawn at more than half its size, and returns the scale that is left.
func (r *raster) fit(scale float64) float64 {
	for scale <= 0.6 && min(r.w, r.h) >= 8 {
		r.halve()
		scale *= 2
	}
	return scale
}

// copyPhoto makes r the rectangle of p that begins at (x0, y0), opaque, without ids.
func (r *raster) copyPhoto(p *clips.Photo, x0, y0 int) {
	clear(r.id)
	for y := range r.h {
		src := p.Pix[3*((y0+y)*p.W+x0):][:3*r.w]
		dst := r.pix[y*r.w:][:r.w]
		for x := range dst {
			dst[x] = opaque(src[3*x], src[3*x+1], src[3*x+2])
		}
	}
}

// mirror returns i of n texels, mirrored beyond both ends.
func mirror(i, n int) int {
	if uint(i) < uint(n) {
		return i
	}
	i %= 2 * n
	if i < 0 {
		i += 2 * n
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return i
}
