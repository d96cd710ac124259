package overlay

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"glomstream/capture"
)

// gap is how many bytes lie between the rows of the frames of these tests.
const gap = 5

// newFrame returns a frame of random pixels.
func newFrame(w, h int) capture.Frame {
	f := capture.Frame{W: w, H: h, Stride: 3*w + gap, Pix: make([]byte, h*(3*w+gap))}
	rng := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	for i := range f.Pix {
		f.Pix[i] = uint8(rng.Uint32())
	}
	return f
}

func newCanvas(d *Drawer, w, h int) capture.Frame { return newFrame(d.Size(w, h)) }

func newDrawer(tb testing.TB, c Config) *Drawer {
	tb.Helper()
	d, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// makeScene returns a scene that has everything. Its islands are slanted cells with wavy borders, larger
// from level to level and in larger pictures, with ids from 1; level 1 also has pixels without an island.
func makeScene(w, h, levels int) *Scene {
	f := newFrame(w, h)
	s := &Scene{Frame: &f, Levels: levels, FPS: 31, Rows: 22, Cols: 40, FlowW: 40, FlowH: 22}
	for l := range levels {
		cell := (8 << l) * max(w/640, 1)
		labels := make([]uint16, w*h)
		for i := range labels {
			x, y := i%w, i/w
			u := x + y/3 + int(3*math.Sin(float64(y)/5))
			v := y + int(4*math.Cos(float64(x)/9)) + 4
			labels[i] = uint16(1 + u/cell + (v/cell)*(w/cell+2))
			if l == 1 && labels[i]%7 == 0 {
				labels[i] = 0
			}
		}
		s.Labels = append(s.Labels, labels)
		agreement := make([]float32, s.Rows*s.Cols)
		for i := range agreement {
			agreement[i] = float32((i+l)%s.Cols) / float32(s.Cols-1)
		}
		s.Agreement = append(s.Agreement, agreement)
	}
	for i := range s.FlowW * s.FlowH {
		s.Flow = append(s.Flow, float32(i%s.FlowW-20)/20, float32(i/s.FlowW-11)/11)
	}
	return s
}

func pixel(f *capture.Frame, x, y int) bgr { return bgr(row(f, y)[3*x:]) }

func TestNewErrors(t *testing.T) {
	cases := []struct {
		name string
		c    Config
		want string
	}{
		{"view", Config{View: 4}, "view 4: unknown"},
		{"negative view", Config{View: -1}, "view -1: unknown"},
		{"level too high", Config{Level: 5}, "levels 0 to 4"},
		{"level too high for few", Config{Level: 2, Levels: 2}, "levels 0 to 1"},
		{"negative level", Config{Level: -1}, "levels 0 to 4"},
		{"negative levels", Config{Levels: -1}, "want 1 to 32"},
		{"many levels", Config{Levels: 33}, "want 1 to 32"},
		{"flow at all levels", Config{View: Flow, All: true}, "flow has no levels"},
		{"opacity", Config{Opacity: 1.1}, "want 0 to 1"},
		{"negative opacity", Config{Opacity: -0.1}, "want 0 to 1"},
		{"opacity is not a number", Config{Opacity: math.NaN()}, "want 0 to 1"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(c.c)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestParseView(t *testing.T) {
	for _, v := range []View{Islands, Agreement, Flow, Unsettled} {
		if got, err := ParseView(v.String()); err != nil || got != v {
			t.Errorf("%v: got %v, %v", v, got, err)
		}
	}
	for _, name := range []string{"", "Islands", "heat", "View(4)"} {
		if _, err := ParseView(name); err == nil || !strings.Contains(err.Error(), "islands, agreement, flow or unsettled") {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestLevelName(t *testing.T) {
	cases := map[int][]string{
		1: {"primary"},
		2: {"primary", "scene"},
		3: {"primary", "object", "scene"},
		5: {"primary", "sub-part", "part", "object", "scene"},
		6: {"primary", "sub-part", "sub-part", "part", "object", "scene"},
	}
	for levels, want := range cases {
		var got []string
		for l := range levels {
			got = append(got, LevelName(l, levels))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d levels: got %q, want %q", levels, got, want)
		}
	}
}

// allConfigs covers all views, with and without text.
func allConfigs() []Config {
	return []Config{
		{},
		{Level: 4, NoHUD: true},
		{All: true},
		{All: true, NoHUD: true},
		{View: Agreement},
		{View: Agreement, All: true},
		{View: Flow},
		{View: Flow, NoHUD: true},
	}
}

// Every pixel of the canvas is written, nothing between its rows is, and the frame is left alone.
func TestDrawWritesAllOfTheCanvasOnly(t *testing.T) {
	sizes := [][2]int{{1, 1}, {2, 1}, {1, 2}, {7, 3}, {3, 400}, {63, 64}, {64, 64}, {65, 71}, {129, 97}, {641, 361}, {360, 640}, {1930, 20}, {20, 1930}}
	var drawers []*Drawer
	for _, c := range allConfigs() {
		drawers = append(drawers, newDrawer(t, c))
	}
	for _, size := range sizes {
		w, h := size[0], size[1]
		s := makeScene(w, h, 5)
		before := slices.Clone(s.Frame.Pix)
		for _, d := range drawers {
			c := d.cfg
			a, b := newCanvas(d, w, h), newCanvas(d, w, h)
			for i := range a.Pix {
				b.Pix[i] = ^a.Pix[i]
			}
			old := slices.Clone(a.Pix)
			d.Draw(&a, s)
			d.Draw(&b, s)
			for y := range a.H {
				if !bytes.Equal(row(&a, y), row(&b, y)) {
					t.Fatalf("%dx%d %+v: row %d depends on what was on the canvas", w, h, c, y)
				}
				from, to := y*a.Stride+3*a.W, (y+1)*a.Stride
				if !bytes.Equal(a.Pix[from:to], old[from:to]) {
					t.Fatalf("%dx%d %+v: written behind row %d", w, h, c, y)
				}
			}
			if !bytes.Equal(before, s.Frame.Pix) {
				t.Fatalf("%dx%d %+v: the frame was changed", w, h, c)
			}
		}
	}
}

// What the scene does not have is shown as the picture, and the text says so.
func TestDrawNothingKnown(t *testing.T) {
	f := newFrame(320, 180)
	for _, s := range []*Scene{
		{Frame: &f},
		{Frame: &f, Labels: make([][]uint16, 5), Agreement: make([][]float32, 5), Levels: 5},
	} {
		for _, view := range []View{Islands, Agreement, Flow} {
			plain := newDrawer(t, Config{View: view, Level: 3, NoHUD: true})
			canvas := newCanvas(plain, f.W, f.H)
			plain.Draw(&canvas, s)
			for y := range f.H {
				if !bytes.Equal(row(&canvas, y), row(&f, y)) {
					t.Fatalf("%v: row %d differs from the picture", view, y)
				}
			}
			d := newDrawer(t, Config{View: view, Level: 3})
			d.Draw(&canvas, s)
			name := map[View]string{Islands: "level 3 object", Agreement: "level 3 object", Flow: "flow"}[view]
			want := newCanvas(d, f.W, f.H)
			copyFrame(&want, &f)
			d.title(&want, name, ": not read", status{})
			if !bytes.Equal(row(&canvas, 15), row(&want, 15)) {
				t.Errorf("%v: the text does not say that nothing was read", view)
			}
		}
	}
}

func TestDrawPanics(t *testing.T) {
	cases := []struct {
		name  string
		c     Config
		spoil func(canvas *capture.Frame, s *Scene)
		want  string
	}{
		{"canvas size", Config{}, func(c *capture.Frame, _ *Scene) { c.W-- }, "canvas is 79x60, want 80x60"},
		{"canvas for one", Config{All: true}, func(c *capture.Frame, s *Scene) { *c = newFrame(80, 60) }, "canvas is 80x60, want 240x120"},
		{"canvas memory", Config{}, func(c *capture.Frame, _ *Scene) { c.Pix = c.Pix[:100] }, "canvas of 80x60, stride 245 has 100 bytes"},
		{"frame memory", Config{}, func(_ *capture.Frame, s *Scene) { s.Frame.Pix = nil }, "frame of 80x60, stride 245 has 0 bytes"},
		{"frame stride", Config{}, func(_ *capture.Frame, s *Scene) { s.Frame.Stride = 239 }, "stride 239"},
		{"no size", Config{}, func(c *capture.Frame, s *Scene) { s.Frame.W, c.W = 0, 0 }, "frame of 0x60"},
		{"labels", Config{}, func(_ *capture.Frame, s *Scene) { s.Labels[2] = s.Labels[2][1:] }, "labels of level 2 have length 4799, want 80x60"},
		{"agreement", Config{}, func(_ *capture.Frame, s *Scene) { s.Rows++ }, "agreement of level 0 have length 880, want 40x23"},
		{"empty grid", Config{}, func(_ *capture.Frame, s *Scene) { s.Rows, s.Agreement[0] = 0, []float32{} }, "want 40x0"},
		{"flow", Config{}, func(_ *capture.Frame, s *Scene) { s.FlowW++ }, "flow has 1760 values, want 2 for each of 41x22"},
		{"levels", Config{Levels: 4}, func(*capture.Frame, *Scene) {}, "scene has 5 levels, Config.Levels is 4"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d := newDrawer(t, c.c)
			s := makeScene(80, 60, 5)
			canvas := newCanvas(d, 80, 60)
			c.spoil(&canvas, s)
			defer func() {
				text, _ := recover().(string)
				if !strings.HasPrefix(text, "overlay: ") || !strings.Contains(text, c.want) {
					t.Errorf("got panic %q, want %q", text, c.want)
				}
			}()
			d.Draw(&canvas, s)
		})
	}
}

// A Drawer may draw on many canvases at once. The race detector watches this test.
func TestDrawConcurrently(t *testing.T) {
	for _, c := range allConfigs() {
		d := newDrawer(t, c)
		scenes := []*Scene{makeScene(200, 120, 5), makeScene(800, 90, 5)}
		var want []capture.Frame
		for _, s := range scenes {
			canvas := newCanvas(d, s.Frame.W, s.Frame.H)
			d.Draw(&canvas, s)
			want = append(want, canvas)
		}
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				s := scenes[i%2]
				canvas := newCanvas(d, s.Frame.W, s.Frame.H)
				for range 3 {
					d.Draw(&canvas, s)
				}
				if !bytes.Equal(canvas.Pix, want[i%2].Pix) {
					t.Errorf("%+v: the picture depends on who else draws", c)
				}
			})
		}
		wg.Wait()
	}
}

func TestIslandsAllocateNothing(t *testing.T) {
	s := makeScene(640, 360, 5)
	d := newDrawer(t, Config{Level: 2})
	canvas := newCanvas(d, 640, 360)
	if n := testing.AllocsPerRun(10, func() { d.Draw(&canvas, s) }); n != 0 {
		t.Errorf("got %v allocations per frame, want none", n)
	}
}
