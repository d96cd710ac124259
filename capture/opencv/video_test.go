package opencv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocv.io/x/gocv"

	"glomstream/capture"
)

const (
	testW, testH  = 160, 96
	testFPS       = 20
	testFrames    = 60
	wholeLength   = 3 * time.Second
	shortTimeout  = time.Second
	timeoutSlack  = 4 * time.Second // a busy machine
	frameInterval = time.Second / testFPS
)

// writeVideo makes a Motion JPEG AVI of the moving test texture: frame i has moved by 2i pixels.
func writeVideo(t testing.TB, w, h int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "video.avi")
	out, err := gocv.VideoWriterFile(path, "MJPG", testFPS, w, h, true)
	if err != nil || !out.IsOpened() {
		t.Fatalf("write %s: %v", path, err)
	}
	defer out.Close()
	m := gocv.NewMatWithSize(h, w, gocv.MatTypeCV8UC3)
	defer m.Close()
	pix, err := m.DataPtrUint8()
	if err != nil {
		t.Fatal(err)
	}
	for i := range testFrames {
		f := shifted(w, h, 2*float64(i), 0)
		copy(pix, f.Pix)
		if err := out.Write(m); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func fileSpec(path string) capture.Spec {
	return capture.Spec{Kind: capture.File, Raw: path, Path: path}
}

func streamSpec(url string) capture.Spec {
	return capture.Spec{Kind: capture.Stream, Raw: url, Path: url}
}

// drain reads to the end and returns how many frames came before err.
func drain(v *Video) (n int, err error) {
	for {
		f, err := v.Next(context.Background())
		if err != nil {
			return n, err
		}
		n++
		f.Release()
	}
}

func TestVideo(t *testing.T) {
	v, err := OpenVideo(context.Background(), fileSpec(writeVideo(t, testW, testH)), VideoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	info := v.Info()
	if info.W != testW || info.H != testH || info.FPS != testFPS || info.Frames != testFrames || info.Duration != wholeLength || info.Live {
		t.Errorf("got %+v", info)
	}
	var kept []capture.Frame
	for i := range testFrames {
		f, err := v.Next(context.Background())
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if f.Seq != uint64(i) || (f.PTS-time.Duration(i)*frameInterval).Abs() > time.Millisecond {
			t.Errorf("frame %d: got number %d at %v", i, f.Seq, f.PTS)
		}
		if f.W != testW || f.H != testH || f.Captured.IsZero() {
			t.Fatalf("frame %d: got %dx%d, captured %v", i, f.W, f.H, f.Captured)
		}
		kept = append(kept, f)
	}
	if _, err := v.Next(context.Background()); err != io.EOF {
		t.Errorf("after the last frame: got %v, want io.EOF", err)
	}
	if _, err := v.Next(context.Background()); err != io.EOF {
		t.Errorf("and again: got %v, want io.EOF", err)
	}
	// All of them at the end: no frame shares pixels with a later one.
	for i, f := range kept {
		want := shifted(testW, testH, 2*float64(i), 0)
		if d := meanDifference(f.Pix, want.Pix); d > 4 {
			t.Errorf("frame %d differs by %.1f grey values", i, d)
		}
		f.Release()
	}
}

func meanDifference(a, b []byte) float64 {
	if len(a) != len(b) || len(a) == 0 {
		return 255
	}
	sum := 0
	for i := range a {
		sum += max(int(a[i]), int(b[i])) - min(int(a[i]), int(b[i]))
	}
	return float64(sum) / float64(len(a))
}

func TestClose(t *testing.T) {
	path := writeVideo(t, testW, testH)
	for _, frames := range []int{0, 1, testFrames + 1} {
		v, err := OpenVideo(context.Background(), fileSpec(path), VideoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		var last capture.Frame
		for range frames {
			if f, err := v.Next(context.Background()); err == nil {
				last = f
			}
		}
		for range 2 {
			if err := v.Close(); err != nil {
				t.Error(err)
			}
		}
		if _, err := v.Next(context.Background()); !errors.Is(err, os.ErrClosed) {
			t.Errorf("Next after Close: got %v", err)
		}
		if frames > 0 && len(last.Pix) != 3*testW*testH {
			t.Error("a frame does not outlive its Video")
		}
	}
}

func TestNextStopsWithContext(t *testing.T) {
	v, err := OpenVideo(context.Background(), fileSpec(writeVideo(t, testW, testH)), VideoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	// A frame may be ready at the same time; before long the context wins.
	for range testFrames {
		if _, err = v.Next(ctx); err != nil {
			break
		}
	}
	if !errors.Is(err, why) {
		t.Errorf("got %v, want the cause of the context", err)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	noise := noiseFrame(200, 200, 1)
	sparse := write("sparse.mp4", []byte{0})
	if err := os.Truncate(sparse, 10<<30); err != nil {
		t.Log("no sparse files here:", err)
	}
	whole, err := samples.ReadFile("samples/h264.mkv")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		spec capture.Spec
		want string
		is   error
	}{
		{"missing", fileSpec(filepath.Join(dir, "none.mp4")), "no such file", fs.ErrNotExist},
		{"directory", fileSpec(dir), "directory", nil},
		{"device", fileSpec("/dev/zero"), "not a regular file", nil},
		{"empty", fileSpec(write("empty.mp4", nil)), "empty", nil},
		{"text", fileSpec(write("text.mp4", []byte("not a video\n"))), "no video in it", nil},
		{"noise", fileSpec(write("noise.mkv", noise.Pix)), "no video", nil},
		{"sparse", fileSpec(sparse), "no video", nil},
		{"head only", fileSpec(write("head.mkv", whole[:300])), "no video", nil},
		{"playlist", fileSpec(write("list.m3u8", []byte("#EXTM3U\nother.mp4\n"))), "playlist", nil},
		{"concat", fileSpec(write("list.mp4", []byte("ffconcat version 1.0\nfile a.mp4\n"))), "playlist", nil},
		{"kind", capture.Spec{Kind: capture.Y4M, Raw: "-"}, "not read by OpenCV", nil},
		{"scheme", streamSpec("concat:a.mp4|b.mp4"), "not an rtsp", nil},
		{"pipeline", streamSpec("videotestsrc ! appsink"), "not an rtsp", nil},
		{"camera", capture.Spec{Kind: capture.Webcam, Raw: "250", Path: "/dev/video250", Device: 250}, "no such camera", fs.ErrNotExist},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v, err := OpenVideo(context.Background(), test.spec, VideoOptions{})
			if err == nil { // some are opened, and then have no frame
				_, err = v.Next(context.Background())
				v.Close()
			}
			if err == nil {
				t.Fatal("got no error")
			}
			text := err.Error()
			if !strings.Contains(text, test.want) || !strings.Contains(text, test.spec.Name()) || strings.Contains(text, "\n") {
				t.Errorf("got %q, want one line with %q and the source", text, test.want)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%q does not wrap %v", text, test.is)
			}
		})
	}
}

// TestOddName opens a file whose name FFmpeg would take for a protocol.
func TestOddName(t *testing.T) {
	t.Chdir(t.TempDir())
	data, err := samples.ReadFile("samples/vp8.mkv")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"http:a.mkv", "a%03d é'\".mkv", "concat:x|y"} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		path, err := filepath.Abs(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := OpenVideo(context.Background(), fileSpec(path), VideoOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		if n, err := drain(v); n != 3 || err != io.EOF {
			t.Errorf("%q: got %d frames and %v", name, n, err)
		}
		v.Close()
	}
}

// TestTruncated cuts videos off: what is missing is an error, except a piece too small to tell.
func TestTruncated(t *testing.T) {
	avi := writeVideo(t, testW, testH)
	tests := map[string]string{"avi": avi}
	if ffmpeg, err := exec.LookPath("ffmpeg"); err == nil {
		for _, name := range []string{"mp4", "mkv", "webm"} {
			path := filepath.Join(t.TempDir(), "video."+name)
			args := []string{"-v", "error", "-i", avi, "-g", "10", "-movflags", "+faststart", path}
			if out, err := exec.Command(ffmpeg, args...).CombinedOutput(); err != nil {
				t.Fatalf("ffmpeg: %v\n%s", err, out)
			}
			tests[name] = path
		}
	}
	for name, path := range tests {
		t.Run(name, func(t *testing.T) {
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range []float64{1, 0.6} {
				cut := filepath.Join(t.TempDir(), "cut."+name)
				if err := os.WriteFile(cut, whole[:int(part*float64(len(whole)))], 0o644); err != nil {
					t.Fatal(err)
				}
				v, err := OpenVideo(context.Background(), fileSpec(cut), VideoOptions{})
				if err != nil {
					t.Fatal(err)
				}
				n, err := drain(v)
				v.Close()
				if part == 1 && (n != testFrames || err != io.EOF) {
					t.Errorf("whole: got %d frames and %v", n, err)
				}
				if part < 1 && (n < 5 || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "cut off")) {
					t.Errorf("cut: got %d frames and %v", n, err)
				}
			}
		})
	}
}

// TestSilentServer is a server that takes connections and never answers.
func TestSilentServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback:", err)
	}
	defer ln.Close()
	for _, scheme := range []string{"rtsp", "http"} {
		url := fmt.Sprintf("%s://user:secret@%s/live", scheme, ln.Addr())
		start := time.Now()
		v, err := OpenVideo(context.Background(), streamSpec(url), VideoOptions{OpenTimeout: shortTimeout})
		if err == nil {
			v.Close()
			t.Fatalf("%s: got no error", scheme)
		}
		if d := time.Since(start); d > shortTimeout+timeoutSlack {
			t.Errorf("%s: took %v with a time-out of %v", scheme, d, shortTimeout)
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want a time-out without the password", scheme, err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		start = time.Now()
		_, err = OpenVideo(ctx, streamSpec(url), VideoOptions{OpenTimeout: 2 * time.Second})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: cancelled: got %v after %v", scheme, err, time.Since(start))
		}
	}
}

func TestNoServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback:", err)
	}
	url := fmt.Sprintf("http://user:secret@%s/a.mp4", ln.Addr())
	ln.Close()
	_, err = OpenVideo(context.Background(), streamSpec(url), VideoOptions{})
	if err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Errorf("got %v, want an error with the address and without the password", err)
	}
}

// serve answers every request with write, and hangs on until the test ends if hang is true.
func serve(t *testing.T, contentType string, hang bool, write func(io.Writer)) string {
	t.Helper()
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		write(w)
		w.(http.Flusher).Flush()
		if hang {
			<-release
		}
	}))
	t.Cleanup(func() {
		close(release)
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL
}

// cameraPictures writes n pictures as a network camera does.
func cameraPictures(t *testing.T, n int) func(io.Writer) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, testW, testH))
	return func(w io.Writer) {
		for i := range n {
			m.SetGray(i, i, color.Gray{Y: 255})
			var b bytes.Buffer
			if err := jpeg.Encode(&b, m, nil); err != nil {
				t.Error(err)
			}
			fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", b.Len(), b.Bytes())
		}
	}
}

func TestLiveStream(t *testing.T) {
	const pictures = 40
	for _, hang := range []bool{false, true} {
		url := serve(t, "multipart/x-mixed-replace; boundary=frame", hang, cameraPictures(t, pictures))
		v, err := OpenVideo(context.Background(), streamSpec(url), VideoOptions{ReadTimeout: shortTimeout})
		if err != nil {
			t.Fatal(err)
		}
		if info := v.Info(); !info.Live || info.W != testW || info.H != testH {
			t.Errorf("got %+v", info)
		}
		n, err := drain(v)
		v.Close()
		want := io.ErrUnexpectedEOF
		if hang {
			want = os.ErrDeadlineExceeded
		}
		if n < pictures-1 || !errors.Is(err, want) {
			t.Errorf("server hangs %v: got %d frames and %v, want %v", hang, n, err, want)
		}
	}
}

func TestFileOnAServer(t *testing.T) {
	data, err := os.ReadFile(writeVideo(t, testW, testH))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		data []byte
		hang bool
		want error
	}{
		{"whole", data, false, io.EOF},
		{"cut", data[:len(data)/2], false, io.ErrUnexpectedEOF},
		{"stalls", data[:len(data)/2], true, os.ErrDeadlineExceeded},
	} {
		url := serve(t, "video/x-msvideo", test.hang, func(w io.Writer) { w.Write(test.data) })
		v, err := OpenVideo(context.Background(), streamSpec(url), VideoOptions{ReadTimeout: shortTimeout})
		if err != nil {
			t.Fatal(test.name, err)
		}
		if v.Info().Live {
			t.Errorf("%s: a file is called live", test.name)
		}
		if n, err := drain(v); !errors.Is(err, test.want) || n < 20 {
			t.Errorf("%s: got %d frames and %v, want %v", test.name, n, err, test.want)
		}
		v.Close()
	}
}

func BenchmarkDecode(b *testing.B) {
	path := writeVideo(b, 640, 360)
	if real := "../../../shared/data/videos/good/intel__bottle-detection.mp4"; fileExists(real) {
		path = real
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		b.Fatal(err)
	}
	var v *Video
	defer func() {
		if v != nil {
			v.Close()
		}
	}()
	for b.Loop() {
		if v == nil {
			if v, err = OpenVideo(context.Background(), fileSpec(abs), VideoOptions{}); err != nil {
				b.Fatal(err)
			}
		}
		f, err := v.Next(context.Background())
		if err == io.EOF {
			v.Close()
			v = nil
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		f.Release()
	}
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestTurned reads testdata/turned.mp4: 64x48 pixels, a red square at the top left on blue, to
// be shown turned counterclockwise by 90 degrees. Made with FFmpeg 5.1:
//
//	ffmpeg -f lavfi -i color=red:s=32x32:r=10,pad=64:48:0:0:blue -frames:v 3 -c:v mpeg4 a.mp4
//	ffmpeg -i a.mp4 -c copy -metadata:s:v:0 rotate=90 turned.mp4
func TestTurned(t *testing.T) {
	path, err := filepath.Abs("testdata/turned.mp4")
	if err != nil {
		t.Fatal(err)
	}
	v, err := OpenVideo(context.Background(), fileSpec(path), VideoOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	f, err := v.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if info := v.Info(); f.W != 48 || f.H != 64 || info.W != 48 || info.H != 64 {
		t.Fatalf("got %dx%d, stated %dx%d, want 48x64", f.W, f.H, info.W, info.H)
	}
	for _, c := range []struct {
		x, y int
		red  bool
	}{{8, 56, true}, {40, 8, false}, {8, 8, false}, {40, 56, false}} {
		p := f.Pix[c.y*f.Stride+3*c.x:]
		if (p[2] > 200) != c.red || (p[0] > 200) == c.red {
			t.Errorf("at %d,%d: got BGR %v, want red: %v", c.x, c.y, p[:3], c.red)
		}
	}
}
