package compose

// clutter lays pieces of other photos over the background r, whose layer is l. They move as it does
// and are parts of it: a border in a picture is not yet one between things.
func (w *worker) clutter(r *raster, l *layer) error {
	for id := range 1 + w.Intn(5) {
		size := float64(w.Range(0.1, 1) * float64(min(r.w, r.h)))
		s := w.body(size, 0)
		piece := w.raster(s.w, s.h)
		if err := w.photoTexture(piece); err != nil {
			return err
		}
		s.carve(piece)
		l.ids[id+1] = label{w.part(), l.ids[0].object}
		r.lay(piece, w.Intn(r.w)-piece.w/2, w.Intn(r.h)-piece.h/2, uint8(id+1))
	}
	return nil
}

// lay draws what of p lies within r over it, with p's corner at (x0, y0). Its opaque texels get that id.
func (r *raster) lay(p *raster, x0, y0 int, id uint8) {
	for y := max(0, -y0); y < min(p.h, r.h-y0); y++ {
		for x := max(0, -x0); x < min(p.w, r.w-x0); x++ {
			over, i := p.pix[y*p.w+x], (y0+y)*r.w+x0+x
			alpha := over >> 24
			r.pix[i] = fade(r.pix[i], 256-alpha-alpha>>7) + over
			if alpha > 127 {
				r.id[i] = id
			}
		}
	}
}
