package overlay

import (
	"fmt"
	"image"
	"math"

	"golang.org/x/image/draw"

	"glomstream/capture"
	"glomstream/glom/islands"
)

const (
	paper   = 22       // grey of the ground
	faint   = 0x969696 // of text that explains
	dimming = 90       // of 256: how much is left of what does not belong to the island
)

// paintTree draws a tree that is laid out.
func (d *Drawer) paintTree(dst *capture.Frame, t *Tree, p *poster) {
	for i := range dst.Pix {
		dst.Pix[i] = paper
	}
	d.paintHead(dst, t)
	src := toRGBA(t.Frame)
	for l, row := range p.rows {
		d.paintSide(dst, t, p, src, l)
		for _, n := range row {
			paintLine(dst, p, n)
		}
	}
	for _, row := range p.rows {
		for _, n := range row {
			d.paintCard(dst, t, p, src, n)
		}
	}
}

// faceOf returns the font of that size, which newFaces knows.
func (d *Drawer) faceOf(size int) *face {
	for i := range d.faces {
		if d.faces[i].size == size {
			return &d.faces[i]
		}
	}
	return &d.faces[0]
}

// paintHead writes the title and how to read the picture.
func (d *Drawer) paintHead(dst *capture.Frame, t *Tree) {
	d.faceOf(26).draw(dst, treeMargin, treeMargin+22, []byte(t.Title), textColour)
	for i, text := range []string{
		"A card is an island: a part of the picture whose vectors agree. The bar below it is its confidence. Rows are levels, from wholes down to parts.",
		"A line leads up to the parent, the island one level up in which it lies: the thicker, the more its vectors end there too.",
	} {
		d.faceOf(14).draw(dst, treeMargin, treeMargin+50+20*i, []byte(text), faint)
	}
}

// paintSide tells of a level: its name, its islands over the whole picture, its numbers.
func (d *Drawer) paintSide(dst *capture.Frame, t *Tree, p *poster, src *image.RGBA, l int) {
	y := p.top(l) + (p.height()-sideText-p.thumbH-sideFootText)/2
	name, number := []byte(LevelName(l, len(p.rows))), fmt.Appendf(nil, "level %d", l)
	big, small := d.faceOf(20), d.faceOf(13)
	big.draw(dst, treeMargin, y+18, name, textColour)
	small.draw(dst, treeMargin+sideWidth-small.width(number), y+18, number, faint)

	thumb := capture.Frame{W: p.thumbW, H: p.thumbH, Stride: 3 * p.thumbW, Pix: make([]byte, 3*p.thumbW*p.thumbH)}
	scaled := image.NewRGBA(image.Rect(0, 0, p.thumbW, p.thumbH))
	draw.BiLinear.Scale(scaled, scaled.Rect, src, src.Rect, draw.Src, nil)
	put(&thumb, scaled, 0, 0)
	to := part(dst, image.Rect(0, 0, p.thumbW, p.thumbH).Add(image.Pt(treeMargin, y+sideText)))
	var sc scratch
	d.drawIslands(&to, &thumb, sc.shrinkLabels(t.Labels[l], t.Frame.W, t.Frame.H, p.thumbW, p.thumbH))

	level := &t.Levels[l]
	y += sideText + p.thumbH
	small.draw(dst, treeMargin, y+17, countText(level, p.rows[l]), faint)
	text := fmt.Appendf(nil, "agreement %.2f", level.Agreement)
	if l+1 < len(p.rows) {
		text = fmt.Appendf(text, ", nesting %.2f", level.Nesting)
	}
	small.draw(dst, treeMargin, y+34, text, faint)
}

// countText says how many islands there are, and what is not shown.
func countText(level *islands.Level, row []*node) []byte {
	area := 0
	for _, n := range row {
		area += n.Area
	}
	switch all := len(level.Islands); {
	case len(row) < all:
		return fmt.Appendf(nil, "%d of %d islands, %d%% of the area", len(row), all, 100*area/(level.Rows*level.Cols))
	case all == 1:
		return []byte("1 island")
	default:
		return fmt.Appendf(nil, "%d islands", all)
	}
}

// paintLine draws the line from a node up to its parent, in the node's colour.
func paintLine(dst *capture.Frame, p *poster, n *node) {
	if n.parent == nil {
		return
	}
	x0, y0 := p.card(n.parent)
	x1, y1 := p.card(n)
	x0 += p.cards[n.parent.level] / 2
	y0 += p.cards[n.parent.level] + cardFoot
	x1 += p.cards[n.level] / 2
	thick := 1 + 4*n.Nesting*n.Nesting
	weight := weightOf(0.3 + 0.6*n.Nesting)
	colour := colourBGR(n.ID)
	// The curve leaves and arrives upright: x is a cubic of y, so that a line of pixels is met once.
	for y := y0; y < y1; y++ {
		u := (float64(y-y0) + 0.5) / float64(y1-y0)
		x := float64(x0) + float64(x1-x0)*u*u*(3-2*u)
		slope := float64(x1-x0) / float64(y1-y0) * 6 * u * (1 - u)
		half := thick / 2 * math.Sqrt(1+slope*slope)
		pix := row(dst, y)
		for i := int(x - half - 1); i <= int(x+half+1); i++ {
			cover := min(max(half+0.5-math.Abs(float64(i)+0.5-x), 0), 1)
			for c := range colour {
				p := &pix[3*i+c]
				*p = blend(*p, colour[c], uint32(float64(weight)*cover))
			}
		}
	}
}

// paintCard draws an island with its bar, its id and its confidence.
func (d *Drawer) paintCard(dst *capture.Frame, t *Tree, p *poster, src *image.RGBA, n *node) {
	x, y := p.card(n)
	side := p.cards[n.level]
	put(dst, cutOut(src, t.Labels[n.level], n.ID, side), x, y)
	colour := colourBGR(n.ID)
	bar := int(math.Round(float64(side) * min(max(n.Confidence, 0), 1)))
	for dy := range 4 {
		pix := row(dst, y+side+3+dy)
		for i := range side {
			c := bgr{60, 60, 60}
			if i < bar {
				c = colour
			}
			copy(pix[3*(x+i):], c[:])
		}
	}
	f := d.faceOf(12)
	id, percent := fmt.Appendf(nil, "#%d", n.ID), fmt.Appendf(nil, "%.0f%%", 100*n.Confidence)
	f.draw(dst, x, y+side+20, id, textColour)
	if right := x + side - f.width(percent); right >= x+f.width(id)+2 {
		f.draw(dst, right, y+side+20, percent, faint)
	}
}

// put copies an opaque image to (x, y) of dst.
func put(dst *capture.Frame, img *image.RGBA, x, y int) {
	for j := range img.Rect.Dy() {
		to, from := row(dst, y+j)[3*x:], img.Pix[j*img.Stride:][:4*img.Rect.Dx()]
		for i := 0; i < len(from); i += 4 {
			to[0], to[1], to[2] = from[i+2], from[i+1], from[i]
			to = to[3:]
		}
	}
}

func toRGBA(f *capture.Frame) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for y := range f.H {
		to, from := img.Pix[y*img.Stride:], row(f, y)
		for x := range f.W {
			to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = from[3*x+2], from[3*x+1], from[3*x], 255
		}
	}
	return img
}
