package capture

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// y4mStream is a stream of n frames with random planes of size bytes in all.
func y4mStream(header string, n, size int) []byte {
	rng := rand.New(rand.NewPCG(7, 8))
	b := []byte(header + "\n")
	for range n {
		b = append(b, "FRAME\n"...)
		for range size {
			b = append(b, byte(rng.Uint32()))
		}
	}
	return b
}

// readAll reads to the end and returns the frames, copied, and the error if not io.EOF.
func readAll(t testing.TB, src Source) ([]Frame, error) {
	t.Helper()
	var frames []Frame
	for {
		f, err := src.Next(t.Context())
		if err == io.EOF {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		kept := f
		kept.Pix, kept.pool = bytes.Clone(f.Pix), nil
		frames = append(frames, kept)
		f.Release()
	}
}

func openY4M(t testing.TB, data []byte) Source {
	t.Helper()
	src, err := NewY4M(t.Context(), bytes.NewReader(data), "-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// Each colour space at each parity, against the formula and a layout worked out pixel by pixel.
func TestY4MColours(t *testing.T) {
	for _, c := range []struct {
		params string
		dx, dy int // pixels to a chroma sample; 0: no chroma
		full   bool
	}{
		{"", 2, 2, false},
		{" C420jpeg", 2, 2, false},
		{" C420mpeg2 XYSCSS=420MPEG2", 2, 2, false},
		{" C420paldv Ip A1:1", 2, 2, false},
		{" C420 It XCOLORRANGE=FULL", 2, 2, true},
		{" XCOLORRANGE=FULL C444", 1, 1, true},
		{" C444 XCOLORRANGE=LIMITED", 1, 1, false},
		{" C422", 2, 1, false},
		{" Cmono", 0, 0, false},
		{" Cmono XCOLORRANGE=FULL", 0, 0, true},
	} {
		for _, size := range [][2]int{{1, 1}, {2, 2}, {5, 3}, {6, 5}, {9, 4}} {
			w, h := size[0], size[1]
			cw, ch := 0, 0
			if c.dx > 0 {
				cw, ch = (w+c.dx-1)/c.dx, (h+c.dy-1)/c.dy
			}
			header := fmt.Sprintf("YUV4MPEG2 W%d H%d F10:1%s", w, h, c.params)
			data := y4mStream(header, 2, w*h+2*cw*ch)
			frames, err := readAll(t, openY4M(t, data))
			if err != nil || len(frames) != 2 {
				t.Fatalf("%s: got %d frames, %v, want 2", header, len(frames), err)
			}
			raw := data[len(header)+1:]
			for i, f := range frames {
				raw = raw[len("FRAME\n"):]
				for y := range h {
					for x := range w {
						cb, cr := byte(128), byte(128)
						if c.dx > 0 {
							at := w*h + y/c.dy*cw + x/c.dx
							cb, cr = raw[at], raw[at+cw*ch]
						}
						got, want := f.Pix[y*f.Stride+3*x:][:3], slowYUV(raw[y*w+x], cb, cr, c.full)
						if !near(got, want) {
							t.Fatalf("%s, frame %d, pixel (%d, %d): got %v, want %v", header, i, x, y, got, want)
						}
					}
				}
				raw = raw[w*h+2*cw*ch:]
			}
		}
	}
}

func TestY4MRates(t *testing.T) {
	for rate, want := range map[string]float64{
		"": 25, " F0:0": 25, " F30:0": 25, " F0:1": 25, " F1:2": 25, " F90000:1": 25, " F-30:-1": 30,
		" F30:1": 30, " F30000:1001": 30000.0 / 1001, " F1:1": 1, " F240:1": 240,
	} {
		src := openY4M(t, y4mStream("YUV4MPEG2 W4 H2 Cmono"+rate, 3, 8))
		if got, w := src.Info(), (Info{Name: "-", W: 4, H: 2, FPS: want}); got != w {
			t.Errorf("%q: got %+v, want %+v", rate, got, w)
		}
		frames, err := readAll(t, src)
		if err != nil || len(frames) != 3 {
			t.Fatalf("%q: got %d frames, %v", rate, len(frames), err)
		}
		for i, f := range frames {
			if due := time.Duration(float64(i)/want*1e9 + 0.5); f.PTS != due || f.Seq != uint64(i) || f.W != 4 || f.H != 2 || f.Captured.IsZero() {
				t.Errorf("%q: frame %d has Seq %d, PTS %v, %d x %d, want PTS %v", rate, i, f.Seq, f.PTS, f.W, f.H, due)
			}
		}
	}
}

func TestY4MFrameParameters(t *testing.T) {
	data := []byte("YUV4MPEG2 W1 H1 Cmono\nFRAME Ip XABC=1\n\xebFRAME\n\x10")
	frames, err := readAll(t, openY4M(t, data))
	if err != nil || len(frames) != 2 || frames[0].Pix[0] != 255 || frames[1].Pix[0] != 0 {
		t.Errorf("got %v, %v, want white and black", frames, err)
	}
}

// A stream that comes byte by byte is the same stream.
func TestY4MSlowReader(t *testing.T) {
	src, err := NewY4M(t.Context(), iotest.OneByteReader(bytes.NewReader(y4mStream("YUV4MPEG2 W5 H3", 4, 15+12))), "-")
	if err != nil {
		t.Fatal(err)
	}
	if frames, err := readAll(t, src); err != nil || len(frames) != 4 {
		t.Errorf("got %d frames, %v, want 4", len(frames), err)
	}
}

func TestY4MRefusesHeader(t *testing.T) {
	for _, c := range []struct {
		in, want string
		is       error
	}{
		{"", "no data", io.ErrUnexpectedEOF},
		{"hello", `it begins with "hello"`, nil},
		{"hello\nworld\n", `it begins with "hello"`, nil},
		{strings.Repeat("\x00", 5000), `it begins with "\x00`, nil},
		{"\x1aE\xdf\xa3 some matroska\r", "not YUV4MPEG2", nil},
		{"YUV4MPEG2", "cut short", io.ErrUnexpectedEOF},
		{"YUV4MPEG2 W4 H", "cut short", io.ErrUnexpectedEOF},
		{"YUV4MPEG2X W4 H4\n", "not YUV4MPEG2", nil},
		{"YUV4MPEG2 " + strings.Repeat("X", 5000), "longer than 1024 bytes", nil},
		{"YUV4MPEG2\n", "0 x 0 holds no pixels", nil},
		{"YUV4MPEG2 W4\n", "4 x 0 holds no pixels", nil},
		{"YUV4MPEG2 W-4 H4\n", "holds no pixels", nil},
		{"YUV4MPEG2 W4 Hx\n", `parameter "Hx"`, nil},
		{"YUV4MPEG2 W H4\n", `parameter "W"`, nil},
		{"YUV4MPEG2 W99999999999999999999 H4\n", "that fits", nil},
		{"YUV4MPEG2 W16385 H1\n", "over the limit", nil},
		{"YUV4MPEG2 W16384 H16384\n", "over the limit", nil},
		{"YUV4MPEG2 W4611686018427387904 H4\n", "over the limit", nil},
		{"YUV4MPEG2 W4 H4 F25\n", `parameter "F25"`, nil},
		{"YUV4MPEG2 W4 H4 Fa:b\n", `parameter "Fa:b"`, nil},
		{"YUV4MPEG2 W4 H4 C420p10\n", "not supported", nil},
		{"YUV4MPEG2 W4 H4 C411\n", "not supported", nil},
		{"YUV4MPEG2 W4 H4 C444alpha\n", "not supported", nil},
		{"YUV4MPEG2 W4 H4 Cmono16\n", "not supported", nil},
		{"YUV4MPEG2 W4 H4 C\n", "not supported", nil},
	} {
		src, err := NewY4M(t.Context(), strings.NewReader(c.in), "stdin")
		if err == nil {
			t.Errorf("%.40q: got %+v, want an error", c.in, src.Info())
			continue
		}
		if s := err.Error(); !strings.Contains(s, c.want) || !strings.Contains(s, `"stdin"`) || strings.ContainsAny(s, "\r\n") || len(s) > 200 {
			t.Errorf("%.40q: got %q, want one line with %q", c.in, s, c.want)
		}
		if c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%.40q: %v does not wrap %v", c.in, err, c.is)
		}
	}
	broken := errors.New("the cable is out")
	if _, err := NewY4M(t.Context(), iotest.ErrReader(broken), "-"); !errors.Is(err, broken) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// What is whole is delivered before the error, and the error stays.
func TestY4MRefusesFrame(t *testing.T) {
	whole := y4mStream("YUV4MPEG2 W4 H2", 2, 8+4)
	broken := errors.New("the cable is out")
	for _, c := range []struct {
		name string
		in   io.Reader
		want string
		is   error
	}{
		{"cut in the planes", bytes.NewReader(whole[:len(whole)-1]), "frame 1: cut short, 11 of 12 bytes", io.ErrUnexpectedEOF},
		{"cut before the planes", bytes.NewReader(whole[:len(whole)-12]), "frame 1: cut short, 0 of 12 bytes", io.ErrUnexpectedEOF},
		{"cut in FRAME", bytes.NewReader(whole[:len(whole)-15]), "frame 1: cut short in its header", io.ErrUnexpectedEOF},
		{"no FRAME", io.MultiReader(bytes.NewReader(whole[:len(whole)-18]), strings.NewReader("NOISE\n123456789012")), `frame 1: want FRAME, got "NOISE"`, nil},
		{"long FRAME", io.MultiReader(bytes.NewReader(whole[:len(whole)-13]), strings.NewReader(strings.Repeat(" ", 2000))), "frame 1: a header line is longer", nil},
		{"reader fails", io.MultiReader(bytes.NewReader(whole[:len(whole)-5]), iotest.ErrReader(broken)), "frame 1: the cable", broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			src, err := NewY4M(t.Context(), c.in, "stdin")
			if err != nil {
				t.Fatal(err)
			}
			frames, err := readAll(t, src)
			if len(frames) != 1 {
				t.Errorf("got %d frames, want 1", len(frames))
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), `"stdin"`) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) || errors.Is(err, io.EOF) {
				t.Errorf("%v wraps the wrong error", err)
			}
			if _, again := src.Next(t.Context()); again != err {
				t.Errorf("the next Next says %v, want %v again", again, err)
			}
		})
	}
}

// A pipe that nobody writes to must not hold up a cancelled program, and nothing is lost.
func TestY4MWaitsForSlowPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		data := y4mStream("YUV4MPEG2 W4 H2", 2, 12)
		header := bytes.IndexByte(data, '\n') + 1
		go func() {
			time.Sleep(time.Minute)
			pw.Write(data[:header])
			time.Sleep(time.Minute)
			pw.Write(data[header:])
			time.Sleep(time.Hour)
			pw.Close()
		}()
		src, err := NewY4M(t.Context(), pr, "-")
		if err != nil || src.Info().W != 4 {
			t.Fatalf("got %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := src.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that the time is over", err)
		}
		for i := range 2 {
			if f, err := src.Next(t.Context()); err != nil || f.Seq != uint64(i) {
				t.Errorf("got frame %d, %v, want frame %d", f.Seq, err, i)
			}
		}
		if _, err := src.Next(t.Context()); err != io.EOF {
			t.Errorf("got %v, want io.EOF", err)
		}
		src.Close()
	})
}

func TestY4MCancelledBeforeHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			time.Sleep(time.Second)
			cancel(why)
		}()
		if _, err := NewY4M(ctx, pr, "-"); !errors.Is(err, why) {
			t.Errorf("got %v, want the cause", err)
		}
		pw.Close() // or the goroutine would stay, and synctest complain
	})
}

// Close must end a goroutine that offers a frame, and one that reads ends with its read.
func TestY4MClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pr, pw := io.Pipe()
		data := y4mStream("YUV4MPEG2 W4 H2", 3, 12)
		go func() {
			pw.Write(data)
			pw.Close()
		}()
		src, err := NewY4M(t.Context(), pr, "-")
		if err != nil {
			t.Fatal(err)
		}
		f, err := src.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		for range 2 {
			if err := src.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if _, err := src.Next(t.Context()); !errors.Is(err, os.ErrClosed) {
			t.Errorf("after Close: got %v", err)
		}
		if len(f.Pix) != 24 {
			t.Error("the frame is gone with its source")
		}
		io.Copy(io.Discard, pr)
	})
}

func TestY4MCancelledNextGivesNoFrame(t *testing.T) {
	src := openY4M(t, y4mStream("YUV4MPEG2 W4 H2", 3, 12))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if _, err := src.Next(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v, want context.Canceled", err)
		}
	}
	if f, err := src.Next(t.Context()); err != nil || f.Seq != 0 {
		t.Errorf("got frame %d, %v, want the first", f.Seq, err)
	}
}

func TestY4MDecoderAllocations(t *testing.T) {
	const w, h, n = 64, 48, 50
	r := bufio.NewReader(bytes.NewReader(y4mStream(fmt.Sprintf("YUV4MPEG2 W%d H%d", w, h), n, w*h*3/2)))
	header, err := readY4MHeader(r)
	if err != nil {
		t.Fatal(err)
	}
	d, pool := newY4MDecoder(header, r), NewPool(1)
	read := func() {
		f, err := d.frame(pool)
		if err != nil {
			t.Fatal(err)
		}
		f.Release()
	}
	read()
	if allocs := testing.AllocsPerRun(n-2, read); allocs > 0 {
		t.Errorf("%v allocations a frame, want 0", allocs)
	}
}

func FuzzY4M(f *testing.F) {
	for _, s := range []string{
		"YUV4MPEG2 W4 H2 F30:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\nFRAME\n0123456789ab",
		"YUV4MPEG2 W1 H1 Cmono\nFRAME Ip\nxFRAME\ny", "YUV4MPEG2 W3 H3 C422 F0:0\nFRAME\n",
		"YUV4MPEG2 W2 H2 C444 XCOLORRANGE=FULL\nFRAME\n0123456789ab", "YUV4MPEG2 W99999 H99999\n", "garbage", "YUV4MPEG2 C420p10\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if h, err := readY4MHeader(bufio.NewReader(bytes.NewReader(data))); err == nil && h.w*h.h > 1<<16 {
			t.Skip("larger than a fuzz run should be")
		}
		src, err := NewY4M(t.Context(), bytes.NewReader(data), "-")
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("the error has several lines: %q", err)
			}
			return
		}
		defer src.Close()
		info := src.Info()
		if !plausibleRate(info.FPS) || checkSize(info.W, info.H) != nil {
			t.Errorf("implausible %+v", info)
		}
		frames, err := readAll(t, src)
		if err != nil && strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("the error has several lines: %q", err)
		}
		if least := len("FRAME\n") + info.W*info.H; len(frames)*least > len(data) {
			t.Errorf("%d frames out of %d bytes", len(frames), len(data))
		}
		for i, frame := range frames {
			if frame.Seq != uint64(i) || frame.W != info.W || frame.H != info.H || len(frame.Pix) != 3*info.W*info.H {
				t.Errorf("frame %d: Seq %d, %d x %d, %d bytes in %+v", i, frame.Seq, frame.W, frame.H, len(frame.Pix), info)
			}
		}
	})
}

// endless repeats one frame for ever.
type endless struct {
	frame []byte
	rest  []byte
}

func (e *endless) Read(p []byte) (int, error) {
	if len(e.rest) == 0 {
		e.rest = e.frame
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// BenchmarkY4M is Next of a source of 640 x 360, 4:2:0.
func BenchmarkY4M(b *testing.B) {
	const w, h = 640, 360
	data := y4mStream(fmt.Sprintf("YUV4MPEG2 W%d H%d", w, h), 1, w*h*3/2)
	header := bytes.IndexByte(data, '\n') + 1
	src, err := NewY4M(b.Context(), io.MultiReader(bytes.NewReader(data[:header]), &endless{frame: data[header:]}), "-")
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	for b.Loop() {
		f, err := src.Next(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
