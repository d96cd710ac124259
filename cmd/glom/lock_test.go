package main

import (
	"testing"

	"glomstream/pipeline/eval"
)

// TestLockOfDefault measures the end of the lock curve that the defaults are held to: at one
// location per frame, with one settling step and the real optical flow, the island stays on what moves.
func TestLockOfDefault(t *testing.T) {
	if testing.Short() {
		t.Skip("576 frames")
	}
	frontEnd, model := untaught(t)
	l, err := eval.Lock(t.Context(), eval.Config{FrontEnd: frontEnd, Model: model},
		eval.LockConfig{Speeds: []float64{1}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range l.Curves {
		t.Logf("%s, %d steps: %.3f", c.Rule, c.Steps, c.IoU[0])
	}
	if v := l.Curves[0].IoU[0]; v < 0.9 {
		t.Errorf("default, 1 step: IoU %.3f at one location per frame, want 0.9", v)
	}
	if v := l.Curves[2].IoU[0]; v > 0.5 {
		t.Errorf("literal, 1 step: IoU %.3f at one location per frame: is it the default rule?", v)
	}
}
