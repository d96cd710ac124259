//go:build cgo

package libav

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"glomstream/capture"
)

// childEnv makes this test binary write a video instead of testing; see child.
const childEnv = "LIBAV_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childEnv); path != "" {
		child(path)
		return
	}
	goleak.VerifyTestMain(m)
}

// child records without an end, printing the number of each frame that was written, or the
// error that stops it.
func child(path string) {
	if path, ok := strings.CutPrefix(path, "limited:"); ok {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 100_000, Max: 100_000}); err != nil {
			fmt.Println(err)
			return
		}
		childRecord(path)
		return
	}
	childRecord(path)
}

func childRecord(path string) {
	r, err := Create(path, Options{W: 320, H: 180, FPS: 30})
	for i := 0; err == nil; i++ {
		if err = r.Write(picture(320, 180, i, frameTime(i))); err == nil {
			fmt.Println(i)
		}
	}
	fmt.Println(err)
	fmt.Println(r.Close())
}

// frameTime is when frame i of a 30 frames/s video is shown.
func frameTime(i int) time.Duration { return time.Duration(i) * time.Second / 30 }

// picture draws frame i of a test video: a soft moving background and a hard-edged box.
func picture(w, h, i int, at time.Duration) *capture.Frame {
	f := &capture.Frame{Seq: uint64(i), PTS: at, W: w, H: h, Stride: 3*w + 5}
	f.Pix = make([]byte, h*f.Stride)
	for y := range h {
		for x := range w {
			p := f.Pix[y*f.Stride+3*x:]
			p[0] = byte(128 + 80*math.Sin(float64(x+2*i)/23))
			p[1] = byte(128 + 80*math.Sin(float64(y+i)/17))
			p[2] = byte(128 + 80*math.Cos(float64(x+y-i)/29))
			if x > w/4+i%8 && x < w/2+i%8 && y > h/4 && y < h/2 {
				p[0], p[1], p[2] = 178, 114, 60
			}
		}
	}
	return f
}

// record writes n frames of w by h at the given times and closes.
func record(t *testing.T, path string, opt Options, times []time.Duration) error {
	t.Helper()
	r, err := Create(path, opt)
	if err != nil {
		return err
	}
	for i, at := range times {
		if err := r.Write(picture(opt.W, opt.H, i, at)); err != nil {
			return errors.Join(err, r.Close())
		}
	}
	if r.Frames() != len(times) {
		t.Errorf("Frames() = %d, want %d", r.Frames(), len(times))
	}
	return r.Close()
}

// steady gives n times of 30 frames/s.
func steady(n int) []time.Duration {
	times := make([]time.Duration, n)
	for i := range times {
		times[i] = frameTime(i)
	}
	return times
}

// decoded returns the file's pictures in BGR by the ffmpeg program.
func decoded(t *testing.T, path string) []byte {
	t.Helper()
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("the ffmpeg program is not installed")
	}
	cmd := exec.Command(program, "-v", "error", "-i", path, "-vsync", "passthrough", "-enc_time_base", "-1",
		"-sws_flags", "accurate_rnd+full_chroma_int", "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, complaints.String())
	}
	return out
}

// shown returns the presentation times and durations of the file's packets by ffprobe.
func shown(t *testing.T, path string) (times []time.Duration, end time.Duration) {
	t.Helper()
	program, err := exec.LookPath("ffprobe")
	if err != nil {
		t.Skip("the ffprobe program is not installed")
	}
	out, err := exec.Command(program, "-v", "error", "-show_entries", "packet=pts_time:format=duration", "-of", "csv=p=0", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(strings.ReplaceAll(string(out), ",", " "))
	for i, s := range fields {
		d, err := time.ParseDuration(s + "s")
		if err != nil {
			t.Fatal(err)
		}
		if i < len(fields)-1 {
			times = append(times, d)
		} else {
			end = d
		}
	}
	return times, end
}

func near(a, b, tolerance time.Duration) bool { return (a - b).Abs() <= tolerance }

func TestEncodersAndVersion(t *testing.T) {
	got := Encoders()
	for _, name := range []string{"h264", "vp8", "vp9", "mpeg4", "ffv1"} {
		if !slices.Contains(got, name) {
			t.Errorf("Encoders() = %v lacks %s, which Debian's FFmpeg has", got, name)
		}
	}
	if d := Decoders(); !slices.Contains(d, "h264") || !slices.Contains(d, "vp8") {
		t.Errorf("Decoders() = %v lacks h264 or vp8", d)
	}
	v := Version()
	if !strings.HasPrefix(v.Format, "59.") || !strings.HasPrefix(v.Codec, "59.") || !strings.HasPrefix(v.Util, "57.") || !strings.HasPrefix(v.Scale, "6.") {
		t.Errorf("Version() = %+v is not FFmpeg 5's", v)
	}
	if v.FFmpeg == "" || !strings.Contains(v.Licence, "GPL") {
		t.Errorf("Version() = %+v", v)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "libav")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "out.mkv")

	rec, err := Create(path, Options{W: 64, H: 48, FPS: 25})
	if err != nil {
		fmt.Println(err)
		return
	}
	frame := capture.Frame{W: 64, H: 48, Stride: 3 * 64, Pix: make([]byte, 3*64*48)}
	for _, ms := range []int{0, 40, 80, 200} { // each frame at its own time
		frame.PTS = time.Duration(ms) * time.Millisecond
		if err := rec.Write(&frame); err != nil {
			break
		}
	}
	if err := rec.Close(); err != nil {
		fmt.Println(err)
		return
	}
	info, err := Count(path, 0)
	fmt.Println(info.Codec, info.W, info.H, info.Packets, info.Last, info.Duration, err)
	// Output: h264 64 48 4 200ms 320ms <nil>
}

// BenchmarkWrite measures encoding of 640x360, the product's usual size.
func BenchmarkWrite(b *testing.B) {
	for _, c := range []struct{ name, ext, codec string }{
		{"h264", ".mkv", "h264"}, {"vp8", ".webm", "vp8"}, {"vp9", ".webm", "vp9"}, {"mpeg4", ".mkv", "mpeg4"},
	} {
		b.Run(c.name, func(b *testing.B) {
			frames := make([]*capture.Frame, 32)
			for i := range frames {
				frames[i] = picture(640, 360, i, 0)
			}
			r, err := Create(filepath.Join(b.TempDir(), "b"+c.ext), Options{W: 640, H: 360, FPS: 30, Codec: c.codec})
			if err != nil {
				b.Fatal(err)
			}
			i := 0
			for b.Loop() {
				f := frames[i%len(frames)]
				f.PTS = frameTime(i)
				if err := r.Write(f); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
