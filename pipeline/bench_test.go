package pipeline

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"glomstream/capture"
	"glomstream/glom"
	"glomstream/overlay"
)

// film is a source without end of 640x360 pictures that were painted before.
type film struct {
	b    *testing.B
	pix  [][]byte
	pool *capture.Pool
	next int
}

func newFilm(b *testing.B) *film {
	b.Helper()
	s := &film{b: b, pool: capture.NewPool(8)}
	for i := range 32 {
		f := s.pool.Frame(640, 360)
		paint(&f, 2*i)
		s.pix = append(s.pix, f.Pix)
	}
	return s
}

func (s *film) Info() capture.Info { return capture.Info{Name: "film"} }

func (s *film) Close() error { return nil }

func (s *film) Next(context.Context) (capture.Frame, error) {
	if !s.b.Loop() {
		return capture.Frame{}, io.EOF
	}
	f := s.pool.Frame(640, 360)
	copy(f.Pix, s.pix[s.next%len(s.pix)])
	f.Seq = uint64(s.next)
	s.next++
	return f, nil
}

// BenchmarkRun runs the default model at a grid of 23 by 40 on a video of 640x360 that needs no
// decoding, with a front end of block means.
func BenchmarkRun(b *testing.B) {
	for _, bb := range []struct {
		name     string
		draw     bool
		inFlight int
	}{
		{"draw", true, 0},
		{"draw/sequential", true, 1},
		{"islands only", false, 0},
		{"islands only/sequential", false, 1},
	} {
		b.Run(bb.name, func(b *testing.B) {
			model, err := glom.New(glom.Config{})
			if err != nil {
				b.Fatal(err)
			}
			c := Config{Source: newFilm(b), FrontEnd: &blocks{side: 16, dim: 64}, Model: model, InFlight: bb.inFlight}
			if bb.draw {
				c.Pixels = []int{3}
				if c.Draw, err = overlay.New(overlay.Config{Level: 3}); err != nil {
					b.Fatal(err)
				}
			}
			stats, err := Run(b.Context(), c)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(stats.Frames)/stats.Wall.Seconds(), "frames/s")
			for _, stage := range []struct {
				name string
				busy time.Duration
			}{
				{"frontend", stats.FrontEnd},
				{"settle", stats.Settle},
				{"readout", stats.ReadOut},
				{"upsample", stats.Upsample},
				{"draw", stats.Draw},
			} {
				b.ReportMetric(stage.busy.Seconds()*1e3/float64(stats.Frames), fmt.Sprintf("ms-%s", stage.name))
			}
		})
	}
}
