package main

import (
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTree asks for a frame as a picture and as JSON, which is the line that process writes.
func TestTree(t *testing.T) {
	dir := t.TempDir()
	picture := filepath.Join(dir, "tree.PNG")
	got := succeed(t, "tree", tiny, "--frame", "3", "-o", picture, "--json", "-", "-q")
	lines := strings.SplitAfter(succeed(t, "process", tiny, "--json", "-", "-q"), "\n")
	if got != lines[3] {
		t.Errorf("got  %s\nwant %s", got, lines[3])
	}
	file, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X < 800 || size.Y < 800 {
		t.Errorf("a picture of %v", size)
	}
	fail(t, exitFailed, []string{"tree", tiny, "-o", picture, "-q"}, picture, "give -y")
	succeed(t, "tree", tiny, "-o", picture, "-q", "-y")
}

func TestTreeOfPictures(t *testing.T) {
	dir := t.TempDir()
	for _, size := range [][2]int{{1, 1}, {1, 700}, {700, 1}, {65, 33}} {
		in, out := filepath.Join(dir, "in.png"), filepath.Join(dir, "out.png")
		drawPicture(t, in, size[0], size[1])
		succeed(t, "tree", in, "-o", out, "-q", "-y")
	}
	settings := put(t, dir, "c.json", []byte(`{"levels": 2}`))
	line := readLines(t, succeed(t, "tree", tiny, "--json", "-", "-q", "--weights", "none", "--config", settings, "-o", filepath.Join(dir, "two.png")))
	if len(line) != 1 || len(line[0].Levels) != 2 {
		t.Errorf("%d lines", len(line))
	}
}

func TestTreeErrors(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "x.png")
	full := filepath.Join(dir, "full.png")
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	one := filepath.Join(dir, "one.png")
	drawPicture(t, one, 32, 32)
	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"beyond the end", []string{tiny, "--frame", "5", "-o", out}, []string{"--frame 5", "has only 5 frames"}},
		{"beyond one", []string{one, "--frame", "60", "-o", out}, []string{one, "has only 1 frame,"}},
		{"no source", []string{dir + "/none.mp4", "-o", out}, []string{"none.mp4", "no such file"}},
		{"no folder", []string{tiny, "-o", dir + "/none/x.png"}, []string{dir + "/none", "make it first"}},
		{"full disk", []string{tiny, "-o", full}, []string{full, "no space left"}},
		{"full disk for JSON", []string{tiny, "--json", "/dev/full"}, []string{"/dev/full", "no space left"}},
		{"the source", []string{one, "-y", "-o", one}, []string{"it is the source"}},
		{"a broken picture", []string{put(t, dir, "bad.png", []byte("nonsense")), "-o", out}, []string{"bad.png"}},
		{"no weights", []string{tiny, "-o", out, "--weights", dir + "/none"}, []string{"none", "no such file"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fail(t, exitFailed, append([]string{"tree", "-q"}, tt.args...), tt.want...)
			if _, err := os.Stat(out); err == nil {
				t.Error("a file was left")
			}
		})
	}
}
