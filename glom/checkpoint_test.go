package glom

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func saved(t testing.TB, m *Model) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := m.Save(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

var small = Config{Levels: 3, Dim: 8, Hidden: 16, Octaves: 2}

func TestSaveLoad(t *testing.T) {
	for _, c := range []Config{{}, small, {Order: Sync, Query: QueryState, Attention: Dense, Seed: 9}} {
		m := trained(t, c)
		got, err := Load(bytes.NewReader(saved(t, m)))
		if err != nil {
			t.Fatal(err)
		}
		approx(t, "weights", got.Params.All, widen(m.Params.All), 0)
		if a, b := saved(t, got), saved(t, m); !bytes.Equal(a, b) {
			t.Errorf("%+v: saved again, the file differs", c)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	good := saved(t, trained(t, small))
	header := int(binary.LittleEndian.Uint64(good))
	edit := func(old, new string) []byte { // within the header; lengths stay the same
		if len(old) != len(new) || !bytes.Contains(good[:8+header], []byte(old)) {
			t.Fatalf("cannot replace %q by %q", old, new)
		}
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	number := func(bits uint32) []byte {
		b := bytes.Clone(good)
		binary.LittleEndian.PutUint32(b[8+header+40:], bits)
		return b
	}
	long := bytes.Clone(good)
	binary.LittleEndian.PutUint64(long, 2<<30)
	for _, tt := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "shorter than 8 bytes"},
		{"four bytes", good[:4], "shorter than 8 bytes"},
		{"header of 2 GB", long, "not a weights file"},
		{"cut off in the header", good[:100], "cut off within the header"},
		{"cut off in the numbers", good[:len(good)-10], "safetensors"},
		{"too long", append(bytes.Clone(good), 0, 0), "safetensors"},
		{"text", []byte("weights, please, and quickly"), "not a weights file"},
		{"no JSON", append([]byte{8, 0, 0, 0, 0, 0, 0, 0}, "{[[[[[[["...), "safetensors"},
		{"another program's", append([]byte{2, 0, 0, 0, 0, 0, 0, 0}, "{}"...), "no configuration"},
		{"NaN", number(math.Float32bits(float32(math.NaN()))), "is NaN"},
		{"Inf", number(math.Float32bits(float32(math.Inf(-1)))), "is -Inf"},
		{"other shape", edit(`[16,8]`, `[8,16]`), "has shape [8 16], want [16 8]"},
		{"other type", edit(`"dtype":"F32"`, `"dtype":"I32"`), "want F32"},
		{"other name", edit(`"bu.1.w1"`, `"bu.9.w1"`), "bu.1.w1 is missing"},
		{"other dim", edit(`\"dim\":8`, `\"dim\":9`), "dim 9"},
		{"huge hidden", edit(`\"hidden\":16,`, `\"hidden\":4e3`), "configuration in the header"},
		{"unknown order", edit(`sweep`, `sweet`), "sweet"},
		{"unknown field", edit(`\"seed\"`, `\"weed\"`), "weed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(bytes.NewReader(tt.file))
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("Load: %v, want one line with %q", err, tt.want)
			}
		})
	}
	// A configuration that asks for more weights than the file holds must not get the memory.
	big := bytes.Replace(good, []byte(`\"levels\":3,\"dim\":8,\"hidden\":16`), []byte(`\"levels\":3,\"dim\":8,\"hidden\":4096`), 1)
	binary.LittleEndian.PutUint64(big, uint64(header+2))
	if _, err := Load(bytes.NewReader(big)); err == nil || !strings.Contains(err.Error(), "bytes of weights") {
		t.Errorf("Load with a huge configuration: %v", err)
	}
	boom := errors.New("boom")
	if _, err := Load(io.MultiReader(bytes.NewReader(good[:500]), errReader{boom})); !errors.Is(err, boom) {
		t.Errorf("Load from a failing reader: %v, want %v", err, boom)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

type failAfter struct{ n int }

func (w *failAfter) Write(p []byte) (int, error) {
	if w.n -= len(p); w.n < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestSaveReportsWriteErrors(t *testing.T) {
	m := trained(t, small)
	for _, n := range []int{0, 10, 600, 3000} {
		if err := m.Save(&failAfter{n}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("Save to a writer that fails after %d bytes: %v", n, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	good := saved(f, trained(f, small))
	f.Add(good)
	f.Add(good[:200])
	f.Add([]byte("\x02\x00\x00\x00\x00\x00\x00\x00{}"))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Load(bytes.NewReader(file))
		if err != nil {
			return
		}
		again, err := Load(bytes.NewReader(saved(t, m))) // what Load accepts, Save can write
		if err != nil {
			t.Fatal(err)
		}
		approx(t, "weights", again.Params.All, widen(m.Params.All), 0)
	})
}

func TestNewRefuses(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{Levels: 1}, "levels 1"},
		{Config{Levels: 99}, "levels 99"},
		{Config{Levels: -1}, "levels -1"},
		{Config{Dim: 12}, "dim 12"},
		{Config{Hidden: 1 << 20}, "hidden"},
		{Config{Octaves: 40}, "octaves 40"},
		{Config{Order: "up"}, `order "up"`},
		{Config{Query: "q"}, `query "q"`},
		{Config{Attention: "all"}, `attention "all"`},
		{Config{Samples: -1}, "samples -1"},
		{Config{Beta: []float64{1}}, "1 betas"},
		{Config{Beta: []float64{1, 2, 3, 4, math.NaN()}}, "beta of level 4 is NaN"},
		{Config{Sigma: []float64{1, 2, 0, 4, 5}}, "sigma of level 2 is 0"},
		{Config{Mix: make([]Mix, 5)}, "mix of level 0 has no weight"},
		{Config{Mix: []Mix{{BU: 1}, {BU: 1}, {BU: -1, Att: 2}, {BU: 1}, {BU: 1}}}, "weight -1"},
	} {
		if _, err := New(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v): %v, want %q", tt.c, err, tt.want)
		}
	}
	m, _ := New(Config{})
	for _, g := range [][2]int{{0, 5}, {5, -1}, {1 << 17, 1}, {300, 300}} {
		if _, err := m.NewState(g[0], g[1]); err == nil {
			t.Errorf("NewState(%d, %d): no error", g[0], g[1])
		}
	}
}
