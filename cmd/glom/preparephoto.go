package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"

	"golang.org/x/image/draw"

	"glomstream/capture"
	"glomstream/glom/clips"
)

// photoSide is the longest side of a photo in a store: what is laid over a working picture of
// 320x176 pixels and may be zoomed into a little.
const photoSide = 384

// minPart is the least number of pixels of a part; smaller ones are slips of the annotator.
const minPart = 24

func (p *preparer) addPhoto(ctx context.Context, it item) error {
	photo, err := readPhoto(ctx, it)
	if err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("prepare: %w", context.Cause(ctx))
		}
		return unusable{err}
	}
	if err := p.w.AddPhoto(photo); err != nil {
		return err
	}
	p.photos++
	switch {
	case photo.Parts != nil:
		p.parts++
	case photo.Objects != nil:
		p.objects++
	}
	return nil
}

// readPhoto reads a picture and its masks and scales them.
func readPhoto(ctx context.Context, it item) (*clips.Photo, error) {
	spec, err := capture.ParseSpec(it.path)
	if err != nil {
		return nil, err
	}
	src, err := capture.OpenImages(spec, 0)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	f, err := src.Next(ctx)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	w, h := f.W, f.H
	if long := max(w, h); long > photoSide {
		w, h = max(w*photoSide/long, 1), max(h*photoSide/long, 1)
	}
	photo := &clips.Photo{Name: it.name, W: w, H: h, Pix: shrinkPicture(&f, w, h)}
	switch {
	case it.objects != "":
		photo.Objects, err = readIDs(it.objects, &f, w, h)
	case it.parts != "":
		var kinds []byte
		if kinds, err = readIDs(it.parts, &f, w, h); err == nil {
			photo.Objects, photo.Parts = splitParts(kinds, w, h)
		}
	}
	return photo, err
}

// shrinkPicture scales f to w by h BGR pixels.
func shrinkPicture(f *capture.Frame, w, h int) []byte {
	// The scaler does not care for the order of the colours.
	src := image.NewRGBA(image.Rect(0, 0, f.W, f.H))
	for y := range f.H {
		row := f.Pix[y*f.Stride:][:3*f.W]
		for x := range f.W {
			q := src.Pix[y*src.Stride+4*x:][:4]
			q[0], q[1], q[2], q[3] = row[3*x], row[3*x+1], row[3*x+2], 255
		}
	}
	dst := src
	if w != f.W || h != f.H {
		dst = image.NewRGBA(image.Rect(0, 0, w, h))
		draw.BiLinear.Scale(dst, dst.Rect, src, src.Rect, draw.Src, nil)
	}
	pix := make([]byte, 3*w*h)
	for i := range w * h {
		copy(pix[3*i:3*i+3], dst.Pix[4*i:])
	}
	return pix
}

// readIDs reads a grey PNG of the size of f and takes w by h of its values.
func readIDs(name string, f *capture.Frame, w, h int) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	c, err := png.DecodeConfig(file)
	if err == nil && (c.Width != f.W || c.Height != f.H) {
		err = fmt.Errorf("it is %dx%d, its picture %dx%d pixels", c.Width, c.Height, f.W, f.H)
	}
	if err == nil {
		_, err = file.Seek(0, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("read mask %q: %w", name, err)
	}
	img, err := png.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("read mask %q: %w", name, err)
	}
	var values []byte
	var stride int
	switch m := img.(type) {
	case *image.Gray:
		values, stride = m.Pix, m.Stride
	case *image.Paletted:
		values, stride = m.Pix, m.Stride
	default:
		return nil, fmt.Errorf("read mask %q: %w", name, errors.New("it is not grey with 8 bits"))
	}
	mask := make([]byte, 0, w*h)
	for y := range h {
		for x := range w {
			mask = append(mask, values[(2*y+1)*f.H/(2*h)*stride+(2*x+1)*f.W/(2*w)])
		}
	}
	return mask, nil
}

// splitParts turns kinds of part into parts: pieces of one kind that do not touch, such as two
// shoes, are two parts. All parts together are one object.
func splitParts(kinds []byte, w, h int) (objects, parts []byte) {
	objects, parts = make([]byte, len(kinds)), make([]byte, len(kinds))
	seen := make([]bool, len(kinds))
	var stack, piece []int
	next := 1
	for start, kind := range kinds {
		if kind == 0 {
			continue
		}
		objects[start] = 1
		if seen[start] {
			continue
		}
		stack, piece, seen[start] = append(stack[:0], start), piece[:0], true
		for len(stack) > 0 {
			i := stack[len(stack)-1]
			stack, piece = stack[:len(stack)-1], append(piece, i)
			x, y := i%w, i/w
			for ny := max(y-1, 0); ny <= min(y+1, h-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, w-1); nx++ {
					if j := ny*w + nx; !seen[j] && kinds[j] == kind {
						seen[j], stack = true, append(stack, j)
					}
				}
			}
		}
		if len(piece) < minPart || next > 255 {
			continue
		}
		for _, i := range piece {
			parts[i] = byte(next)
		}
		next++
	}
	return objects, parts
}
