package eval

import (
	"bytes"
	"strings"
	"testing"
)

// TestLock has a slow and a fast square: the default rule holds the slow one.
func TestLock(t *testing.T) {
	c := newConfig(t)
	n := 0
	c.Progress = func(_ string, frames int) { n = frames }
	lc := LockConfig{Speeds: []float64{0.5, 3}, Seeds: 1, Frames: 12, W: 320, H: 176}
	l, err := Lock(t.Context(), c, lc)
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Curves) != 4 || n != lc.Total() || n != 4*2*(12+settleIn) {
		t.Fatalf("%d curves of %d frames, want 4 of %d", len(l.Curves), n, lc.Total())
	}
	for _, curve := range l.Curves {
		for i, v := range curve.IoU {
			if !(v > 0 && v <= 1) {
				t.Errorf("%s, %d steps: IoU %v at speed %v", curve.Rule, curve.Steps, v, l.Speeds[i])
			}
		}
	}
	if v := l.Curves[0].IoU[0]; v < 0.7 {
		t.Errorf("the default rule holds a slow square with IoU %v", v)
	}
	r := &Report{Lock: l}
	var b bytes.Buffer
	if err := r.WriteTable(&b); err != nil || !strings.Contains(b.String(), "literal, 2") {
		t.Errorf("error %v, table %s", err, b.String())
	}
	if files, err := r.WritePlots(t.TempDir()); err != nil || len(files) != 1 {
		t.Errorf("plots %q, error %v", files, err)
	}
}
