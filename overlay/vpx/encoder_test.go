//go:build cgo && !novpx

package vpx

import (
	"errors"
	"fmt"
	"image"
	"io/fs"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"glomstream/capture"
)

// every has all codecs with all numbers of layers, by name.
func every() iter.Seq2[string, Config] {
	return func(yield func(string, Config) bool) {
		for i := range 6 {
			cfg := Config{Codec: []Codec{VP8, VP9}[i/3], Layers: 1 + i%3}
			if !yield(fmt.Sprint(cfg.Codec, " layers ", cfg.Layers), cfg) {
				return
			}
		}
	}
}

// TestPicture decodes a stream again: each picture must be that of its frame, in all its colours.
func TestPicture(t *testing.T) {
	for name, cfg := range every() {
		t.Run(name, func(t *testing.T) {
			cfg.W, cfg.H = 321, 181 // one column and row are left out
			frames := film(t, cfg.W, cfg.H, 40)
			e, d := open(t, cfg), opened(t, cfg.Codec)
			for i := range 50 {
				f := play(frames, i)
				p := encode(t, e, f, false)
				if p.W != 320 || p.H != 180 || p.PTS != f.PTS || p.Key != (i == 0) {
					t.Fatalf("frame %d: %dx%d at %v, key %v", i, p.W, p.H, p.PTS, p.Key)
				}
				got, want := d.picture(p), slowI420(f)
				if got.Rect != want.Rect {
					t.Fatalf("frame %d is decoded as %v, want %v", i, got.Rect, want.Rect)
				}
				y, cb, cr := psnr(got.Y, want.Y), psnr(got.Cb, want.Cb), psnr(got.Cr, want.Cr)
				if y < 31 || cb < 36 || cr < 36 {
					t.Errorf("frame %d: PSNR %.1f, %.1f and %.1f dB", i, y, cb, cr)
				}
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for _, codec := range []Codec{VP8, VP9} {
		for _, size := range [][2]int{{2, 2}, {3, 2}, {2, 300}, {17, 15}, {4096, 2}, {maxSide, 3}} {
			t.Run(fmt.Sprint(codec, size), func(t *testing.T) {
				w, h := size[0], size[1]
				e, d := open(t, Config{Codec: codec, W: w, H: h}), opened(t, codec)
				f := capture.Frame{W: w, H: h, Stride: 3*w + 1}
				f.Pix = make([]byte, (h-1)*f.Stride+3*w)
				for i := range 3 {
					f.PTS = time.Duration(i) * frame
					img := d.picture(encode(t, e, &f, false))
					if img.Rect.Dx() != w&^1 || img.Rect.Dy() != h&^1 {
						t.Errorf("decoded as %v", img.Rect)
					}
				}
			})
		}
	}
}

func TestKeys(t *testing.T) {
	for name, cfg := range every() {
		t.Run(name, func(t *testing.T) {
			cfg.W, cfg.H, cfg.KeyEvery = 160, 90, time.Second
			frames := film(t, cfg.W, cfg.H, 20)
			e := open(t, cfg)
			forced := map[int]bool{17: true, 18: true, 50: true}
			want := map[int]bool{0: true, 17: true, 18: true, 48: true, 50: true, 80: true, 110: true}
			for i := range 120 {
				p := encode(t, e, play(frames, i), forced[i])
				if p.Key != want[i] || p.Key && p.Layer != 0 {
					t.Errorf("frame %d: key %v, want %v; layer %d", i, p.Key, want[i], p.Layer)
				}
				if p.Key { // nothing before it is needed
					opened(t, cfg.Codec).picture(p)
				}
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no size", Config{}, "0x0"},
		{"negative", Config{W: -2, H: 2}, "-2x2"},
		{"thin", Config{W: 1, H: 100}, "1x100"},
		{"wide", Config{W: 16384, H: 2}, "16384x2"},
		{"large", Config{W: 16000, H: 16000}, "16000x16000"},
		{"codec", Config{W: 2, H: 2, Codec: "h264"}, "h264"},
		{"layers", Config{W: 2, H: 2, Layers: 4}, "4 temporal layers"},
		{"negative layers", Config{W: 2, H: 2, Layers: -1}, "-1 temporal layers"},
		{"bitrate", Config{W: 2, H: 2, Bitrate: -1}, "-1 bit/s"},
		{"huge bitrate", Config{W: 2, H: 2, Bitrate: 1 << 40}, "bit/s"},
		{"rate", Config{W: 2, H: 2, FPS: 1e9}, "frames per second"},
		{"key frames", Config{W: 2, H: 2, KeyEvery: -1}, "-1ns"},
	} {
		e, err := New(tt.cfg)
		if err == nil {
			_ = e.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	e := open(t, Config{W: 32, H: 16})
	whole := capture.NewPool(1).Frame(32, 16)
	with := func(change func(*capture.Frame)) *capture.Frame {
		f := whole
		change(&f)
		return &f
	}
	p := Packet{Data: []byte("old"), Key: true}
	for _, tt := range []struct {
		name string
		f    *capture.Frame
		want string
	}{
		{"none", nil, "no frame"},
		{"empty", &capture.Frame{}, "0x0"},
		{"another size", with(func(f *capture.Frame) { f.W = 30 }), "make a new one"},
		{"released", with(func(f *capture.Frame) { f.Pix = nil }), "fewer pixels"},
		{"short", with(func(f *capture.Frame) { f.Pix = f.Pix[:len(f.Pix)-1] }), "fewer pixels"},
		{"short stride", with(func(f *capture.Frame) { f.Stride-- }), "fewer pixels"},
		{"negative stride", with(func(f *capture.Frame) { f.Stride = -1 << 60 }), "fewer pixels"},
		{"huge stride", with(func(f *capture.Frame) { f.Stride = 1<<63 - 1 }), "fewer pixels"},
	} {
		err := e.Encode(&p, tt.f, false)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(p.Data) != 0 || p.Key {
			t.Errorf("%s: %v, %d bytes", tt.name, err, len(p.Data))
		}
	}
	if err := e.Encode(nil, &whole, false); err == nil {
		t.Error("no error without a packet")
	}
	if got := encode(t, e, &whole, false); !got.Key {
		t.Error("the first good frame gives no key frame")
	}
	for _, bps := range []int{0, -1, 999, 1 << 40} {
		if err := e.SetBitrate(bps); err == nil {
			t.Errorf("no error for %d bit/s", bps)
		}
	}
}

func TestClosed(t *testing.T) {
	e := open(t, Config{W: 32, H: 16})
	d := opened(t, VP8)
	f := capture.NewPool(1).Frame(32, 16)
	p := encode(t, e, &f, false)
	for range 2 {
		if err := errors.Join(e.Close(), d.Close()); err != nil {
			t.Fatal(err)
		}
	}
	kept := string(p.Data)
	for name, err := range map[string]error{
		"Encode":     e.Encode(new(Packet), &f, false),
		"SetBitrate": e.SetBitrate(1e6),
		"Decode":     d.Decode(nil, p.Data),
	} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if string(p.Data) != kept {
		t.Error("the packet did not survive its encoder")
	}
}

// TestTogether closes an encoder while others use it.
func TestTogether(t *testing.T) {
	e := open(t, Config{W: 64, H: 32})
	var wg sync.WaitGroup
	for g := range 3 {
		wg.Go(func() {
			f := capture.NewPool(1).Frame(64, 32)
			var p Packet
			for i := range 50 {
				f.PTS = time.Duration(i) * frame
				err := errors.Join(e.Encode(&p, &f, i%7 == 0), e.SetBitrate(100_000*(g+1)))
				if err != nil && !errors.Is(err, fs.ErrClosed) {
					t.Error(err)
				}
				if g == 0 && i == 40 {
					_ = e.Close()
				}
			}
		})
	}
	wg.Wait()
}

func TestDecodeGarbage(t *testing.T) {
	for _, codec := range []Codec{VP8, VP9} {
		e, d := open(t, Config{Codec: codec, W: 64, H: 32}), opened(t, codec)
		f := capture.NewPool(1).Frame(64, 32)
		p := encode(t, e, &f, false)
		for _, data := range [][]byte{nil, {0}, []byte("garbage of some length"), p.Data[:len(p.Data)/2]} {
			_ = d.Decode(new(image.YCbCr), data) // any error will do
		}
		if img := d.picture(p); img.Rect.Dx() != 64 {
			t.Errorf("%s: after garbage, a key frame is decoded as %v", codec, img.Rect)
		}
	}
	if _, err := NewDecoder("h264"); err == nil {
		t.Error("no error for a codec that there is not")
	}
}

// TestAllocations checks that a frame costs no memory once the packet is large enough.
func TestAllocations(t *testing.T) {
	frames := film(t, 160, 90, 20)
	e, p, i := open(t, Config{W: 160, H: 90, Layers: 3}), Packet{Data: make([]byte, 0, 1<<20)}, 0
	n := testing.AllocsPerRun(100, func() {
		if err := e.Encode(&p, play(frames, i), i%10 == 0); err != nil {
			t.Fatal(err)
		}
		i++
	})
	if n > 1 { // one is the test's own copy of the frame
		t.Errorf("%v allocations a frame", n)
	}
}

// TestLeak makes and closes many encoders and decoders: the memory must stay as it is after the first.
func TestLeak(t *testing.T) {
	const rounds = 300
	runtime.LockOSThread() // C's memory is per thread, as far as it comes
	defer runtime.UnlockOSThread()
	f := capture.NewPool(1).Frame(640, 360)
	var early int
	for i := range rounds {
		codec := []Codec{VP8, VP9}[i%2]
		e, err := New(Config{Codec: codec, W: 640, H: 360, Layers: 1 + i%3})
		if err != nil {
			t.Fatal(err)
		}
		d, err := NewDecoder(codec)
		if err != nil {
			t.Fatal(err)
		}
		var p Packet
		err = e.Encode(&p, &f, false)
		if err == nil {
			err = d.Decode(new(image.YCbCr), p.Data)
		}
		if err := errors.Join(err, e.Close(), d.Close()); err != nil {
			t.Fatal(err)
		}
		if i == rounds/3 {
			early = resident(t)
		}
	}
	// One encoder has some 10 MB.
	if late := resident(t); late > early+8<<20 {
		t.Errorf("%d kB are resident after %d rounds, %d kB were after %d", late>>10, rounds, early>>10, rounds/3)
	}
}

// resident returns the bytes of memory that the process has.
func resident(t *testing.T) int {
	t.Helper()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	var size, pages int
	if _, err := fmt.Sscan(string(data), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

func TestVersion(t *testing.T) {
	if v := Version(); !strings.HasPrefix(v, "v1.") {
		t.Errorf("version %q", v)
	}
}
