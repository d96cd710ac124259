package overlay

import (
	"image/color"

	"glomstream/capture"
)

// Outline draws the inner borders of the regions of a mask (h, w) on a canvas of its size: those of
// the value 255 in ink, the others in the colour of their value, none around 0. It panics if the
// sizes do not fit together.
func Outline(canvas *capture.Frame, mask []uint8, ink color.RGBA) {
	checkFrame("canvas", canvas)
	w, h := canvas.W, canvas.H
	if len(mask) != w*h {
		panic("overlay: Outline: the mask has another size than the canvas")
	}
	reach := 1 + min(w, h)/400
	for y := range h {
		pix := row(canvas, y)
		for x, v := range mask[y*w:][:w] {
			if v == 0 || mask[y*w+max(x-reach, 0)] == v && mask[y*w+min(x+reach, w-1)] == v &&
				mask[max(y-reach, 0)*w+x] == v && mask[min(y+reach, h-1)*w+x] == v {
				continue
			}
			c := ink
			if v < 255 {
				c = Colour(uint16(v))
			}
			pix[3*x], pix[3*x+1], pix[3*x+2] = c.B, c.G, c.R
		}
	}
}
