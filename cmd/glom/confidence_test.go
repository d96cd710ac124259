package main

import (
	"fmt"
	"io"
	"testing"

	"glomstream/capture/opencv"
	"glomstream/glom"
	"glomstream/pipeline"
)

// confidence is what a run says of a frame.
type confidence struct {
	cut, truth bool
	steps      int
	unsettled  float64
}

type confidences []confidence

func (c *confidences) Write(r *pipeline.Result) error {
	*c = append(*c, confidence{r.Cut, r.Frame.Truth != nil && r.Frame.Truth.Cut, r.Steps, r.Unsettled})
	return nil
}

// build makes the model that --weights names, and the front end that goes with it.
func build(t *testing.T, weights string) (*modelFlags, *opencv.FrontEnd, *glom.Model) {
	t.Helper()
	f := &modelFlags{weights: weights}
	model, err := f.model()
	if err != nil {
		t.Fatal(err)
	}
	frontEnd, err := f.frontEndFor(model)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { frontEnd.Close() })
	return f, frontEnd, model
}

// watch runs a synthetic scene through the default model, with nothing learned.
func watch(t *testing.T, scene string) confidences {
	t.Helper()
	src, err := openSource(t.Context(), "synthetic:"+scene, io.NopCloser(nil), sourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	_, frontEnd, model := build(t, unlearned)
	var c confidences
	if _, err := pipeline.Run(t.Context(), pipeline.Config{Source: src, FrontEnd: frontEnd, Model: model, Sinks: []pipeline.Sink{&c}}); err != nil {
		t.Fatal(err)
	}
	return c
}

// mean returns how unsettled the frames are from frame first on.
func (c confidences) mean(first int) float64 {
	sum := 0.0
	for _, f := range c[first:] {
		sum += f.unsettled
	}
	return sum / float64(len(c)-first)
}

// The cut is found at exactly its frame, whose burst leaves it settled. (The frame after it is less so: then
// motion becomes known, and changes the evidence.)
func TestCutScene(t *testing.T) {
	if testing.Short() {
		t.Skip("long; left out with -short")
	}
	for _, size := range []string{"64x64", "90x160", "320x180", "640x360"} {
		for seed := range 3 {
			scene := fmt.Sprintf("cut?frames=8&size=%s&seed=%d", size, seed)
			cuts := 0
			for i, f := range watch(t, scene) {
				steps := 1
				if i == 0 || f.truth {
					cuts++
					steps = 8
				}
				if f.cut != f.truth || f.steps != steps || steps > 1 && f.unsettled > 0.01 {
					t.Errorf("%s: frame %d: %+v, want %d steps, settled", scene, i, f, steps)
				}
			}
			if cuts != 2 {
				t.Errorf("%s: the scene has %d beginnings, want 2", scene, cuts)
			}
		}
	}
}

// Nothing but a cut is one, however fast it goes.
func TestNoCut(t *testing.T) {
	if testing.Short() {
		t.Skip("long; left out with -short")
	}
	for _, scene := range []string{
		"demo?", "sprites?", "twotone?", "twins?", "occlusion?", "pan?", "pan?speed=6&", "potato?", "potato?speed=8&", "lock?speed=40&", "still?",
	} {
		for i, f := range watch(t, scene+"frames=16") {
			if f.cut {
				t.Errorf("%s: cut at frame %d", scene, i)
			}
		}
	}
}

// A still picture is settled altogether. What moves by less than a location (16 pixels) a frame is settled but for
// the frames in which it turns round; what moves by three is not.
func TestUnsettledBySpeed(t *testing.T) {
	if testing.Short() {
		t.Skip("long; left out with -short")
	}
	if got := watch(t, "still?frames=12").mean(1); got != 0 {
		t.Errorf("still: unsettled %v, want 0", got)
	}
	for _, tt := range []struct {
		speed    int
		min, max float64
	}{{2, 0, 0.02}, {6, 0, 0.15}, {48, 0.6, 1}} { // measured 0.00, 0.08 and 0.83
		if got := watch(t, fmt.Sprintf("lock?frames=40&speed=%d", tt.speed)).mean(1); !(got >= tt.min && got <= tt.max) {
			t.Errorf("lock at %d pixels a frame: unsettled %.3f, want %v to %v", tt.speed, got, tt.min, tt.max)
		}
	}
}

// The faster the potato tumbles, the less settled it is (paper, section 11). From frame 30 on it turns by
// 2 degrees a frame at its natural speed, by 30 to 50 at the fivefold.
func TestPotato(t *testing.T) {
	if testing.Short() {
		t.Skip("long; left out with -short")
	}
	before := 0.0
	for _, speed := range []int{1, 2, 3, 5} {
		got := watch(t, fmt.Sprintf("potato?frames=50&speed=%d", speed)).mean(30)
		t.Logf("speed %d: unsettled %.3f", speed, got)
		if got < before {
			t.Errorf("speed %d: unsettled %.3f, less than the slower one's %.3f", speed, got, before)
		}
		if speed == 1 && got > 0.02 || speed == 5 && got < 0.5 {
			t.Errorf("speed %d: unsettled %.3f, want at most 0.02 at speed 1, at least 0.5 at speed 5", speed, got)
		}
		before = got
	}
}
