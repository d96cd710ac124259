package clips

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
)

// Quality of the JPEGs. Videos were compressed before and have noise of their own.
const photoQuality, frameQuality = 86, 80

// decodePhoto reads the data of e.
func decodePhoto(e *entry, data []byte) (*Photo, error) {
	p := &Photo{Name: e.name, H: e.h, W: e.w, Pix: make([]byte, 3*e.h*e.w)}
	d := decoder{data}
	if err := d.picture(p.Pix, e.h, e.w); err != nil {
		return nil, err
	}
	for _, m := range []struct {
		flag uint8
		dst  *[]byte
	}{{hasObjects, &p.Objects}, {hasParts, &p.Parts}} {
		if e.flags&m.flag == 0 {
			continue
		}
		*m.dst = make([]byte, e.h*e.w)
		if err := d.inflate(*m.dst); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// decodeVideo reads the data of e.
func decodeVideo(e *entry, data []byte) (*Video, error) {
	v := &Video{
		Name: e.name, T: e.t, H: e.h, W: e.w, FlowH: e.flowH, FlowW: e.flowW,
		Pix: make([]byte, 3*e.t*e.h*e.w), Flow: make([]int16, 2*e.t*e.flowH*e.flowW),
	}
	d := decoder{data}
	n := 3 * e.h * e.w
	for t := range e.t {
		if err := d.picture(v.Pix[t*n:][:n], e.h, e.w); err != nil {
			return nil, fmt.Errorf("frame %d: %w", t, err)
		}
	}
	raw := make([]byte, 2*len(v.Flow))
	if err := d.inflate(raw); err != nil {
		return nil, err
	}
	for i := range v.Flow {
		v.Flow[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		if i%(2*e.flowW) >= 2 {
			v.Flow[i] += v.Flow[i-2]
		}
	}
	return v, nil
}

// decoder takes the data of an entry apart.
type decoder struct{ rest []byte }

// next returns the next block.
func (d *decoder) next() ([]byte, error) {
	if len(d.rest) < 4 {
		return nil, errDamaged
	}
	n := binary.LittleEndian.Uint32(d.rest)
	if uint64(n) > uint64(len(d.rest)-4) {
		return nil, errDamaged
	}
	block := d.rest[4 : 4+n]
	d.rest = d.rest[4+n:]
	return block, nil
}

// picture decodes a JPEG of h by w pixels into dst.
func (d *decoder) picture(dst []byte, h, w int) error {
	block, err := d.next()
	if err != nil {
		return err
	}
	// The size is known before memory is taken for it.
	c, err := jpeg.DecodeConfig(bytes.NewReader(block))
	if err != nil {
		return err
	}
	if c.Width != w || c.Height != h {
		return errDamaged
	}
	img, err := jpeg.Decode(bytes.NewReader(block))
	if err != nil {
		return err
	}
	src, ok := img.(*image.YCbCr)
	if !ok || src.Rect != image.Rect(0, 0, w, h) {
		return errDamaged
	}
	for y := range h {
		row := dst[3*y*w:][:3*w]
		for x := range w {
			i, j := src.YOffset(x, y), src.COffset(x, y)
			row[3*x+2], row[3*x+1], row[3*x] = color.YCbCrToRGB(src.Y[i], src.Cb[j], src.Cr[j])
		}
	}
	return nil
}

// inflate fills dst, which must be exactly what there is.
func (d *decoder) inflate(dst []byte) error {
	block, err := d.next()
	if err != nil {
		return err
	}
	r := flate.NewReader(bytes.NewReader(block))
	if _, err := io.ReadFull(r, dst); err != nil {
		return errDamaged
	}
	if n, err := r.Read(make([]byte, 1)); n > 0 || err != io.EOF {
		return errDamaged
	}
	return nil
}

// encoder puts the data of an entry together.
type encoder struct {
	out   []byte
	block bytes.Buffer
	rgba  *image.RGBA
	flate *flate.Writer
}

func (e *encoder) end() {
	e.out = binary.LittleEndian.AppendUint32(e.out, uint32(e.block.Len()))
	e.out = append(e.out, e.block.Bytes()...)
	e.block.Reset()
}

func (e *encoder) picture(pix []byte, h, w, quality int) error {
	if r := image.Rect(0, 0, w, h); e.rgba == nil || e.rgba.Rect != r {
		e.rgba = image.NewRGBA(r)
	}
	for i := range h * w {
		q := e.rgba.Pix[4*i:][:4]
		q[0], q[1], q[2], q[3] = pix[3*i+2], pix[3*i+1], pix[3*i], 255
	}
	if err := jpeg.Encode(&e.block, e.rgba, &jpeg.Options{Quality: quality}); err != nil {
		return err
	}
	e.end()
	return nil
}

func (e *encoder) deflate(data []byte) error {
	if e.flate == nil {
		var err error
		if e.flate, err = flate.NewWriter(nil, flate.BestCompression); err != nil {
			return err
		}
	}
	e.flate.Reset(&e.block)
	if _, err := e.flate.Write(data); err != nil {
		return err
	}
	if err := e.flate.Close(); err != nil {
		return err
	}
	e.end()
	return nil
}
