package main

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"strconv"
	"strings"
)

// seed is what --follow names: a point, or the regions of a mask.
type seed struct {
	name string
	at   image.Point
	w, h int
	grey []byte // (h, w) the region of each pixel, 0 for none; nil for a point
}

// maxMaskPixels is the size of the largest frame.
const maxMaskPixels = 64 << 20

// parseSeed reads "x,y" or the name of a PNG file.
func parseSeed(s string) (seed, error) {
	if at, ok := parsePoint(s); ok {
		if at.X < 0 || at.Y < 0 {
			return seed{}, usagef("--follow %s: the point is outside the picture", s)
		}
		return seed{name: s, at: at}, nil
	}
	m, err := readSeed(s)
	if errors.Is(err, os.ErrNotExist) && strings.Contains(s, ",") {
		return seed{}, usagef("--follow %s: no such file, and no point: x,y are whole numbers", s)
	}
	if err != nil {
		return seed{}, fmt.Errorf("read mask %q: %w", s, bare(err))
	}
	return m, nil
}

func parsePoint(s string) (image.Point, bool) {
	a, b, ok := strings.Cut(s, ",")
	x, errX := strconv.Atoi(strings.TrimSpace(a))
	y, errY := strconv.Atoi(strings.TrimSpace(b))
	return image.Pt(x, y), ok && errX == nil && errY == nil
}

func readSeed(name string) (seed, error) {
	file, err := os.Open(name)
	if err != nil {
		return seed{}, err
	}
	defer file.Close()
	c, err := png.DecodeConfig(file)
	switch {
	case err != nil:
		return seed{}, fmt.Errorf("want a PNG file, or x,y for a point: %w", err)
	case c.Width > maxMaskPixels/c.Height:
		return seed{}, fmt.Errorf("%dx%d pixels are more than a frame can have", c.Width, c.Height)
	}
	if _, err := file.Seek(0, 0); err != nil {
		return seed{}, err
	}
	img, err := png.Decode(file)
	if err != nil {
		return seed{}, err
	}
	m := seed{name: name, w: c.Width, h: c.Height, grey: make([]byte, 0, c.Width*c.Height)}
	some := false
	for y := range m.h {
		for x := range m.w {
			v, err := greyAt(img, x, y)
			if err != nil {
				return seed{}, err
			}
			m.grey = append(m.grey, v)
			some = some || v > 0
		}
	}
	if !some {
		return seed{}, errors.New("it is black all over: paint each region in a grey value of its own from 1 to 255")
	}
	return m, nil
}

// greyAt returns the region at a pixel: its grey value, or its number in a palette of colours, as
// the masks of DAVIS have it.
func greyAt(img image.Image, x, y int) (uint8, error) {
	switch p := img.(type) {
	case *image.Gray:
		return p.GrayAt(x, y).Y, nil
	case *image.Gray16:
		v := p.Gray16At(x, y).Y
		if v > 255 {
			return 0, fmt.Errorf("a grey value of %d: want 0 to 255, in 8 bits", v)
		}
		return uint8(v), nil
	case *image.Paletted:
		if !greyPalette(p.Palette) {
			return p.ColorIndexAt(x, y), nil
		}
	}
	c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
	if c.R != c.G || c.G != c.B {
		return 0, fmt.Errorf("its pixel %d,%d has a colour: want grey, one value per region", x, y)
	}
	return c.R, nil
}

func greyPalette(p color.Palette) bool {
	for _, c := range p {
		if r, g, b, _ := c.RGBA(); r != g || g != b {
			return false
		}
	}
	return true
}
