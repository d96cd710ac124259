package opencv

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glomstream/capture"
	"glomstream/glom/conv"
)

// slowNet is what testdata/make.py describes, in float64: the mean of each cell of 8x8 pixels of
// the planes, mixed by fixed weights, at unit length.
func slowNet(ev *capture.Evidence, inputs, dim int) []float64 {
	size := ev.H * ev.W
	planes := make([]float32, 5*size)
	new(conv.Input).Fill(planes, ev.Pix, ev.Flow, ev.H, ev.W)
	x := make([]float64, 0, ev.Rows*ev.Cols*dim)
	for r := range ev.Rows {
		for c := range ev.Cols {
			mean := make([]float64, 5)
			for y := 8 * r; y < 8*r+8; y++ {
				for x := 8 * c; x < 8*c+8; x++ {
					for k := range mean {
						mean[k] += float64(planes[k*size+y*ev.W+x]) / 64
					}
				}
			}
			x = append(x, slowMix(mean[:inputs], dim)...)
		}
	}
	return x
}

func slowMix(mean []float64, dim int) []float64 {
	v := make([]float64, dim)
	sum := 0.0
	for d := range v {
		v[d] = float64(d) / 50
		for c, m := range mean {
			v[d] += float64((7*d+3*c)%11-5) / 10 * m
		}
		sum += v[d] * v[d]
	}
	for d := range v {
		v[d] /= math.Sqrt(sum)
	}
	return v
}

func noiseFrame(w, h int, seed uint64) capture.Frame {
	r := rand.New(rand.NewPCG(seed, 1))
	f := capture.NewPool(1).Frame(w, h)
	for i := range f.Pix {
		f.Pix[i] = byte(r.Uint32())
	}
	return f
}

func newFrontEnd(t testing.TB, cfg FrontEndConfig) *FrontEnd {
	t.Helper()
	e, err := NewFrontEnd(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func TestNetEvidence(t *testing.T) {
	for _, c := range []struct {
		name        string
		inputs, dim int
	}{{"flow", 5, 8}, {"rgb", 3, 4}} {
		e := newFrontEnd(t, FrontEndConfig{Net: filepath.Join("testdata", c.name+".onnx")})
		if e.Dim() != c.dim {
			t.Fatalf("%s: got Dim %d, want %d", c.name, e.Dim(), c.dim)
		}
		var ev capture.Evidence
		// A new size must work, and flow must begin on the second frame of one size.
		for i, size := range [][2]int{{640, 360}, {640, 360}, {640, 360}, {200, 300}, {200, 300}} {
			f := noiseFrame(size[0], size[1], uint64(i))
			if err := e.Evidence(&ev, &f); err != nil {
				t.Fatalf("%s: frame %d: %v", c.name, i, err)
			}
			if (ev.Flow != nil) != (i != 0 && i != 3) {
				t.Errorf("%s: frame %d: flow is there: %v", c.name, i, ev.Flow != nil)
			}
			want := slowNet(&ev, c.inputs, c.dim)
			if len(ev.X) != len(want) {
				t.Fatalf("%s: frame %d: got %d numbers, want %d", c.name, i, len(ev.X), len(want))
			}
			for k, v := range ev.X {
				if d := math.Abs(float64(v) - want[k]); !(d < 1e-5) {
					t.Fatalf("%s: frame %d: number %d: got %v, want %v", c.name, i, k, v, want[k])
				}
			}
		}
	}
}

func TestNetErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	whole, err := os.ReadFile("testdata/flow.onnx")
	if err != nil {
		t.Fatal(err)
	}
	noise := noiseFrame(40, 40, 1)
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.onnx"), "no such file"},
		{"directory", dir, "not a regular file"},
		{"empty", write("empty.onnx", nil), "empty"},
		{"text", write("text.onnx", []byte("this is not a net\n")), "not an ONNX net"},
		{"noise", write("noise.onnx", noise.Pix), "not an ONNX net"},
		{"truncated", write("cut.onnx", whole[:len(whole)/2]), "net"},
		{"stride", "testdata/stride16.onnx", "11x20 locations"},
		{"channels", "testdata/channels4.onnx", "neither 5 channels"},
		{"pooled", "testdata/pooled.onnx", "1x1 locations"},
		{"flat", "testdata/flat.onnx", "shape"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e, err := NewFrontEnd(FrontEndConfig{Net: test.path})
			if err == nil {
				e.Close()
				t.Fatal("got no error")
			}
			text := err.Error()
			if !strings.Contains(text, test.want) || !strings.Contains(text, test.path) || strings.Contains(text, "\n") {
				t.Errorf("got %q, want one line with %q and the file", text, test.want)
			}
		})
	}
	if _, err := NewFrontEnd(FrontEndConfig{Net: "testdata/flow.onnx", Dim: 64}); err == nil {
		t.Error("Dim 64 of a net of 8: got no error")
	}
	for _, cfg := range []FrontEndConfig{{Locations: 15}, {Locations: -1}, {Dim: -1}, {Threads: -1}} {
		if _, err := NewFrontEnd(cfg); err == nil {
			t.Errorf("%+v: got no error", cfg)
		}
	}
}

func TestNetNaN(t *testing.T) {
	e := newFrontEnd(t, FrontEndConfig{Net: "testdata/nan.onnx"})
	f := noiseFrame(64, 64, 1)
	var ev capture.Evidence
	if err := e.Evidence(&ev, &f); err == nil || !strings.Contains(err.Error(), "not finite") {
		t.Errorf("got error %v, want one that says not finite", err)
	}
}

// TestDamagedNets cuts and damages a net everywhere: an error or a net, but never an abort.
func TestDamagedNets(t *testing.T) {
	whole, err := os.ReadFile("testdata/flow.onnx")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.onnx")
	try := func(data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		e, err := NewFrontEnd(FrontEndConfig{Net: path, Locations: 16})
		if err == nil {
			e.Close()
		}
	}
	for n := 0; n < len(whole); n += 7 {
		try(whole[:n])
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 150 {
		data := append([]byte(nil), whole...)
		data[r.IntN(len(data))] ^= 1 << r.IntN(8)
		try(data)
	}
}

func TestUnitColumns(t *testing.T) {
	dst := make([]float32, 6)
	if err := unitColumns(dst, []float32{3, 0, 1, 4, 0, 0}, 3, 2); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{0.6, 0.8, math.Sqrt2 / 2, math.Sqrt2 / 2, 1, 0} {
		if math.Abs(float64(dst[i]-want)) > 1e-6 {
			t.Errorf("number %d: got %v, want %v", i, dst[i], want)
		}
	}
	if err := unitColumns(dst, []float32{3, 0, 1, 4, 0, float32(math.Inf(1))}, 3, 2); err == nil {
		t.Error("an infinite output: got no error")
	}
}
