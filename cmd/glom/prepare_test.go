package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glomstream/glom/clips"
)

// grey encodes a grey PNG.
func grey(t *testing.T, w, h int, at func(x, y int) byte) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetGray(x, y, color.Gray{Y: at(x, y)})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// folders writes files, in folders as their names say.
func folders(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func openStore(t *testing.T, name string) *clips.Store {
	t.Helper()
	s, err := clips.Open(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestPrepare(t *testing.T) {
	ramp := func(x, _ int) byte { return byte(x) }
	kinds := func(x, y int) byte { // two shoes of kind 39 under a coat of kind 13, and a slip
		switch {
		case y >= 40 && (x < 20 || x >= 40 && x < 60):
			return 39
		case y < 30 && x < 60:
			return 13
		case x == 90 && y == 55:
			return 13
		}
		return 0
	}
	dir := folders(t, map[string][]byte{
		"a/people/images/1.png":    grey(t, 100, 60, ramp),
		"a/people/images/2.png":    grey(t, 100, 60, ramp),
		"a/people/masks/1.png":     grey(t, 100, 60, kinds),
		"a/people/labels.txt":      []byte("0 null\n"),
		"a/things/images/3.png":    grey(t, 800, 400, ramp),
		"a/things/instances/3.png": grey(t, 800, 400, func(x, _ int) byte { return byte(x / 300) }),
		"b/plain.png":              grey(t, 50, 40, ramp),
		"b/broken.jpg":             []byte("\xff\xd8\xff no picture"),
		"b/notes.txt":              []byte("not media"),
		"b/.hidden.png":            grey(t, 50, 40, ramp),
		"videos/good/test.mkv":     []byte("never opened"),
	})
	film := filepath.Join(dir, "videos", "good", "film.mkv")
	succeed(t, "process", "synthetic:pan?size=160x96&frames=45", "-o", film, "-q")
	put(t, filepath.Join(dir, "videos"), "videos.tsv", []byte("file\tuse\ngood/film.mkv\ttrain+test\ngood/test.mkv\ttest\n"))

	out := filepath.Join(t.TempDir(), "s.clips")
	args := []string{"train", "prepare", filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "videos", "good"), "-o", out, "-q"}
	r := try(t, strings.NewReader(""), args...)
	if r.code != exitOK || !strings.Contains(r.err, "broken.jpg") || strings.Count(r.err, "\n") != 1 {
		t.Fatalf("exit code %d, %s", r.code, r.err)
	}
	if want := "4 photos (1 with parts, 1 with objects), 2 pieces of 1 videos"; !strings.Contains(r.out, want) {
		t.Errorf("it says %q, want %q", r.out, want)
	}
	s := openStore(t, out)
	names := []string{"a/people/images/1.png", "a/people/images/2.png", "a/things/images/3.png", "b/plain.png"}
	for i, name := range names {
		p, err := s.Photo(i)
		if err != nil {
			t.Fatal(err)
		}
		if p.Name != name {
			t.Errorf("photo %d is %q, want %q", i, p.Name, name)
		}
	}
	p, _ := s.Photo(0)
	at := func(m []byte, x, y int) byte { return m[y*p.W+x] }
	left, right, coat := at(p.Parts, 5, 50), at(p.Parts, 50, 50), at(p.Parts, 5, 5)
	if left == 0 || right == 0 || coat == 0 || left == right || left == coat || right == coat {
		t.Errorf("shoes are parts %d and %d, the coat is part %d: want three", left, right, coat)
	}
	if at(p.Objects, 5, 50) != 1 || at(p.Objects, 5, 5) != 1 || at(p.Objects, 99, 5) != 0 || at(p.Parts, 90, 55) != 0 {
		t.Error("the person is not one object, or a slip of the mask is a part")
	}
	p, _ = s.Photo(2)
	if p.W != 384 || p.H != 192 || at(p.Objects, 200, 100) != 1 || at(p.Objects, 10, 10) != 0 || at(p.Objects, 380, 10) != 2 {
		t.Errorf("the large photo has %dx%d pixels or its mask is elsewhere", p.W, p.H)
	}
	v, err := s.Video(0)
	if err != nil {
		t.Fatal(err)
	}
	var motion int
	for _, f := range v.Flow[2*v.FlowH*v.FlowW:] {
		motion += int(max(f, -f))
	}
	if v.T != pieceFrames || v.Name != "good/film.mkv" || motion == 0 {
		t.Errorf("the video is %q with %d frames, and %d of motion", v.Name, v.T, motion)
	}

	again := filepath.Join(t.TempDir(), "again.clips")
	args[len(args)-2] = again
	try(t, strings.NewReader(""), args...)
	a, errA := os.ReadFile(out)
	b, errB := os.ReadFile(again)
	if errA != nil || errB != nil || !bytes.Equal(a, b) {
		t.Errorf("preparing twice gives two stores of %d and %d bytes: %v, %v", len(a), len(b), errA, errB)
	}
}

// TestTrainOnFolders learns from a folder in one command, by the flow of the pictures, and a second time from
// what the first has prepared.
func TestTrainOnFolders(t *testing.T) {
	dir := folders(t, map[string][]byte{"p/a.png": grey(t, 160, 96, func(x, y int) byte { return byte(x * y / 7) })})
	out := filepath.Join(t.TempDir(), "w.safetensors")
	config := put(t, dir, "c.json", []byte(`{"clips": 2, "decoder": 8, "model": {"dim": 8, "hidden": 8, "samples": 5}, "front_end": {"dim": 8, "widths": [4, 4, 4]}}`))
	args := []string{"train", "--data", filepath.Join(dir, "p"), "-o", out, "--config", config, "--updates", "1", "--size", "48x32", "--frames", "3", "-q"}
	if r := try(t, strings.NewReader(""), args...); r.code != exitOK || !strings.Contains(r.out, "1 photos") {
		t.Fatalf("exit code %d, %s%s", r.code, r.out, r.err)
	}
	if n := openStore(t, out+".clips").Photos(); n != 1 {
		t.Errorf("the store beside the weights has %d photos", n)
	}
	first, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	if r := try(t, strings.NewReader(""), args...); r.code != exitOK || !strings.Contains(r.err, "there already") {
		t.Errorf("again: exit code %d, %s", r.code, r.err)
	}
	if again, _ := os.ReadFile(out); !bytes.Equal(again, first) {
		t.Error("the same clips and seed give other weights")
	}
	fail(t, exitFailed, []string{"train", "--data", filepath.Join(dir, "nothing"), "-o", out + "2", "-q"}, "nothing")
	if _, err := os.Stat(out + "2.clips"); err == nil {
		t.Error("a store is left of a folder that is not there")
	}
}

func TestPrepareList(t *testing.T) {
	picture := grey(t, 30, 30, func(x, y int) byte { return byte(x * y) })
	dir := folders(t, map[string][]byte{"p/a.png": picture, "p/b.png": picture, "list.txt": []byte("p/b.png\n")})
	out := filepath.Join(t.TempDir(), "s.clips")
	succeed(t, "train", "prepare", dir, "-o", out, "-q", "--list", filepath.Join(dir, "list.txt"))
	s := openStore(t, out)
	p, err := s.Photo(0)
	if s.Photos() != 1 || err != nil || !strings.HasSuffix(p.Name, "p/b.png") {
		t.Errorf("%d photos, the first is %v: want b.png only", s.Photos(), p)
	}
}

func TestPrepareRefuses(t *testing.T) {
	picture := grey(t, 30, 30, func(x, y int) byte { return byte(x * y) })
	dir := folders(t, map[string][]byte{
		"sets/davis-dev/bear/frames/0.png": picture,
		"sets/fine/0.png":                  picture,
		"BSDS-dev/0.png":                   picture,
		"empty/notes.txt":                  nil,
		"odd/videos.tsv":                   []byte("name\twhat\n"),
		"odd/a.png":                        picture,
		"parts/images/0.png":               picture,
		"parts/masks/0.png":                grey(t, 20, 30, func(_, _ int) byte { return 1 }),
		"parts/labels.txt":                 nil,
	})
	out := filepath.Join(t.TempDir(), "s.clips")
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, tt := range []struct {
		folder string
		want   string
	}{
		{at("sets"), "davis-dev is for evaluation only"},
		{at("sets/davis-dev"), "evaluation only"},
		{at("sets/davis-dev/bear/frames"), "evaluation only"},
		{at("BSDS-dev"), "evaluation only"},
		{at("empty"), "no picture or video"},
		{at("none"), "no such file"},
		{at("sets/fine/0.png"), "not a folder"},
		{at("odd"), "no columns"},
	} {
		fail(t, exitFailed, []string{"train", "prepare", tt.folder, "-o", out, "-q"}, filepath.Base(tt.folder), tt.want)
	}
	// A mask that does not fit is as good as a broken picture.
	r := try(t, nil, "train", "prepare", at("parts"), "-o", out, "-q")
	if r.code != exitFailed || !strings.Contains(r.err, "20x30") {
		t.Errorf("a mask of another size: exit code %d, %s", r.code, r.err)
	}
	fail(t, exitFailed, []string{"train", "prepare", at("sets/fine"), "-o", filepath.Join(dir, "no", "s.clips")}, "no such file")
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a store was left behind: %v", err)
	}
	fail(t, exitUsage, []string{"train"}, "prepare")
	fail(t, exitUsage, []string{"train", "prepare", "-o", out}, "FOLDER")
	fail(t, exitUsage, []string{"train", "prepare", dir}, "-o")
	fail(t, exitUsage, []string{"train", "prepare", dir, "-o", out, "--pieces", "0"}, "--pieces 0")
	if text := succeed(t, "help", "train"); !strings.Contains(text, "davis-dev") || !strings.Contains(text, "--list") {
		t.Errorf("the help is %q", text)
	}
}

// TestGatherData looks at what may be learned from of the data beside the checkout.
func TestGatherData(t *testing.T) {
	const data = "../../../shared/data"
	if !isFolder(data) {
		t.Skip("no ../shared/data beside the checkout")
	}
	items, err := gather([]string{data + "/train", data + "/videos/good"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var parts, objects, videos int
	for _, it := range items {
		switch {
		case it.video:
			videos++
		case it.parts != "":
			parts++
		case it.objects != "":
			objects++
		}
	}
	if parts != 600 || objects != 128 || videos != 44 || len(items) != 1050+128+44 {
		t.Errorf("%d files, %d with parts, %d with objects, %d videos", len(items), parts, objects, videos)
	}
	if _, err := gather([]string{data}, ""); err == nil {
		t.Error("took folders for evaluation only")
	}
}

func TestPrepareStops(t *testing.T) {
	dir := folders(t, map[string][]byte{"a.png": grey(t, 30, 30, func(x, y int) byte { return byte(x * y) })})
	out := filepath.Join(t.TempDir(), "s.clips")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var text bytes.Buffer
	if code := run(ctx, []string{"train", "prepare", dir, "-o", out, "-q"}, terminal{nil, &text, &text}); code != exitFailed {
		t.Errorf("exit code %d, %s", code, text.String())
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a store was left behind: %v", err)
	}
}
