package eval

import (
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"

	"glomstream/capture"
)

// mask is a picture whose pixel values are ids.
type mask struct {
	w, h int
	id   []uint16
}

// read decodes a PNG. Its error names the file; that of a missing one is os.ErrNotExist.
func (m *mask) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open mask %q: %w", path, bare(err))
	}
	defer file.Close()
	c, err := png.DecodeConfig(file)
	if err == nil && (c.Width > 1<<14 || c.Height > 1<<14 || c.Width*c.Height > 1<<26) {
		err = fmt.Errorf("%dx%d pixels are too many", c.Width, c.Height)
	}
	if err == nil {
		_, err = file.Seek(0, 0)
	}
	var img image.Image
	if err == nil {
		img, err = png.Decode(file)
	}
	if err != nil {
		return fmt.Errorf("read mask %q: %w: want a grey or palette PNG whose values are ids", path, err)
	}
	if err := m.take(img); err != nil {
		return fmt.Errorf("read mask %q: %w", path, err)
	}
	return nil
}

// take copies the pixel values: of grey ones their value, of a palette the index.
func (m *mask) take(img image.Image) error {
	b := img.Bounds()
	m.w, m.h = b.Dx(), b.Dy()
	if cap(m.id) < m.w*m.h {
		m.id = make([]uint16, m.w*m.h)
	}
	m.id = m.id[:m.w*m.h]
	var at func(x, y int) uint16
	switch p := img.(type) {
	case *image.Gray:
		at = func(x, y int) uint16 { return uint16(p.Pix[y*p.Stride+x]) }
	case *image.Gray16:
		at = func(x, y int) uint16 { o := y*p.Stride + 2*x; return uint16(p.Pix[o])<<8 | uint16(p.Pix[o+1]) }
	case *image.Paletted:
		at = func(x, y int) uint16 { return uint16(p.Pix[y*p.Stride+x]) }
	default:
		return errors.New("it is in colour: want a grey or palette PNG whose values are ids")
	}
	for y := range m.h {
		for x := range m.w {
			m.id[y*m.w+x] = at(x, y)
		}
	}
	return nil
}

// binary tells that there is nothing but 0 and 255.
func (m *mask) binary() bool {
	for _, v := range m.id {
		if v != 0 && v != 255 {
			return false
		}
	}
	return true
}

// fits reports a mask of another size than the frame.
func (m *mask) fits(path string, f *capture.Frame) error {
	if m.w != f.W || m.h != f.H {
		return fmt.Errorf("mask %q has %dx%d pixels, its frame has %dx%d: make both the same size", path, m.w, m.h, f.W, f.H)
	}
	return nil
}
