package capture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSparsePicture(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sparse.jpg")
	if err := os.WriteFile(path, []byte("\xff\xd8\xff"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 10<<30); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	_, err := OpenImages(Spec{Kind: Images, Raw: path, Files: []string{path}}, 0)
	if err == nil || !strings.Contains(err.Error(), "longer than a picture") {
		t.Errorf("got %v, want that the file is too long", err)
	}
}

// pictureDir writes three pictures: 7x5 in grey 10, 3x8 in grey 20, and 1x1 in grey 30.
func pictureDir(t *testing.T) Spec {
	t.Helper()
	dir := t.TempDir()
	for i, size := range [][2]int{{7, 5}, {3, 8}, {1, 1}} {
		m := image.NewGray(image.Rect(0, 0, size[0], size[1]))
		for j := range m.Pix {
			m.Pix[j] = byte(10 * (i + 1))
		}
		name := filepath.Join(dir, fmt.Sprintf("f%d.png", 9+i)) // 9, 10, 11
		if err := os.WriteFile(name, pngBytes(t, m), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	spec, err := ParseSpec(dir)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

func TestImages(t *testing.T) {
	spec := pictureDir(t)
	for _, c := range []struct {
		fps, want float64
	}{{0, 25}, {10, 10}, {240, 240}, {29.97, 29.97}} {
		src, err := OpenImages(spec, c.fps)
		if err != nil {
			t.Fatal(err)
		}
		info := src.Info()
		want := Info{Name: spec.Raw, W: 7, H: 5, FPS: c.want, Frames: 3, Duration: time.Duration(3e9/c.want + 0.5)}
		if info != want {
			t.Errorf("got %+v, want %+v", info, want)
		}
		for i, size := range [][2]int{{7, 5}, {3, 8}, {1, 1}} {
			f, err := src.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if f.Seq != uint64(i) || f.PTS != time.Duration(float64(i)/c.want*1e9+0.5) || f.W != size[0] || f.H != size[1] || f.Captured.IsZero() {
				t.Errorf("frame %d: got Seq %d, PTS %v, %d x %d", i, f.Seq, f.PTS, f.W, f.H)
			}
			if want := bytes.Repeat([]byte{byte(10 * (i + 1))}, 3*f.W*f.H); !bytes.Equal(f.Pix, want) {
				t.Errorf("frame %d: got %v, want %v", i, f.Pix, want)
			}
			f.Release()
		}
		for range 2 {
			if _, err := src.Next(t.Context()); err != io.EOF {
				t.Errorf("after the last picture: got %v, want io.EOF", err)
			}
		}
		for range 2 {
			if err := src.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := src.Next(t.Context()); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: got %v", err)
		}
	}
}

func TestImagesCancelled(t *testing.T) {
	spec := pictureDir(t)
	src, err := OpenImages(spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	if _, err := src.Next(ctx); !errors.Is(err, why) || !strings.Contains(err.Error(), spec.Raw) {
		t.Errorf("got %v, want the cause and the name", err)
	}
	if f, err := src.Next(t.Context()); err != nil || f.Seq != 0 {
		t.Errorf("after a cancelled Next: got frame %d, %v, want the first", f.Seq, err)
	}
}

func TestImagesGoesOnAfterBrokenPicture(t *testing.T) {
	spec := pictureDir(t)
	if err := os.WriteFile(spec.Files[1], []byte("gone bad"), 0o644); err != nil {
		t.Fatal(err)
	}
	src, err := OpenImages(spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := src.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := src.Next(t.Context()); err == nil || !strings.Contains(err.Error(), spec.Files[1]) {
		t.Errorf("got %v, want an error that names %s", err, spec.Files[1])
	}
	if f, err := src.Next(t.Context()); err != nil || f.Seq != 2 {
		t.Errorf("got frame %d, %v, want frame 2", f.Seq, err)
	}
}

func TestOpenImagesRefuses(t *testing.T) {
	spec := pictureDir(t)
	for _, fps := range []float64{-1, 0.5, 241, math.NaN(), math.Inf(1)} {
		if _, err := OpenImages(spec, fps); err == nil || !strings.Contains(err.Error(), "not in 1 to 240") {
			t.Errorf("%v frames per second: got %v", fps, err)
		}
	}
	if _, err := OpenImages(Spec{Kind: File, Raw: "a.mp4"}, 0); err == nil || !strings.Contains(err.Error(), "a file") {
		t.Errorf("a file: got %v", err)
	}
	folder := spec
	folder.Files = []string{t.TempDir()}
	if _, err := OpenImages(folder, 0); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: got %v", err)
	}
	gone := spec
	gone.Files = []string{filepath.Join(t.TempDir(), "gone.png")}
	if _, err := OpenImages(gone, 0); !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), "gone.png") != 1 {
		t.Errorf("a missing file: got %v", err)
	}
}

// The real pictures at hand: all of a sequence are read, each as image/jpeg states it.
func TestRealPictures(t *testing.T) {
	dir := filepath.Join("..", "..", "shared", "data", "davis-dev")
	sequences, _ := filepath.Glob(filepath.Join(dir, "*", "frames"))
	if len(sequences) == 0 {
		t.Skipf("no pictures in %s", dir)
	}
	spec, err := ParseSpec(sequences[0])
	if err != nil {
		t.Fatal(err)
	}
	src, err := OpenImages(spec, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for i, path := range spec.Files[:min(len(spec.Files), 3)] {
		f, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if f.Seq != uint64(i) {
			t.Errorf("got frame %d, want %d", f.Seq, i)
		}
		wantPixels(t, f, want, 1)
		f.Release()
	}
}

// BenchmarkImages reads JPEG files of 640 x 360 from the disk's cache.
func BenchmarkImages(b *testing.B) {
	m := image.NewYCbCr(image.Rect(0, 0, 640, 360), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = byte(i%640/3 + i/640*i%31)
	}
	var data bytes.Buffer
	if err := jpeg.Encode(&data, m, nil); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "x.jpg")
	if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
		b.Fatal(err)
	}
	pool := NewPool(1)
	for b.Loop() {
		err := readPicture(path, func(p *picture) error {
			f, err := p.frame(pool)
			f.Release()
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
