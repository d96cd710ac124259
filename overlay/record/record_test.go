package record

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if child(os.Getenv("RECORD_CHILD")) {
		return
	}
	goleak.VerifyTestMain(m)
}

const frame = time.Second / 30

// stream writes n packets, a key frame each 30, and returns what it wrote.
func stream(t *testing.T, r *Recorder, first, n int) (data [][]byte) {
	t.Helper()
	for i := first; i < first+n; i++ {
		p := fmt.Appendf(nil, "packet %d", i)
		data = append(data, p)
		if err := r.Write(p, i%30 == 0, 7*time.Second+time.Duration(i)*frame, 64, 48); err != nil {
			t.Fatal(err)
		}
		clear(p[:0]) // the recorder has its own copy
	}
	return data
}

// contents are what a test looks at of a file.
type contents struct {
	webm.Segment
	packets []string
	keys    []bool
	times   []int64 // ms
}

func read(t *testing.T, path string) contents {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Header  webm.EBMLHeader `ebml:"EBML"`
		Segment webm.Segment    `ebml:"Segment"`
	}
	if err := ebml.Unmarshal(bytes.NewReader(data), &file); err != nil {
		t.Fatal(err)
	}
	c := contents{Segment: file.Segment}
	for _, cl := range file.Segment.Cluster {
		for _, b := range cl.SimpleBlock {
			c.packets = append(c.packets, string(b.Data[0]))
			c.keys = append(c.keys, b.Keyframe)
			c.times = append(c.times, int64(cl.Timecode)+int64(b.Timecode))
		}
	}
	return c
}

// names lists the files of a folder, and fails on one that is not named as promised.
func names(t *testing.T, dir string) (paths []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^\d{8}-\d{6}-\d{4}\.webm$`)
	for _, e := range entries {
		if !form.MatchString(e.Name()) {
			t.Errorf("a file is named %q", e.Name())
		}
		paths = append(paths, filepath.Join(dir, e.Name()))
	}
	return paths
}

func open(t *testing.T, cfg Config) *Recorder {
	t.Helper()
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for it")
	r := open(t, Config{Dir: dir, Codec: "vp9"})
	if err := r.Write([]byte("before the first key frame"), false, 0, 64, 48); err != nil {
		t.Fatal(err)
	}
	if !r.WantsKey() {
		t.Error("it does not say that it waits for a key frame")
	}
	const n = 100
	stream(t, r, 0, n)
	if err := r.Write(nil, false, 8*time.Second, 64, 48); err != nil { // nothing
		t.Fatal(err)
	}
	if r.WantsKey() {
		t.Error("it wants a key frame although it has one")
	}
	for range 2 {
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Write([]byte("late"), true, 0, 64, 48); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Write after Close: %v", err)
	}
	paths := names(t, dir)
	if len(paths) != 1 || r.Dropped() != 0 {
		t.Fatalf("%d files, %d dropped, want one and none", len(paths), r.Dropped())
	}
	got := read(t, paths[0])
	if len(got.packets) != n {
		t.Fatalf("%d packets, want %d", len(got.packets), n)
	}
	for i := range n {
		want := (time.Duration(i) * frame).Round(time.Millisecond).Milliseconds()
		if got.packets[i] != fmt.Sprint("packet ", i) || got.keys[i] != (i%30 == 0) || got.times[i] != want {
			t.Errorf("packet %d: %q, key %v, at %d ms, want %d", i, got.packets[i], got.keys[i], got.times[i], want)
		}
	}
	track := got.Tracks.TrackEntry[0]
	if track.CodecID != "V_VP9" || track.Video.PixelWidth != 64 || track.Video.PixelHeight != 48 {
		t.Errorf("the track is %+v of %+v", track, track.Video)
	}
	if want := 3300.0 + 33; got.Info.Duration < want || got.Info.Duration > want+1 {
		t.Errorf("the duration is %v ms, want %v", got.Info.Duration, want)
	}
	checkCues(t, paths[0], got)
}

// checkCues looks up where a player that seeks would.
func checkCues(t *testing.T, path string, c contents) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, ebml.ElementSegment.Bytes()) + idSize + sizeSize
	if c.SeekHead == nil || len(c.SeekHead.Seek) != 1 {
		t.Fatalf("there is no way to the cues: %+v", c.SeekHead)
	}
	if to := data[at+int(c.SeekHead.Seek[0].SeekPosition):]; !bytes.HasPrefix(to, ebml.ElementCues.Bytes()) {
		t.Errorf("%x is where the cues should be", to[:4])
	}
	keys := 0
	for _, k := range c.keys {
		if k {
			keys++
		}
	}
	if c.Cues == nil || len(c.Cues.CuePoint) != keys {
		t.Fatalf("the cues are %+v, want %d", c.Cues, keys)
	}
	for i, p := range c.Cues.CuePoint {
		to := data[at+int(p.CueTrackPositions[0].CueClusterPosition):]
		if !bytes.HasPrefix(to, ebml.ElementCluster.Bytes()) || p.CueTime != uint64(i*1000) {
			t.Errorf("cue %d at %d ms leads to %x", i, p.CueTime, to[:4])
		}
	}
}

func TestSegments(t *testing.T) {
	dir := t.TempDir()
	r := open(t, Config{Dir: dir, Segment: 1500 * time.Millisecond})
	stream(t, r, 0, 200) // key frames each second, so files of two
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	paths := names(t, dir)
	if len(paths) != 4 {
		t.Fatalf("%d files, want 4", len(paths))
	}
	next := 0
	for i, path := range paths {
		if !strings.HasSuffix(path, fmt.Sprintf("-%04d.webm", i+1)) {
			t.Errorf("file %d is named %s", i, path)
		}
		c := read(t, path)
		if !c.keys[0] || c.times[0] != 0 {
			t.Errorf("%s begins at %d ms, key frame %v", path, c.times[0], c.keys[0])
		}
		for _, p := range c.packets {
			if p != fmt.Sprint("packet ", next) {
				t.Fatalf("%s has %q instead of packet %d", path, p, next)
			}
			next++
		}
	}
	if next != 200 {
		t.Errorf("%d packets, want 200", next)
	}
}

func TestSizeChange(t *testing.T) {
	dir := t.TempDir()
	r := open(t, Config{Dir: dir})
	for i, p := range []struct {
		name string
		key  bool
		w, h int
	}{
		{"a0", true, 64, 48},
		{"a1", false, 64, 48},
		{"no key frame yet", false, 32, 24},
		{"b0", true, 32, 24},
		{"b1", false, 32, 24},
	} {
		if err := r.Write([]byte(p.name), p.key, time.Duration(i)*frame, p.w, p.h); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, path := range names(t, dir) {
		c := read(t, path)
		got = append(got, fmt.Sprint(c.Tracks.TrackEntry[0].Video.PixelWidth, c.packets))
	}
	if want := "[64 [a0 a1] 32 [b0 b1]]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if r.Dropped() != 1 {
		t.Errorf("%d dropped, want 1", r.Dropped())
	}
}

func TestTimes(t *testing.T) {
	ms := time.Millisecond
	tests := []struct {
		name string
		pts  []time.Duration
		want []int64
	}{
		{"even", []time.Duration{5 * time.Hour, 5*time.Hour + 40*ms, 5*time.Hour + 80*ms}, []int64{0, 40, 80}},
		{"a pause", []time.Duration{0, 40 * ms, 50 * time.Second, 50*time.Second + 40*ms}, []int64{0, 40, 50_000, 50_040}},
		{"equal", []time.Duration{0, 40 * ms, 40 * ms, 80 * ms}, []int64{0, 40, 80, 120}},
		{"equal from the start", []time.Duration{0, 0, 0}, []int64{0, 1, 2}},
		{"backward", []time.Duration{9 * time.Second, 9*time.Second + 40*ms, 0, 40 * ms}, []int64{0, 40, 80, 120}},
		{"wild", []time.Duration{0, 40 * ms, 1<<63 - 1, -1 << 63, 40 * ms}, []int64{0, 40, 80, 120, 160}},
		{"faster than the file's clock", []time.Duration{0, 100, 200, 300}, []int64{0, 1, 2, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			r := open(t, Config{Dir: dir})
			for i, pts := range tt.pts {
				if err := r.Write([]byte{1}, i == 0, pts, 2, 2); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if got := read(t, names(t, dir)[0]).times; fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("times %v, want %v", got, tt.want)
			}
		})
	}
}

// TestNothing checks that a recording without a packet leaves no file.
func TestNothing(t *testing.T) {
	dir := t.TempDir()
	r := open(t, Config{Dir: dir})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if paths := names(t, dir); len(paths) != 0 {
		t.Errorf("there are files: %q", paths)
	}
}

func TestNewRefuses(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("as root, a folder without permission is not tried")
	}
	dir := t.TempDir()
	plain := filepath.Join(dir, "file")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		cfg  Config
		want []string
	}{
		{"no folder", Config{}, []string{"no folder"}},
		{"a file", Config{Dir: plain}, []string{plain, "not a directory"}},
		{"below a file", Config{Dir: filepath.Join(plain, "x")}, []string{plain, "not a directory"}},
		{"zero byte", Config{Dir: "a\x00b"}, []string{"invalid argument"}},
		{"codec", Config{Dir: dir, Codec: "h264"}, []string{"h264", "vp8"}},
		{"length", Config{Dir: dir, Segment: -1}, []string{"-1ns"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := New(tt.cfg)
			if err == nil {
				_ = r.Close()
				t.Fatal("no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q lacks %q", err, w)
				}
			}
		})
	}
}

// TestLinks plants what an attacker would: links with the names of the next files, to a file elsewhere.
func TestLinks(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for s := range 20 {
		for n := range 3 {
			name := fmt.Sprintf("%s-%04d.webm", now.Add(time.Duration(s)*time.Second).Format("20060102-150405"), n+1)
			if err := os.Symlink(victim, filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := open(t, Config{Dir: dir})
	stream(t, r, 0, 10)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(victim); string(got) != "precious" {
		t.Errorf("the file that the links lead to has now %q", got)
	}
	paths := names(t, dir)
	last := paths[0]
	for _, path := range paths {
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink == 0 {
			last = path
		}
	}
	if len(paths) != 61 || !strings.HasSuffix(last, "-0004.webm") || len(read(t, last).packets) != 10 {
		t.Errorf("%d names, the recording is %s", len(paths), last)
	}
}

// TestFull has a disk that does not answer for a while.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	r, err := prepare(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	const n = 20 // more than fit
	stream(t, r, 0, maxPackets+n)
	if r.Dropped() != n || !r.WantsKey() {
		t.Errorf("%d dropped, want %d; wants a key frame: %v", r.Dropped(), n, r.WantsKey())
	}
	go r.drain()
	for len(r.queue) > 0 {
		time.Sleep(time.Millisecond)
	}
	// There is room again, but not for what refers to packets that are gone.
	for i, p := range []struct {
		name string
		key  bool
	}{{"no", false}, {"again", true}, {"and on", false}} {
		if err := r.Write([]byte(p.name), p.key, 30*time.Second+time.Duration(i)*frame, 64, 48); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	c := read(t, names(t, dir)[0])
	if got := c.packets[len(c.packets)-3:]; fmt.Sprint(got) != "[packet 255 again and on]" || len(c.packets) != maxPackets+2 {
		t.Errorf("%d packets, the last %q", len(c.packets), got)
	}
	if r.Dropped() != n+1 {
		t.Errorf("%d dropped, want %d", r.Dropped(), n+1)
	}
}

// TestLarge fills the queue by its bytes.
func TestLarge(t *testing.T) {
	r, err := prepare(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 6 {
		if err := r.Write(make([]byte, maxBytes/3), i == 0, time.Duration(i)*frame, 64, 48); err != nil {
			t.Fatal(err)
		}
	}
	if r.Dropped() != 3 {
		t.Errorf("%d dropped, want 3", r.Dropped())
	}
	go r.drain()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkWrite writes packets of 6 kB, which is 1.5 Mbit/s at 30 a second.
func BenchmarkWrite(b *testing.B) {
	r, err := New(Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 6000)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := r.Write(data, i%300 == 0, time.Duration(i)*frame, 640, 360); err != nil {
			b.Fatal(err)
		}
		i++
		for len(r.queue) > maxPackets/2 {
			time.Sleep(10 * time.Microsecond)
		}
	}
	if err := r.Close(); err != nil || r.Dropped() > 0 {
		b.Fatal(err, r.Dropped())
	}
}
