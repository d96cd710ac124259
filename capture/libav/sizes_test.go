//go:build cgo

package libav

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// sizesOf reads all sizes and returns the known ones without repetition, and how many pictures
// there are.
func sizesOf(t *testing.T, path string) (sizes []image.Point, n int) {
	t.Helper()
	s, err := OpenSizes(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for {
		w, h, err := s.Next()
		if err == io.EOF {
			return sizes, n
		}
		if err != nil {
			t.Fatal(err)
		}
		if p := image.Pt(w, h); w > 0 && (len(sizes) == 0 || sizes[len(sizes)-1] != p) {
			sizes = append(sizes, p)
		}
		n++
	}
}

func TestSizes(t *testing.T) {
	dir := t.TempDir()
	var motion bytes.Buffer
	for i := range 8 {
		img := image.NewGray(image.Rect(0, 0, 64, 48))
		if i >= 5 {
			img = image.NewGray(image.Rect(0, 0, 33, 17))
		}
		img.Set(i, i, color.White)
		if err := jpeg.Encode(&motion, img, nil); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "two.mjpeg")
	if err := os.WriteFile(path, motion.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	got, n := sizesOf(t, path)
	if len(got) != 2 || got[0] != image.Pt(64, 48) || got[1] != image.Pt(33, 17) || n != 8 {
		t.Errorf("motion JPEG: %v in %d pictures", got, n)
	}
	if _, err := OpenSizes(filepath.Join(dir, "none.mkv")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if _, err := OpenSizes("http://127.0.0.1:1/x"); err == nil {
		t.Error("an address was opened")
	}
	if _, err := OpenSizes("sizes.go"); err == nil {
		t.Error("a text was opened")
	}
}

// TestSizesShared has clips whose pictures are all of one size.
func TestSizesShared(t *testing.T) {
	files, err := filepath.Glob("../../../shared/data/videos/good/*")
	if err != nil || len(files) == 0 {
		t.Skip("no ../shared/data/videos next to the module")
	}
	known := 0
	for _, path := range files {
		got, n := sizesOf(t, path)
		if len(got) > 1 || n == 0 {
			t.Errorf("%s: %v in %d pictures", path, got, n)
		}
		if len(got) == 1 {
			known++
		}
	}
	if known < len(files)/2 {
		t.Errorf("of %d files only %d tell their size", len(files), known)
	}
}
