//go:build cgo

package libav

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pairs are all the containers with all that they can hold.
func pairs() (all []struct{ ext, codec string }) {
	for _, box := range containers() {
		for _, codec := range box.codecs {
			all = append(all, struct{ ext, codec string }{box.ext, codec})
		}
	}
	return all
}

func TestRoundTrip(t *testing.T) {
	// A variable rate: bursts, a pause, and a start that is not zero.
	var times []time.Duration
	for i, ms := 0, 120; i < 40; i++ {
		times = append(times, time.Duration(ms)*time.Millisecond)
		ms += []int{33, 34, 7, 250, 1}[i%5]
	}
	const w, h = 160, 90
	for _, p := range pairs() {
		t.Run(p.codec+p.ext, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "v"+p.ext)
			if err := record(t, path, Options{W: w, H: h, FPS: 30, Codec: p.codec}, times); err != nil {
				t.Fatal(err)
			}
			info, err := Count(path, time.Minute)
			if err != nil || info.Packets != len(times) || info.W != w || info.H != h || info.Codec != p.codec || info.Last != times[len(times)-1] {
				t.Errorf("Count = %+v, %v", info, err)
			}
			got, _ := shown(t, path)
			if len(got) != len(times) {
				t.Fatalf("%d packets, want %d", len(got), len(times))
			}
			for i := range got {
				if !near(got[i], times[i], time.Microsecond) {
					t.Errorf("frame %d is at %v, want %v", i, got[i], times[i])
				}
			}
			pix := decoded(t, path)
			if len(pix) != len(times)*w*h*3 {
				t.Fatalf("%d bytes decoded, want %d", len(pix), len(times)*w*h*3)
			}
			worst := math.Inf(1)
			for i := range times {
				worst = min(worst, psnr(pix[i*w*h*3:], w, h, i))
			}
			if worst < 30 {
				t.Errorf("worst PSNR %.1f dB, want over 30", worst)
			}
			if p.codec == "ffv1" && !math.IsInf(worst, 1) {
				t.Errorf("ffv1 is not lossless: PSNR %.1f dB", worst)
			}
		})
	}
}

// psnr compares (h, w, 3) pixels with test picture i, in decibels.
func psnr(pix []byte, w, h, i int) float64 {
	want := picture(w, h, i, 0)
	sum := 0.0
	for y := range h {
		for x := range 3 * w {
			d := float64(pix[y*3*w+x]) - float64(want.Pix[y*want.Stride+x])
			sum += d * d
		}
	}
	return 10 * math.Log10(255*255/(sum/float64(3*w*h)))
}

// TestColours writes plain colours at both sides of the BT.601 to BT.709 limit and
// checks that they come back; the wrong matrix would be off by 20 and more.
func TestColours(t *testing.T) {
	const w, n = 64, 4
	colours := [n][3]byte{{0, 0, 255}, {0, 255, 0}, {255, 0, 0}, {255, 255, 255}} // BGR
	for _, h := range []int{360, 720} {
		for _, p := range pairs() {
			t.Run(fmt.Sprint(p.codec, p.ext, h), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "v"+p.ext)
				r, err := Create(path, Options{W: w, H: h, Codec: p.codec, Quality: 100})
				if err != nil {
					t.Fatal(err)
				}
				for i, c := range colours {
					f := picture(w, h, i, frameTime(i))
					for k := range f.Pix {
						f.Pix[k] = c[k%f.Stride%3]
					}
					if err := r.Write(f); err != nil {
						t.Fatal(err)
					}
				}
				if err := r.Close(); err != nil {
					t.Fatal(err)
				}
				pix := decoded(t, path)
				if len(pix) != n*w*h*3 {
					t.Fatalf("%d bytes", len(pix))
				}
				for i, c := range colours {
					for k := range 3 {
						got := int(pix[(i*h+h/2)*w*3+w/2*3+k])
						if d := got - int(c[k]); d < -8 || d > 8 {
							t.Errorf("colour %d channel %d: got %d, want %d", i, k, got, c[k])
						}
					}
				}
			})
		}
	}
}

func TestOddSizes(t *testing.T) {
	for _, p := range pairs() {
		for _, size := range [][2]int{{1, 1}, {1, 64}, {65, 1}, {2, 2}, {3, 5}, {17, 33}, {161, 90}} {
			t.Run(fmt.Sprintf("%s%s %dx%d", p.codec, p.ext, size[0], size[1]), func(t *testing.T) {
				w, h := size[0], size[1]
				path := filepath.Join(t.TempDir(), "v"+p.ext)
				if err := record(t, path, Options{W: w, H: h, Codec: p.codec}, steady(5)); err != nil {
					t.Fatal(err)
				}
				wantW, wantH := w+w%2, h+h%2
				if p.codec == "ffv1" {
					wantW, wantH = w, h
				}
				info, err := Count(path, 0)
				if err != nil || info.W != wantW || info.H != wantH || info.Packets != 5 {
					t.Errorf("got %+v, %v; want %dx%d", info, err, wantW, wantH)
				}
			})
		}
	}
}

// TestPadding checks that the pixel which makes a width or height even repeats its neighbour.
func TestPadding(t *testing.T) {
	const w, h = 33, 21
	path := filepath.Join(t.TempDir(), "v.mkv")
	r, err := Create(path, Options{W: w, H: h, Quality: 100})
	if err != nil {
		t.Fatal(err)
	}
	f := picture(w, h, 0, 0)
	for i := range f.Pix {
		f.Pix[i] = 200
	}
	if err := errors.Join(r.Write(f), r.Close()); err != nil {
		t.Fatal(err)
	}
	pix := decoded(t, path)
	if len(pix) != (w+1)*(h+1)*3 {
		t.Fatalf("%d bytes", len(pix))
	}
	for i, v := range pix {
		if v < 190 || v > 210 {
			t.Fatalf("byte %d of the padded picture is %d, want about 200", i, v)
		}
	}
}

// at makes times of milliseconds.
func at(ms ...float64) (times []time.Duration) {
	for _, v := range ms {
		times = append(times, time.Duration(v*float64(time.Millisecond)))
	}
	return times
}

func TestTimes(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name     string
		in, want []time.Duration
		end      time.Duration
	}{
		{"equal and lower by little", at(0, 40, 40, 30, 80), at(0, 40, 41, 42, 80), 118 * ms},
		{"below zero", at(-50, -10, 30), at(0, 1, 30), 59 * ms},
		{"starts again", at(0, 5000, 5040, 0, 40, 80), at(0, 5000, 5040, 5080, 5120, 5160), 5200 * ms},
		{"one frame", at(0), at(0), 40 * ms},
		{"long last gap", at(0, 7000), at(0, 7000), 8000 * ms},
		{"closer than a tick", at(0, 0.3, 0.6), at(0, 1, 2), 3 * ms},
		{"hours apart", at(0, 18e6, 18e6+20), at(0, 18e6, 18e6+20), (18e6 + 40) * ms},
	}
	for _, tt := range tests {
		for _, ext := range []string{".mkv", ".webm"} {
			t.Run(tt.name+ext, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "v"+ext)
				if err := record(t, path, Options{W: 32, H: 32, FPS: 25}, tt.in); err != nil {
					t.Fatal(err)
				}
				got, end := shown(t, path)
				if fmt.Sprint(got) != fmt.Sprint(tt.want) || !near(end, tt.end, ms) {
					t.Errorf("got %v to %v, want %v to %v", got, end, tt.want, tt.end)
				}
			})
		}
	}
}

// TestExtremeTimes only asks that nothing dies: what a container cannot say must be an error.
func TestExtremeTimes(t *testing.T) {
	for _, p := range pairs() {
		for _, times := range [][]time.Duration{
			{0, 10 * time.Hour}, {0, 100 * 365 * 24 * time.Hour}, {math.MaxInt64, math.MaxInt64}, {math.MinInt64, math.MaxInt64, 0},
		} {
			path := filepath.Join(t.TempDir(), "v"+p.ext)
			err := record(t, path, Options{W: 32, H: 32, Codec: p.codec}, times)
			if err != nil && !strings.Contains(err.Error(), strconv.Quote(path)) {
				t.Errorf("%s%s %v: %v does not name the file", p.codec, p.ext, times, err)
			}
			t.Logf("%s%s %v: %v", p.codec, p.ext, times, err)
		}
	}
}

// TestFineTimes checks that MP4 keeps more than milliseconds.
func TestFineTimes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mp4")
	if err := record(t, path, Options{W: 32, H: 32}, steady(10)); err != nil {
		t.Fatal(err)
	}
	got, end := shown(t, path)
	for i, at := range got {
		if !near(at, frameTime(i), 2*time.Microsecond) {
			t.Errorf("frame %d is at %v, want %v", i, at, frameTime(i))
		}
	}
	if !near(end, frameTime(10), time.Millisecond) {
		t.Errorf("ends at %v, want %v", end, frameTime(10))
	}
}

func TestCreateErrors(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.mkv")
	if err := os.WriteFile(there, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder.mkv")
	if err := os.Mkdir(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(dir, "pipe.mkv")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	ok := Options{W: 32, H: 32}
	tests := []struct {
		name, path string
		opt        Options
		want       string
	}{
		{"container", "x.avi", ok, `unknown container ".avi"; the name must end in .mkv, .webm or .mp4`},
		{"no ending", "x", ok, `unknown container ""; the name must end in`},
		{"codec", "x.mkv", Options{W: 32, H: 32, Codec: "divx"}, `unknown codec "divx"; use h264, vp8`},
		{"pair", "x.webm", Options{W: 32, H: 32, Codec: "h264"}, ".webm cannot hold h264; it can hold vp8, vp9"},
		{"pair", "x.mp4", Options{W: 32, H: 32, Codec: "ffv1"}, ".mp4 cannot hold ffv1; it can hold h264, mpeg4"},
		{"no size", "x.mkv", Options{}, "a picture of 0x0 cannot be recorded"},
		{"large", "x.mkv", Options{W: 20000, H: 2}, "a picture of 20000x2 cannot be recorded"},
		{"quality", "x.mkv", Options{W: 2, H: 2, Quality: 101}, "quality 101 is not between 1 and 100"},
		{"exists", there, ok, "exists; give -y to overwrite"},
		{"directory", folder, Options{W: 32, H: 32, Overwrite: true}, "is a directory"},
		{"pipe", pipe, Options{W: 32, H: 32, Overwrite: true}, "is a pipe; a recording needs a file"},
		{"no folder", filepath.Join(dir, "none", "x.mkv"), ok, `none"; make it first`},
		{"below a file", filepath.Join(there, "x.mkv"), ok, "not a directory"},
		{"zero byte", "a\x00.mkv", ok, "invalid argument"},
		{"encoder refuses, file stays", there, Options{W: 16000, H: 16, Codec: "mpeg4", Overwrite: true}, "mpeg-4"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := Create(tt.path, tt.opt)
			if err == nil {
				t.Fatal("no error", r.Close())
			}
			text := err.Error()
			if !strings.HasPrefix(text, fmt.Sprintf("create %q: ", tt.path)) || !strings.Contains(strings.ToLower(text), tt.want) || strings.Contains(text, "\n") {
				t.Errorf("got %q, want it to hold %q", text, tt.want)
			}
		})
	}
	if b, _ := os.ReadFile(there); string(b) != "precious" {
		t.Errorf("a refused recording changed the file to %q", b)
	}
	if left, _ := filepath.Glob("x.*"); left != nil {
		t.Errorf("left behind: %v", left)
	}
}

func TestReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	_, err := Create(filepath.Join(dir, "x.mkv"), Options{W: 32, H: 32})
	if !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want permission denied", err)
	}
}

func TestOverwrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mkv")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := record(t, path, Options{W: 32, H: 32, Overwrite: true}, steady(3)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() > 100_000 {
		t.Errorf("the old file's end is still there: %v bytes, %v", info.Size(), err)
	}
}

func TestWrongFrames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mkv")
	r, err := Create(path, Options{W: 32, H: 32})
	if err != nil {
		t.Fatal(err)
	}
	err = r.Write(picture(32, 48, 7, 0))
	if want := fmt.Sprintf("write %q: frame 7 is 32x48, the recording is 32x32", path); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a frame with too few pixels did not panic")
			}
		}()
		f := picture(32, 32, 0, 0)
		f.Pix = f.Pix[:31*f.Stride+95]
		_ = r.Write(f)
	}()
	if err := r.Write(picture(32, 32, 0, 0)); err != nil {
		t.Errorf("the recording should go on: %v", err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Errorf("close, twice: %v", err)
	}
	if err := r.Write(picture(32, 32, 1, frameTime(1))); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("write after close: %v", err)
	}
}

func TestNoFrame(t *testing.T) {
	for _, ext := range []string{".mkv", ".webm", ".mp4"} {
		path := filepath.Join(t.TempDir(), "v"+ext)
		err := record(t, path, Options{W: 32, H: 32}, nil)
		if err == nil || !strings.Contains(err.Error(), "no frame came") {
			t.Errorf("%s: got %v", ext, err)
		}
		if _, err := os.Stat(path); err == nil {
			t.Errorf("%s: an empty file was left", ext)
		}
	}
}

// TestDiskFull writes into /dev/full, the disk that always is.
func TestDiskFull(t *testing.T) {
	for _, p := range pairs() {
		path := filepath.Join(t.TempDir(), "v"+p.ext)
		if err := os.Symlink("/dev/full", path); err != nil {
			t.Skip(err)
		}
		err := record(t, path, Options{W: 320, H: 180, Codec: p.codec, Overwrite: true}, steady(60))
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), strconv.Quote(path)+": no space left on device") {
			t.Errorf("%s%s: got %v", p.codec, p.ext, err)
		}
	}
}

// spawn runs this test binary as a recorder of path; see child.
func spawn(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// TestFileLimit meets a file size limit, which also raises a signal that ends most programs.
func TestFileLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mkv")
	cmd, lines := spawn(t, "limited:"+path)
	frames, errs := 0, []string(nil)
	for lines.Scan() {
		if _, err := strconv.Atoi(lines.Text()); err == nil {
			frames++
		} else {
			errs = append(errs, lines.Text())
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("the recorder died: %v", err)
	}
	want := fmt.Sprintf("write %q: file too large (%d frames were written)", path, frames)
	if len(errs) != 2 || errs[0] != want {
		t.Fatalf("got %q, want first %q", errs, want)
	}
	var readable int
	if _, err := fmt.Sscanf(errs[1], want+"; the incomplete file was kept, %d frames can be read", &readable); err != nil {
		t.Fatalf("Close said %q: %v", errs[1], err)
	}
	info, err := Count(path, 0)
	if err != nil || info.Packets != readable || readable < frames-40 || readable > frames {
		t.Errorf("%d frames written, Close said %d, Count says %d, %v", frames, readable, info.Packets, err)
	}
}

// TestKilled kills a recorder and expects all but the last second.
func TestKilled(t *testing.T) {
	for _, ext := range []string{".mkv", ".webm"} {
		path := filepath.Join(t.TempDir(), "v"+ext)
		cmd, lines := spawn(t, path)
		for lines.Scan() && lines.Text() != "200" {
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := cmd.Wait(); err == nil {
			t.Error("the recorder was to be killed")
		}
		info, err := Count(path, 0)
		if err != nil || info.Packets < 201-30 {
			t.Errorf("%s: after 201 frames %d can be read, %v", ext, info.Packets, err)
		}
		t.Logf("%s: killed after at least 201 frames, %d can be read", ext, info.Packets)
	}
}

// TestCopiedWhileWriting reads a file back that is still being written.
func TestCopiedWhileWriting(t *testing.T) {
	for _, p := range pairs() {
		if p.ext == ".mp4" {
			continue // not crash-safe, as documented
		}
		path := filepath.Join(t.TempDir(), "v"+p.ext)
		r, err := Create(path, Options{W: 64, H: 48, Codec: p.codec})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			if err := r.Write(picture(64, 48, i, frameTime(i))); err != nil {
				t.Fatal(err)
			}
		}
		info, err := Count(path, 0)
		if err != nil || info.Packets < 100-20 {
			t.Errorf("%s%s: of 100 frames %d can be read, %v", p.codec, p.ext, info.Packets, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRemovedOrReplaced(t *testing.T) {
	for _, replace := range []bool{false, true} {
		dir := t.TempDir()
		path := filepath.Join(dir, "v.mkv")
		r, err := Create(path, Options{W: 64, H: 48})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Write(picture(64, 48, 0, 0)); err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if replace {
			if err := errors.Join(os.Mkdir(dir, 0o777), os.WriteFile(path, []byte("mine"), 0o666)); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err == nil || !strings.Contains(err.Error(), "removed or replaced") {
			t.Errorf("replaced %v: got %v", replace, err)
		}
		if b, _ := os.ReadFile(path); replace && string(b) != "mine" {
			t.Errorf("the file that took the place was changed to %q", b)
		}
	}
}

// TestDamagedMeanwhile checks that Close really reads the file back.
func TestDamagedMeanwhile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mkv")
	r, err := Create(path, Options{W: 64, H: 48})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if err := r.Write(picture(64, 48, i, frameTime(i))); err != nil {
			t.Fatal(err)
		}
	}
	size, err := r.file.Seek(0, 1)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(make([]byte, size/2), size/4); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("verify %q: ", path)) || !strings.Contains(err.Error(), "100 were written") {
		t.Errorf("got %v", err)
	} else if again := r.Close(); again.Error() != err.Error() {
		t.Errorf("a second Close says %v", again)
	}
}

func TestQuality(t *testing.T) {
	for _, p := range pairs() {
		if p.codec == "ffv1" {
			continue
		}
		var size [2]int64
		for i, q := range []int{1, 100} {
			path := filepath.Join(t.TempDir(), "v"+p.ext)
			if err := record(t, path, Options{W: 160, H: 90, Codec: p.codec, Quality: q}, steady(20)); err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			size[i] = info.Size()
		}
		if size[1] < 2*size[0] {
			t.Errorf("%s%s: quality 1 takes %d bytes, 100 takes %d", p.codec, p.ext, size[0], size[1])
		}
	}
}

// TestFlatMemory opens, writes and closes many recordings.
func TestFlatMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	dir := t.TempDir()
	cycle := func(i int) {
		p := pairs()[i%len(pairs())]
		path := filepath.Join(dir, "v"+p.ext)
		if err := record(t, path, Options{W: 64, H: 48, Codec: p.codec, Overwrite: true}, steady(3)); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(path, Options{W: 16000, H: 16, Codec: "mpeg4", Overwrite: true}); err == nil {
			t.Fatal("no error")
		}
	}
	for i := range 100 {
		cycle(i)
	}
	before := resident(t)
	for i := range 400 {
		cycle(i)
	}
	after := resident(t)
	t.Logf("resident %d kB, after 400 more recordings %d kB", before>>10, after>>10)
	if after > before+16<<20 {
		t.Errorf("resident memory grew from %d to %d bytes", before, after)
	}
}

// resident is this process's memory in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

func TestWriteAllocatesNothing(t *testing.T) {
	r, err := Create(filepath.Join(t.TempDir(), "v.mkv"), Options{W: 64, H: 48})
	if err != nil {
		t.Fatal(err)
	}
	f, i := picture(64, 48, 0, 0), 0
	if n := testing.AllocsPerRun(50, func() {
		f.PTS = frameTime(i)
		i++
		if err := r.Write(f); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Write allocates %v objects", n)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
