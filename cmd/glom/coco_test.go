package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"glomstream/glom/islands"
)

// cocoFile is a data set as a whole.
type cocoFile struct {
	Info        cocoInfo         `json:"info"`
	Categories  []cocoCategory   `json:"categories"`
	Annotations []cocoAnnotation `json:"annotations"`
	Images      []cocoImage      `json:"images"`
}

// readCoco reads a data set, which must be whole, and checks what holds for all.
func readCoco(t *testing.T, path string) cocoFile {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(`\u00`)) {
		t.Errorf("%s: masks are escaped", path)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var f cocoFile
	if err := dec.Decode(&f); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("%s: something follows: %v", path, err)
	}
	if f.Info.Version != cocoSchema || f.Annotations == nil || f.Images == nil {
		t.Errorf("%s: info %+v, %d annotations, %d images", path, f.Info, len(f.Annotations), len(f.Images))
	}
	images := map[uint64]cocoImage{}
	for _, i := range f.Images {
		images[i.ID] = i
	}
	for k, a := range f.Annotations {
		i := images[a.ImageID]
		if a.ID != k+1 || a.Segmentation.Size != [2]int{i.Height, i.Width} || a.CategoryID < 1 || a.CategoryID > len(f.Categories) || a.Crowd != 0 {
			t.Fatalf("annotation %d: %+v of image %+v", k, a, i)
		}
	}
	return f
}

// maskOf decodes a mask down the columns, with nothing in common with package islands but the format.
func maskOf(t *testing.T, m cocoMask) [][]bool {
	t.Helper()
	var counts []int
	for at := 0; at < len(m.Counts); {
		n, shift := 0, 0
		for more := true; more; at++ {
			c := int(m.Counts[at]) - 48
			n += c % 32 << shift
			shift += 5
			if more = c >= 32; !more && c%32 >= 16 {
				n -= 1 << shift
			}
		}
		if len(counts) > 2 {
			n += counts[len(counts)-2]
		}
		counts = append(counts, n)
	}
	h, w := m.Size[0], m.Size[1]
	rows := make([][]bool, h)
	for y := range rows {
		rows[y] = make([]bool, w)
	}
	at := 0
	for k, n := range counts {
		for range n {
			rows[at%h][at/h] = k%2 > 0
			at++
		}
	}
	if at != w*h {
		t.Fatalf("a mask of %d pixels, want %dx%d", at, w, h)
	}
	return rows
}

// TestCoco compares the annotations with the masks and the lines of the same run.
func TestCoco(t *testing.T) {
	dir := t.TempDir()
	file, folder := filepath.Join(dir, "x.json"), filepath.Join(dir, "masks")
	lines := readLines(t, succeed(t, "process", "synthetic:demo?size=97x65&frames=3", "--coco", file, "--masks", folder, "--json", "-", "-q"))
	f := readCoco(t, file)
	if len(f.Images) != 3 || len(f.Categories) != 5 || f.Categories[3] != (cocoCategory{4, "object", "island"}) {
		t.Fatalf("images %+v, categories %+v", f.Images, f.Categories)
	}
	at := 0
	for i, line := range lines {
		if want := (cocoImage{line.Frame, 97, 65, []string{"00000.png", "00001.png", "00002.png"}[i], line.Time}); f.Images[i] != want {
			t.Errorf("image %d: got %+v, want %+v", i, f.Images[i], want)
		}
		for l, level := range line.Levels {
			ids := maskPixels(t, folder, l, f.Images[i].File)
			for _, s := range level.Islands {
				area, box := measure(ids, s.ID)
				if area == 0 {
					continue
				}
				a := f.Annotations[at]
				at++
				parent := 0
				if s.Parent > 0 {
					parent = (l+1)*65536 + int(s.Parent)
				}
				if a.ImageID != line.Frame || a.CategoryID != l+1 || a.TrackID != l*65536+int(s.ID) || a.ParentTrack != parent ||
					a.Area != area || a.Box != box || a.Score != s.Confidence {
					t.Fatalf("frame %d level %d island %+v: annotation %+v, want area %d, box %v", i, l, s, a, area, box)
				}
				mask := maskOf(t, a.Segmentation)
				for y := range ids {
					for x, id := range ids[y] {
						if mask[y][x] != (id == s.ID) {
							t.Fatalf("frame %d level %d island %d: pixel (%d, %d) is %v", i, l, s.ID, x, y, mask[y][x])
						}
					}
				}
				if _, err := islands.Mask(nil, a.Segmentation.Counts, 97, 65); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if at != len(f.Annotations) || at < 3*5 {
		t.Errorf("%d annotations, %d islands", len(f.Annotations), at)
	}
}

// maskPixels reads a mask of 97 by 65 pixels.
func maskPixels(t *testing.T, folder string, level int, name string) [][]uint16 {
	t.Helper()
	img := readGray(t, filepath.Join(folder, "level"+string(rune('0'+level)), name), 97, 65)
	rows := make([][]uint16, 65)
	for y := range rows {
		for x := range 97 {
			rows[y] = append(rows[y], img.Gray16At(x, y).Y)
		}
	}
	return rows
}

// measure counts the pixels of an island and finds the box around them.
func measure(rows [][]uint16, id uint16) (area int, box [4]int) {
	x0, y0, x1, y1 := len(rows[0]), len(rows), 0, 0
	for y, row := range rows {
		for x, v := range row {
			if v == id {
				area++
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
			}
		}
	}
	return area, [4]int{x0, y0, x1 - x0, y1 - y0}
}

// TestCocoEndings has runs that do not go as they should: the file is whole all the same.
func TestCocoEndings(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.Mkdir(in, 0o777); err != nil {
		t.Fatal(err)
	}
	drawPicture(t, filepath.Join(in, "1.png"), 64, 48)
	drawPicture(t, filepath.Join(in, "2.png"), 96, 64)
	file := filepath.Join(dir, "sizes.json")
	succeed(t, "process", in, "--coco", file, "-q")
	if f := readCoco(t, file); len(f.Images) != 2 || f.Images[1].Width != 96 {
		t.Errorf("images %+v", f.Images)
	}
	fail(t, exitFailed, []string{"process", in, "--coco", file, "-q"}, file, "give -y")
	put(t, in, "3.png", []byte("nonsense"))
	fail(t, exitFailed, []string{"process", in, "--coco", file, "-q", "-y"}, "3.png", "2 frames are kept in "+file)
	if f := readCoco(t, file); len(f.Images) != 2 {
		t.Errorf("images %+v", f.Images)
	}
	header := strings.NewReader("YUV4MPEG2 W32 H32 F25:1 C420\n")
	failFrom(t, header, exitFailed, []string{"process", "-", "--coco", file, "-q", "-y"}, "no video frames")
	if f := readCoco(t, file); len(f.Images) != 0 || len(f.Categories) != 5 {
		t.Errorf("no frame: images %+v, categories %+v", f.Images, f.Categories)
	}
	args := []string{"process", tiny, "-q", "--coco", "/dev/full"}
	fail(t, exitFailed, args, "/dev/full", "no space left")
	if r := try(t, nil, args...); strings.Count(r.err, "no space left") > 1 {
		t.Errorf("it says it twice: %s", r.err)
	}
	fail(t, exitFailed, []string{"process", tiny, "-q", "--coco", dir}, dir, "it is a folder")
	fail(t, exitFailed, []string{"process", tiny, "-q", "--coco", dir + "/none/x.json"}, dir+"/none", "make it first")
	t.Setenv("TMPDIR", dir+"/none")
	fail(t, exitFailed, []string{"process", tiny, "-q", "--coco", filepath.Join(dir, "new.json")}, "temporary file", dir+"/none")
}

// TestCocoSignal stops a run that would not end.
func TestCocoSignal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.json")
	cmd := child(t, "process", "synthetic:demo?size=96x64&frames=-1", "--coco", file, "--json", "-", "-q")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	for range 10 {
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, lines)
	_ = cmd.Wait() // it fails with the exit code
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("exit code %d, want 130", got)
	}
	if f := readCoco(t, file); len(f.Images) < 10 {
		t.Errorf("%d images", len(f.Images))
	}
}
