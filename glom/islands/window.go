package islands

import "math"

const (
	colourSigma  = 32.0     // s of the Upsampler's formula, in steps of 0..255
	outlier      = 1.0 / 24 // its ε
	likenessBits = 12       // fixed point of the colour term
	weightBits   = 7        // fixed point of the spline, in each direction
	distanceBits = 5        // lowest bits of |c - colour|² that the table does without
	likenessLen  = 1 << 13  // entries, enough for 3*255²: a limit here would cost a mispredicted branch
)

// colour is a BGR colour, 0..255 each.
type colour struct{ b, g, r int32 }

// window is what the pixels of one location need to know about the 3x3 locations around it.
type window struct {
	n      int          // different labels
	label  [9]uint16    // (n) the location's own first
	slot   [3][3]uint8  // index in label of each location
	colour [3][3]colour // mean colour about the middle of each
}

// lookAround returns the windows of all locations, in the memory of ws. What lies outside the
// grid repeats the location itself, without weight (see axis).
func lookAround(ws []window, l *Level, g guide) []window {
	ws = resize(ws, len(l.ID))
	for i := range ws { // the middle first, as the neighbours copy it
		ws[i].colour[1][1] = g.mean(i/l.Cols, i%l.Cols, l.Rows, l.Cols)
	}
	for i := range ws {
		win := &ws[i]
		win.n, win.label[0] = 1, l.ID[i]
		r, c := i/l.Cols, i%l.Cols
		for k := range 9 {
			y, x := r+k/3-1, c+k%3-1
			j := i
			if uint(y) < uint(l.Rows) && uint(x) < uint(l.Cols) {
				j = y*l.Cols + x
			}
			win.slot[k/3][k%3] = win.find(l.ID[j])
			win.colour[k/3][k%3] = ws[j].colour[1][1]
		}
	}
	for i := range ws {
		ws[i].pool()
	}
	return ws
}

// pool gives the locations of a label the mean of their colours: a location that has the wrong
// label, as many do along a border that has just moved, must not speak for that label alone.
func (win *window) pool() {
	if win.n == 1 {
		return
	}
	var sum [9]colour
	var count [9]int32
	for y, row := range win.slot {
		for x, s := range row {
			c := win.colour[y][x]
			sum[s].b += c.b
			sum[s].g += c.g
			sum[s].r += c.r
			count[s]++
		}
	}
	for y, row := range win.slot {
		for x, s := range row {
			n := count[s]
			win.colour[y][x] = colour{sum[s].b / n, sum[s].g / n, sum[s].r / n}
		}
	}
}

// find returns the index of a label, which it appends if it is new.
func (win *window) find(label uint16) uint8 {
	for s, known := range win.label[:win.n] {
		if known == label {
			return uint8(s)
		}
	}
	win.label[win.n] = label
	win.n++
	return uint8(win.n - 1)
}

// majority returns the label that most of the 3x3 pixels have, among those of the window.
func (win *window) majority(above, row, below []uint16) uint16 {
	best, most := row[1], 0
	for _, label := range win.label[:win.n] {
		count := 0
		for k := range 3 {
			if above[k] == label {
				count++
			}
			if row[k] == label {
				count++
			}
			if below[k] == label {
				count++
			}
		}
		if count > most {
			best, most = label, count
		}
	}
	return best
}

// scorer computes the Upsampler's formula in whole numbers.
type scorer struct {
	likeness [likenessLen]uint16 // exp(-d²/(2 s²)) + ε by d² >> distanceBits
}

func (s *scorer) init() {
	if s.likeness[0] > 0 {
		return
	}
	for i := range s.likeness {
		d2 := (float64(i) + 0.5) * (1 << distanceBits)
		s.likeness[i] = uint16((math.Exp(-d2/(2*colourSigma*colourSigma)) + outlier) * (1 << likenessBits))
	}
}

// best returns the label with the largest score for a pixel of colour p, the nearest if several
// have it. wx and wy are the weights of the window's columns and rows.
func (s *scorer) best(win *window, p colour, wx, wy *[3]uint32) uint16 {
	var score [16]uint32 // a power of two saves the bounds check
	for j, y := range wy {
		c, slot := &win.colour[j], &win.slot[j]
		score[slot[0]%16] += y * wx[0] * s.like(p, &c[0])
		score[slot[1]%16] += y * wx[1] * s.like(p, &c[1])
		score[slot[2]%16] += y * wx[2] * s.like(p, &c[2])
	}
	// Without branches, which would often be mispredicted: the score leads, the order breaks ties.
	var top uint32
	for i, v := range score[:win.n%16] { // n is at most 9; the compiler does not know
		if v = v<<4 | uint32(15-i); v > top {
			top = v
		}
	}
	return win.label[15-top%16]
}

// like returns how much two colours are alike.
func (s *scorer) like(p colour, c *colour) uint32 {
	b, g, r := p.b-c.b, p.g-c.g, p.r-c.r
	return uint32(s.likeness[uint32(b*b+g*g+r*r)>>distanceBits%likenessLen])
}

// axis tells which location each column (or row) of a picture belongs to.
type axis struct {
	cell   []int32     // (pixels) location
	start  []int32     // (locations+1) first pixel of each location
	weight [][3]uint32 // (pixels) B-spline at the location before, at its own and at the one after
}

// divide lays n locations over size pixels taken step at a time.
func (a *axis) divide(size, step, n int) {
	pixels := (size + step - 1) / step
	a.cell, a.weight, a.start = resize(a.cell, pixels), resize(a.weight, pixels), resize(a.start, n+1)
	next := 0
	for i := range pixels {
		at := min((float64(i)+0.5)*float64(step), float64(size)-0.5) * float64(n) / float64(size)
		cell := min(int(at), n-1)
		for ; next <= cell; next++ {
			a.start[next] = int32(i)
		}
		a.cell[i] = int32(cell)
		t := at - float64(cell) - 0.5 // from the middle of the location, -0.5 to 0.5
		w := [3]float64{(0.5 - t) * (0.5 - t) / 2, 0.75 - t*t, (0.5 + t) * (0.5 + t) / 2}
		if cell == 0 {
			w[0] = 0
		}
		if cell == n-1 {
			w[2] = 0
		}
		for k := range w {
			a.weight[i][k] = uint32(w[k]*(1<<weightBits) + 0.5)
		}
	}
	for ; next <= n; next++ {
		a.start[next] = int32(pixels)
	}
}

// guide is the picture that borders follow, taken step pixels at a time.
type guide struct {
	pix          []byte // BGR
	w, h, stride int
	step         int
}

// at returns the mean colour about pixel (x, y) of the picture taken step at a time.
func (g *guide) at(x, y int) colour {
	if g.step == 1 {
		return g.smooth(x, y)
	}
	// Four samples spread over the step x step pixels.
	x0, y0 := x*g.step+g.step/4, y*g.step+g.step/4
	x1, y1 := min(x0+g.step/2, g.w-1), min(y0+g.step/2, g.h-1)
	x0, y0 = min(x0, g.w-1), min(y0, g.h-1)
	a, b := g.pix[y0*g.stride+3*x0:][:3], g.pix[y0*g.stride+3*x1:][:3]
	c, d := g.pix[y1*g.stride+3*x0:][:3], g.pix[y1*g.stride+3*x1:][:3]
	return colour{
		(int32(a[0]) + int32(b[0]) + int32(c[0]) + int32(d[0])) / 4,
		(int32(a[1]) + int32(b[1]) + int32(c[1]) + int32(d[1])) / 4,
		(int32(a[2]) + int32(b[2]) + int32(c[2]) + int32(d[2])) / 4,
	}
}

// smooth returns half the colour of a pixel and half that of its four neighbours, against noise.
func (g *guide) smooth(x, y int) colour {
	o := y*g.stride + 3*x
	left, right, up, down := o, o, o, o
	if x > 0 {
		left -= 3
	}
	if x < g.w-1 {
		right += 3
	}
	if y > 0 {
		up -= g.stride
	}
	if y < g.h-1 {
		down += g.stride
	}
	p, a, b, c, d := g.pix[o:][:3], g.pix[left:][:3], g.pix[right:][:3], g.pix[up:][:3], g.pix[down:][:3]
	return colour{
		(4*int32(p[0]) + int32(a[0]) + int32(b[0]) + int32(c[0]) + int32(d[0])) / 8,
		(4*int32(p[1]) + int32(a[1]) + int32(b[1]) + int32(c[1]) + int32(d[1])) / 8,
		(4*int32(p[2]) + int32(a[2]) + int32(b[2]) + int32(c[2]) + int32(d[2])) / 8,
	}
}

// mean returns the mean colour of up to 4x4 pixels spread over the middle half of a location,
// where its neighbours show least.
func (g *guide) mean(row, col, rows, cols int) colour {
	const samples = 4
	var sum colour
	for i := range samples * samples {
		// The samples lie at 5/16, 7/16, 9/16 and 11/16 of the location.
		y := (16*row + 5 + 2*(i/samples)) * g.h / (16 * rows)
		x := (16*col + 5 + 2*(i%samples)) * g.w / (16 * cols)
		p := g.pix[y*g.stride+3*x:][:3]
		sum.b += int32(p[0])
		sum.g += int32(p[1])
		sum.r += int32(p[2])
	}
	const n = samples * samples
	return colour{sum.b / n, sum.g / n, sum.r / n}
}
