package capture

import (
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"

	"github.com/bep/imagemeta"
	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// Limits of a frame. The larger limit still allows 16384 x 4096.
const (
	maxSide   = 16384
	maxPixels = 64 << 20
)

// maxPictureBytes is the size of the largest picture within the limits without compression,
// 16 bits for each of four channels. A longer file is not what it says, or a sparse one.
const maxPictureBytes = 8*maxPixels + 1<<20

func checkSize(w, h int) error {
	switch {
	case w < 1 || h < 1:
		return fmt.Errorf("a size of %d x %d holds no pixels", w, h)
	case w > maxSide || h > maxSide || w*h > maxPixels:
		return fmt.Errorf("%d x %d pixels are over the limit of %d a side and %d Mi in all: scale it down", w, h, maxSide, maxPixels>>20)
	}
	return nil
}

// codec is what is known about one picture format.
type codec struct {
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	full   bool                  // its Y'CbCr has the full range
	meta   imagemeta.ImageFormat // 0: the format has no EXIF
}

// sniff finds the codec from the first 32 bytes of a file or what there is of them; names lie.
func sniff(head string) (codec, error) {
	starts := func(magic string) bool { return len(head) >= len(magic) && head[:len(magic)] == magic }
	switch {
	case starts("\xff\xd8\xff"):
		return codec{jpeg.DecodeConfig, jpeg.Decode, true, imagemeta.JPEG}, nil
	case starts("\x89PNG\r\n\x1a\n"):
		return codec{png.DecodeConfig, png.Decode, false, imagemeta.PNG}, nil
	case starts("BM"):
		return codec{bmp.DecodeConfig, bmp.Decode, false, 0}, nil
	case starts("RIFF") && len(head) >= 21 && head[8:12] == "WEBP":
		const animated = 1 << 1
		if head[12:16] == "VP8X" && head[20]&animated != 0 {
			return codec{}, errors.New("is an animated WebP, which is not supported: convert it to a video")
		}
		return codec{webp.DecodeConfig, webp.Decode, false, imagemeta.WebP}, nil
	}
	return codec{}, errors.New("is not a JPEG, PNG, BMP or WebP picture")
}

// picture is a still picture before it is decoded, known to be within the limits.
type picture struct {
	codec
	w, h        int         // as stored
	orientation orientation // how to turn it
	r           io.ReadSeeker
}

// openPicture reads what comes before the pixels.
func openPicture(r io.ReadSeeker) (*picture, error) {
	var head [32]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && err != io.ErrUnexpectedEOF { // a short head is for sniff to judge
		return nil, cutShort(err)
	}
	p := &picture{r: r, orientation: upright}
	if p.codec, err = sniff(string(head[:n])); err != nil {
		return nil, err
	}
	if err := p.rewind(); err != nil {
		return nil, err
	}
	c, err := p.config(r)
	if err != nil {
		return nil, cutShort(err)
	}
	if err := checkSize(c.Width, c.Height); err != nil {
		return nil, err
	}
	p.w, p.h = c.Width, c.Height
	if p.meta != 0 {
		if err := p.rewind(); err != nil {
			return nil, err
		}
		p.orientation = readOrientation(r, p.meta)
	}
	return p, nil
}

// size is that of the frame, after it has been turned.
func (p *picture) size() (w, h int) {
	if p.orientation.transposes() {
		return p.h, p.w
	}
	return p.w, p.h
}

// frame decodes the picture into a frame of the pool.
func (p *picture) frame(pool *Pool) (Frame, error) {
	if err := p.rewind(); err != nil {
		return Frame{}, err
	}
	src, err := p.codec.decode(p.r)
	if err != nil {
		return Frame{}, cutShort(err)
	}
	if b := src.Bounds(); b.Min != (image.Point{}) || b.Dx() != p.w || b.Dy() != p.h {
		return Frame{}, fmt.Errorf("it is %v inside, but %d x %d by its header", b, p.w, p.h)
	}
	f := pool.Frame(p.w, p.h)
	t := limitedRange()
	if p.full {
		t = fullRange()
	}
	fillImage(&f, src, t)
	if p.orientation == upright {
		return f, nil
	}
	turned := pool.Frame(p.size())
	p.orientation.turn(&turned, &f)
	f.Release()
	return turned, nil
}

func (p *picture) rewind() error {
	_, err := p.r.Seek(0, io.SeekStart)
	return err
}

// cutShort makes the end of a file inside a picture an unexpected one: io.EOF would mean that
// all went well.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the picture is cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// orientation is the EXIF tag 0x0112: which way a stored picture must be turned to stand
// upright, in 1 … 8.
type orientation uint16

const upright orientation = 1

// readOrientation returns upright for whatever it does not understand: metadata is often
// broken in pictures that are not.
func readOrientation(r io.ReadSeeker, format imagemeta.ImageFormat) orientation {
	o := upright
	// An error means no more than that there is no orientation to be had.
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:           r,
		ImageFormat: format,
		Sources:     imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool {
			return t.Namespace == "IFD0" && t.Tag == "Orientation"
		},
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok && 1 <= v && v <= 8 {
				o = orientation(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return o
}

// transposes reports whether rows become columns.
func (o orientation) transposes() bool { return o >= 5 }

// turn writes src into dst as o asks; dst has the turned size. Pixel (x, y) of dst comes from
// (x, y) of src, or from (y, x) if o transposes, counted from the right or the bottom of src
// where it mirrors:
//
//	1 as it is   2 mirrored   3 half turn   4 upside down
//	5 transposed   6 quarter turn clockwise   7 transposed the other way   8 counter-clockwise
func (o orientation) turn(dst, src *Frame) {
	right := o == 2 || o == 3 || o == 7 || o == 8
	bottom := o == 3 || o == 4 || o == 6 || o == 7
	for y := range dst.H {
		out := dst.Pix[y*dst.Stride:][:3*dst.W]
		for x := range dst.W {
			sx, sy := x, y
			if o.transposes() {
				sx, sy = y, x
			}
			if right {
				sx = src.W - 1 - sx
			}
			if bottom {
				sy = src.H - 1 - sy
			}
			copy(out[3*x:3*x+3], src.Pix[sy*src.Stride+3*sx:])
		}
	}
}
