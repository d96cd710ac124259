package main

import (
	"context"
	"time"

	"glomstream/capture"
)

// A time code is a row of squares near the lower edge of a picture: the milliseconds since some
// start in codeBits bits, the lowest first, then codeCheck bits of a product of them. White is 1, black
// is 0.
const (
	codeBits  = 20
	codeCheck = 8
	codeCell  = 16 // pixels
	codeWidth = (codeBits + codeCheck) * codeCell
)

// withCheck adds the check to the lower codeBits of v.
func withCheck(v uint32) uint32 {
	v &= 1<<codeBits - 1
	return v | v*0x9E3779B1>>(32-codeCheck)<<codeBits // the golden ratio spreads the bits
}

// stamped writes the time of capture into the frames of a source.
type stamped struct {
	capture.Source
	start time.Time
}

func (s *stamped) Next(ctx context.Context) (capture.Frame, error) {
	f, err := s.Source.Next(ctx)
	if err == nil && f.W >= codeWidth && f.H >= 2*codeCell {
		drawCode(&f, withCheck(uint32(f.Captured.Sub(s.start).Milliseconds())))
	}
	return f, err
}

// drawCode draws the squares.
func drawCode(f *capture.Frame, code uint32) {
	for y := f.H - 3*codeCell/2; y < f.H-codeCell/2; y++ {
		row := f.Pix[y*f.Stride:]
		for x := range codeWidth {
			v := byte(code >> (x / codeCell) & 1 * 255)
			row[3*x], row[3*x+1], row[3*x+2] = v, v, v
		}
	}
}
