package scene

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"glomstream/capture"
)

// small returns a source with a picture small enough for many frames.
func small(t *testing.T, c Config) *Source {
	t.Helper()
	if c.W == 0 {
		c.W, c.H = 160, 90
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		query string
		want  Config
	}{
		{"demo", Config{Name: "demo"}},
		{"", Config{}},
		{"?seed=1", Config{Seed: 1}},
		{
			"lock?seed=3&frames=100&size=320x180&fps=25&speed=2.5",
			Config{Name: "lock", Seed: 3, W: 320, H: 180, FPS: 25, Frames: 100, Speed: 2.5},
		},
		{"twins?frames=-1&seed=18446744073709551615", Config{Name: "twins", Frames: -1, Seed: math.MaxUint64}},
		{"still?size=16x4096", Config{Name: "still", W: 16, H: 4096}},
	} {
		got, err := Parse(tt.query)
		if err != nil || got != tt.want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", tt.query, got, err, tt.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct{ query, says string }{
		{"parc", "demo, sprites, twotone, twins, occlusion, pan, cut, potato, lock, still"},
		{"demo?sed=3", "seed, frames, size, fps or speed"},
		{"demo?seed=-1", "seed"},
		{"demo?seed=", "seed"},
		{"demo?seed=1&seed=2", "2 times"},
		{"demo?frames=0", "no end"},
		{"demo?frames=x", "frames"},
		{"demo?size=640", "size"},
		{"demo?size=0x0", "size"},
		{"demo?size=15x360", "16 to 4096"},
		{"demo?size=640x4097", "16 to 4096"},
		{"demo?size=640x360x3", "size"},
		{"demo?fps=0.5", "1 to 240"},
		{"demo?fps=NaN", "1 to 240"},
		{"demo?fps=241", "1 to 240"},
		{"demo?speed=0", "speed"},
		{"demo?speed=-1", "more than 0"},
		{"demo?speed=65", "up to 64"},
		{"lock?size=16x16&speed=20", "use up to 16.2"},
		{"demo?seed=%zz", "NAME?key=value"},
	} {
		_, err := Parse(tt.query)
		if err == nil || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("Parse(%q): got error %v, want one line that says %q", tt.query, err, tt.says)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, q := range []string{"demo", "lock?speed=3", "x?size=64x64&fps=1e3", "?&&=;", "pan?frames=-9&seed=7", "twins?size=16x-16"} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, query string) {
		c, err := Parse(query)
		if err != nil {
			return
		}
		if c, err = c.complete(); err != nil {
			t.Fatalf("Parse(%q) gave %+v, which New refuses: %v", query, c, err)
		}
		if c.W < 16 || c.W > 4096 || c.H < 16 || c.H > 4096 || c.FPS < 1 || c.FPS > 240 || c.Speed <= 0 ||
			c.Frames == 0 || !slices.Contains(Names(), c.Name) {
			t.Errorf("Parse(%q) let %+v pass", query, c)
		}
	})
}

func TestNext(t *testing.T) {
	s := small(t, Config{Name: "sprites", Frames: 5, FPS: 24})
	for n := range 5 {
		f, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := time.Duration(math.Round(float64(n) * 1e9 / 24))
		if f.Seq != uint64(n) || f.PTS != want || f.W != 160 || f.H != 90 || f.Captured.IsZero() {
			t.Errorf("frame %d: got seq %d, pts %v, size %dx%d, captured %v, want pts %v", n, f.Seq, f.PTS, f.W, f.H, f.Captured, want)
		}
		if (f.Truth.Flow == nil) != (n == 0) || f.Truth.Cut {
			t.Errorf("frame %d: flow nil %v, cut %v", n, f.Truth.Flow == nil, f.Truth.Cut)
		}
		f.Release()
	}
	for range 2 {
		if _, err := s.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("after the last frame: got %v, want io.EOF", err)
		}
	}
}

func TestNextFails(t *testing.T) {
	s := small(t, Config{Name: "twins"})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "synthetic:twins") {
		t.Errorf("cancelled: got %v, want context.Canceled that names the source", err)
	}
	if f, err := s.Next(t.Context()); err != nil || f.Seq != 0 {
		t.Errorf("after a cancelled call: got frame %d, %v, want frame 0", f.Seq, err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Next(t.Context()); !errors.Is(err, os.ErrClosed) {
		t.Errorf("closed: got %v, want os.ErrClosed", err)
	}
}

func TestInfo(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want capture.Info
	}{
		{Config{}, capture.Info{Name: "synthetic:demo", W: 640, H: 360, FPS: 30, Frames: 240, Duration: 8 * time.Second}},
		{Config{Name: "pan", W: 64, H: 48, FPS: 25, Frames: -1}, capture.Info{Name: "synthetic:pan", W: 64, H: 48, FPS: 25}},
	} {
		s, err := New(tt.c)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Info(); got != tt.want {
			t.Errorf("Info of %+v: got %+v, want %+v", tt.c, got, tt.want)
		}
	}
	if _, err := New(Config{Name: "nothing"}); err == nil {
		t.Error("New took an unknown scene")
	}
	if _, err := New(Config{W: 640}); err == nil {
		t.Error("New took a width without a height")
	}
}

// TestSizes renders every scene at several sizes: every pixel belongs to something at each level.
func TestSizes(t *testing.T) {
	for _, name := range Names() {
		for _, size := range [][2]int{{640, 360}, {65, 33}, {16, 16}, {36, 64}, {400, 16}} {
			s := small(t, Config{Name: name, W: size[0], H: size[1], Frames: 3})
			for n := range 3 {
				f, err := s.Next(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if len(f.Pix) != 3*size[0]*size[1] || f.Stride != 3*size[0] || len(f.Truth.Levels) != Levels {
					t.Fatalf("%s %v: %d bytes, stride %d, %d levels", name, size, len(f.Pix), f.Stride, len(f.Truth.Levels))
				}
				for l, ids := range f.Truth.Levels {
					if len(ids) != size[0]*size[1] || slices.Min(ids) == 0 {
						t.Errorf("%s %v frame %d level %d: %d ids, smallest %d", name, size, n, l, len(ids), slices.Min(ids))
					}
				}
				if f.Truth.Flow != nil && len(f.Truth.Flow) != 2*size[0]*size[1] {
					t.Errorf("%s %v frame %d: %d flow values", name, size, n, len(f.Truth.Flow))
				}
				if slices.Min(s.stage.free) != 0 || slices.Max(s.stage.free) != 0 {
					t.Errorf("%s %v frame %d: a pixel is not painted in full", name, size, n)
				}
			}
		}
	}
}

func TestDeterministic(t *testing.T) {
	for _, name := range Names() {
		a, b := small(t, Config{Name: name, Seed: 7}), small(t, Config{Name: name, Seed: 7})
		other := small(t, Config{Name: name, Seed: 8})
		want := make([]capture.Frame, 10)
		for n := range want {
			f, err := a.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			want[n] = f
		}
		for _, n := range []uint64{9, 3, 0, 4} {
			f, w := b.frame(n), want[n]
			if !bytes.Equal(f.Pix, w.Pix) || !slices.Equal(f.Truth.Flow, w.Truth.Flow) || f.PTS != w.PTS {
				t.Errorf("%s frame %d differs when it is read out of order", name, n)
			}
			for l := range f.Truth.Levels {
				if !slices.Equal(f.Truth.Levels[l], w.Truth.Levels[l]) {
					t.Errorf("%s frame %d level %d differs when it is read out of order", name, n, l)
				}
			}
		}
		if f := other.frame(0); bytes.Equal(f.Pix, want[0].Pix) {
			t.Errorf("%s: another seed gives the same picture", name)
		}
	}
}

func TestNoise(t *testing.T) {
	s := small(t, Config{Name: "lock"})
	clean := make([]byte, 3*160*90)
	var sum, square, other float64
	for n := range 2 {
		f := s.frame(uint64(n))
		s.stage.render(clean, n)
		for i, v := range f.Pix {
			d := float64(v) - float64(clean[i])
			sum, square = sum+d, square+d*d
			if n == 1 {
				other += d * float64(s.noise[i])
			}
		}
	}
	n := float64(2 * len(clean))
	if mean, sd := sum/n, math.Sqrt(square/n); math.Abs(mean) > 0.1 || sd < 1 || sd > 2.5 {
		t.Errorf("sensor noise has mean %.3f and deviation %.2f, want 0 and 1.7 levels", mean, sd)
	}
	if math.Abs(other/n) > 0.2 {
		t.Errorf("noise repeats: correlation %.2f", other/n)
	}
}

func Example() {
	cfg, err := Parse("twins?seed=3&frames=2&size=64x36")
	if err != nil {
		fmt.Println(err)
		return
	}
	src, err := New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for {
		f, err := src.Next(context.Background())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		objects := map[uint16]bool{}
		for _, id := range f.Truth.Levels[3] {
			objects[id] = true
		}
		fmt.Printf("frame %d at %v: %d objects, flow known: %v\n", f.Seq, f.PTS, len(objects), f.Truth.Flow != nil)
		f.Release()
	}
	// Output:
	// frame 0 at 0s: 4 objects, flow known: false
	// frame 1 at 33.333333ms: 4 objects, flow known: true
}
