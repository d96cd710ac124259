package follow

import "image"

// Mask writes the grey value of the region at each pixel into dst (h, w), 0 for none. pix is the
// picture whose edges the borders follow, (h, stride) bytes with BGR pixels. It panics on shapes
// that do not fit.
func (f *Follower) Mask(dst []uint8, w, h int, pix []byte, stride int) {
	if f.labels == 0 || len(dst) != w*h {
		panic("follow: Mask: shapes do not fit")
	}
	f.level.Rows, f.level.Cols = sub*f.rows, sub*f.cols
	cells := f.level.Rows * f.level.Cols
	f.level.ID = resize(f.level.ID, cells)
	for i := range cells {
		best := 0
		for r := 1; r < f.labels; r++ {
			if f.field[r*cells+i] > f.field[best*cells+i] {
				best = r
			}
		}
		f.level.ID[i] = uint16(best + 1)
	}
	f.ids = resize(f.ids, w*h)
	f.up.Labels(f.ids, w, h, &f.level, pix, stride)
	for i, id := range f.ids {
		dst[i] = f.grey[id-1]
	}
}

// Pick writes 255 at the pixels of the island at a point into dst (h, w) and 0 elsewhere. labels
// are the islands of a level. It reports whether the island is a thing rather than a ground: no
// more than a quarter of the picture.
func Pick(dst []uint8, labels []uint16, w, h int, at image.Point) bool {
	if len(dst) != w*h || len(labels) != w*h || !at.In(image.Rect(0, 0, w, h)) {
		panic("follow: Pick: shapes do not fit")
	}
	id, area := labels[at.Y*w+at.X], 0
	for i, v := range labels {
		dst[i] = 0
		if v == id {
			dst[i] = 255
			area++
		}
	}
	return 4*area <= w*h
}
