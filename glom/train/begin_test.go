package train

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"glomstream/glom"
	"glomstream/glom/conv"
)

// learnt returns a trainer after some updates.
func learnt(t *testing.T) *Trainer {
	t.Helper()
	tr := fresh(t, small())
	for range 3 {
		if _, err := tr.Update(t.Context(), tiny6); err != nil {
			t.Fatal(err)
		}
	}
	return tr
}

// another is the configuration of a run that begins with weights.
func another() Config {
	c := small()
	c.Model, c.FrontEnd = glom.Config{}, conv.Config{}
	c.Seed, c.Rate, c.Updates = 3, 2e-3, 7
	return c
}

func written(t *testing.T, save func(io.Writer, string) error) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	if err := save(&b, "boxes"); err != nil {
		t.Fatal(err)
	}
	return &b
}

func firstUpdate(t *testing.T, tr *Trainer) Report {
	t.Helper()
	r, err := tr.Update(t.Context(), tiny6)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What begins with a weights file is as new but for the weights of model and front end.
func TestBeginWithWeights(t *testing.T) {
	old := learnt(t)
	got, err := Begin(another(), written(t, old.SaveWeights))
	if err != nil {
		t.Fatal(err)
	}
	c := another()
	c.Model, c.FrontEnd = old.cfg.Model, old.cfg.FrontEnd
	want := fresh(t, c)
	copy(want.model.Params.All, old.average[:old.atFront])
	copy(want.front.Params, old.average[old.atFront:old.atDecoder])
	want.model.Changed()
	want.front.Changed()
	want.average = want.gather(want.average[:0])
	want.refreshSecond()
	if a, b := firstUpdate(t, got), firstUpdate(t, want); a.Loss != b.Loss || a.Norm != b.Norm {
		t.Errorf("first update: loss %v, gradient %v; want %v, %v", a.Loss, a.Norm, b.Loss, b.Norm)
	}
	if !equal(got, want) {
		t.Error("the state after the first update differs from that of a new trainer with these weights")
	}
}

// What begins with a checkpoint takes the averages of all weights, and nothing of the schedule.
func TestBeginWithCheckpoint(t *testing.T) {
	old := learnt(t)
	file := written(t, old.Save)
	got, err := Begin(another(), file)
	if err != nil {
		t.Fatal(err)
	}
	if got.step != 0 || got.cfg.Rate != 2e-3 || got.cfg.Updates != 7 || got.cfg.Seed != 3 || got.cfg.Decoder != 16 {
		t.Errorf("step %d, settings %+v: want a schedule of its own", got.step, got.cfg)
	}
	if all := got.gather(nil); !slices.Equal(all, old.average) || !slices.Equal(got.average, old.average) {
		t.Error("the weights are not the averages of the checkpoint")
	}
	if slices.ContainsFunc(append(got.m, got.v...), func(x float32) bool { return x != 0 }) {
		t.Error("the moments are not zero")
	}
	if !slices.Equal(got.second.Params, old.average[old.atFront:old.atDecoder]) {
		t.Error("the averaged front end is not that of the checkpoint")
	}
	// The decoder is used: with the random one that a weights file leaves it with, the loss is another.
	random, err := Begin(another(), written(t, old.SaveWeights))
	if err != nil {
		t.Fatal(err)
	}
	a, b := firstUpdate(t, got), firstUpdate(t, random)
	if a.Losses["reconstruction"] == b.Losses["reconstruction"] || a.Losses["object"] != b.Losses["object"] {
		t.Errorf("losses %v from the checkpoint, %v from its weights: want the same but for the reconstruction", a.Losses, b.Losses)
	}
}

func TestBeginRefuses(t *testing.T) {
	old := learnt(t)
	check := written(t, old.Save).Bytes()
	file := written(t, old.SaveWeights).Bytes()
	shaped, wider, odd := another(), another(), another()
	shaped.Model.Dim = 16
	wider.Decoder = 24
	odd.Rate = 2
	front := another()
	front.FrontEnd.Widths = []int{8, 16, 16}
	for _, tt := range []struct {
		name string
		cfg  Config
		file []byte
		want string
	}{
		{"shape of the model", shaped, file, "leave out the settings model and front_end"},
		{"shape of the front end", front, check, "leave out the settings model and front_end"},
		{"another decoder", wider, check, "training.decoder has shape"},
		{"setting out of range", odd, file, "rate 2"},
		{"setting out of range, checkpoint", odd, check, "rate 2"},
		{"empty", another(), nil, "shorter than 8 bytes"},
		{"no weights", another(), []byte("<!DOCTYPE html><html></html>"), "not a weights file"},
		{"cut off", another(), file[:len(file)/2], "safetensors"},
		{"checkpoint cut off", another(), check[:len(check)-1], "safetensors"},
		{"without front end", another(), written(t, func(w io.Writer, _ string) error { return old.model.Save(w) }).Bytes(), "frontend"},
	} {
		name := filepath.Join(t.TempDir(), "start")
		if err := os.WriteFile(name, tt.file, 0o644); err != nil {
			t.Fatal(err)
		}
		j := Job{Out: filepath.Join(t.TempDir(), "w"), Config: tt.cfg, Init: name}
		err := Run(t.Context(), j, tiny6)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want one line with the file and %q", tt.name, err, tt.want)
		}
		if _, err := os.Stat(j.Out); err == nil {
			t.Errorf("%s: weights were written", tt.name)
		}
	}
	j := Job{Out: filepath.Join(t.TempDir(), "w"), Config: another(), Init: "none.safetensors"}
	if err := Run(t.Context(), j, tiny6); err == nil || !strings.Contains(err.Error(), "none.safetensors") {
		t.Errorf("no file: got %v", err)
	}
}
