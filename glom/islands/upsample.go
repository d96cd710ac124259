package islands

// Upsampler brings the islands of a Level to the size of a picture, with borders that follow the
// edges of the picture instead of the blocks of the grid. The zero value works; use it from one
// goroutine at a time.
//
// It is joint bilateral upsampling of labels. For the pixel at p with colour c, each label among
// the 3x3 locations k around p scores
//
//	score(label) = Σ_{k has label} b(p - k) (exp(-|c - colour(label)|² / (2 s²)) + ε)
//
// and the largest score wins. b is the quadratic B-spline: nearly a gaussian of half a location,
// but it ends smoothly where the 3x3 locations end, so that the grid does not show. colour(label)
// is the mean colour about the middle of those of the 3x3 locations that have the label, so that a
// location on the wrong side of a border does not win the pixels there; ε leaves a pixel whose
// colour is like no label to the nearest ones.
//
// Only borders need that much: a coarse picture is labelled first, and each doubling of its size
// scores the pixels near a border again and copies the rest.
type Upsampler struct {
	scorer  scorer
	windows []window    // (N)
	x, y    axis        // of the picture that is being labelled
	px, py  axis        // of its parent, half as large
	coarse  [2][]uint16 // labels of the picture and its parent, unless they are the caller's
	border  []bool      // (parent's pixels) whether the label changes next to the pixel
	open    []pixel     // pixels to be scored
	changes []change    // what tidy does once it has looked at all
}

type pixel struct{ x, y int32 }

const (
	coarseW    = 160 // size up to which a picture is labelled without a parent
	coarseH    = 90
	finestCell = 4 // pixels of that picture across a location
)

type change struct {
	at    int
	label uint16
}

// Labels writes the island at each pixel into dst (h, w). pix is the picture that guides the
// borders, (h, stride) bytes with BGR pixels. A pixel's label is always one of those of the 3x3
// locations around it.
//
// Labels panics on shapes that do not fit.
func (u *Upsampler) Labels(dst []uint16, w, h int, l *Level, pix []byte, stride int) {
	if w < 1 || h < 1 || l.Rows < 1 || l.Cols < 1 || len(l.ID) != l.Rows*l.Cols || len(dst) != w*h ||
		stride < 3*w || len(pix) < (h-1)*stride+3*w {
		panic("islands: Labels: shapes do not fit")
	}
	u.scorer.init()
	g := guide{pix, w, h, stride, 1}
	u.windows = lookAround(u.windows, l, g)
	for w > coarseW*g.step || h > coarseH*g.step {
		if min(w/l.Cols, h/l.Rows) < 2*g.step*finestCell {
			break
		}
		g.step *= 2
	}
	var parent []uint16
	for ; g.step > 0; g.step /= 2 {
		u.x, u.px = u.px, u.x
		u.y, u.py = u.py, u.y
		u.x.divide(w, g.step, l.Cols)
		u.y.divide(h, g.step, l.Rows)
		labels := dst
		if g.step > 1 {
			u.coarse[0], u.coarse[1] = u.coarse[1], u.coarse[0]
			u.coarse[0] = resize(u.coarse[0], len(u.x.cell)*len(u.y.cell))
			labels = u.coarse[0]
		}
		u.open = u.open[:0]
		if parent == nil {
			u.openLocations(labels)
		} else {
			u.openBorders(labels, parent)
		}
		u.score(labels, g)
		u.tidy(labels)
		parent = labels
	}
}

// openLocations labels the locations that agree with all their neighbours and opens the pixels
// of the others.
func (u *Upsampler) openLocations(labels []uint16) {
	w, cols := len(u.x.cell), len(u.x.start)-1
	for y, r := range u.y.cell {
		for c := range cols {
			x0, x1 := u.x.start[c], u.x.start[c+1]
			if win := &u.windows[int(r)*cols+c]; win.n == 1 {
				fill(labels[y*w+int(x0):y*w+int(x1)], win.label[0])
				continue
			}
			for x := x0; x < x1; x++ {
				u.open = append(u.open, pixel{x, int32(y)})
			}
		}
	}
}

// openBorders copies the labels of the parent, the picture of half the size, and opens the pixels
// near its borders. A pixel may be in the location next to its parent's; its label is around it
// all the same, as the spline lets no label win near the end of the 3x3 locations that know it.
func (u *Upsampler) openBorders(labels, parent []uint16) {
	w, h, pw := len(u.x.cell), len(u.y.cell), len(u.px.cell)
	u.findBorders(parent)
	for y := range h {
		if row := labels[y*w : y*w+w]; y%2 > 0 {
			copy(row, labels[(y-1)*w:])
		} else {
			double(row, parent[y/2*pw:][:pw])
		}
		for p, border := range u.border[y/2*pw:][:pw] {
			if border {
				u.open = append(u.open, pixel{int32(2 * p), int32(y)})
				if 2*p+1 < w {
					u.open = append(u.open, pixel{int32(2*p + 1), int32(y)})
				}
			}
		}
	}
}

// double writes each label of src twice, the last once if dst has an odd length.
func double(dst, src []uint16) {
	for i, v := range src[:len(dst)/2] {
		d := dst[2*i : 2*i+2]
		d[0], d[1] = v, v
	}
	if len(dst)%2 > 0 {
		dst[len(dst)-1] = src[len(dst)/2]
	}
}

// score labels the open pixels.
func (u *Upsampler) score(labels []uint16, g guide) {
	w, cols := len(u.x.cell), len(u.x.start)-1
	for _, p := range u.open {
		win := &u.windows[int(u.y.cell[p.y])*cols+int(u.x.cell[p.x])]
		if win.n == 1 {
			labels[int(p.y)*w+int(p.x)] = win.label[0]
			continue
		}
		labels[int(p.y)*w+int(p.x)] = u.scorer.best(win, g.at(int(p.x), int(p.y)), &u.x.weight[p.x], &u.y.weight[p.y])
	}
}

func fill(s []uint16, v uint16) {
	for i := range s {
		s[i] = v
	}
}

// findBorders marks the pixels of the parent that have another label among their eight neighbours.
func (u *Upsampler) findBorders(labels []uint16) {
	w, h := len(u.px.cell), len(u.py.cell)
	u.border = resize(u.border, w*h)
	clear(u.border)
	for y := range h {
		row := labels[y*w : y*w+w]
		below := row
		if y+1 < h {
			below = labels[(y+1)*w:][:w]
		}
		for x, v := range row {
			if x+1 < w && row[x+1] != v {
				u.mark(x, y-1, 2, 3)
			}
			if below[x] != v {
				u.mark(x-1, y, 3, 2)
			}
		}
	}
}

// mark marks a rectangle, as far as it is inside the parent.
func (u *Upsampler) mark(x, y, w, h int) {
	width := len(u.px.cell)
	x0, x1 := max(x, 0), min(x+w, width)
	for y0 := max(y, 0); y0 < min(y+h, len(u.py.cell)); y0++ {
		for i := x0; i < x1; i++ {
			u.border[y0*width+i] = true
		}
	}
}

// tidy removes speckle: an open pixel whose label at most one of its four neighbours shares takes
// the label of most of the eight, if its location may have it.
func (u *Upsampler) tidy(labels []uint16) {
	w, h, cols := len(u.x.cell), len(u.y.cell), len(u.x.start)-1
	u.changes = u.changes[:0]
	for _, p := range u.open {
		x, y := int(p.x), int(p.y)
		if x == 0 || y == 0 || x == w-1 || y == h-1 {
			continue
		}
		i := y*w + x
		if v := labels[i]; alike(v, labels[i-1], labels[i+1], labels[i-w], labels[i+w]) < 3 {
			win := &u.windows[int(u.y.cell[y])*cols+int(u.x.cell[x])]
			to := win.majority(labels[i-w-1:][:3], labels[i-1:][:3], labels[i+w-1:][:3])
			u.changes = append(u.changes, change{i, to})
		}
	}
	for _, c := range u.changes {
		labels[c.at] = c.label
	}
}

// alike counts which of the labels a to d equal v.
func alike(v, a, b, c, d uint16) int {
	n := 0
	if a == v {
		n++
	}
	if b == v {
		n++
	}
	if c == v {
		n++
	}
	if d == v {
		n++
	}
	return n
}
