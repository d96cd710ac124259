package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"glomstream/capture"
	"glomstream/capture/libav"
	"glomstream/glom"
)

// count returns what a video holds.
func count(t *testing.T, path string) libav.ProbeInfo {
	t.Helper()
	info, err := libav.Count(path, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestVideo(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ file, codec string }{{"a.mkv", "h264"}, {"a.webm", "vp8"}, {"a.mp4", "h264"}} {
		path := filepath.Join(dir, tt.file)
		succeed(t, "process", tiny, "-o", path)
		if got := count(t, path); got.Packets != 5 || got.W != 96 || got.H != 64 || got.Codec != tt.codec {
			t.Errorf("%s: got %+v", tt.file, got)
		}
	}
}

// TestLevelsAndViews draws every choice. All but --level all keep the size, and no two are the same.
func TestLevelsAndViews(t *testing.T) {
	dir := t.TempDir()
	seen := make(map[string]string)
	for _, args := range []string{
		"--level 0", "--level 1", "--level 2", "--level 3", "--level 4", "--level part", "--level object --opacity 0.9",
		"--view agreement", "--view flow", "--view unsettled", "--level all", "--level all --view agreement",
	} {
		path := filepath.Join(dir, strings.ReplaceAll(args, " ", "")+".mkv")
		succeed(t, append([]string{"process", tiny, "-o", path}, strings.Fields(args)...)...)
		got := count(t, path)
		if wide := strings.Contains(args, "all"); got.Packets != 5 || wide != (got.W*got.H > 96*64) {
			t.Errorf("%s: got %+v", args, got)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if other := seen[string(data)]; other != "" && args != "--level part" {
			t.Errorf("%s and %s look the same", args, other)
		}
		seen[string(data)] = args
	}
}

// readGray reads a mask, which must be a 16-bit grey PNG of that size.
func readGray(t *testing.T, path string, w, h int) *image.Gray16 {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	gray, ok := img.(*image.Gray16)
	if !ok || gray.Rect != image.Rect(0, 0, w, h) {
		t.Fatalf("%s: got %T of %v, want 16-bit grey of %dx%d", path, img, img.Bounds(), w, h)
	}
	return gray
}

// readMask returns the ids of a mask and how many pixels have each.
func readMask(t *testing.T, path string, w, h int) map[uint16]int {
	t.Helper()
	gray := readGray(t, path, w, h)
	ids := make(map[uint16]int)
	for y := range h {
		for x := range w {
			ids[gray.Gray16At(x, y).Y]++
		}
	}
	return ids
}

func readLines(t *testing.T, text string) []frameLine {
	t.Helper()
	var lines []frameLine
	s := bufio.NewScanner(strings.NewReader(text))
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		dec := json.NewDecoder(bytes.NewReader(s.Bytes()))
		dec.DisallowUnknownFields()
		var l frameLine
		if err := dec.Decode(&l); err != nil {
			t.Fatalf("line %q: %v", s.Text(), err)
		}
		lines = append(lines, l)
	}
	return lines
}

// TestAllOutputs asks for everything at once: masks and JSON tell of the same islands.
func TestAllOutputs(t *testing.T) {
	dir := t.TempDir()
	video, folder, file := filepath.Join(dir, "x.mkv"), filepath.Join(dir, "deep", "masks"), filepath.Join(dir, "x.ndjson")
	succeed(t, "process", "synthetic:demo?size=97x65&frames=6", "-o", video, "--masks", folder, "--json", file)
	if got := count(t, video).Packets; got != 6 {
		t.Errorf("%d frames in the video", got)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := readLines(t, string(text))
	if len(lines) != 6 {
		t.Fatalf("%d lines", len(lines))
	}
	kept := 0
	for i, l := range lines {
		if l.Frame != uint64(i) || l.Width != 97 || l.Height != 65 || len(l.Levels) != 5 || i > 0 && l.Time <= lines[i-1].Time {
			t.Fatalf("line %d: %+v", i, l)
		}
		for k, level := range l.Levels {
			ids := readMask(t, filepath.Join(folder, fmt.Sprintf("level%d", k), fmt.Sprintf("%05d.png", i)), 97, 65)
			known := checkIslands(t, level, k)
			for id := range ids {
				if !known[id] {
					t.Errorf("frame %d level %d: the mask has island %d, the JSON has not", i, k, id)
				}
			}
			if i > 0 {
				for _, s := range lines[i-1].Levels[k].Islands {
					if known[s.ID] {
						kept++
					}
				}
			}
		}
	}
	if kept < 20 {
		t.Errorf("only %d islands kept their id", kept)
	}
	entries, err := filepath.Glob(filepath.Join(folder, "*", "*"))
	if err != nil || len(entries) != 5*6 {
		t.Errorf("%d masks, %v", len(entries), err)
	}
}

// checkIslands checks one level of a line and returns its ids.
func checkIslands(t *testing.T, l levelLine, want int) map[uint16]bool {
	t.Helper()
	ids := make(map[uint16]bool)
	area := 0.0
	for _, s := range l.Islands {
		if s.ID == 0 || ids[s.ID] || s.Area <= 0 || s.Box[2] <= 0 || s.Box[3] <= 0 || s.Norm < 0 || s.Norm > 1 ||
			s.Agreement < 0 || s.Agreement > 1 || s.Centroid[0] < s.Box[0] || s.Centroid[0] > s.Box[0]+s.Box[2] {
			t.Errorf("level %d: island %+v", want, s)
		}
		ids[s.ID] = true
		area += s.Area
	}
	if l.Level != want || len(ids) == 0 || area > 97*65*1.01 {
		t.Errorf("level %d: %d islands of area %v, level %d", want, len(ids), area, l.Level)
	}
	return ids
}

func TestOneOutput(t *testing.T) {
	if got := len(readLines(t, succeed(t, "process", tiny, "--json", "-"))); got != 5 {
		t.Errorf("--json alone: %d lines", got)
	}
	if got := len(readLines(t, succeed(t, "process", tiny, "--json", "-", "--frames", "2"))); got != 2 {
		t.Errorf("--frames 2: %d lines", got)
	}
	dir := filepath.Join(t.TempDir(), "m")
	succeed(t, "process", tiny, "--masks", dir, "--frames", "1")
	if ids := readMask(t, filepath.Join(dir, "level4", "00000.png"), 96, 64); ids[0] == 96*64 {
		t.Error("a mask without an island")
	}
}

func TestModels(t *testing.T) {
	dir := t.TempDir()
	m, err := glom.New(glom.Config{Seed: 7, Levels: 3})
	if err != nil {
		t.Fatal(err)
	}
	var saved bytes.Buffer
	if err := m.Save(&saved); err != nil {
		t.Fatal(err)
	}
	file := put(t, dir, "m.safetensors", saved.Bytes())
	lines := readLines(t, succeed(t, "process", tiny, "--json", "-", "--weights", file))
	if len(lines) != 5 || len(lines[0].Levels) != 3 {
		t.Errorf("--weights: %d lines", len(lines))
	}
	fail(t, exitUsage, []string{"process", tiny, "-o", filepath.Join(dir, "x.mkv"), "--level", "3", "--weights", file}, "0 to 2")
	settings := put(t, dir, "c.json", []byte(`{"levels": 2}`))
	lines = readLines(t, succeed(t, "process", tiny, "--json", "-", "--weights", "none", "--config", settings))
	if len(lines) != 5 || len(lines[0].Levels) != 2 {
		t.Errorf("--config: %d lines", len(lines))
	}
	for _, flags := range []string{"--order sync", "--query state", "--attention dense", "--attention resampled"} {
		got := succeed(t, append([]string{"process", tiny, "--json", "-"}, strings.Fields(flags)...)...)
		if len(readLines(t, got)) != 5 {
			t.Errorf("%s: %q", flags, got)
		}
	}

	islands := func(source string, flags ...string) (n [5]int) {
		for _, line := range readLines(t, succeed(t, append([]string{"process", source, "--json", "-"}, flags...)...)) {
			for l := range n {
				n[l] += len(line.Levels[l].Islands)
			}
		}
		return n
	}
	// A level's own cut changes it and what lies in it, not what is above.
	fine, coarse := islands(tiny, "--link", "0.95"), islands(tiny, "--link", "0.95,0.5,0.95,0.95,0.95")
	if [3]int(coarse[2:]) != [3]int(fine[2:]) || !(coarse[1] < fine[1]) {
		t.Errorf("islands by level: with one --link for all %v, with a coarser one for level 1 %v", fine, coarse)
	}

	const picture = "synthetic:demo?size=160x96&frames=1"
	byDefault, fine, mixed := islands(picture), islands(picture, "--link", "0.95,0.95,0.95,0.94,0.8"), islands(picture, "--link", "0.95,0.95,0.95,0.8,0.8")
	if byDefault != fine || !(mixed[3] < fine[3]) {
		t.Errorf("islands of a single picture by level: %v, with an object level of 0.94 %v, of 0.8 %v", byDefault, fine, mixed)
	}

	fault := func(flag, name string, data []byte, want string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if data != nil {
			path = put(t, dir, name, data)
		}
		// Of two --weights the last counts.
		fail(t, exitFailed, []string{"process", tiny, "--json", "-", "--weights", "none", flag, path}, name, want)
	}
	fault("--weights", "none.safetensors", nil, "no such file")
	fault("--weights", "garbage.safetensors", []byte(strings.Repeat("garbage!", 100)), "")
	fault("--weights", "cut.safetensors", saved.Bytes()[:saved.Len()/2], "")
	fault("--weights", "short.safetensors", saved.Bytes()[:5], "")
	fault("--weights", "huge.safetensors", []byte{0, 0, 0, 0x80, 0, 0, 0, 0, '{'}, "")
	fault("--frontend", "none.onnx", nil, "no such file")
	fault("--frontend", "garbage.onnx", []byte(strings.Repeat("garbage!", 100)), "")
	fault("--frontend", "empty.onnx", []byte{}, "")
	fault("--config", "none.json", nil, "no such file")
	fault("--config", "unknown.json", []byte(`{"colour": 2}`), "colour")
	fault("--config", "syntax.json", []byte(`{"levels": `), "")
	fault("--config", "more.json", []byte(`{"levels": 2} {"levels": 3}`), "")
	bad := put(t, dir, "bad.json", []byte(`{"levels": -2}`))
	fail(t, exitFailed, []string{"process", tiny, "--json", "-", "--weights", "none", "--config", bad}, "bad.json", "levels")
}

// record writes a video whose frames come at the given times.
func recordTimes(t *testing.T, path string, w, h int, times ...time.Duration) {
	t.Helper()
	rec, err := libav.Create(path, libav.Options{W: w, H: h, Overwrite: true})
	if err != nil {
		t.Fatal(err)
	}
	pool := capture.NewPool(1)
	for i, at := range times {
		f := pool.Frame(w, h)
		f.Seq, f.PTS = uint64(i), at
		for y := range h {
			for x := range w {
				f.Pix[y*f.Stride+3*x+1] = byte(3*x + 5*i)
				f.Pix[y*f.Stride+3*x+2] = byte(4 * y)
			}
		}
		if err := rec.Write(&f); err != nil {
			t.Fatal(err)
		}
		f.Release()
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestTimes sends a file of variable frame rate through: every frame keeps its time.
func TestTimes(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.mkv"), filepath.Join(dir, "out.mkv")
	var want []time.Duration
	for _, at := range []int{0, 40, 80, 200, 230, 700, 1100, 1140, 1160, 2000} {
		want = append(want, time.Duration(at)*time.Millisecond)
	}
	recordTimes(t, in, 96, 64, want...)
	lines := readLines(t, succeed(t, "process", in, "-o", out, "--json", "-"))
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d", len(lines), len(want))
	}
	for i, l := range lines {
		if math.Abs(l.Time-want[i].Seconds()) > 1e-9 {
			t.Errorf("JSON: frame %d is at %v s, want %v", i, l.Time, want[i])
		}
	}
	got := append([]time.Duration{0}, libav.Times(out, 0)...)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("video: frames at %v, want %v", got, want)
	}
}

// drawPicture writes a PNG.
func drawPicture(t *testing.T, path string, w, h int) {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.NRGBA{uint8(7 * x), uint8(5 * y), uint8(x * y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Dir(path), filepath.Base(path), b.Bytes())
}

func TestOddSizes(t *testing.T) {
	dir := t.TempDir()
	for _, s := range []image.Point{{1, 1}, {1, 700}, {700, 1}, {2, 2}, {65, 33}} {
		picture := filepath.Join(dir, fmt.Sprintf("%dx%d.png", s.X, s.Y))
		drawPicture(t, picture, s.X, s.Y)
		out, folder := picture+".mkv", picture+".masks"
		lines := readLines(t, succeed(t, "process", picture, "-o", out, "--level", "all", "--masks", folder, "--json", "-"))
		if len(lines) != 1 || lines[0].Width != s.X || count(t, out).Packets != 1 {
			t.Errorf("%v: %d lines", s, len(lines))
		}
		readMask(t, filepath.Join(folder, "level0", "00000.png"), s.X, s.Y)
	}
}

// TestSizeChange gives pictures of two sizes: a video cannot hold them, masks and JSON can.
func TestSizeChange(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out.mkv")
	if err := os.Mkdir(in, 0o777); err != nil {
		t.Fatal(err)
	}
	drawPicture(t, filepath.Join(in, "1.png"), 64, 48)
	drawPicture(t, filepath.Join(in, "2.png"), 64, 48)
	drawPicture(t, filepath.Join(in, "3.png"), 96, 64)
	fail(t, exitFailed, []string{"process", in, "-o", out, "-q"}, in, "64x48 to 96x64", "2 frames are kept in "+out)
	if got := count(t, out).Packets; got != 2 {
		t.Errorf("%d frames were kept", got)
	}
	folder := filepath.Join(dir, "masks")
	lines := readLines(t, succeed(t, "process", in, "--masks", folder, "--json", "-"))
	if len(lines) != 3 || lines[2].Width != 96 {
		t.Fatalf("lines %+v", lines)
	}
	readMask(t, filepath.Join(folder, "level2", "00001.png"), 64, 48)
	readMask(t, filepath.Join(folder, "level2", "00002.png"), 96, 64)

	r := try(t, strings.NewReader(""), "process", in, "--json", "-", "-q", "-v")
	if r.code != exitOK || !strings.Contains(r.err, "state reset") || !strings.Contains(r.err, "frame=2 width=96 height=64") {
		t.Errorf("exit code %d, log %q, want 0 and a line for frame 2", r.code, r.err)
	}
}

// TestVideoSizeChange has a video file of two sizes, which OpenCV does not notice.
func TestVideoSizeChange(t *testing.T) {
	dir := t.TempDir()
	var motion bytes.Buffer
	for i := range 30 {
		img := image.NewGray(image.Rect(0, 0, 64, 48))
		if i >= 20 {
			img = image.NewGray(image.Rect(0, 0, 32, 32))
		}
		img.Set(i, i, color.White)
		if err := jpeg.Encode(&motion, img, nil); err != nil {
			t.Fatal(err)
		}
	}
	in, out := put(t, dir, "in.mjpeg", motion.Bytes()), filepath.Join(dir, "out.mkv")
	fail(t, exitFailed, []string{"process", in, "-o", out, "-q"}, in, "64x48 to 32x32", "20 frames are kept in "+out)
	if got := count(t, out).Packets; got != 20 {
		t.Errorf("%d frames were kept", got)
	}
	fail(t, exitFailed, []string{"process", in, "--json", "-", "-q"}, "64x48 to 32x32", "take the parts one by one")
}

// TestProgress has a standard error that is no terminal: JSON lines, the last of which is done.
func TestProgress(t *testing.T) {
	r := try(t, nil, "process", "synthetic:demo?size=320x180&frames=45", "--json", os.DevNull)
	lines := strings.Split(strings.TrimSpace(r.err), "\n")
	for i, text := range lines {
		var l progressLine
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("line %q: %v", text, err)
		}
		last := i == len(lines)-1
		if l.Done != last || l.Frames != 45 || last && l.Frame != 45 || (l.ETA == nil) != last || l.FPS <= 0 {
			t.Errorf("line %d of %d: %s", i, len(lines), text)
		}
	}
	if r := try(t, nil, "process", tiny, "--json", os.DevNull, "-q"); r.err != "" || r.out != "" {
		t.Errorf("--quiet: %q, %q", r.out, r.err)
	}
}

// TestBuiltIn uses the weights that come with the program, which is the default: their islands are others, and the rule of
// the step can be changed with them as well.
func TestBuiltIn(t *testing.T) {
	const source = "synthetic:sprites?size=320x180&frames=3"
	seen := map[string]string{}
	for _, args := range []string{"", "--weights none", "--order sync --query state"} {
		out := succeed(t, append([]string{"process", source, "--json", "-", "-q"}, strings.Fields(args)...)...)
		if other, ok := seen[out]; ok {
			t.Errorf("%q and %q give the same islands", args, other)
		}
		seen[out] = args
	}
	if out := succeed(t, "process", source, "--json", "-", "-q", "--weights", "built-in"); seen[out] != "" {
		t.Errorf("--weights built-in and %q give the same islands, want those of no flag", seen[out])
	}
	fail(t, exitUsage, []string{"process", source, "--json", "-", "--config", "c.json"}, "built-in", "say --weights none")
	fail(t, exitUsage, []string{"process", source, "--json", "-", "--frontend", "f.onnx"}, "f.onnx", "--weights that go with it")
}
