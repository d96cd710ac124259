package overlay

import (
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// cutOut returns the square around an island, scaled to side by side pixels, with an outline in
// the island's colour and the rest of the picture dimmed.
func cutOut(src *image.RGBA, labels []uint16, id uint16, side int) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	square := squareAround(boxOf(labels, w, id), w, h)
	from := square.Intersect(src.Rect)
	inCard := func(p image.Point) image.Point { return p.Sub(square.Min).Mul(side).Div(square.Dx()) }
	to := image.Rectangle{inCard(from.Min), inCard(from.Max)}

	card := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(card, card.Rect, image.NewUniform(color.Gray{12}), image.Point{}, draw.Src)
	draw.BiLinear.Scale(card, to, src, from, draw.Src, nil)
	mask := image.NewRGBA(card.Rect) // white where the island is; RGBA is what Scale is fast at
	draw.BiLinear.Scale(mask, to, maskOf(labels, w, id, from), from, draw.Src, nil)
	dim(card, mask)
	outline(card, mask, Colour(id))
	return card
}

// maskOf returns a picture of a part of the labels: white where the island is, else transparent.
func maskOf(labels []uint16, w int, id uint16, part image.Rectangle) *image.RGBA {
	mask := image.NewRGBA(part)
	for y := range part.Dy() {
		pix := mask.Pix[y*mask.Stride:]
		for x, v := range labels[(part.Min.Y+y)*w+part.Min.X:][:part.Dx()] {
			if v == id {
				copy(pix[4*x:], "\xff\xff\xff\xff")
			}
		}
	}
	return mask
}

// boxOf returns the box around the pixels of an island in a picture of that width, all of the
// picture if there are none.
func boxOf(labels []uint16, w int, id uint16) image.Rectangle {
	h := len(labels) / w
	box := image.Rectangle{Min: image.Pt(w, h)}
	for y := range h {
		for x, v := range labels[y*w:][:w] {
			if v == id {
				box.Min.X, box.Max.X = min(box.Min.X, x), max(box.Max.X, x+1)
				box.Min.Y, box.Max.Y = min(box.Min.Y, y), y+1
			}
		}
	}
	if box.Max.X == 0 {
		return image.Rect(0, 0, w, h)
	}
	return box
}

// squareAround returns a square with some room around the box. It lies inside of the picture of w
// by h pixels, or has it in its middle.
func squareAround(box image.Rectangle, w, h int) image.Rectangle {
	size := max(box.Dx(), box.Dy())
	size = min(max(size+size/4+2, max(w, h)/16, 8), max(w, h))
	start := func(middle, n int) int {
		if size >= n {
			return (n - size) / 2
		}
		return min(max(middle-size/2, 0), n-size)
	}
	x, y := start((box.Min.X+box.Max.X)/2, w), start((box.Min.Y+box.Max.Y)/2, h)
	return image.Rect(x, y, x+size, y+size)
}

// dim darkens and greys what the mask leaves out.
func dim(card, mask *image.RGBA) {
	for i := 0; i < len(mask.Pix); i += 4 {
		p, a := card.Pix[i:][:3], mask.Pix[i]
		grey := (77*uint32(p[0]) + 150*uint32(p[1]) + 29*uint32(p[2])) * dimming >> 16
		for c := range p {
			p[c] = blend(uint8(grey), p[c], uint32(a)+uint32(a)>>7)
		}
	}
}

// outline draws a line of two pixels on the inner side of the border of the mask.
func outline(card, mask *image.RGBA, c color.RGBA) {
	inside := func(x, y int) bool { return mask.RGBAAt(x, y).A > 127 } // beyond the card nothing is
	side := card.Rect.Dx()
	for y := range side {
		for x := range side {
			if !inside(x, y) {
				continue
			}
			for k := 1; k <= 2; k++ {
				if !inside(x-k, y) || !inside(x+k, y) || !inside(x, y-k) || !inside(x, y+k) {
					card.SetRGBA(x, y, c)
				}
			}
		}
	}
}
