package trained_test

import (
	"os"
	"testing"

	"glomstream/glom/compose"
	"glomstream/glom/train"
)

// TestCollapse shows the weights painted scenes: no level turns them all into the same vectors.
func TestCollapse(t *testing.T) {
	file, err := os.Open("weights.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	src, err := compose.New(compose.Config{T: 3, H: 64, W: 96, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	const still = 1e-12 // the weights stay as they are
	tr, err := train.Begin(train.Config{Clips: 4, Rate: still, NoFlow: -1, Hide: -1}, file)
	if err != nil {
		t.Fatal(err)
	}
	for {
		r, err := tr.Update(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		if r.Health != nil {
			t.Logf("%+v", r.Health)
			if a := r.Health.Alarms(); len(a) > 0 {
				t.Error(a)
			}
			return
		}
	}
}
