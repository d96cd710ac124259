package eval

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glomstream/capture"
	"glomstream/capture/descriptor"
	"glomstream/glom"
	"glomstream/glom/islands"
	"glomstream/glom/metrics"
	"glomstream/pipeline"
)

// plain is a front end in pure Go: the fixed descriptor on frames whose sides are multiples of 8,
// with the exact flow of a synthetic scene.
type plain struct{ d *descriptor.Descriptor }

func newPlain(t testing.TB) plain {
	t.Helper()
	d, err := descriptor.New(64)
	if err != nil {
		t.Fatal(err)
	}
	return plain{d}
}

func (p plain) Grid(w, h int) (rows, cols int) { return h / 8, w / 8 }
func (p plain) Reset()                         {}

func (p plain) Evidence(ev *capture.Evidence, f *capture.Frame) error {
	ev.Rows, ev.Cols = p.Grid(f.W, f.H)
	ev.Dim, ev.W, ev.H = 64, f.W, f.H
	ev.X = sized(ev.X, ev.Rows*ev.Cols*64)
	ev.Pix = ev.Pix[:0]
	for y := range f.H {
		ev.Pix = append(ev.Pix, f.Pix[y*f.Stride:][:3*f.W]...)
	}
	ev.Flow = nil
	if f.Truth != nil && f.Truth.Flow != nil {
		ev.Flow = append(ev.Flow, f.Truth.Flow...)
	}
	p.d.Describe(ev.X, ev.Rows, ev.Cols, ev.Pix, ev.Flow)
	return nil
}

func newConfig(t testing.TB) Config {
	t.Helper()
	m, err := glom.New(glom.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return Config{Model: m, FrontEnd: newPlain(t)}
}

// write saves a picture as PNG and makes its folder.
func write(t *testing.T, img image.Image, path ...string) {
	t.Helper()
	name := filepath.Join(path...)
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

// square is a picture with a bright square and its mask, in which the square has the id.
func square(x, y int, id uint8) (pic *image.NRGBA, mask *image.Gray) {
	const w, h = 256, 160
	pic, mask = image.NewNRGBA(image.Rect(0, 0, w, h)), image.NewGray(image.Rect(0, 0, w, h))
	for py := range h {
		for px := range w {
			c := color.NRGBA{40, 60, 50, 255}
			if px >= x && px < x+64 && py >= y && py < y+64 {
				c = color.NRGBA{230, 120, 40, 255}
				mask.Pix[py*w+px] = id
			}
			pic.SetNRGBA(px, py, c)
		}
	}
	return pic, mask
}

// clip writes a video of a square that moves, with masks in which it has the id.
func clip(t *testing.T, dir string, frames int, id uint8) {
	t.Helper()
	for i := range frames {
		pic, mask := square(16+4*i, 48, id)
		name := []string{"00.png", "01.png", "02.png", "03.png", "04.png", "05.png"}[i]
		write(t, pic, dir, "frames", name)
		write(t, mask, dir, "masks", name)
	}
}

func evaluate(t *testing.T, c Config, dir string) (*Report, error) {
	t.Helper()
	set, err := OpenSet(dir)
	if err != nil {
		return nil, err
	}
	return Run(t.Context(), c, set)
}

// score looks a score up.
func score(t *testing.T, rows []Row, like Row, name string) float64 {
	t.Helper()
	r := find(rows, like)
	if r == nil {
		t.Fatalf("no row %+v in %+v", like, rows)
	}
	v, ok := r.Scores[name]
	if !ok {
		t.Fatalf("no %s in %+v", name, r)
	}
	return v
}

func level(l int, grain string) Row {
	return Row{Task: taskDivision, Method: GLOM, Level: &l, Truth: grain}
}

// TestVideo has an object that nobody can miss.
func TestVideo(t *testing.T) {
	dir := t.TempDir()
	clip(t, filepath.Join(dir, "one"), 6, 255)
	clip(t, filepath.Join(dir, "two"), 3, 7)
	c := newConfig(t)
	c.Segmenters = []Method[Segmenter]{Evidence(), {"halves", func() (Segmenter, error) { return halves{}, nil }}}
	c.Finders = []Method[Finder]{{"orange", func() (Finder, error) { return orange{}, nil }}}
	c.Followers = []Method[Follower]{{"orange", func() (Follower, error) { return &orangeFollower{}, nil }}}
	frames := 0
	c.Progress = func(_ string, n int) { frames = n }
	r, err := evaluate(t, c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if frames != 9 || len(r.Sets) != 1 || len(r.Sets[0].Sequences) != 2 {
		t.Fatalf("%d frames, sets %+v", frames, r.Sets)
	}
	one, two := r.Sets[0].Sequences[0], r.Sets[0].Sequences[1]
	if one.Name != "one" || one.Frames != 6 || one.Labelled != 6 || two.Frames != 3 {
		t.Errorf("sequences %q with %d, %d frames, %q with %d", one.Name, one.Frames, one.Labelled, two.Name, two.Frames)
	}
	for _, q := range r.Sets[0].Sequences {
		for _, name := range []string{"best_j", "mbo", "ari", "ari_video", "matched"} {
			if v := score(t, q.Rows, level(3, "objects"), name); v < 0.8 {
				t.Errorf("%s, object level: %s is %v", q.Name, name, v)
			}
		}
		if v := score(t, q.Rows, level(3, "objects"), "auc"); v < 0.95 {
			t.Errorf("%s: AUC is %v", q.Name, v)
		}
		if v := score(t, q.Rows, level(3, "objects"), "switches"); v != 0 {
			t.Errorf("%s: %v switches", q.Name, v)
		}
		// Half of the square lies in each half, where it is the smaller part.
		if v := score(t, q.Rows, Row{Task: taskDivision, Method: "halves", Truth: "objects"}, "asa"); math.Abs(v-(1-64*64./(256*160))) > 1e-9 {
			t.Errorf("%s: ASA of the halves is %v", q.Name, v)
		}
		for _, task := range []string{taskSalient, taskFollow} {
			if v := score(t, q.Rows, Row{Task: task, Method: "orange"}, "j"); v != 1 {
				t.Errorf("%s, %s: J of the exact mask is %v", q.Name, task, v)
			}
		}
	}
	mean := score(t, r.Sets[0].Mean, level(3, "objects"), "best_j")
	want := (score(t, one.Rows, level(3, "objects"), "best_j") + score(t, two.Rows, level(3, "objects"), "best_j")) / 2
	if math.Abs(mean-want) > 1e-12 {
		t.Errorf("the mean is %v, want %v", mean, want)
	}
	checkOutputs(t, r)
}

// checkOutputs writes a report in all forms.
func checkOutputs(t *testing.T, r *Report) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil { // which a number that is not finite would fail
		t.Fatal(err)
	}
	var again Report
	if err := json.Unmarshal(b.Bytes(), &again); err != nil || again.Schema != Schema || len(again.Sets) != len(r.Sets) {
		t.Errorf("the JSON reads as %+v, error %v", again, err)
	}
	b.Reset()
	if err := r.WritePage(&b, "glom eval x", []string{"a.png"}); err != nil {
		t.Fatal(err)
	}
	known := Measures()
	for _, set := range r.Sets {
		for _, row := range set.Mean {
			for name := range row.Scores {
				if !slices.ContainsFunc(known, func(m Measure) bool { return m.Name == name }) {
					t.Errorf("%s is not in the list of measures", name)
				}
			}
		}
		if !strings.Contains(b.String(), "## "+set.Name) {
			t.Errorf("the page does not tell of %s", set.Name)
		}
	}
	files, err := r.WritePlots(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if st, err := os.Stat(f); err != nil || st.Size() < 1000 {
			t.Errorf("plot %s: %v", f, err)
		}
	}
}

// halves divides a picture into its upper and its lower half.
type halves struct{}

func (halves) Segment(dst []uint16, r *pipeline.Result, _ int) error {
	for i := range dst {
		dst[i] = 1 + uint16(2*i/len(dst))
	}
	return nil
}
func (halves) Close() error { return nil }

// orange finds the square by its colour.
type orange struct{}

func (orange) Find(dst []bool, r *pipeline.Result) error {
	for i := range dst {
		dst[i] = r.Frame.Pix[i/r.Frame.W*r.Frame.Stride+3*(i%r.Frame.W)+2] > 128
	}
	return nil
}
func (orange) Close() error { return nil }

type orangeFollower struct {
	orange
	id   uint16
	mask []bool
}

func (o *orangeFollower) Start(regions []uint16, _ *pipeline.Result) error {
	o.id = slices.Max(regions)
	return nil
}

func (o *orangeFollower) Follow(dst []uint16, r *pipeline.Result) error {
	o.mask = sized(o.mask, len(dst))
	if err := o.Find(o.mask, r); err != nil {
		return err
	}
	for i, in := range o.mask {
		dst[i] = 0
		if in {
			dst[i] = o.id
		}
	}
	return nil
}

// TestIgnore has masks in which 255 is a value of its own: what is there does not count.
func TestIgnore(t *testing.T) {
	dir := t.TempDir()
	clip(t, dir, 2, 9)
	for _, name := range []string{"00.png", "01.png"} {
		_, mask := square(60, 0, 255)
		pic, object := square(16, 48, 9)
		for i, v := range object.Pix {
			if v != 0 && mask.Pix[i] == 0 {
				mask.Pix[i] = v
			}
		}
		write(t, pic, dir, "frames", name)
		write(t, mask, dir, "masks", name)
	}
	set, err := OpenSet(dir)
	if err != nil {
		t.Fatal(err)
	}
	src, err := set.Sequences[0].open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	f, err := src.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var truth Truth
	if err := set.Sequences[0].truth(&truth, &f); err != nil {
		t.Fatal(err)
	}
	count := make(map[uint16]int)
	for _, id := range truth.Maps[0][0] {
		count[id]++
	}
	if want := 64*64 - 20*16; count[metrics.Ignore] != 64*64 || count[9] != want || len(count) != 3 {
		t.Errorf("got %v, want %d ignored and %d of id 9", count, 64*64, want)
	}
}

// TestStills has two opinions of the same picture, and parts.
func TestStills(t *testing.T) {
	dir := t.TempDir()
	pic, mask := square(40, 48, 3)
	write(t, pic, dir, "images", "a.png")
	write(t, pic, dir, "images", "nobody.png")
	write(t, mask, dir, "objects", "a.png")
	write(t, mask, dir, "people", "a_1.png")
	_, other := square(0, 0, 3)
	write(t, other, dir, "people", "a_2.png")
	write(t, mask, dir, "parts", "a.png")
	r, err := evaluate(t, newConfig(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	q := r.Sets[0].Sequences
	if len(q) != 1 || q[0].Name != "a" {
		t.Fatalf("sequences %+v, want a alone", q)
	}
	agreed := score(t, q[0].Rows, level(3, "objects"), "best_j")
	mixed := score(t, q[0].Rows, level(3, "people"), "best_j")
	if agreed < 0.8 || mixed > agreed*0.75 {
		t.Errorf("best J is %v for the right opinion and %v for the mean with a wrong one", agreed, mixed)
	}
	if find(q[0].Rows, level(2, "parts")) == nil {
		t.Error("no row for the parts")
	}
	if r := find(q[0].Rows, level(3, "objects")); r.Scores["life"] != 0 || r.Scores["switches"] != 0 {
		t.Errorf("a picture has no time: %v", r.Scores)
	}
	checkOutputs(t, r)

	// Pictures have a read-out of their own, if it is said. With a cosine of -1 all is one island.
	c := newConfig(t)
	c.Stills = []islands.Config{{Link: -1}}
	if r, err = evaluate(t, c, dir); err != nil {
		t.Fatal(err)
	}
	if n := score(t, r.Sets[0].Sequences[0].Rows, level(3, ""), "islands"); n != 1 {
		t.Errorf("%v islands by the read-out of pictures, want 1", n)
	}
	c.Islands, c.Stills = c.Stills, nil
	if r, err = evaluate(t, c, dir); err != nil {
		t.Fatal(err)
	}
	if n := score(t, r.Sets[0].Sequences[0].Rows, level(3, ""), "islands"); n != 1 {
		t.Errorf("%v islands by the read-out of all, want 1", n)
	}
}

func TestScene(t *testing.T) {
	set, err := Scene("synthetic:sprites?size=320x176&frames=12")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), newConfig(t), set)
	if err != nil {
		t.Fatal(err)
	}
	q := r.Sets[0].Sequences[0]
	if v := score(t, q.Rows, level(2, ""), "parents"); v < 0.8 {
		t.Errorf("%v of the parents of parts are right", v)
	}
	for l, grain := range []string{"patches", "shapes", "parts", "objects", "scenes"} {
		if v := score(t, q.Rows, level(l, grain), "asa"); v < 0.5 || v > 1 {
			t.Errorf("level %d against %s: ASA %v", l, grain, v)
		}
	}
	if q.Speed <= 0 {
		t.Errorf("the figures move at %v", q.Speed)
	}
	checkOutputs(t, r)
	if _, err := Scene("synthetic:demo?frames=-1"); err == nil || !strings.Contains(err.Error(), "no end") {
		t.Errorf("an endless scene: %v", err)
	}
}

// TestOneLabel has a truth of one label: every score that is there is finite and in its range.
func TestOneLabel(t *testing.T) {
	for _, id := range []uint8{0, 255, 4} {
		dir := t.TempDir()
		for i, name := range []string{"0.png", "1.png"} {
			pic, mask := square(16+4*i, 48, 0)
			for k := range mask.Pix {
				mask.Pix[k] = id
			}
			write(t, pic, dir, "frames", name)
			write(t, mask, dir, "masks", name)
		}
		c := newConfig(t)
		c.Finders = []Method[Finder]{{"orange", func() (Finder, error) { return orange{}, nil }}}
		c.Followers = []Method[Follower]{{"orange", func() (Follower, error) { return &orangeFollower{}, nil }}}
		r, err := evaluate(t, c, dir)
		if err != nil {
			t.Fatal(err)
		}
		checkOutputs(t, r)
		row := find(r.Sets[0].Mean, level(3, "objects"))
		if _, ok := row.Scores["best_j"]; ok != (id != 0) {
			t.Errorf("id %d: scores %v", id, row.Scores)
		}
		if _, ok := row.Scores["auc"]; ok {
			t.Errorf("id %d: an AUC without two regions", id)
		}
	}
}

func TestErrors(t *testing.T) {
	pic, mask := square(16, 48, 255)
	small := image.NewGray(image.Rect(0, 0, 12, 9))
	coloured := image.NewNRGBA(mask.Rect)
	coloured.Set(3, 3, color.NRGBA{1, 2, 3, 255})
	for _, tt := range []struct {
		name string
		make func(dir string)
		want string
	}{
		{"missing folder", func(string) {}, "no such file"},
		{"nothing to see", func(dir string) { write(t, pic, dir, "x.png") }, "neither NAME/frames"},
		{"no masks", func(dir string) { write(t, pic, dir, "frames", "0.png") }, "no folder masks"},
		{"empty", func(dir string) {
			write(t, mask, dir, "masks", "0.png")
			if err := os.Mkdir(filepath.Join(dir, "frames"), 0o777); err != nil {
				t.Fatal(err)
			}
		}, "holds no picture"},
		{"no mask of a frame", func(dir string) { write(t, pic, dir, "frames", "0.png"); write(t, mask, dir, "masks", "1.png") }, "no mask has the name of a frame"},
		{"another size", func(dir string) { write(t, pic, dir, "frames", "0.png"); write(t, small, dir, "masks", "0.png") }, "12x9 pixels, its frame has 256x160"},
		{"colour", func(dir string) {
			write(t, pic, dir, "frames", "0.png")
			write(t, coloured, dir, "masks", "0.png")
		}, "in colour"},
		{"not a picture", func(dir string) {
			write(t, pic, dir, "frames", "0.png")
			write(t, mask, dir, "masks", "0.png")
			if err := os.WriteFile(filepath.Join(dir, "masks", "0.png"), []byte("hello, this is not a picture but a text of some length"), 0o666); err != nil {
				t.Fatal(err)
			}
		}, "invalid format"},
		{"no maps", func(dir string) { write(t, pic, dir, "images", "0.png") }, "no folder of PNG region maps"},
		{"maps of others", func(dir string) { write(t, pic, dir, "images", "0.png"); write(t, mask, dir, "objects", "1.png") }, "no map has the name of a picture"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "x")
			tt.make(dir)
			_, err := evaluate(t, newConfig(t), dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q", err, tt.want)
			}
		})
	}
}

// TestSparse has a mask for one frame of three: only that one is judged.
func TestSparse(t *testing.T) {
	dir := t.TempDir()
	clip(t, dir, 3, 255)
	for _, name := range []string{"00.png", "02.png"} {
		if err := os.Remove(filepath.Join(dir, "masks", name)); err != nil {
			t.Fatal(err)
		}
	}
	c := newConfig(t)
	c.Followers = []Method[Follower]{{"orange", func() (Follower, error) { return &orangeFollower{}, nil }}}
	r, err := evaluate(t, c, dir)
	if err != nil {
		t.Fatal(err)
	}
	if q := r.Sets[0].Sequences[0]; q.Frames != 3 || q.Labelled != 1 {
		t.Errorf("%d frames, %d labelled, want 3 and 1", q.Frames, q.Labelled)
	}
	checkOutputs(t, r)
}

func TestMajority(t *testing.T) {
	// Two locations of 2x2 pixels: three quarters of one label, and half.
	labels := []uint16{
		5, 5, 7, 7,
		5, 6, 8, 8,
	}
	if got := majority(nil, labels, 4, 2, 1, 2); !slices.Equal(got, []uint16{5, metrics.Ignore}) {
		t.Errorf("got %v", got)
	}
}
