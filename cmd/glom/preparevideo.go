package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"glomstream/capture"
	"glomstream/capture/opencv"
	"glomstream/glom/clips"
)

const (
	pieceFrames = 20 // of a piece: 6 frames at every third, or more in a row
	pieceLeast  = 8  // shorter ones, before a cut or at the end, are left out
	flowStep    = 4  // pixels to a flow sample in a store, two for each side of a location
	maxChange   = 28 // mean grey values between a frame and the one before, moved: more is a cut
)

// addVideo keeps pieces of a video, spread evenly over it.
func (p *preparer) addVideo(ctx context.Context, it item) error {
	src, err := openSource(ctx, it.path, nil, sourceOptions{openTimeout: 10 * time.Second})
	if err != nil {
		return videoError(ctx, err)
	}
	defer src.Close()
	front, err := opencv.NewFrontEnd(opencv.FrontEndConfig{})
	if err != nil {
		return err
	}
	defer front.Close()

	s := &slicer{p: p, name: it.name}
	before := p.cuts
	var ev capture.Evidence
	for s.taken < p.pieces {
		f, err := src.Next(ctx)
		if err != nil {
			if errors.Is(err, io.EOF) || ctx.Err() == nil && s.frame > 0 {
				break // what a damaged video has shown so far is as good as any
			}
			return videoError(ctx, err)
		}
		if s.frame == 0 {
			s.every = max(src.Info().Expected()/p.pieces, pieceFrames)
		}
		if s.wants() {
			err = front.Evidence(&ev, &f)
		} else {
			front.Reset()
		}
		f.Release()
		if err != nil {
			return unusable{fmt.Errorf("%q: %w", it.path, err)}
		}
		if err := s.add(&ev); err != nil {
			return err
		}
	}
	if err := s.end(); err != nil {
		return err
	}
	if p.cuts == before {
		return unusable{fmt.Errorf("%q: it has no %d frames without a cut", it.path, pieceLeast)}
	}
	p.videos++
	return nil
}

func videoError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("prepare: %w", context.Cause(ctx))
	}
	return unusable{err}
}

// slicer takes pieces out of a video as its frames come.
type slicer struct {
	p     *preparer
	name  string
	frame int // frames so far
	every int // frames from the beginning of a piece to that of the next
	taken int
	piece clips.Video // so far; T is 0 between pieces
}

// wants says whether the next frame belongs to a piece, or may begin one.
func (s *slicer) wants() bool {
	return s.piece.T > 0 || s.frame%s.every < s.every-pieceLeast && s.frame/s.every >= s.taken
}

// add takes the next frame, if it is wanted.
func (s *slicer) add(ev *capture.Evidence) error {
	wanted := s.wants()
	s.frame++
	if !wanted {
		return nil
	}
	if s.piece.T > 0 && (ev.Flow == nil || s.piece.H != ev.H || s.piece.W != ev.W || change(ev, s.last()) > maxChange) {
		if err := s.end(); err != nil {
			return err
		}
	}
	if s.piece.T == 0 {
		s.piece = clips.Video{Name: s.name, H: ev.H, W: ev.W, FlowH: ev.H / flowStep, FlowW: ev.W / flowStep}
	}
	s.piece.Pix = append(s.piece.Pix, ev.Pix...)
	s.piece.Flow = appendFlow(s.piece.Flow, ev, s.piece.T == 0)
	s.piece.T++
	if s.piece.T == pieceFrames {
		return s.end()
	}
	return nil
}

// last returns the newest picture of the piece.
func (s *slicer) last() []byte {
	n := 3 * s.piece.H * s.piece.W
	return s.piece.Pix[(s.piece.T-1)*n:]
}

// end writes the piece if it is long enough.
func (s *slicer) end() error {
	piece := s.piece
	s.piece = clips.Video{}
	if piece.T < pieceLeast {
		return nil
	}
	if err := s.p.w.AddVideo(&piece); err != nil {
		return err
	}
	s.taken++
	s.p.cuts++
	s.p.frames += piece.T
	return nil
}

// appendFlow appends the flow of ev on the grid of a store: means of flowStep by flowStep
// pixels, or zeros.
func appendFlow(dst []int16, ev *capture.Evidence, zero bool) []int16 {
	for y := 0; y < ev.H; y += flowStep {
		for x := 0; x < ev.W; x += flowStep {
			var sum [2]float64
			for i := range flowStep * flowStep {
				if zero {
					break
				}
				at := 2 * ((y+i/flowStep)*ev.W + x + i%flowStep)
				sum[0], sum[1] = sum[0]+float64(ev.Flow[at]), sum[1]+float64(ev.Flow[at+1])
			}
			for _, v := range sum {
				v *= float64(clips.FlowUnit) / (flowStep * flowStep)
				dst = append(dst, int16(math.Round(min(max(v, math.MinInt16), math.MaxInt16))))
			}
		}
	}
	return dst
}

// change returns how far the picture is from the one before, moved by the flow: the mean
// difference over every fourth pixel of every fourth row, all colours.
func change(ev *capture.Evidence, before []byte) float64 {
	sum, n := 0, 0
	for y := 0; y < ev.H; y += 4 {
		for x := 0; x < ev.W; x += 4 {
			i := y*ev.W + x
			px := min(max(x-int(math.Round(float64(ev.Flow[2*i]))), 0), ev.W-1)
			py := min(max(y-int(math.Round(float64(ev.Flow[2*i+1]))), 0), ev.H-1)
			for k := range 3 {
				d := int(ev.Pix[3*i+k]) - int(before[3*(py*ev.W+px)+k])
				sum, n = sum+max(d, -d), n+1
			}
		}
	}
	return float64(sum) / float64(n)
}
