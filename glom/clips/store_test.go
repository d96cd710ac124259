package clips_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"glomstream/glom/clips"
)

// photo paints a smooth picture, which a JPEG keeps well, with masks.
func photo(name string, h, w int, labelled bool) *clips.Photo {
	p := &clips.Photo{Name: name, H: h, W: w, Pix: make([]byte, 3*h*w)}
	if labelled {
		p.Objects, p.Parts = make([]byte, h*w), make([]byte, h*w)
	}
	for i := range h * w {
		x, y := i%w, i/w
		for k := range 3 {
			p.Pix[3*i+k] = byte(120 + 60*math.Sin(float64(x)/9+float64(k)) + 40*math.Cos(float64(y)/11))
		}
		if labelled && x > w/3 {
			p.Objects[i], p.Parts[i] = 1, byte(1+y/(h/2+1))
		}
	}
	return p
}

// film paints a picture that moves by (2, 1) pixels a frame, with that flow.
func film(name string, frames, h, w int) *clips.Video {
	v := &clips.Video{Name: name, T: frames, H: h, W: w, FlowH: h / 4, FlowW: w / 4}
	for t := range frames {
		for i := range h * w {
			x, y := float64(i%w-2*t), float64(i/w-t)
			for k := range 3 {
				v.Pix = append(v.Pix, byte(120+60*math.Sin(x/5+float64(k))+40*math.Cos(y/6)))
			}
		}
		for range v.FlowH * v.FlowW {
			if t == 0 {
				v.Flow = append(v.Flow, 0, 0)
			} else {
				v.Flow = append(v.Flow, 2*clips.FlowUnit, clips.FlowUnit)
			}
		}
	}
	return v
}

// write makes a store in the test's folder.
func write(t testing.TB, photos []*clips.Photo, videos []*clips.Video) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "a.clips")
	w, err := clips.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, p := range photos {
		if err := w.AddPhoto(p); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range videos {
		if err := w.AddVideo(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	return name
}

func open(t testing.TB, name string, cache int64) *clips.Store {
	t.Helper()
	s, err := clips.Open(name, cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// off returns the mean difference of two pictures.
func off(a, b []byte) float64 {
	sum := 0.0
	for i := range a {
		sum += math.Abs(float64(a[i]) - float64(b[i]))
	}
	return sum / float64(len(a))
}

func TestStoreKeepsWhatItIsGiven(t *testing.T) {
	photos := []*clips.Photo{photo("one", 61, 47, true), photo("zwei/ö", 16, 24, false), photo("", 1, 1, false)}
	objects := photo("objects", 20, 30, true)
	objects.Parts = nil
	photos = append(photos, objects)
	videos := []*clips.Video{film("film", 9, 40, 56), film("film", 3, 24, 16)}
	videos[1].Flow[40] = math.MinInt16
	videos[1].Flow[42] = math.MaxInt16
	name := write(t, photos, videos)
	s := open(t, name, 0)
	if s.Photos() != len(photos) || s.Videos() != len(videos) {
		t.Fatalf("%d photos and %d videos, want %d and %d", s.Photos(), s.Videos(), len(photos), len(videos))
	}
	for i, want := range photos {
		got, err := s.Photo(i)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != want.Name || got.H != want.H || got.W != want.W ||
			!bytes.Equal(got.Objects, want.Objects) || !bytes.Equal(got.Parts, want.Parts) {
			t.Errorf("photo %d came back as %q, %dx%d, or with other masks", i, got.Name, got.W, got.H)
		}
		if d := off(got.Pix, want.Pix); d > 3 {
			t.Errorf("photo %d is off by %.1f grey values", i, d)
		}
		if o, p := s.Labelled(i); o != (want.Objects != nil) || p != (want.Parts != nil) {
			t.Errorf("photo %d: labelled %v, %v", i, o, p)
		}
	}
	for i, want := range videos {
		got, err := s.Video(i)
		if err != nil {
			t.Fatal(err)
		}
		if got.Name != want.Name || got.T != want.T || got.H != want.H || got.W != want.W || !slices.Equal(got.Flow, want.Flow) {
			t.Errorf("video %d came back as %q, %d frames of %dx%d, or with another flow", i, got.Name, got.T, got.W, got.H)
		}
		if d := off(got.Pix, want.Pix); d > 4 {
			t.Errorf("video %d is off by %.1f grey values", i, d)
		}
	}
}

func TestStoreKeepsToItsBudget(t *testing.T) {
	var photos []*clips.Photo
	for range 8 {
		photos = append(photos, photo("p", 40, 40, true))
	}
	name := write(t, photos, []*clips.Video{film("v", 4, 16, 16)})
	s := open(t, name, 3*5*1600) // room for three photos
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 40 {
				p, err := s.Photo((i*3 + g) % 8)
				if err != nil || p.H != 40 {
					t.Errorf("photo %v: %v", p, err)
				}
				if _, err := s.Video(0); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	kept := 0
	for i := range 8 {
		// What is kept is the same again.
		a, _ := s.Photo(i)
		b, _ := s.Photo(i)
		if a == b {
			kept++
		}
	}
	if kept != 8 {
		t.Errorf("%d of 8 photos were kept when asked for twice", kept)
	}
	first, _ := s.Photo(0)
	for i := 1; i < 8; i++ {
		if _, err := s.Photo(i); err != nil {
			t.Fatal(err)
		}
	}
	if again, _ := s.Photo(0); again == first {
		t.Error("eight photos were kept where there is room for three")
	}
}

func TestOpenRefuses(t *testing.T) {
	name := write(t, []*clips.Photo{photo("one", 30, 30, true)}, []*clips.Video{film("two", 3, 16, 16)})
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	edit := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	for _, tt := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "not a clip store"},
		{"text", []byte(strings.Repeat("text ", 20)), "not a clip store"},
		{"short", good[:31], "not a clip store"},
		{"header only", good[:32], "damaged"},
		{"cut off", good[:len(good)-1], "damaged"},
		{"longer", append(bytes.Clone(good), 0), "damaged"},
		{"version", edit(8, 2), "version 2"},
		{"offset", edit(16, 255, 255, 255, 255, 255, 255, 255, 255), "damaged"},
		{"count", edit(24, 255, 255, 255, 255), "damaged"},
		{"index", edit(len(good)-1, 'x'), "damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := filepath.Join(t.TempDir(), "bad.clips")
			if err := os.WriteFile(bad, tt.data, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := clips.Open(bad, 0)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "bad.clips") {
				t.Errorf("got %v, want %q and the name", err, tt.want)
			}
		})
	}
	if _, err := clips.Open(filepath.Join(t.TempDir(), "none"), 0); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	// Damage behind the header shows when the entry is read.
	bad := filepath.Join(t.TempDir(), "bad.clips")
	if err := os.WriteFile(bad, edit(100, 1, 2, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, bad, 0)
	if _, err := s.Photo(0); err == nil || !strings.Contains(err.Error(), `"one"`) {
		t.Errorf("damaged photo: %v", err)
	}
	if _, err := s.Video(0); err != nil {
		t.Errorf("the video beside it: %v", err)
	}
}

func TestWriterLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	w, err := clips.Create(filepath.Join(dir, "a.clips"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddPhoto(photo("p", 8, 8, false)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files are left", len(entries))
	}
	if _, err := clips.Create(filepath.Join(dir, "no", "a.clips")); err == nil {
		t.Error("made a store in a folder that does not exist")
	}
}

func TestWriterRefusesWhatNobodyCouldRead(t *testing.T) {
	w, err := clips.Create(filepath.Join(t.TempDir(), "a.clips"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.AddPhoto(&clips.Photo{Name: "wide", H: 1, W: 5000, Pix: make([]byte, 15000)}); err == nil {
		t.Error("took a photo of 5000 pixels")
	}
	if err := w.AddPhoto(photo(strings.Repeat("x", 70000), 8, 8, false)); err == nil {
		t.Error("took a name of 70000 bytes")
	}
	if err := w.AddVideo(&clips.Video{Name: "no flow", T: 1, H: 8, W: 8, Pix: make([]byte, 192)}); err == nil {
		t.Error("took a video without flow")
	}
}
