package islands

import (
	"errors"
	"fmt"
	"image"
)

// Runs holds the runs of equal labels of a picture, as the masks of COCO count them: down the
// first column, then down the second, and so on. The zero value works; it keeps its memory, so
// use it from one goroutine at a time.
//
// A mask is told by the lengths of its runs, outside and inside in turn, the first one outside
// and maybe of no length; a last run outside is told, too. As text ("compressed RLE") each length
// from the fourth on is replaced by its difference from the one two before, and a number is
// written as a little-endian sequence of 5 bits in two's complement, one character each: 48 plus
// the bits, plus 32 if more follow. This is what rleToString of cocoapi's maskApi.c does.
type Runs struct {
	w, h int
	runs []run
	last []int32 // (ids) the island's latest run + 1, 0 if it has none
	head []int32 // (ids) its first run + 1
	seen []uint16
}

// run is one run of a label.
type run struct {
	from, n int32 // first pixel, counted down the columns; pixels
	next    int32 // the label's next run + 1, 0 if there is none
}

// Read finds the runs of labels (h, w). It panics on a shape that does not fit.
func (r *Runs) Read(labels []uint16, w, h int) {
	if w < 1 || h < 1 || len(labels) != w*h {
		panic("islands: Runs: shapes do not fit")
	}
	if r.last == nil {
		r.last, r.head = make([]int32, maxID+1), make([]int32, maxID+1)
	}
	for _, id := range r.seen {
		r.last[id], r.head[id] = 0, 0
	}
	r.w, r.h, r.runs, r.seen = w, h, r.runs[:0], r.seen[:0]
	id, from := labels[0], 0
	for x := range w {
		i := x
		for y := range h {
			if v := labels[i]; v != id {
				r.add(id, from, x*h+y-from)
				id, from = v, x*h+y
			}
			i += w
		}
	}
	r.add(id, from, w*h-from)
}

func (r *Runs) add(id uint16, from, n int) {
	r.runs = append(r.runs, run{from: int32(from), n: int32(n)})
	k := int32(len(r.runs))
	if last := r.last[id]; last > 0 {
		r.runs[last-1].next = k
	} else {
		r.head[id] = k
		r.seen = append(r.seen, id)
	}
	r.last[id] = k
}

// Measure returns the pixels of a label and the box around them, both 0 if it has none.
func (r *Runs) Measure(id uint16) (area int, box image.Rectangle) {
	for k := r.first(id); k > 0; k = r.runs[k-1].next {
		from, n := int(r.runs[k-1].from), int(r.runs[k-1].n)
		x0, y0, x1, y1 := from/r.h, from%r.h, (from+n-1)/r.h, (from+n-1)%r.h
		if x1 > x0 { // it goes on in the next column
			y0, y1 = 0, r.h-1
		}
		area += n
		box = box.Union(image.Rect(x0, y0, x1+1, y1+1))
	}
	return area, box
}

// Append appends the mask of a label as text.
func (r *Runs) Append(dst []byte, id uint16) []byte {
	var c counts
	end := 0
	for k := r.first(id); k > 0; k = r.runs[k-1].next {
		from, n := int(r.runs[k-1].from), int(r.runs[k-1].n)
		dst = c.append(dst, from-end)
		dst = c.append(dst, n)
		end = from + n
	}
	if rest := r.w*r.h - end; rest > 0 {
		dst = c.append(dst, rest)
	}
	return dst
}

func (r *Runs) first(id uint16) int32 {
	if r.head == nil {
		return 0
	}
	return r.head[id]
}

// counts remembers what the next number is written as a difference from.
type counts struct {
	n    int    // numbers so far
	last [2]int // the latest at even and at odd places
}

// base returns what the next number is a difference from, before it is set by keep.
func (c *counts) base() int {
	if c.n < 3 {
		return 0
	}
	return c.last[c.n%2]
}

func (c *counts) keep(n int) {
	c.last[c.n%2] = n
	c.n++
}

// append appends the next number as text.
func (c *counts) append(dst []byte, n int) []byte {
	x := n - c.base()
	c.keep(n)
	for {
		b := x & 31
		x >>= 5
		done := x == 0 && b&16 == 0 || x == -1 && b&16 != 0
		if !done {
			b |= 32
		}
		dst = append(dst, byte(b+48))
		if done {
			return dst
		}
	}
}

// errCut is a mask that ends within a number.
var errCut = errors.New("it ends within a number")

// Mask appends the mask (h, w) that text tells, row by row, as COCO writes it.
func Mask(dst []bool, text string, w, h int) ([]bool, error) {
	if w < 1 || h < 1 || w > 1<<24 || h > 1<<24 {
		return dst, fmt.Errorf("mask of %dx%d pixels: want at least one, and a side of at most %d", w, h, 1<<24)
	}
	from := len(dst)
	dst = append(dst, make([]bool, w*h)...)
	mask := dst[from:]
	var c counts
	at := 0
	for len(text) > 0 {
		n, used, err := number(text)
		if err != nil {
			return dst[:from], fmt.Errorf("mask, run %d: %w", c.n, err)
		}
		text = text[used:]
		n += c.base()
		if n < 0 || n > w*h-at {
			return dst[:from], fmt.Errorf("mask, run %d: length %d after %d of %d pixels", c.n, n, at, w*h)
		}
		if c.n%2 > 0 {
			for i := at; i < at+n; i++ {
				mask[i%h*w+i/h] = true
			}
		}
		c.keep(n)
		at += n
	}
	if at != w*h {
		return dst[:from], fmt.Errorf("mask of %d pixels, want %dx%d", at, w, h)
	}
	return dst, nil
}

// number reads the number at the start of text and tells how many characters it takes.
func number(text string) (n, used int, err error) {
	for k := range len(text) {
		c := int(text[k]) - 48
		switch {
		case c < 0 || c > 63:
			return 0, 0, fmt.Errorf("character %q: want %q to %q", text[k], byte(48), byte(48+63))
		case k == 12:
			return 0, 0, errors.New("a number of more than 60 bits")
		}
		n |= c & 31 << (5 * k)
		if c&32 == 0 {
			if c&16 != 0 {
				n |= -1 << (5*k + 5)
			}
			return n, k + 1, nil
		}
	}
	return 0, 0, errCut
}
