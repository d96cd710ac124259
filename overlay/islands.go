package overlay

import "glomstream/capture"

// Outlines are drawn inside the islands along every change of label, as a dark line beside a light
// one, so that one of them shows on any picture. Where two islands meet, the upper or left one gets
// the dark line and the lower or right one the light line.
const (
	lineOpacity = 0.85
	darkKeep    = 64 // of 256: how much of the island's colour the dark line keeps, the rest is black
	lightKeep   = 96 // the same for the light line, the rest is white
)

// style is how the islands of one colour are drawn.
type style struct {
	fill, dark, light tint
}

func newStyle(c bgr, opacity float64) style {
	return style{
		fill:  newTint(c, opacity),
		dark:  newTint(mix(bgr{}, c, darkKeep), lineOpacity),
		light: newTint(mix(bgr{255, 255, 255}, c, lightKeep), lineOpacity),
	}
}

// style returns the style of an island, whose id is not 0.
func (d *Drawer) style(id uint16) *style { return &d.styles[paletteIndex(id)] }

// lineWidth is the width in pixels of each of the two lines of an outline in a picture of that size.
func lineWidth(w, h int) int {
	return 1 + min(w, h)/900
}

// drawIslands draws src with its islands on dst. Both have the same size; without labels it is a copy.
func (d *Drawer) drawIslands(dst, src *capture.Frame, labels []uint16) {
	if labels == nil {
		copyFrame(dst, src)
		return
	}
	w, h := src.W, src.H
	thick := lineWidth(w, h)
	for y := range h {
		dst, src := row(dst, y), row(src, y)
		ids := labels[y*w:][:w]
		d.fillRow(dst, src, ids)
		for k := thick; k >= 1; k-- { // what is nearer decides, so it comes last
			above := labels[max(y-k, 0)*w:][:w]
			below := labels[min(y+k, h-1)*w:][:w]
			d.outlineRow(dst, src, around{above, ids, below, k})
		}
	}
}

// Changes of label are rare, so they are looked for in this many pixels at a time: Go compares arrays
// of this size by whole words.
const block = 8

// fillRow blends the fill of each island over one row of the picture, run by run.
func (d *Drawer) fillRow(dst, src []byte, ids []uint16) {
	for x := 0; x < len(ids); {
		end := runEnd(ids, x)
		if id := ids[x]; id == 0 {
			copy(dst[3*x:3*end], src[3*x:3*end])
		} else {
			d.style(id).fill.over(dst[3*x:3*end], src[3*x:3*end])
		}
		x = end
	}
}

// runEnd returns where the run of equal ids that starts at x ends.
func runEnd(ids []uint16, x int) int {
	ids = ids[x:]
	end := 1
	for end+block <= len(ids) && *(*[block]uint16)(ids[end-1:]) == *(*[block]uint16)(ids[end:]) {
		end += block
	}
	for end < len(ids) && ids[end] == ids[0] {
		end++
	}
	return x + end
}

// around holds the labels of a row, of the row k above and of the row k below. Beyond the border of
// the picture nothing differs.
type around struct {
	above, ids, below []uint16 // (w)
	k                 int
}

// outlineRow draws the lines on the pixels of one row whose label differs k pixels away: dark if it
// does to the right or below, else light.
func (d *Drawer) outlineRow(dst, src []byte, a around) {
	w, x := len(a.ids), 0
	for ; x < min(a.k, w); x++ {
		d.outlinePixel(dst, src, &a, x)
	}
	for ; x+block+a.k <= w; x += block {
		if a.same(x) {
			continue
		}
		for i := range block {
			d.outlinePixel(dst, src, &a, x+i)
		}
	}
	for ; x < w; x++ {
		d.outlinePixel(dst, src, &a, x)
	}
}

// same tells whether none of the pixels of the block at x gets a line. The block and the k pixels on
// both sides of it lie within the row.
func (a *around) same(x int) bool {
	here := (*[block]uint16)(a.ids[x:])
	return *here == *(*[block]uint16)(a.above[x:]) && *here == *(*[block]uint16)(a.below[x:]) &&
		*here == *(*[block]uint16)(a.ids[x-a.k:]) && *here == *(*[block]uint16)(a.ids[x+a.k:])
}

func (d *Drawer) outlinePixel(dst, src []byte, a *around, x int) {
	id := a.ids[x]
	if id == 0 {
		return
	}
	if id != a.below[x] || id != a.ids[min(x+a.k, len(a.ids)-1)] {
		d.style(id).dark.overPixel(dst[3*x:], src[3*x:])
	} else if id != a.above[x] || id != a.ids[max(x-a.k, 0)] {
		d.style(id).light.overPixel(dst[3*x:], src[3*x:])
	}
}
