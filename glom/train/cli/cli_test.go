package cli

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"glomstream/glom/clips"
	"glomstream/glom/train"
)

const tinyConfig = `{"updates": 3, "clips": 2, "decoder": 8, "model": {"dim": 8, "hidden": 8, "samples": 5}, "front_end": {"dim": 8, "widths": [4, 4, 4]}}`

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestMean(t *testing.T) {
	var text bytes.Buffer
	dir := t.TempDir()
	a, b, c := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "c")
	for _, name := range []string{a, b} {
		args := []string{"-o", name, "--config", write(t, "config.json", tinyConfig), "--size", "48x32", "--frames", "3", "--stop", "1"}
		if err := Run(t.Context(), "glomtrain", args, &text, &text, Media{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := Run(t.Context(), "glomtrain", []string{"mean", a, b, "-o", c}, &text, &text, Media{}); err != nil {
		t.Fatal(err)
	}
	// The mean of the same weights twice can be trained further.
	args := []string{"-o", filepath.Join(dir, "d"), "--init", c, "--size", "48x32", "--frames", "3", "--updates", "1"}
	if err := Run(t.Context(), "glomtrain", args, &text, &text, Media{}); err != nil {
		t.Fatal(err)
	}
	var use UsageError
	for _, args := range [][]string{{"mean", a, b}, {"mean", a, "-o", c}, {"mean", a, b, "-o", c, "--much"}} {
		if err := Run(t.Context(), "glomtrain", args, &text, &text, Media{}); !errors.As(err, &use) {
			t.Errorf("%v: %v, want a usage error", args, err)
		}
	}
	if err := Run(t.Context(), "glomtrain", []string{"mean", a, filepath.Join(dir, "none"), "-o", c}, &text, &text, Media{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestRun(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "w.safetensors")
	// What a later file sets counts, the rest is kept.
	config, later := write(t, "config.json", tinyConfig), write(t, "later.json", `{"clips": 3, "model": {"hidden": 16}}`)
	var text bytes.Buffer
	args := []string{"-o", out, "--config", config, "--config", later, "--size", "48x32", "--frames", "3", "--stop", "2"}
	if err := Run(t.Context(), "glomtrain", args, &text, &text, Media{}); err != nil {
		t.Fatal(err)
	}
	// The first part of the schedule, then the rest.
	if err := Run(t.Context(), "glomtrain", []string{"-o", out, "--size", "48x32", "--frames", "3", "--resume"}, &text, &text, Media{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "3/3  loss") {
		t.Errorf("progress %q, want a line for update 3 of 3", text.String())
	}
	f, err := os.Open(out + ".png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Errorf("curves: %v", err)
	}
	log, err := os.ReadFile(out + ".ndjson")
	if err != nil {
		t.Fatal(err)
	}
	weights, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	o, err := train.ReadOrigin(bytes.NewReader(weights))
	if c := o.Config; err != nil || c.Updates != 3 || c.Clips != 3 || c.Model.Dim != 8 || c.Model.Hidden != 16 {
		t.Errorf("settings %+v, error %v: want those of both files", o.Config, err)
	}
	if list, err := train.ReadLog(bytes.NewReader(log)); err != nil || len(list) != 3 {
		t.Errorf("log of %d updates, error %v; want 3", len(list), err)
	}
	// Clips of another size are other data.
	err = Run(t.Context(), "glomtrain", []string{"-o", out, "--size", "64x32", "--frames", "3", "--resume"}, &text, &text, Media{})
	if err == nil || !strings.Contains(err.Error(), "64x32") {
		t.Errorf("other clips: got %v", err)
	}
	// Another run begins with the weights of this one.
	next := filepath.Join(dir, "next.safetensors")
	text.Reset()
	if err := Run(t.Context(), "glomtrain", []string{"-o", next, "--init", out, "--updates", "1", "--size", "64x32", "--frames", "2"}, &text, &text, Media{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(text.String(), "1/1  loss") {
		t.Errorf("progress %q, want a line for update 1 of 1", text.String())
	}
}

// still finds no motion anywhere.
type still struct{ calls *atomic.Int64 }

func (s still) Calc(dst []float32, prev, cur []byte, w, h int) error {
	s.calls.Add(1)
	clear(dst)
	return nil
}

func (s still) Close() error { return nil }

// Where flow can be measured, it is, unless another is asked for; and runs do not mix it.
func TestFlow(t *testing.T) {
	var text bytes.Buffer
	var calls atomic.Int64
	newFlow := func() (clips.Flow, error) { return still{&calls}, nil }
	out, config := filepath.Join(t.TempDir(), "w"), write(t, "config.json", tinyConfig)
	for _, tt := range []struct {
		flags string
		want  int64 // 2 clips of 3 frames
	}{{"--flow exact", 0}, {"--flow imitated", 0}, {"", 4}} {
		calls.Store(0)
		args := append([]string{"-o", out, "--config", config, "--size", "48x32", "--frames", "3", "--stop", "1"}, strings.Fields(tt.flags)...)
		if err := Run(t.Context(), "glom train", args, &text, &text, Media{NewFlow: newFlow}); err != nil {
			t.Fatal(err)
		}
		if n := calls.Load(); n < tt.want || tt.want == 0 && n > 0 {
			t.Errorf("%q: %d flows, want %d", tt.flags, n, tt.want)
		}
	}
	err := Run(t.Context(), "glomtrain", []string{"-o", out, "--size", "48x32", "--frames", "3", "--resume"}, &text, &text, Media{})
	if err == nil || !strings.Contains(err.Error(), "flow measured") {
		t.Errorf("to go on with another flow: %v", err)
	}
}

func TestUsage(t *testing.T) {
	config := write(t, "config.json", tinyConfig)
	for _, tt := range []struct{ args, want string }{
		{"", "with -o"},
		{"-o w --size 100x100", "--size 100x100"},
		{"-o w --size 0x0", "--size 0x0"},
		{"-o w --frames 0", "--frames"},
		{"-o w --composite 2", "--composite"},
		{"-o w --resume --updates 5", "--resume"},
		{"-o w --resume --config " + config, "--resume"},
		{"-o w --resume --init v", "--resume"},
		{"-o w --rate 1", "unknown flag"},
		{"-o w --flow guessed", "--flow guessed"},
		{"-o w --data folder", "no OpenCV"},
		{"-o w --flow measured", "no OpenCV"},
	} {
		err := Run(t.Context(), "glomtrain", strings.Fields(tt.args), &bytes.Buffer{}, &bytes.Buffer{}, Media{})
		if _, ok := errors.AsType[UsageError](err); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want a usage error with %q", tt.args, err, tt.want)
		}
	}
	for _, tt := range []struct{ args, want string }{
		{"-o w --config none.json", "none.json"},
		{"-o w --config " + write(t, "odd.json", `{"speed": 3}`), "speed"},
		{"-o w none.clips", "none.clips"},
		{"-o w --init v.safetensors --config " + config, "v.safetensors"},
		{"-o w --init " + config + " --size 32x32", "not a weights file"},
	} {
		if err := Run(t.Context(), "glomtrain", strings.Fields(tt.args), &bytes.Buffer{}, &bytes.Buffer{}, Media{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.args, err, tt.want)
		}
	}
	var help bytes.Buffer
	_ = Run(context.Background(), "glom train", []string{"--help"}, &help, &help, Media{})
	for _, want := range []string{"Usage: glom train", "--self-supervised", "--resume"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help lacks %q", want)
		}
	}
}

// Painted scenes are all scenes of their own.
func TestPaintedScenes(t *testing.T) {
	src, closeAll, err := data{frames: 2, h: 32, w: 48}.open()
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll()
	var c clips.Clip
	for n := range uint64(3) {
		if err := src.Clip(&c, n); err != nil {
			t.Fatal(err)
		}
		if c.Source != "" || c.T != 2 || c.H != 32 || c.W != 48 {
			t.Errorf("clip %d: source %q, %d frames of %dx%d", n, c.Source, c.T, c.W, c.H)
		}
	}
}
