package meta

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"
)

// small is a frame with everything in it and values that the message holds exactly.
func small() Frame {
	return Frame{
		Timestamp: 0xFFFFFFF0, Seq: 7, Captured: time.UnixMicro(1_700_000_000_123_456).UTC(),
		W: 640, H: 360, Levels: 5, Level: 3,
		Labels: Labels{4, 3, []uint16{1, 1, 2, 2, 1, 1, 1, 2, 1, 300, 300, 2}},
		Nodes: []Nodes{
			{3, 0.75, 0.5, []Island{
				{1, 9, 1000, image.Rect(0, 0, 320, 240), 100, 90, 0.5, 0.625, 1, 3},
				{2, 9, 70000, image.Rect(300, 0, 640, 360), 500, 200, 0.9312, 0.8, 0.3, 65535},
				{300, 8, 5, image.Rect(1, 2, 3, 4), 2, 3, 0, 0, 0, 0},
			}},
			{4, 0, 0.25, []Island{{ID: 9, Area: 1}}},
		},
		Full: true, Cut: true, Unsettled: 0.2501, FPS: 29.97, Dropped: 12, Steps: 8,
	}
}

func TestGolden(t *testing.T) {
	f := small()
	got, err := Append([]byte("before"), &f)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := bytes.CutPrefix(got, []byte("before"))
	if !ok {
		t.Fatal("Append did not append")
	}
	want := "01030018 fffffff0 0000000000000007 00060a2418202240" +
		"01000f 0280 0168 05 03 09c5 0bb5 0000000c 08" +
		"02000f 0004 0003 c101 c102 c201 01 c1ac02 00" +
		"030059 03 1d4c 1388" +
		"0001 0009 000003e8 0000 0000 0140 00f0 0064 005a 1388 186a 2710 0003" +
		"0002 0009 00011170 012c 0000 0154 0168 01f4 00c8 2460 1f40 0bb8 ffff" +
		"012c 0008 00000005 0001 0002 0002 0002 0002 0003 0000 0000 0000 0000" +
		"030021 04 0000 09c4" +
		"0009 0000 00000001 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000"
	if want = strings.ReplaceAll(want, " ", ""); hex.EncodeToString(got) != want {
		t.Errorf("got  %x\nwant %s", got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	frames := []Frame{small(), {W: 1, H: 1, Levels: 1}, {W: 65535, H: 65535, Levels: 32, Level: 31, Stale: true}}
	for range 50 {
		frames = append(frames, random(rnd))
	}
	for i, f := range frames {
		b, err := Append(nil, &f)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(b)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if !reflect.DeepEqual(got, f) {
			t.Errorf("frame %d: got %+v\nwant %+v", i, got, f)
		}
	}
}

// random returns a frame with values that a message holds exactly.
func random(rnd *rand.Rand) Frame {
	f := Frame{
		Timestamp: rnd.Uint32(), Seq: rnd.Uint64(), Captured: time.UnixMicro(rnd.Int64N(1 << 53)).UTC(),
		W: 1 + rnd.IntN(5000), H: 1 + rnd.IntN(5000), Levels: 5, Level: rnd.IntN(5),
		Labels: randomLabels(rnd), Full: rnd.IntN(2) > 0, Unsettled: float64(rnd.IntN(unit+1)) / unit,
		FPS: float64(rnd.IntN(6000)) / 100, Steps: rnd.IntN(256), Dropped: rnd.IntN(1000),
	}
	levels := []int{f.Level}
	for l := 0; l < 5 && f.Full; l++ {
		if l != f.Level {
			levels = append(levels, l)
		}
	}
	for _, l := range levels {
		n := Nodes{Level: l, Nesting: float64(rnd.IntN(unit+1)) / unit}
		for range rnd.IntN(30) {
			x, y := rnd.IntN(3000), rnd.IntN(3000)
			n.Islands = append(n.Islands, Island{
				uint16(1 + rnd.IntN(65535)), uint16(rnd.IntN(65536)), rnd.IntN(1 << 30),
				image.Rect(x, y, x+rnd.IntN(999), y+rnd.IntN(999)), rnd.IntN(3000), rnd.IntN(3000),
				float64(rnd.IntN(unit+1)) / unit, float64(rnd.IntN(unit+1)) / unit, float64(rnd.IntN(unit+1)) / unit, rnd.IntN(65536),
			})
		}
		f.Nodes = append(f.Nodes, n)
	}
	return f
}

// randomLabels returns blobs of few labels, some of them large.
func randomLabels(rnd *rand.Rand) Labels {
	l := Labels{Cols: 1 + rnd.IntN(90), Rows: 1 + rnd.IntN(60)}
	l.ID = make([]uint16, l.Cols*l.Rows)
	for range rnd.IntN(12) {
		id := uint16(rnd.IntN(1 << (1 + rnd.IntN(16))))
		cx, cy, r := rnd.IntN(l.Cols), rnd.IntN(l.Rows), 1+rnd.IntN(40)
		for i := range l.ID {
			x, y := i%l.Cols-cx, i/l.Cols-cy
			if x*x+y*y < r*r {
				l.ID[i] = id
			}
		}
	}
	return l
}

func TestLabelsOfNoise(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		cols, rows, most := 1+rnd.IntN(9), 1+rnd.IntN(9), 1+rnd.IntN(4)
		id := make([]uint16, cols*rows)
		for i := range id {
			id[i] = uint16(rnd.IntN(most))
		}
		got := make([]uint16, len(id))
		if err := parseLabels(got, cols, appendLabels(nil, id, cols)); err != nil {
			t.Fatalf("%v: %v", id, err)
		}
		if !reflect.DeepEqual(got, id) {
			t.Fatalf("got %v, want %v", got, id)
		}
	}
}

// TestLabelsCode decodes every source and both kinds of length by hand.
func TestLabelsCode(t *testing.T) {
	long := bytes.Repeat([]byte{5}, 70)
	tests := []struct {
		name string
		cols int
		code []byte
		want []byte // labels; nil for a broken code
	}{
		{"label", 2, []byte{3<<6 | 1, 7}, []byte{7, 7}},
		{"long run", 70, []byte{3<<6 | 63, 6, 5}, long},
		{"before", 3, []byte{3 << 6, 7, 1<<6 | 1}, []byte{7, 7, 7}},
		{"above", 1, []byte{3 << 6, 7, 0}, []byte{7, 7}},
		{"right", 2, []byte{3 << 6, 7, 3 << 6, 8, 2<<6 | 1}, []byte{7, 8, 8, 8}},
		{"above in the first row", 2, []byte{3 << 6, 7, 0}, nil},
		{"before the first", 2, []byte{1<<6 | 1}, nil},
		{"right of equal ones", 2, []byte{3<<6 | 1, 7, 2<<6 | 1}, nil},
		{"too long", 2, []byte{3<<6 | 2, 7}, nil},
		{"too short", 2, []byte{3 << 6, 7}, nil},
		{"no label", 1, []byte{3 << 6}, nil},
		{"label too large", 1, []byte{3 << 6, 0x80, 0x80, 4}, nil},
		{"no length", 1, []byte{3<<6 | 63}, nil},
		{"bytes too many", 1, []byte{3 << 6, 7, 0}, nil},
		{"huge run", 1, append([]byte{3<<6 | 63}, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 1), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := len(tt.want)
			if tt.want == nil {
				n = tt.cols
				if tt.name == "above in the first row" || strings.HasPrefix(tt.name, "right") {
					n = 2 * tt.cols
				}
			}
			got := make([]uint16, n)
			err := parseLabels(got, tt.cols, tt.code)
			if tt.want == nil {
				if err == nil {
					t.Errorf("got %v, want an error", got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i] != uint16(tt.want[i]) {
					t.Fatalf("got %v, want %v", got, tt.want)
				}
			}
		})
	}
}

func TestBounds(t *testing.T) {
	f := Frame{
		W: 8, H: 8, Levels: 1, Unsettled: math.NaN(), FPS: math.Inf(1), Dropped: -1, Steps: 1000,
		Captured: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
		Nodes: []Nodes{{Nesting: 2, Agreement: -1, Islands: []Island{
			{ID: 1, Area: -4, Box: image.Rect(-5, 0, 1<<20, 3), X: -1, Y: 1 << 17, Confidence: math.Inf(1), Age: 1 << 20},
		}}},
	}
	b, err := Append(nil, &f)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	want := Frame{
		W: 8, H: 8, Levels: 1, FPS: 655.35, Steps: 255,
		Nodes: []Nodes{{Nesting: 1, Islands: []Island{
			{ID: 1, Box: image.Rect(0, 0, 65535, 3), Y: 65535, Confidence: 1, Age: 65535},
		}}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// TestReduced makes messages larger and larger and looks at what is left out.
func TestReduced(t *testing.T) {
	noise := func(cols, rows int) Labels {
		rnd := rand.New(rand.NewPCG(5, 6))
		l := Labels{cols, rows, make([]uint16, cols*rows)}
		for i := range l.ID {
			l.ID[i] = uint16(1 + rnd.IntN(100))
		}
		return l
	}
	many := func(n int) []Island { return make([]Island, n) }
	tests := []struct {
		name         string
		labels       Labels
		own, others  int
		full         bool
		cols, islets int // what is left
		reduced      bool
	}{
		{"all fits", noise(64, 36), 100, 100, true, 64, 100, false},
		{"tree left out", noise(64, 36), 100, 400, false, 64, 100, true},
		{"labels halved", noise(128, 72), 100, 1, false, 64, 100, true},
		{"labels halved twice", noise(256, 144), 100, 1, false, 64, 100, true},
		{"labels and islands left out", noise(64, 36), 3000, 1, false, 0, 583, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := Frame{
				W: 640, H: 360, Levels: 2, Level: 1, Labels: tt.labels, Full: true,
				Nodes: []Nodes{{Level: 0, Islands: many(tt.others)}, {Level: 1, Islands: many(tt.own)}},
			}
			b, err := Append(make([]byte, 100), &f)
			if err != nil {
				t.Fatal(err)
			}
			if b = b[100:]; len(b) > MaxMessage {
				t.Errorf("%d bytes, want at most %d", len(b), MaxMessage)
			}
			got, err := Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			if got.Full != tt.full || got.Labels.Cols != tt.cols || got.Reduced != tt.reduced ||
				len(got.Nodes[0].Islands) != tt.islets || got.Nodes[0].Level != 1 || (len(got.Nodes) == 2) != tt.full {
				t.Errorf("full %v, %d columns, reduced %v, %d levels, %d islands", got.Full, got.Labels.Cols, got.Reduced, len(got.Nodes), len(got.Nodes[0].Islands))
			}
		})
	}
}

func TestAppendRefuses(t *testing.T) {
	tests := []struct {
		name, want string
		change     func(*Frame)
	}{
		{"no size", "frame of 0x360", func(f *Frame) { f.W = 0 }},
		{"too large", "frame of 640x65536", func(f *Frame) { f.H = 65536 }},
		{"no levels", "0 levels", func(f *Frame) { f.Levels = 0 }},
		{"level", "level 5", func(f *Frame) { f.Level = 5 }},
		{"level twice", "twice", func(f *Frame) { f.Nodes[0].Level = 4 }},
		{"labels", "labels of 4x3", func(f *Frame) { f.Labels.ID = f.Labels.ID[1:] }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := small()
			tt.change(&f)
			if b, err := Append(nil, &f); err == nil || !strings.Contains(err.Error(), tt.want) || len(b) > 0 {
				t.Errorf("got %d bytes and %v, want an error with %q", len(b), err, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	f := small()
	good, err := Append(nil, &f)
	if err != nil {
		t.Fatal(err)
	}
	for n := range good { // sections end at 24, 42, 60, 152 and the end
		_, err := Parse(good[:n])
		if whole := n == 42 || n == 60 || n == 152; whole != (err == nil) {
			t.Errorf("first %d bytes: %v", n, err)
		}
	}
	tests := []struct {
		name, want string
		change     func([]byte) []byte
	}{
		{"version", "version 2", func(b []byte) []byte { b[0] = 2; return b }},
		{"short header", "header of 23", func(b []byte) []byte { b[3] = 23; return b }},
		{"long header", "header of 65280", func(b []byte) []byte { b[2], b[3] = 255, 0; return b }},
		{"time", "time of capture", func(b []byte) []byte { b[16] = 255; return b }},
		{"share", "share of", func(b []byte) []byte { b[33] = 255; return b }},
		{"level", "level 5", func(b []byte) []byte { b[32] = 5; return b }},
		{"size", "frame of 0x", func(b []byte) []byte { b[27], b[28] = 0, 0; return b }},
		{"frame twice", "once", func(b []byte) []byte { return append(b, b[24:42]...) }},
		{"labels twice", "once", func(b []byte) []byte { return append(b, b[42:60]...) }},
		{"islands twice", "twice", func(b []byte) []byte { return append(b, b[60:152]...) }},
		{"labels first", "not the first", func(b []byte) []byte { return append(b[:24], b[42:]...) }},
		{"section 0", "section 0", func(b []byte) []byte { return append(b, 0, 0, 0) }},
		{"too long", "more than 16384", func(b []byte) []byte { return append(b, make([]byte, MaxMessage)...) }},
		{"many labels", "labels of 65535x65535", func(b []byte) []byte { return append(b[:42], 2, 0, 4, 255, 255, 255, 255) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse(tt.change(bytes.Clone(good))); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// TestLaterVersions checks that what is added to a message does not hinder a reader.
func TestLaterVersions(t *testing.T) {
	f := small()
	b, err := Append(nil, &f)
	if err != nil {
		t.Fatal(err)
	}
	longer := append(bytes.Clone(b[:24]), 1, 2, 3) // of the header
	longer[3] = 27
	longer = append(longer, b[24:42]...)
	longer = append(longer, 99) // of the section frame
	longer[27+2] = 16
	longer = append(longer, 77, 0, 2, 1, 2) // an unknown section
	longer = append(longer, b[42:]...)
	got, err := Parse(longer)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, f) {
		t.Errorf("got %+v\nwant %+v", got, f)
	}
}

func TestSample(t *testing.T) {
	pixels := []uint16{
		1, 2, 3, 4, 5, 6,
		7, 8, 9, 10, 11, 12,
	}
	tests := []struct {
		cols int
		want Labels
	}{
		{9, Labels{6, 2, pixels}},
		{6, Labels{6, 2, pixels}},
		{3, Labels{3, 1, []uint16{8, 10, 12}}},
		{2, Labels{2, 1, []uint16{8, 11}}},
		{1, Labels{1, 1, []uint16{10}}},
	}
	var l Labels
	for _, tt := range tests {
		if l.Sample(pixels, 6, 2, tt.cols); !reflect.DeepEqual(l, tt.want) {
			t.Errorf("%d columns: got %v, want %v", tt.cols, l, tt.want)
		}
	}
}

func TestAllocs(t *testing.T) {
	f := small()
	dst := make([]byte, 0, MaxMessage)
	pixels := make([]uint16, 640*360)
	var l Labels
	l.Sample(pixels, 640, 360, 320)
	if n := testing.AllocsPerRun(10, func() {
		l.Sample(pixels, 640, 360, 320)
		_, _ = Append(dst, &f)
	}); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzParse(f *testing.F) {
	s := small()
	b, err := Append(nil, &s)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:42])
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		got, err := Parse(b)
		if !bytes.Equal(b, before) {
			t.Fatal("Parse changed its input")
		}
		if err != nil {
			return
		}
		again, err := Append(nil, &got)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > MaxMessage {
			t.Fatalf("%d bytes", len(again))
		}
		twice, err := Parse(again)
		if err != nil {
			t.Fatal(err)
		}
		if !twice.Reduced && (!reflect.DeepEqual(twice.Labels, got.Labels) || twice.Timestamp != got.Timestamp) {
			t.Fatalf("got %+v\nwant %+v", twice, got)
		}
	})
}

// BenchmarkAppend has islands as large as the median of real ones.
func BenchmarkAppend(b *testing.B) {
	for _, cols := range []int{160, 320} {
		b.Run(fmt.Sprint(cols), func(b *testing.B) {
			f := small()
			rnd := rand.New(rand.NewPCG(7, 8))
			rows := cols * 9 / 16
			f.Labels = Labels{cols, rows, make([]uint16, cols*rows)}
			for n := range 20 {
				cx, cy, r := rnd.IntN(cols), rnd.IntN(rows), cols/8
				for i := range f.Labels.ID {
					x, y := i%cols-cx, i/cols-cy
					if x*x+y*y < r*r {
						f.Labels.ID[i] = uint16(n)
					}
				}
			}
			dst := make([]byte, 0, MaxMessage)
			for b.Loop() {
				var err error
				if dst, err = Append(dst[:0], &f); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(dst)), "B/message")
		})
	}
}
