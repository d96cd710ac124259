package islands

import (
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// columns returns the labels of a picture of digits, one row per string.
func columns(rows ...string) (labels []uint16, w, h int) {
	for _, row := range rows {
		for _, c := range row {
			labels = append(labels, uint16(c-'0'))
		}
	}
	return labels, len(rows[0]), len(rows)
}

// slowCounts returns the lengths of the runs of label id, pixel by pixel.
func slowCounts(labels []uint16, w, h int, id uint16) []int {
	counts, inside := []int{0}, false
	for i := range w * h {
		if in := labels[i%h*w+i/h] == id; in != inside {
			counts, inside = append(counts, 0), in
		}
		counts[len(counts)-1]++
	}
	return counts
}

// slowText writes lengths digit by digit, with nothing in common with counts.append but the format.
func slowText(counts []int) string {
	var b strings.Builder
	for i, n := range counts {
		if i > 2 {
			n -= counts[i-2]
		}
		digits := 1
		for n < -1<<(5*digits-1) || n >= 1<<(5*digits-1) {
			digits++
		}
		for k := range digits {
			c := n >> (5 * k) & 31
			if k < digits-1 {
				c += 32
			}
			b.WriteByte(byte(48 + c))
		}
	}
	return b.String()
}

func TestRuns(t *testing.T) {
	for _, c := range []struct {
		name string
		rows []string
		want string // of label 1, worked out by hand from cocoapi's maskApi.c
	}{
		{"counts 2 3 1 1", []string{"0", "0", "1", "1", "1", "0", "1"}, "231N"}, // 1-3 is 30 of 32
		{"counts 0 6 1", []string{"1", "1", "1", "1", "1", "1", "0"}, "061"},
		{"counts 6", []string{"000", "000"}, "6"},
		{"counts 0 6", []string{"111", "111"}, "06"},
		{"down the columns: counts 2 1 1 1 1", []string{"011", "000"}, "21100"},
		{"more than four bits: counts 16 1 600", []string{strings.Repeat("0", 16) + "1" + strings.Repeat("0", 600)}, "`01hb0"},
	} {
		labels, w, h := columns(c.rows...)
		var r Runs
		r.Read(labels, w, h)
		if got := string(r.Append(nil, 1)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// slowMeasure counts pixels.
func slowMeasure(labels []uint16, w, h int, id uint16) (area int, box image.Rectangle) {
	for i := range w * h {
		if labels[i] == id {
			area++
			box = box.Union(image.Rect(i%w, i/w, i%w+1, i/w+1))
		}
	}
	return area, box
}

func TestRunsRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var r Runs // one for all: what was before must not show
	for _, size := range [][2]int{{1, 1}, {1, 40}, {40, 1}, {3, 5}, {31, 17}, {64, 36}} {
		w, h := size[0], size[1]
		for _, n := range []int{1, 2, 5, 40} {
			labels := cells(rng, h, w, n, w*h/8).ID
			if n == 5 {
				for i := range labels {
					labels[i] *= 13107 // up to 65535
				}
			}
			r.Read(labels, w, h)
			for _, id := range append(slices.Clone(labels), 0, 7, 65535) {
				text := string(r.Append(nil, id))
				if want := slowText(slowCounts(labels, w, h, id)); text != want {
					t.Fatalf("%dx%d, label %d: got %q, want %q", w, h, id, text, want)
				}
				area, box := r.Measure(id)
				if a, b := slowMeasure(labels, w, h, id); area != a || box != b {
					t.Fatalf("%dx%d, label %d: got area %d, box %v, want %d, %v", w, h, id, area, box, a, b)
				}
				mask, err := Mask(nil, text, w, h)
				if err != nil {
					t.Fatal(err)
				}
				for i, in := range mask {
					if in != (labels[i] == id) {
						t.Fatalf("%dx%d, label %d: pixel %d is %v", w, h, id, i, in)
					}
				}
			}
		}
	}
}

// drawn is a mask that pycocotools wrote, 50 high and 70 wide: the example of the README of
// github.com/armengot/COCOtoolsFORK.
const drawn = "0g05b08J4M2N2NA^O1`0OCO=0E090H080IO68DH;>@C>a0_O_O`0j0OWOF<:CM72I24NL43JM92FN;1ENKO72L0LO91J0MO92INO0NO122OO0M031O" +
	"000NO31OO11MO40N011MO41MO21L06OL021L06OL021L06OL021L060J040L060J040L060J040L060J040L060J040L060J040L060KO31L060KO31L06OL0" +
	"21L06OL021L06OL021MO41MO21MO40N100NO310O00M0310O00NO1220NO92IONO91KOMO72M0<1EO:2GN63KM34OLM73JF<;=1G_O_Ob0=AC`07EH=1IO71H" +
	"090F0:1DO>1_O1b0>2N2N3L6H]O"

// TestMaskOfOthers reads a mask that is not ours and writes it again.
func TestMaskOfOthers(t *testing.T) {
	const w, h = 70, 50
	mask, err := Mask(nil, drawn, w, h)
	if err != nil {
		t.Fatal(err)
	}
	labels := make([]uint16, w*h)
	for i, in := range mask {
		if in {
			labels[i] = 1
		}
	}
	var r Runs
	r.Read(labels, w, h)
	if got := string(r.Append(nil, 1)); got != drawn {
		t.Errorf("got  %s\nwant %s", got, drawn)
	}
	if area, _ := r.Measure(1); area != 2346 { // the sum of every second length, by a decoder in Python
		t.Errorf("got area %d", area)
	}
}

func TestMaskErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "0 pixels, want 3x2"},
		{"too few", "2", "2 pixels, want 3x2"},
		{"too many", "7", "length 7 after 0 of 6"},
		{"too many at the end", "2311111", "length 4 after 6 of 6"},
		{"below zero", "O", "length -1"},
		{"cut", "2P", "run 1: it ends within a number"},
		{"not a character", "2 3", `' '`},
		{"above the last character", "2p", `'p'`},
		{"a long number", strings.Repeat("P", 20), "more than 60 bits"},
	} {
		mask, err := Mask([]bool{true}, c.text, 3, 2)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.name, err, c.want)
		}
		if len(mask) != 1 {
			t.Errorf("%s: got %d values with the error", c.name, len(mask))
		}
	}
	for _, size := range [][2]int{{0, 1}, {1, -1}, {1 << 40, 1 << 40}} {
		if _, err := Mask(nil, "1", size[0], size[1]); err == nil {
			t.Errorf("%v: no error", size)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("231N", 7, 1)
	f.Add("2111", 3, 2)
	f.Add(drawn, 70, 50)
	f.Add("2P", 3, 2)
	f.Fuzz(func(t *testing.T, text string, w, h int) {
		if w > 200 || h > 200 {
			return
		}
		mask, err := Mask(nil, text, w, h)
		if err != nil {
			return
		}
		labels := make([]uint16, w*h)
		for i, in := range mask {
			if in {
				labels[i] = 1
			}
		}
		var r Runs
		r.Read(labels, w, h)
		again, err := Mask(nil, string(r.Append(nil, 1)), w, h)
		if err != nil || !slices.Equal(mask, again) {
			t.Errorf("%q of %dx%d: not the same after writing and reading: %v", text, w, h, err)
		}
	})
}

func TestRunsAllocates(t *testing.T) {
	const w, h = 64, 36
	labels := cells(rand.New(rand.NewPCG(1, 1)), h, w, 20, 50).ID
	var r Runs
	text := make([]byte, 0, 1<<12)
	if got := testing.AllocsPerRun(5, func() {
		r.Read(labels, w, h)
		for id := range uint16(21) {
			text = r.Append(text[:0], id)
			r.Measure(id)
		}
	}); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func TestRunsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	new(Runs).Read(make([]uint16, 5), 3, 2)
}

func BenchmarkRuns(b *testing.B) {
	const w, h, n = 640, 360, 50
	labels := cells(rand.New(rand.NewPCG(1, 1)), h, w, n, 0).ID
	var r Runs
	var text []byte
	b.ReportAllocs()
	for b.Loop() {
		r.Read(labels, w, h)
		for id := uint16(1); id <= n; id++ {
			text = r.Append(text[:0], id)
		}
	}
}
