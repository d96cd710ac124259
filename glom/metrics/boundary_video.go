package metrics

// VideoBoundary is boundary recall in space and time, the 3-D boundary recall of LIBSVX (Xu and
// Corso 2012): a pixel of a frame is a boundary pixel if it differs from one of its four neighbours
// or from the same pixel in the frame before or after. The result is the fraction of the truth's
// boundary pixels that have a predicted one near. Unlike LIBSVX, in which label 0 is void, the
// background has boundaries too; [Ignore] has none.
type VideoBoundary struct {
	// Tolerance is the radius, in pixels, of the square in the same frame in which a predicted
	// boundary pixel counts as near; 0 asks for the very pixel, as LIBSVX does.
	Tolerance int

	b           Boundary // its marks are those of the last frame, without the border to the next
	truth, pred []uint16 // last frame
	w, h        int
	hit, n      int // up to the frame before the last
}

// Add takes the next frame. A change of the size begins a new video, whose pixels add to those of
// the one before.
func (v *VideoBoundary) Add(truth, pred []uint16, w, h int) {
	if len(truth) != w*h || len(pred) != w*h {
		panic("metrics: VideoBoundary.Add: shapes do not fit")
	}
	follows := v.w == w && v.h == h && len(v.truth) > 0
	if follows { // complete the last frame
		markChanges(v.b.truth, v.truth, truth, true)
		markChanges(v.b.pred, v.pred, pred, false)
	}
	v.hit, v.n = v.count()
	v.b.resize(w * h)
	markLabels(v.b.truth, truth, w, h, true)
	markLabels(v.b.pred, pred, w, h, false)
	if follows {
		markChanges(v.b.truth, v.truth, truth, true)
		markChanges(v.b.pred, v.pred, pred, false)
	}
	v.truth, v.pred = append(v.truth[:0], truth...), append(v.pred[:0], pred...)
	v.w, v.h = w, h
}

// Recall returns the boundary recall of the frames so far. Range 0 to 1; 0 if the truth has no
// boundary.
func (v *VideoBoundary) Recall() float64 {
	hit, n := v.count()
	return ratio(float64(hit), float64(n))
}

// count returns the counts with the last frame.
func (v *VideoBoundary) count() (hit, n int) {
	v.b.square(v.Tolerance)
	hit, n = v.b.near(v.b.truth, v.b.pred, v.w, v.h)
	return v.hit + hit, v.n + n
}

// markChanges marks the pixels that differ between two frames.
func markChanges(dst []bool, before, now []uint16, ignore bool) {
	for i, l := range now {
		if differ(before[i], l, ignore) {
			dst[i] = true
		}
	}
}
