package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSources gives what is no video: one line that names it and says why, whatever it is.
func TestSources(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole.mkv")
	var times []time.Duration
	for i := range 50 {
		times = append(times, time.Duration(i)*40*time.Millisecond)
	}
	recordTimes(t, whole, 64, 48, times...)
	video, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	empty, odd := filepath.Join(dir, "empty"), filepath.Join(dir, "broken")
	for _, d := range []string{empty, odd} {
		if err := os.Mkdir(d, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	drawPicture(t, filepath.Join(odd, "1.png"), 16, 16)
	put(t, odd, "2.png", []byte("no picture"))
	sparse := put(t, dir, "sparse.mp4", nil)
	if err := os.Truncate(sparse, 10<<30); err != nil {
		t.Skip("no sparse files:", err)
	}

	for _, tt := range []struct{ name, source, want string }{
		{"missing", filepath.Join(dir, "none.mp4"), "no such file"},
		{"no camera", "/dev/video250", "no such camera"},
		{"camera number", "250", "glom doctor lists"},
		{"folder", empty, "holds no picture"},
		{"empty", put(t, dir, "empty.mp4", nil), "empty"},
		{"device", "/dev/zero", "is a device"},
		{"sparse", sparse, "cut off"},
		{"noise", put(t, dir, "noise.mkv", noise(9999)), "not a video"},
		{"text", put(t, dir, "text.txt", bytes.Repeat([]byte("hello world\n"), 99)), "it is text"},
		{"text as mp4", put(t, dir, "text.mp4", bytes.Repeat([]byte("hello world\n"), 99)), "is no mp4"},
		{"playlist", put(t, dir, "list.mp4", []byte("#EXTM3U\nother.mp4\n")), "playlist"},
		{"playlist of the net", put(t, dir, "list.m3u8", []byte("#EXTM3U\nhttp://127.0.0.1:1/x\n")), "playlist"},
		{"cut at its start", put(t, dir, "start.mkv", video[:700]), "header without frames"},
		{"picture bomb", put(t, dir, "bomb.png", bombPNG()), "60000 x 60000"},
		{"broken picture", odd, "2.png"},
		{"concat", "concat:a.mp4|b.mp4", "not accepted"},
		{"file URL", "file:///etc/passwd", "not accepted"},
		{"pipeline", "videotestsrc ! appsink", "pipelines are not accepted"},
		{"scene", "synthetic:nothing", "demo"},
		{"nothing", "", "no source given"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := []string{tt.want}
			if !strings.Contains(tt.source, ":") {
				want = append(want, strings.TrimSuffix(tt.source, "!"))
			}
			fail(t, exitFailed, []string{"process", tt.source, "-q", "--json", "-"}, want...)
		})
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// bombPNG is a header that promises 10 GB of pixels.
func bombPNG() []byte {
	header := "IHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00"
	sum := binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(header)))
	return []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\r" + header + string(sum))
}

// TestCutOff has a file that lost its last tenth: what is there is kept, and the error says so.
func TestCutOff(t *testing.T) {
	dir := t.TempDir()
	whole, out := filepath.Join(dir, "whole.mkv"), filepath.Join(dir, "out.mkv")
	var times []time.Duration
	for i := range 50 {
		times = append(times, time.Duration(i)*40*time.Millisecond)
	}
	recordTimes(t, whole, 64, 48, times...)
	video, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	cut := put(t, dir, "cut.mkv", video[:len(video)*9/10])
	fail(t, exitFailed, []string{"process", cut, "-q", "-o", out}, cut, "cut off", "frames are kept in "+out)
	if got := count(t, out).Packets; got < 35 || got > 48 {
		t.Errorf("%d frames were kept", got)
	}
}

func TestStandardInput(t *testing.T) {
	frame := "FRAME\n" + strings.Repeat("\x80", 32*32*3/2)
	header := "YUV4MPEG2 W32 H32 F25:1 C420\n"
	r := try(t, strings.NewReader(header+frame+frame), "process", "-", "--json", "-", "-q")
	if r.code != exitOK || len(readLines(t, r.out)) != 2 {
		t.Errorf("two frames: %+v", r)
	}
	args := []string{"process", "-", "--json", os.DevNull, "-q"}
	failFrom(t, strings.NewReader(""), exitFailed, args, "no data")
	failFrom(t, strings.NewReader("hello\n"), exitFailed, args, "YUV4MPEG2")
	failFrom(t, bytes.NewReader(noise(9999)), exitFailed, args, "YUV4MPEG2")
	failFrom(t, strings.NewReader(header), exitFailed, args, `no video frames in "-"`)
	failFrom(t, strings.NewReader(header+frame+frame[:99]), exitFailed, args, "cut short", "1 frame is kept in "+os.DevNull)
	failFrom(t, strings.NewReader("YUV4MPEG2 W99999 H99999 F25:1\n"), exitFailed, args, "99999")
}

func TestStreams(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("no loopback:", err)
	}
	for _, scheme := range []string{"rtsp", "http"} {
		url := fmt.Sprintf("%s://user:secret@%s/live", scheme, ln.Addr())
		args := []string{"process", url, "-q", "--json", "-", "--open-timeout", "300ms"}
		r := try(t, nil, args...)
		if r.code != exitFailed || !strings.Contains(r.err, "no answer within 300ms") || strings.Contains(r.err, "secret") {
			t.Errorf("silent %s: %+v", scheme, r)
		}
	}
	ln.Close()
	for _, scheme := range []string{"rtsp", "http"} {
		url := fmt.Sprintf("%s://user:secret@%s/live", scheme, ln.Addr())
		r := try(t, nil, "process", url, "-q", "--json", "-")
		if r.code != exitFailed || !strings.Contains(r.err, "connection refused") || strings.Contains(r.err, "secret") {
			t.Errorf("closed %s: %+v", scheme, r)
		}
	}
}

func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.mkv")
	recordTimes(t, in, 96, 64, 0, 40*time.Millisecond)
	before, err := os.ReadFile(in)
	if err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(dir, "full.mkv")
	if err := os.Symlink("/dev/full", full); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "masks")
	succeed(t, "process", tiny, "--masks", taken, "-q")
	old := put(t, dir, "old.mkv", []byte("precious"))

	for _, tt := range []struct {
		name string
		args []string
		want []string
	}{
		{"video exists", []string{"-o", old}, []string{old, "give -y"}},
		{"JSON exists", []string{"--json", old}, []string{old, "give -y"}},
		{"masks exist", []string{"--masks", taken}, []string{taken, "give -y"}},
		{"the source", []string{"-y", "-o", dir + "/./in.mkv"}, []string{"it is the source"}},
		{"JSON into the source", []string{"-y", "--json", in}, []string{"it is the source"}},
		{"no folder", []string{"-o", dir + "/none/x.mkv"}, []string{dir + "/none", "make it first"}},
		{"no folder for JSON", []string{"--json", dir + "/none/x"}, []string{dir + "/none", "make it first"}},
		{"masks in a file", []string{"--masks", old + "/m"}, []string{old, "not a directory"}},
		{"JSON is a folder", []string{"--json", dir}, []string{dir, "it is a folder"}},
		{"full disk", []string{"-y", "-o", full}, []string{full, "no space left"}},
		{"full disk for JSON", []string{"--json", "/dev/full"}, []string{"/dev/full", "no space left"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"process", in, "-q"}, tt.args...)
			fail(t, exitFailed, args, tt.want...)
			if r := try(t, nil, args...); strings.Count(r.err, "no space left") > 1 {
				t.Errorf("it says it twice: %s", r.err)
			}
		})
	}
	after, err := os.ReadFile(in)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the source was touched: %v", err)
	}
	if data, err := os.ReadFile(old); err != nil || string(data) != "precious" {
		t.Errorf("the old file was touched: %q, %v", data, err)
	}
	succeed(t, "process", tiny, "-q", "-y", "-o", old, "--masks", taken)
	if got := count(t, old).Packets; got != 5 {
		t.Errorf("-y: %d frames", got)
	}
}

// TestReadOnlyFolder is for users only: nothing is read-only for root.
func TestReadOnlyFolder(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"--masks", "--json", "-o"} {
		name := filepath.Join(dir, "x.mkv")
		fail(t, exitFailed, []string{"process", tiny, "-q", flag, name}, name, "permission denied")
	}
}

// TestTooWide has a picture that is too wide for VP8.
func TestTooWide(t *testing.T) {
	dir := t.TempDir()
	wide, out := filepath.Join(dir, "wide.png"), filepath.Join(dir, "x.webm")
	drawPicture(t, wide, 16384, 1)
	fail(t, exitFailed, []string{"process", wide, "-q", "-o", out}, out)
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a file without a frame was left: %v", err)
	}
}
