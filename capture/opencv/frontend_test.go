package opencv

import (
	"fmt"
	"math"
	"testing"

	"glomstream/capture"
)

func TestGrid(t *testing.T) {
	e := newFrontEnd(t, FrontEndConfig{})
	tests := []struct{ w, h, rows, cols int }{
		{640, 360, 22, 40},
		{1920, 1080, 22, 40},
		{360, 640, 40, 22},
		{512, 512, 30, 30},
		{48, 48, 30, 30},
		{640, 480, 26, 34},
		{4096, 1, 4, 225},
		{1, 4096, 225, 4},
		{1, 1, 30, 30},
		{1 << 30, 1, 4, 225},
	}
	for _, c := range tests {
		if rows, cols := e.Grid(c.w, c.h); rows != c.rows || cols != c.cols {
			t.Errorf("%dx%d: got %dx%d, want %dx%d", c.w, c.h, rows, cols, c.rows, c.cols)
		}
	}
	for _, locations := range []int{16, 17, 100, 2040} {
		e := newFrontEnd(t, FrontEndConfig{Locations: locations})
		for w := 1; w < 3000; w = 1 + w*3/2 {
			rows, cols := e.Grid(w, 300)
			if n := rows * cols; rows < 4 || cols < 4 || n > locations {
				t.Errorf("%d locations, %dx300: got %dx%d", locations, w, rows, cols)
			}
		}
	}
}

// shifted is a frame of the test texture, moved by dx, dy.
func shifted(w, h int, dx, dy float64) capture.Frame {
	f := capture.NewPool(1).Frame(w, h)
	for i, v := range draw(w, h, dx, dy) {
		f.Pix[3*i], f.Pix[3*i+1], f.Pix[3*i+2] = v, v, v
	}
	return f
}

func TestEvidence(t *testing.T) {
	e := newFrontEnd(t, FrontEndConfig{})
	var ev capture.Evidence
	for i := range 3 {
		f := shifted(640, 360, 6*float64(i), -4*float64(i))
		if err := e.Evidence(&ev, &f); err != nil {
			t.Fatal(err)
		}
		if ev.Rows != 22 || ev.Cols != 40 || ev.Dim != 64 || ev.W != 320 || ev.H != 176 {
			t.Fatalf("got %dx%d of %d on %dx%d", ev.Rows, ev.Cols, ev.Dim, ev.W, ev.H)
		}
		checkUnit(t, &ev)
		if i == 0 {
			if ev.Flow != nil {
				t.Error("flow on the first frame")
			}
			continue
		}
		// In working pixels: half of 6, and 176/360 of -4.
		dx, dy := medianFlow(ev.Flow, ev.W, 0, 0, ev.W, ev.H)
		if math.Abs(float64(dx)-3) > 0.2 || math.Abs(float64(dy)+1.96) > 0.2 {
			t.Errorf("frame %d: got median flow %.2f, %.2f, want 3, -1.96", i, dx, dy)
		}
	}
	e.Reset()
	f := shifted(640, 360, 0, 0)
	if err := e.Evidence(&ev, &f); err != nil || ev.Flow != nil {
		t.Errorf("after Reset: got error %v and flow %v, want neither", err, ev.Flow != nil)
	}
	// Another source size with the same grid is another picture all the same.
	f = shifted(320, 180, 0, 0)
	if err := e.Evidence(&ev, &f); err != nil || ev.Flow != nil {
		t.Errorf("after a size change: got error %v and flow %v, want neither", err, ev.Flow != nil)
	}
}

func checkUnit(t *testing.T, ev *capture.Evidence) {
	t.Helper()
	if len(ev.X) != ev.Rows*ev.Cols*ev.Dim || len(ev.Pix) != 3*ev.W*ev.H {
		t.Fatalf("got %d numbers and %d bytes", len(ev.X), len(ev.Pix))
	}
	for i := range ev.Rows * ev.Cols {
		var sum float64
		for _, v := range ev.X[i*ev.Dim : (i+1)*ev.Dim] {
			sum += float64(v) * float64(v)
		}
		if !(math.Abs(sum-1) < 1e-4) {
			t.Fatalf("location %d has squared length %v", i, sum)
		}
	}
}

// TestEvidenceOfAnySize includes rows with a gap between them.
func TestEvidenceOfAnySize(t *testing.T) {
	e := newFrontEnd(t, FrontEndConfig{})
	var ev capture.Evidence
	for _, size := range [][2]int{{1, 1}, {1, 4096}, {4096, 1}, {2, 2}, {7, 9}, {1920, 1080}, {321, 177}} {
		w, h := size[0], size[1]
		stride := 3*w + 5
		f := capture.Frame{W: w, H: h, Stride: stride, Pix: make([]byte, (h-1)*stride+3*w)}
		for y := range h {
			for x := range 3 * w {
				f.Pix[y*stride+x] = byte(80 + x%3*40)
			}
			for x := 3 * w; x < stride && y < h-1; x++ {
				f.Pix[y*stride+x] = 255
			}
		}
		for range 2 {
			if err := e.Evidence(&ev, &f); err != nil {
				t.Fatalf("%dx%d: %v", w, h, err)
			}
			checkUnit(t, &ev)
		}
		for i, v := range ev.Pix {
			if want := byte(80 + i%3*40); v != want {
				t.Fatalf("%dx%d: byte %d of the working picture: got %d, want %d", w, h, i, v, want)
			}
		}
	}
}

func TestEvidenceAllocatesNothing(t *testing.T) {
	for _, net := range []string{"", "testdata/flow.onnx"} {
		e := newFrontEnd(t, FrontEndConfig{Net: net, Locations: 100})
		var ev capture.Evidence
		f := shifted(320, 180, 0, 0)
		step := func() {
			if err := e.Evidence(&ev, &f); err != nil {
				t.Fatal(err)
			}
		}
		step()
		step()
		if n := testing.AllocsPerRun(10, step); n != 0 {
			t.Errorf("net %q: got %v allocations per frame, want 0", net, n)
		}
	}
}

func ExampleFrontEnd() {
	front, err := NewFrontEnd(FrontEndConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer front.Close()
	pool := capture.NewPool(1)
	frame := pool.Frame(640, 360)
	defer frame.Release()
	clear(frame.Pix)
	var ev capture.Evidence
	if err := front.Evidence(&ev, &frame); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%dx%d locations of %d numbers, from %dx%d pixels\n", ev.Rows, ev.Cols, ev.Dim, ev.W, ev.H)
	// Output: 22x40 locations of 64 numbers, from 320x176 pixels
}

func BenchmarkEvidence(b *testing.B) {
	for _, net := range []string{"", "testdata/flow.onnx"} {
		b.Run("net="+net, func(b *testing.B) {
			e := newFrontEnd(b, FrontEndConfig{Net: net})
			frames := []capture.Frame{shifted(640, 360, 0, 0), shifted(640, 360, 6, -4)}
			var ev capture.Evidence
			i := 0
			for b.Loop() {
				if err := e.Evidence(&ev, &frames[i%2]); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkResize(b *testing.B) {
	for _, size := range [][2]int{{640, 360}, {1920, 1080}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			f := noiseFrame(size[0], size[1], 1)
			dst := make([]byte, 3*320*176)
			for b.Loop() {
				if err := resize(dst, 320, 176, f.Pix, f.W, f.H, f.Stride); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
