package pipeline

import (
	"testing"

	"glomstream/capture"
	"glomstream/glom"
	"glomstream/glom/follow"
	"glomstream/glom/islands"
)

// TestFollowerSeesColours puts a red square elsewhere on a grey ground, of which no vector tells and no
// flow: the picture alone does. Without one the region is lost.
func TestFollowerSeesColours(t *testing.T) {
	const rows, cols, side = 8, 16, 40
	const w, h = 8 * cols, 8 * rows
	model, err := glom.New(glom.Config{Levels: 4, Dim: 8, Hidden: 8})
	if err != nil {
		t.Fatal(err)
	}
	state, err := model.NewState(rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	for l := range state.Levels {
		for i, x := 0, state.Level(l); i < len(x); i += 8 {
			x[i] = 1
		}
	}
	for _, picture := range []bool{true, false} {
		r := Result{State: state}
		for range r.State.Levels {
			l := islands.Level{Rows: rows, Cols: cols, ID: make([]uint16, rows*cols), Islands: []islands.Island{{ID: 1, Area: rows * cols}}}
			for i := range l.ID {
				l.ID[i] = 1
			}
			r.Islands = append(r.Islands, l)
		}
		truth, mask, pix := make([]uint8, w*h), make([]uint8, w*h), make([]byte, 3*w*h)
		draw := func(x0 int) {
			const y0 = 16
			for i := range truth {
				truth[i] = 0
				copy(pix[3*i:], []byte{90, 90, 90})
				if x, y := i%w, i/w; x >= x0 && x < x0+side && y >= y0 && y < y0+side {
					truth[i] = 9
					copy(pix[3*i:], []byte{40, 40, 200})
				}
			}
			r.Frame = capture.Frame{Pix: pix, W: w, H: h, Stride: 3 * w}
			r.Evidence = capture.Evidence{Rows: rows, Cols: cols, Dim: 8, W: w, H: h}
			if picture {
				r.Evidence.Pix = pix
			}
		}
		f := NewFollower(follow.Config{})
		draw(8)
		f.Start(&r, truth)
		draw(72)
		f.Step(mask, &r)
		both, any := 0, 0
		for i := range truth {
			if truth[i] == 9 && mask[i] == 9 {
				both++
			}
			if truth[i] == 9 || mask[i] == 9 {
				any++
			}
		}
		switch iou := float64(both) / float64(any); {
		case picture && iou < 0.7:
			t.Errorf("with the picture the mask overlaps the square by %.2f, want at least 0.7", iou)
		case !picture && iou > 0.3:
			t.Errorf("without the picture the mask overlaps the square by %.2f, though nothing tells of it", iou)
		}
	}
}
