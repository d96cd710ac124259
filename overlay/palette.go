package overlay

import (
	"encoding/binary"
	"image/color"
	"math"
)

// bgr is one pixel in the order of capture.Frame.
type bgr [3]uint8

// palette holds the colours of islands, three bytes R, G, B each. The first eight are Okabe and
// Ito's seven hues and a purple. The rest was chosen among their hues and Tol's in four lightnesses,
// each as far as possible from all before it for normal, protanopic and deuteranopic eyes; then both
// groups were put in the order that keeps colours that follow each other furthest apart.
const (
	palette = "\xCC\x79\xA7" + "\xE6\x9F\x00" + "\x00\x72\xB2" + "\x00\x9E\x73" +
		"\xD5\x5E\x00" + "\x56\xB4\xE9" + "\xF0\xE4\x42" + "\x8B\x3A\x7E" +
		"\xEE\x66\x77" + "\x1A\x66\x26" + "\xE0\x86\x40" + "\xCC\x8F\xC2" +
		"\xE0\xD6\x8F" + "\x00\x77\x56" + "\x66\xC5\xAB" + "\x22\x88\x33" +
		"\xBF\x73\xB3" + "\xF0\xC5\x66" + "\xD9\x66\x4D" + "\xA6\x59\x80" +
		"\xF2\x8C\x99" + "\xA0\x47\x00" + "\xB3\x4D\x59" + "\xE6\x9E\x66"
	paletteSize = len(palette) / 3
)

// Colour returns the colour of the island with that id. It depends on nothing else, and ids that
// follow each other get very different colours. Colours repeat after 24 ids. Id 0 is no island and
// is transparent.
func Colour(id uint16) color.RGBA {
	if id == 0 {
		return color.RGBA{}
	}
	i := 3 * paletteIndex(id)
	return color.RGBA{R: palette[i], G: palette[i+1], B: palette[i+2], A: 255}
}

// paletteIndex is for ids from 1.
func paletteIndex(id uint16) int { return int(id-1) % paletteSize }

func colourBGR(id uint16) bgr {
	c := Colour(id)
	return bgr{c.B, c.G, c.R}
}

// mix returns a and b mixed, weight/256 of b.
func mix(a, b bgr, weight uint32) bgr {
	for i := range a {
		a[i] = blend(a[i], b[i], weight)
	}
	return a
}

// blend puts weight/256 of colour over one byte of a picture, rounded to nearest.
func blend(pix, colour uint8, weight uint32) uint8 {
	return uint8((uint32(pix)*(256-weight) + uint32(colour)*weight + 128) >> 8)
}

// weightOf turns an opacity from 0 to 1 into a weight from 0 to 256.
func weightOf(opacity float64) uint32 { return uint32(math.Round(256 * opacity)) }

// tint blends one colour over many pixels. A byte becomes
//
//	(byte*keep + colour*weight + 128) >> 8,   keep = 256 - weight
//
// which is at most 65408 before the shift, so that four bytes fit side by side in a uint64, spread
// over its four 16-bit lanes, and one multiplication blends all four. Eight bytes are two such words,
// the even bytes and the odd ones. As a pixel has three bytes, the pattern of colours repeats after
// three words, which are eight pixels.
type tint struct {
	keep      uint64
	even, odd [3]uint64 // colour*weight + 128 in each lane
	one       [3]uint32 // the same for a single pixel
}

func newTint(c bgr, opacity float64) tint {
	w := weightOf(opacity)
	t := tint{keep: uint64(256 - w)}
	for i := range c {
		t.one[i] = uint32(c[i])*w + 128
	}
	for i := range 24 {
		lane := uint64(t.one[i%3]) << (16 * (i % 8 / 2))
		if i%2 == 0 {
			t.even[i/8] |= lane
		} else {
			t.odd[i/8] |= lane
		}
	}
	return t
}

// over blends the tint over the pixels of src into dst, which has the same length, a multiple of 3.
func (t *tint) over(dst, src []byte) {
	const lanes = 0x00FF00FF00FF00FF
	le := binary.LittleEndian
	keep := t.keep
	for len(dst) >= 24 && len(src) >= 24 {
		s, d := src[:24:24], dst[:24:24]
		a, b, c := le.Uint64(s), le.Uint64(s[8:]), le.Uint64(s[16:])
		le.PutUint64(d, ((a&lanes)*keep+t.even[0])>>8&lanes|((a>>8&lanes)*keep+t.odd[0])&^lanes)
		le.PutUint64(d[8:], ((b&lanes)*keep+t.even[1])>>8&lanes|((b>>8&lanes)*keep+t.odd[1])&^lanes)
		le.PutUint64(d[16:], ((c&lanes)*keep+t.even[2])>>8&lanes|((c>>8&lanes)*keep+t.odd[2])&^lanes)
		src, dst = src[24:], dst[24:]
	}
	for len(dst) >= 3 && len(src) >= 3 {
		t.overPixel(dst, src)
		src, dst = src[3:], dst[3:]
	}
}

// overPixel blends the tint over the first pixel of src into dst.
func (t *tint) overPixel(dst, src []byte) {
	s, d, keep := src[:3], dst[:3], uint32(t.keep)
	d[0] = uint8((uint32(s[0])*keep + t.one[0]) >> 8)
	d[1] = uint8((uint32(s[1])*keep + t.one[1]) >> 8)
	d[2] = uint8((uint32(s[2])*keep + t.one[2]) >> 8)
}
