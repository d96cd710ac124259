package pipeline_test

import (
	"context"
	"fmt"
	"io"

	"glomstream/capture"
	"glomstream/glom"
	"glomstream/pipeline"
)

// halves is a source of pictures that are blue on the left and red on the right.
type halves struct{ frames, next int }

func (h *halves) Info() capture.Info { return capture.Info{Name: "halves", Frames: h.frames} }

func (h *halves) Close() error { return nil }

func (h *halves) Next(context.Context) (capture.Frame, error) {
	if h.next == h.frames {
		return capture.Frame{}, io.EOF
	}
	f := capture.NewPool(0).Frame(80, 40)
	for x := range f.W * f.H {
		if x%f.W < f.W/2 {
			copy(f.Pix[3*x:], []byte{255, 0, 0})
		} else {
			copy(f.Pix[3*x:], []byte{0, 0, 255})
		}
	}
	f.Seq = uint64(h.next)
	h.next++
	return f, nil
}

// colours is a front end with a location every 8 pixels, whose evidence is the colour there.
type colours struct{}

func (colours) Reset() {}

func (colours) Grid(w, h int) (rows, cols int) { return h / 8, w / 8 }

func (c colours) Evidence(ev *capture.Evidence, f *capture.Frame) error {
	ev.Rows, ev.Cols = c.Grid(f.W, f.H)
	ev.Dim = 8
	ev.X = make([]float32, ev.Rows*ev.Cols*ev.Dim)
	for i := range ev.Rows * ev.Cols {
		pixel := f.Pix[8*(i/ev.Cols)*f.Stride+3*8*(i%ev.Cols):]
		for k := range 3 {
			ev.X[i*ev.Dim+k] = float32(pixel[k]) / 255
		}
	}
	return nil
}

// printer is a sink that tells what it is given.
type printer struct{}

func (printer) Write(r *pipeline.Result) error {
	labels := r.Labels[1]
	fmt.Printf("frame %d: %d islands, pixel 0 is in island %d and pixel 79 in island %d\n",
		r.Frame.Seq, len(r.Islands[1].Islands), labels[0], labels[79])
	return nil
}

func ExampleRun() {
	model, err := glom.New(glom.Config{Levels: 2, Dim: 8, Hidden: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := pipeline.Run(context.Background(), pipeline.Config{
		Source:   &halves{frames: 3},
		FrontEnd: colours{},
		Model:    model,
		Pixels:   []int{1},
		Sinks:    []pipeline.Sink{printer{}},
	})
	fmt.Println(stats.Frames, "frames, error:", err)
	// Output:
	// frame 0: 2 islands, pixel 0 is in island 1 and pixel 79 in island 2
	// frame 1: 2 islands, pixel 0 is in island 1 and pixel 79 in island 2
	// frame 2: 2 islands, pixel 0 is in island 1 and pixel 79 in island 2
	// 3 frames, error: <nil>
}
