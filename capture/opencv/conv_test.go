package opencv

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"glomstream/capture"
	"glomstream/glom/conv"
)

// What OpenCV computes from the file of a trained net is what the trainer computes.
func TestTrainedNet(t *testing.T) {
	const tol = 1e-4
	for _, c := range []conv.Config{{}, {Channels: 3, Dim: 32, Widths: []int{8, 24, 16}}} {
		n, err := conv.New(c)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range n.Params {
			n.Params[i] += float32(0.1 * rng.NormFloat64())
		}
		n.Changed()
		path := filepath.Join(t.TempDir(), "net.onnx")
		if err := os.WriteFile(path, n.ONNX(176, 320), 0o644); err != nil {
			t.Fatal(err)
		}
		e := newFrontEnd(t, FrontEndConfig{Net: path})
		inMemory := newFrontEnd(t, FrontEndConfig{ONNX: n.ONNX(176, 320)})
		var ev, same capture.Evidence
		var in conv.Input
		var p conv.Pass
		var frame conv.Frame
		for i, size := range [][2]int{{640, 360}, {640, 360}, {200, 300}} {
			f := noiseFrame(size[0], size[1], uint64(i))
			if err := e.Evidence(&ev, &f); err != nil {
				t.Fatal(err)
			}
			if err := inMemory.Evidence(&same, &f); err != nil || !slices.Equal(same.X, ev.X) {
				t.Errorf("%+v, frame %d: the net in memory gives other vectors, or %v", c, i, err)
			}
			planes := make([]float32, n.Config().Channels*ev.H*ev.W)
			in.Fill(planes, ev.Pix, ev.Flow, ev.H, ev.W)
			want := make([]float32, len(ev.X))
			p.Forward(n, want, planes, ev.H, ev.W, &frame)
			var worst float64
			for k := range want {
				worst = max(worst, math.Abs(float64(want[k]-ev.X[k])))
			}
			if !(worst < tol) {
				t.Errorf("%+v, frame %d: OpenCV's vectors differ by up to %.1e, want < %.0e", c, i, worst, tol)
			}
			t.Logf("frame %d: largest difference %.1e", i, worst)
		}
	}
}

func BenchmarkTrainedNet(b *testing.B) {
	n, err := conv.New(conv.Config{})
	if err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "net.onnx")
	if err := os.WriteFile(path, n.ONNX(176, 320), 0o644); err != nil {
		b.Fatal(err)
	}
	e := newFrontEnd(b, FrontEndConfig{Net: path})
	var ev capture.Evidence
	f := noiseFrame(640, 360, 1)
	if err := e.Evidence(&ev, &f); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := e.net.run(ev.X, ev.Rows, ev.Cols, ev.Pix, nil); err != nil {
			b.Fatal(err)
		}
	}
}
