package main

import (
	"testing"

	"glomstream/capture"
	"glomstream/pipeline/eval"
)

// TestLockOfDefault measures the end of the lock curve that the defaults are held to: at one
// location per frame, with one settling step and the real optical flow, the island stays on what moves.
// It does so with the built-in weights, and with nothing learned.
func TestLockOfDefault(t *testing.T) {
	if testing.Short() {
		t.Skip("1152 frames")
	}
	for _, weights := range []string{builtIn, unlearned} {
		f, frontEnd, model := build(t, weights)
		l, err := eval.Lock(t.Context(), eval.Config{FrontEnd: frontEnd, Model: model, Islands: f.islands(model, capture.Info{})},
			eval.LockConfig{Speeds: []float64{1}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range l.Curves {
			t.Logf("%s: %s, %d steps: %.3f", weights, c.Rule, c.Steps, c.IoU[0])
		}
		if v := l.Curves[0].IoU[0]; v < 0.9 {
			t.Errorf("%s: default, 1 step: IoU %.3f at one location per frame, want 0.9", weights, v)
		}
		if v := l.Curves[2].IoU[0]; v > 0.5 {
			t.Errorf("%s: literal, 1 step: IoU %.3f at one location per frame: is it the default rule?", weights, v)
		}
	}
}
