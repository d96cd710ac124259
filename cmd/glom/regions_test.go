package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glomstream/capture/scene"
)

// readGrey reads an 8-bit grey PNG of a size.
func readGrey(t *testing.T, path string, w, h int) []uint8 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	grey, ok := img.(*image.Gray)
	if !ok || grey.Rect != image.Rect(0, 0, w, h) {
		t.Fatalf("%s: got %T of %v, want 8-bit grey of %dx%d", path, img, img.Bounds(), w, h)
	}
	return grey.Pix
}

// putPNG writes a picture and returns its name.
func putPNG(t *testing.T, dir, name string, img image.Image) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return put(t, dir, name, b.Bytes())
}

// box is a grey picture with a rectangle of a value.
func box(w, h int, r image.Rectangle, v uint8) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			img.SetGray(x, y, color.Gray{v})
		}
	}
	return img
}

// truth returns the objects of each frame of a scene, and which of them are so small that they can
// only be figures: at most a tenth of the picture in the first frame.
func truth(t *testing.T, query string) (frames [][]uint16, figures map[uint16]int) {
	t.Helper()
	c, err := scene.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	src, err := scene.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for {
		f, err := src.Next(t.Context())
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, f.Truth.Levels[3])
	}
	figures = make(map[uint16]int)
	for _, id := range frames[0] {
		figures[id]++
	}
	for id, area := range figures {
		if 10*area > len(frames[0]) {
			delete(figures, id)
		}
	}
	return frames, figures
}

// jaccard returns the intersection over union of what both functions pick of n pixels.
func jaccard(n int, a, b func(i int) bool) float64 {
	var both, some int
	for i := range n {
		if a(i) && b(i) {
			both++
		}
		if a(i) || b(i) {
			some++
		}
	}
	return float64(both) / float64(max(some, 1))
}

// TestFollow takes the figures of a scene as regions, each in a grey of its own, and compares
// what becomes of them with the scene's own truth.
func TestFollow(t *testing.T) {
	const query, w, h = "sprites?size=320x180&frames=24", 320, 180
	frames, figures := truth(t, query)
	dir := t.TempDir()
	mask := image.NewGray(image.Rect(0, 0, w, h))
	value := make(map[uint16]uint8)
	for i, id := range frames[0] {
		if figures[id] > 0 {
			if value[id] == 0 {
				value[id] = uint8(250 - 40*len(value))
			}
			mask.Pix[i] = value[id]
		}
	}
	seed, out := putPNG(t, dir, "seed.png", mask), filepath.Join(dir, "out")
	succeed(t, "process", "synthetic:"+query, "--follow", seed, "--follow-out", out, "-q", "--weights", "none")
	if names, err := filepath.Glob(filepath.Join(out, "*")); err != nil || len(names) != 24 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	if !bytes.Equal(readGrey(t, filepath.Join(out, "00000.png"), w, h), mask.Pix) {
		t.Error("the mask of the first frame is not the one that was given")
	}
	got := readGrey(t, filepath.Join(out, "00023.png"), w, h)
	var sum float64
	for id, v := range value {
		sum += jaccard(len(got), func(i int) bool { return got[i] == v }, func(i int) bool { return frames[23][i] == id })
	}
	// A figure of 320x180 pixels is some 4 by 8 locations, and its limbs are thinner than one.
	if mean := sum / float64(len(value)); len(value) < 2 || mean < 0.5 {
		t.Errorf("mean J of %d figures is %.2f after 23 frames, want 0.5", len(value), mean)
	}
}

// TestFollowPoint follows from a point, draws the outline, and gives the same masks without it.
func TestFollowPoint(t *testing.T) {
	dir := t.TempDir()
	src := "synthetic:sprites?size=160x96&frames=4"
	name := func(s string) string { return filepath.Join(dir, s) }
	succeed(t, "process", src, "--follow", "80,60", "--follow-out", name("a"), "-o", name("a.mkv"), "-q")
	succeed(t, "process", src, "--follow", "80,60", "--follow-out", name("b"), "-q")
	succeed(t, "process", src, "-o", name("plain.mkv"), "-q")
	succeed(t, "process", src, "--follow", "80,60", "-o", name("all.mkv"), "--level", "all", "-q")
	for i := range 4 {
		file := fmt.Sprintf("%05d.png", i)
		a, b := readGrey(t, filepath.Join(name("a"), file), 160, 96), readGrey(t, filepath.Join(name("b"), file), 160, 96)
		if !bytes.Equal(a, b) {
			t.Errorf("frame %d: -o changes the mask", i)
		}
		if i == 0 && a[60*160+80] != 255 {
			t.Error("the point is not in its region")
		}
	}
	a, err := os.ReadFile(name("a.mkv"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := os.ReadFile(name("plain.mkv")); err != nil || bytes.Equal(a, plain) {
		t.Errorf("no outline is drawn, %v", err)
	}
}

// TestSalient looks for the dog that runs while the camera pans.
func TestSalient(t *testing.T) {
	const query, w, h = "pan?size=320x180&frames=24", 320, 180
	dir := filepath.Join(t.TempDir(), "deep", "salient")
	succeed(t, "process", "synthetic:"+query, "--salient", dir, "-q", "--weights", "none")
	if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) != 24 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, v := range readGrey(t, filepath.Join(dir, "00000.png"), w, h) {
		if v != 0 {
			t.Fatal("something is salient in the first frame, before anything can have moved")
		}
	}
	got := readGrey(t, filepath.Join(dir, "00023.png"), w, h)
	frames, figures := truth(t, query)
	best := 0.0
	for id := range figures {
		best = max(best, jaccard(len(got), func(i int) bool { return got[i] == 255 }, func(i int) bool { return frames[23][i] == id }))
	}
	if best < 0.3 {
		t.Errorf("J %.2f with the best figure, want 0.3", best)
	}
}

func TestFollowFaults(t *testing.T) {
	dir := t.TempDir()
	name := func(s string) string { return filepath.Join(dir, s) }
	blue := image.NewNRGBA(image.Rect(0, 0, 96, 64))
	blue.SetNRGBA(3, 4, color.NRGBA{0, 0, 200, 255})
	deep := image.NewGray16(image.Rect(0, 0, 96, 64))
	deep.SetGray16(5, 5, color.Gray16{300})
	good := putPNG(t, dir, "good.png", box(96, 64, image.Rect(30, 20, 60, 40), 9))
	small := putPNG(t, dir, "small.png", box(48, 32, image.Rect(3, 2, 20, 20), 9))
	black := putPNG(t, dir, "black.png", box(96, 64, image.Rectangle{}, 0))
	colours := putPNG(t, dir, "colours.png", blue)
	garbage := put(t, dir, "garbage.png", []byte("no picture at all"))
	cut, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	short := put(t, dir, "short.png", cut[:len(cut)/2])
	for _, tt := range []struct {
		seed string
		code int
		want []string
	}{
		{small, exitFailed, []string{"small.png", "48x32", "96x64"}},
		{black, exitFailed, []string{"black.png", "black all over"}},
		{colours, exitFailed, []string{"colours.png", "3,4", "grey"}},
		{putPNG(t, dir, "deep.png", deep), exitFailed, []string{"deep.png", "300"}},
		{garbage, exitFailed, []string{"garbage.png", "PNG"}},
		{short, exitFailed, []string{"short.png", "png"}},
		{name("none.png"), exitFailed, []string{"none.png", "no such file"}},
		{dir, exitFailed, []string{dir}},
		{"96,10", exitFailed, []string{"96,10", "outside", "96x64"}},
		{"10,64", exitFailed, []string{"10,64", "outside"}},
		{"-1,10", exitUsage, []string{"-1,10", "outside"}},
		{"10.5,20", exitUsage, []string{"10.5,20", "whole numbers"}},
	} {
		fail(t, tt.code, []string{"process", tiny, "--follow=" + tt.seed, "--follow-out", name("out"), "-y", "-q"}, tt.want...)
	}
	// Existing masks are kept.
	succeed(t, "process", tiny, "--follow", good, "--follow-out", name("kept"), "-q")
	fail(t, exitFailed, []string{"process", tiny, "--follow", good, "--follow-out", name("kept"), "-q"}, "kept", "give -y")
	succeed(t, "process", tiny, "--follow", good, "--follow-out", name("kept"), "-q", "-y")
	fail(t, exitFailed, []string{"process", tiny, "--salient", name("kept"), "-q"}, "kept", "give -y")
	fail(t, exitFailed, []string{"process", tiny, "--salient", good, "-q"}, "good.png")
}

// TestRegionsSizeChange has pictures of two sizes: a region has no meaning in the second, what
// moves has.
func TestRegionsSizeChange(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o777); err != nil {
		t.Fatal(err)
	}
	drawPicture(t, filepath.Join(in, "1.png"), 64, 48)
	drawPicture(t, filepath.Join(in, "2.png"), 96, 64)
	out := filepath.Join(dir, "out")
	fail(t, exitFailed, []string{"process", in, "--follow", "9,9", "--follow-out", out, "-q"}, in, "64x48 to 96x64", "1 frame is kept in "+out)
	salient := filepath.Join(dir, "salient")
	succeed(t, "process", in, "--salient", salient, "-q")
	readGrey(t, filepath.Join(salient, "00001.png"), 96, 64)
}

// TestSeedFormats gives the same region in all ways that a PNG can hold it.
func TestSeedFormats(t *testing.T) {
	dir := t.TempDir()
	palette := color.Palette{color.Black, color.NRGBA{128, 0, 0, 255}, color.NRGBA{0, 128, 0, 255}}
	indexed := image.NewPaletted(image.Rect(0, 0, 4, 2), palette)
	indexed.SetColorIndex(2, 1, 2)
	deep := image.NewGray16(image.Rect(0, 0, 4, 2))
	deep.SetGray16(2, 1, color.Gray16{2})
	full := image.NewNRGBA(image.Rect(0, 0, 4, 2))
	full.SetNRGBA(2, 1, color.NRGBA{2, 2, 2, 255})
	greys := image.NewPaletted(image.Rect(0, 0, 4, 2), color.Palette{color.Black, color.Gray{2}})
	greys.SetColorIndex(2, 1, 1)
	for name, img := range map[string]image.Image{
		"grey": box(4, 2, image.Rect(2, 1, 3, 2), 2), "16 bits": deep, "RGB": full, "palette of colours": indexed, "palette of greys": greys,
	} {
		s, err := parseSeed(putPNG(t, dir, strings.ReplaceAll(name, " ", "")+".png", img))
		if err != nil || s.w != 4 || s.h != 2 || !bytes.Equal(s.grey, []byte{0, 0, 0, 0, 0, 0, 2, 0}) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}
