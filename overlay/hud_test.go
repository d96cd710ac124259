package overlay

import (
	"bytes"
	"image"
	"testing"

	"glomstream/capture"
)

// changed returns the smallest rectangle around the pixels that differ.
func changed(a, b *capture.Frame) (r image.Rectangle) {
	for y := range a.H {
		for x := range a.W {
			if pixel(a, x, y) != pixel(b, x, y) {
				r = r.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return r
}

// drawBoth draws s with and without text.
func drawBoth(t *testing.T, c Config, s *Scene) (with, without capture.Frame) {
	t.Helper()
	d := newDrawer(t, c)
	c.NoHUD = true
	plain := newDrawer(t, c)
	with, without = newCanvas(d, s.Frame.W, s.Frame.H), newCanvas(d, s.Frame.W, s.Frame.H)
	d.Draw(&with, s)
	plain.Draw(&without, s)
	return with, without
}

// The text takes little room in the corner, at every size of picture from which on it is drawn.
func TestTitlePlace(t *testing.T) {
	cases := []struct {
		w, h     int
		min, max image.Point // of the panel; zero: no text
	}{
		{1, 1, image.Point{}, image.Point{}},
		{63, 200, image.Point{}, image.Point{}},
		{200, 63, image.Point{}, image.Point{}},
		{64, 64, image.Point{}, image.Point{}}, // not wide enough for the name of the level
		{120, 90, image.Pt(60, 14), image.Pt(110, 24)},
		{640, 360, image.Pt(130, 20), image.Pt(190, 30)},
		{360, 640, image.Pt(100, 14), image.Pt(160, 24)},
		{1920, 1080, image.Pt(280, 45), image.Pt(400, 60)},
		{3840, 2160, image.Pt(500, 80), image.Pt(800, 110)},
	}
	for _, c := range cases {
		f := newFrame(c.w, c.h)
		with, without := drawBoth(t, Config{Level: 3}, &Scene{Frame: &f, FPS: 31, Labels: [][]uint16{3: make([]uint16, c.w*c.h)}})
		r := changed(&with, &without)
		if c.max == (image.Point{}) {
			if !r.Empty() {
				t.Errorf("%dx%d: text at %v, want none", c.w, c.h, r)
			}
			continue
		}
		if size := r.Size(); size.X < c.min.X || size.X > c.max.X || size.Y < c.min.Y || size.Y > c.max.Y {
			t.Errorf("%dx%d: text takes %v, want %v to %v", c.w, c.h, size, c.min, c.max)
		}
		if r.Min.X < 4 || r.Min.X > 4+c.w/40 || r.Min.Y < 4 || r.Min.Y > 4+c.h/40 {
			t.Errorf("%dx%d: text at %v, want it in the corner", c.w, c.h, r.Min)
		}
	}
}

// On white and on black, text is light on dark.
func TestTitleIsLegible(t *testing.T) {
	for _, back := range []uint8{0, 128, 255} {
		f := newFrame(640, 360)
		for i := range f.Pix {
			f.Pix[i] = back
		}
		with, _ := drawBoth(t, Config{}, &Scene{Frame: &f, FPS: 31})
		dark, light := 0, 0
		for y := 8; y < 30; y++ { // within the panel
			for x := 10; x < 150; x++ {
				switch p := pixel(&with, x, y); {
				case p[1] < 115:
					dark++
				case p[1] > 200:
					light++
				}
			}
		}
		if all := 22 * 140; dark < all/2 || light < all/20 {
			t.Errorf("on %d: %d dark and %d light pixels of %d", back, dark, light, all)
		}
	}
}

func TestAppendRate(t *testing.T) {
	cases := map[float64]string{31.4: "   31 fps", 9.96: "   10 fps", 7.26: "   7.3 fps", 240: "   240 fps", 0: "", -1: "", 1e300: ""}
	for fps, want := range cases {
		if got := string(appendRate(nil, fps)); got != want {
			t.Errorf("%v: got %q, want %q", fps, got, want)
		}
	}
}

// A legend lies in the bottom right corner, clear of the title, or is left out.
func TestLegendPlace(t *testing.T) {
	for _, view := range []View{Agreement, Flow} {
		for _, size := range [][2]int{{64, 64}, {100, 100}, {160, 90}, {640, 360}, {360, 640}, {1920, 1080}} {
			w, h := size[0], size[1]
			s := makeScene(w, h, 5)
			with, without := drawBoth(t, Config{View: view}, s)
			titled := newFrame(w, h)
			copyFrame(&titled, &without)
			d := newDrawer(t, Config{View: view})
			name := d.names[0]
			if view == Flow {
				name = "flow"
			}
			d.title(&titled, name, "", s.status())
			title, legend := changed(&titled, &without), changed(&with, &titled)
			if legend.Empty() {
				if w >= 360 {
					t.Errorf("%v %v: no legend", view, size)
				}
				continue
			}
			if legend.Overlaps(title) || legend.Min.Y < h/2 || legend.Max.X > w-4 || legend.Max.Y > h-4 {
				t.Errorf("%v %v: legend at %v, title at %v", view, size, legend, title)
			}
		}
	}
}

// Text that lies partly outside is cut off there.
func TestDrawTextClips(t *testing.T) {
	f := newDrawer(t, Config{}).face(640, 360)
	text := []byte("level 3 øbject")
	for _, at := range []image.Point{{-20, 10}, {30, 10}, {5, 3}, {5, 24}, {-500, 0}, {500, 500}} {
		large, small := newFrame(200, 120), newFrame(40, 20)
		window := image.Rect(80, 50, 120, 70)
		in := part(&large, window)
		copyFrame(&small, &in)
		f.draw(&large, at.X+80, at.Y+50, text, textColour)
		f.draw(&small, at.X, at.Y, text, textColour)
		for y := range small.H {
			if !bytes.Equal(row(&small, y), row(&in, y)) {
				t.Fatalf("at %v: row %d differs", at, y)
			}
		}
	}
}

// A frame that is not to be relied on is marked in amber, wherever there is room.
func TestWarning(t *testing.T) {
	cases := []struct {
		scene Scene
		want  string
	}{
		{Scene{}, ""},
		{Scene{Unsettled: 0.24}, ""},
		{Scene{Unsettled: 0.634}, "   unsettled 0.63"},
		{Scene{Unsettled: 1}, "   unsettled 1.00"},
		{Scene{Cut: true}, "   cut: settling anew"},
		{Scene{Cut: true, Unsettled: 1}, "   cut: settling anew"},
	}
	for _, c := range cases {
		if got := string(c.scene.status().warning(nil)); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.scene, got, c.want)
		}
		for _, size := range [][2]int{{64, 64}, {120, 90}, {640, 360}, {360, 640}, {1920, 1080}} {
			f := newFrame(size[0], size[1])
			clear(f.Pix)
			s := c.scene
			s.Frame, s.FPS = &f, 31
			with, _ := drawBoth(t, Config{}, &s)
			amber := 0
			for y := range with.H {
				for x := range with.W {
					if p := pixel(&with, x, y); int(p[2]) > int(p[0])+60 {
						amber++
					}
				}
			}
			if room := size[0] >= 360; (amber > 50) != (room && c.want != "") {
				t.Errorf("%v, %+v: %d amber pixels", size, c.scene, amber)
			}
		}
	}
}

// The views of agreement and of unsettled draw their own values alike.
func TestUnsettledView(t *testing.T) {
	s := makeScene(64, 36, 5)
	s.Unrest = s.Agreement
	a := newDrawer(t, Config{View: Agreement, NoHUD: true})
	u := newDrawer(t, Config{View: Unsettled, NoHUD: true})
	want, got := newCanvas(a, 64, 36), newCanvas(u, 64, 36)
	a.Draw(&want, s)
	s.Agreement = nil
	u.Draw(&got, s)
	if !changed(&want, &got).Empty() {
		t.Error("the same values give another picture")
	}
}
