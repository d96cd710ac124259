package overlay

import "glomstream/capture"

// whole is the sum of the weights of a span. Weighing a byte by rows and then by columns just fits
// into 32 bits: 255*whole*whole + whole*whole/2 < 1<<32.
const whole = 1 << 12

// span says which pixels of a line make one pixel of a shorter line: n of them from first on, each
// weighed by how much of the new pixel it covers. All but the first and the last weigh the same.
type span struct {
	first, n           int
	head, middle, tail uint32 // sum is whole; with n == 1 there is only the head
}

// spanOf returns the span of pixel i when n pixels become m, n >= m. In units of 1/m of a pixel of the
// long line, its pixel k covers [k*m, (k+1)*m) and the new pixel covers [i*n, (i+1)*n).
func spanOf(i, n, m int) span {
	from, to := i*n, (i+1)*n
	s := span{first: from / m}
	s.n = (to+m-1)/m - s.first
	if s.n == 1 {
		s.head = whole
		return s
	}
	s.middle = uint32(whole * m / n)
	s.head = uint32(whole * ((s.first+1)*m - from) / n)
	s.tail = whole - s.head - uint32(s.n-2)*s.middle
	return s
}

// weight returns the weight of the j-th pixel of the span.
func (s *span) weight(j int) uint32 {
	switch j {
	case 0:
		return s.head
	case s.n - 1:
		return s.tail
	}
	return s.middle
}

// shrink scales src down to dst: every pixel is the mean of the area that it covers.
func (sc *scratch) shrink(dst, src *capture.Frame) {
	if dst.W == src.W && dst.H == src.H {
		copyFrame(dst, src)
		return
	}
	sc.sums = grow(sc.sums, 3*src.W)
	sc.spans = grow(sc.spans, dst.W)
	for x := range sc.spans {
		sc.spans[x] = spanOf(x, src.W, dst.W)
	}
	for y := range dst.H {
		clear(sc.sums)
		rows := spanOf(y, src.H, dst.H)
		for j := range rows.n {
			addRow(sc.sums, row(src, rows.first+j), rows.weight(j))
		}
		meanColumns(row(dst, y), sc.sums, sc.spans)
	}
}

func addRow(sums []uint32, pix []byte, weight uint32) {
	sums = sums[:len(pix)]
	for i, p := range pix {
		sums[i] += weight * uint32(p)
	}
}

// meanColumns makes one row of pixels from the weighted sums of the rows that it covers.
func meanColumns(dst []byte, sums []uint32, spans []span) {
	for x := range spans {
		s := &spans[x]
		const half = whole * whole / 2
		b, g, r := uint32(half), uint32(half), uint32(half)
		pix := sums[3*s.first:][:3*s.n]
		for j := range s.n {
			w := s.weight(j)
			p := pix[3*j:][:3]
			b, g, r = b+w*p[0], g+w*p[1], r+w*p[2]
		}
		d := dst[3*x:][:3]
		d[0], d[1], d[2] = uint8(b/(whole*whole)), uint8(g/(whole*whole)), uint8(r/(whole*whole))
	}
}

// shrinkLabels returns the labels (H, W) of a frame of W by H pixels at the size w by h: each is the
// one under the centre of the pixel, since ids cannot be averaged. No labels stay none.
func (sc *scratch) shrinkLabels(labels []uint16, W, H, w, h int) []uint16 {
	if labels == nil || W == w && H == h {
		return labels
	}
	sc.labels = grow(sc.labels, w*h)
	for y := range h {
		from := labels[(2*y+1)*H/(2*h)*W:][:W]
		to := sc.labels[y*w:][:w]
		for x := range to {
			to[x] = from[(2*x+1)*W/(2*w)]
		}
	}
	return sc.labels
}
