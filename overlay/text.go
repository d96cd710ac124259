package overlay

import (
	"image"
	"slices"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"glomstream/capture"
)

// The printable ASCII characters are drawn once by New, at every size that text is shown in.
const (
	firstRune, lastRune = ' ', '~'
	textColour          = 0xF5F5F5 // red, green, blue; a little below white is easier on the eye
	warnColour          = 0xFFB545 // amber
)

// face is the font at one size.
type face struct {
	size    int // pixels per em
	capital int // height of a capital letter in pixels
	glyphs  [lastRune - firstRune + 1]glyph
}

// glyph is the picture of one character.
type glyph struct {
	box     image.Rectangle // relative to the origin on the base line
	cover   []uint8         // (h, w) how much of each pixel is covered, of 255
	advance fixed.Int26_6   // to the origin of the next character
}

// newFaces returns the font at each size, smallest first.
func newFaces() ([]face, error) {
	f, err := opentype.Parse(gomedium.TTF)
	if err != nil {
		return nil, err
	}
	var faces []face
	for _, size := range []int{11, 12, 13, 14, 16, 18, 20, 22, 26, 30, 36, 44, 54} {
		of, err := opentype.NewFace(f, &opentype.FaceOptions{Size: float64(size), DPI: 72, Hinting: font.HintingFull})
		if err != nil {
			return nil, err
		}
		faces = append(faces, newFace(of, size))
		if err := of.Close(); err != nil {
			return nil, err
		}
	}
	return faces, nil
}

func newFace(f font.Face, size int) face {
	out := face{size: size, capital: f.Metrics().CapHeight.Round()}
	for i := range out.glyphs {
		box, mask, at, advance, _ := f.Glyph(fixed.Point26_6{}, rune(firstRune+i))
		g := glyph{box: box, advance: advance}
		for y := range box.Dy() {
			for x := range box.Dx() {
				_, _, _, a := mask.At(at.X+x, at.Y+y).RGBA()
				g.cover = append(g.cover, uint8(a>>8))
			}
		}
		out.glyphs[i] = g
	}
	return out
}

// face returns the font for a picture of w by h pixels, nil if the picture is too small for text.
func (d *Drawer) face(w, h int) *face {
	if w < 64 || h < 64 {
		return nil
	}
	size := 6 + min(h, 9*w/16)/45
	i, ok := slices.BinarySearchFunc(d.faces, size, func(f face, size int) int { return f.size - size })
	if !ok {
		i = max(i-1, 0)
	}
	return &d.faces[i]
}

// glyph returns the glyph of a character, that of '?' for what the font does not have here.
func (f *face) glyph(c byte) *glyph {
	if c < firstRune || c > lastRune {
		c = '?'
	}
	return &f.glyphs[c-firstRune]
}

// width returns how wide the text is in pixels.
func (f *face) width(text []byte) int {
	var w fixed.Int26_6
	for _, c := range text {
		w += f.glyph(c).advance
	}
	return w.Ceil()
}

// draw writes text with its origin at x on the base line y. What lies outside of dst is left out.
func (f *face) draw(dst *capture.Frame, x, y int, text []byte, colour uint32) {
	pen := fixed.I(x)
	for _, c := range text {
		g := f.glyph(c)
		g.draw(dst, image.Pt(pen.Round(), y), colour)
		pen += g.advance
	}
}

func (g *glyph) draw(dst *capture.Frame, at image.Point, colour uint32) {
	box := g.box.Add(at)
	in := box.Intersect(image.Rect(0, 0, dst.W, dst.H))
	for y := in.Min.Y; y < in.Max.Y; y++ {
		cover := g.cover[(y-box.Min.Y)*box.Dx()+in.Min.X-box.Min.X:][:in.Dx()]
		pix := row(dst, y)[3*in.Min.X:]
		for i, a := range cover {
			for c := range 3 {
				p := &pix[3*i+c]
				*p = blend(*p, uint8(colour>>(8*c)), uint32(a)+uint32(a)>>7)
			}
		}
	}
}
