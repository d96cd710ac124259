package pipeline

import (
	"slices"
	"testing"
)

// kept is what a test compares of a frame.
type kept struct {
	cut       bool
	steps     int
	unsettled float64
	x         []float32
	ids       []uint16
	flow      []float32
}

// runKept runs the clip from frame first on and keeps what is known of each frame.
func runKept(t *testing.T, first, frames int) ([]kept, Stats) {
	t.Helper()
	src := newClip(frames)
	src.next, src.cut = first, 10
	c, fe := newConfig(t, src)
	fe.picture = true
	c.Islands = nil
	var all []kept
	c.Sinks = []Sink{sink(func(r *Result) error {
		all = append(all, kept{
			r.Cut, r.Steps, r.Unsettled, slices.Clone(r.State.Level(2)), slices.Clone(r.Islands[1].ID), slices.Clone(r.Evidence.Flow),
		})
		return nil
	})}
	stats, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return all, stats
}

// The frames from a cut on are those of a run that starts there, bit for bit, but for the names of
// the islands, none of which had been used.
func TestCutStartsAnew(t *testing.T) {
	const frames, at = 16, 10
	got, stats := runKept(t, 0, frames)
	fresh, _ := runKept(t, at, frames)
	if stats.Cuts != 1 || len(fresh) != frames-at {
		t.Fatalf("%d cuts and %d frames after, want 1 and %d", stats.Cuts, len(fresh), frames-at)
	}
	for i, g := range got {
		wantSteps := 1
		if i == 0 || i == at {
			wantSteps = 8
		}
		if g.cut != (i == at) || g.steps != wantSteps {
			t.Errorf("frame %d: cut %v with %d steps, want %v with %d", i, g.cut, g.steps, i == at, wantSteps)
		}
		if i < at {
			continue
		}
		f := fresh[i-at]
		if !slices.Equal(g.x, f.x) || !slices.Equal(renumbered(g.ids), renumbered(f.ids)) || !slices.Equal(g.flow, f.flow) || g.unsettled != f.unsettled {
			t.Errorf("frame %d is not that of a run that starts at frame %d", i, at)
		}
	}
	for _, id := range got[at].ids {
		if slices.Contains(got[at-1].ids, id) {
			t.Fatalf("island %d goes on through the cut", id)
		}
	}
	if slices.Equal(renumbered(got[at-1].ids), renumbered(got[at].ids)) {
		t.Error("the islands are the same on both sides of the cut: the test shows little")
	}
}

// A source that began again says so, and that is a cut although the pictures are alike.
func TestAnewIsACut(t *testing.T) {
	const frames, at = 12, 6
	src := newClip(frames)
	src.anew = at
	c, _ := newConfig(t, src)
	var cuts []uint64
	c.Sinks = []Sink{sink(func(r *Result) error {
		if r.Cut {
			cuts = append(cuts, r.Frame.Seq)
		}
		if want := map[bool]int{true: 8, false: 1}[r.Frame.Seq == 0 || r.Cut]; r.Steps != want {
			t.Errorf("frame %d: %d steps, want %d", r.Frame.Seq, r.Steps, want)
		}
		return nil
	})}
	stats, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Cuts != 1 || !slices.Equal(cuts, []uint64{at}) {
		t.Errorf("%d cuts, at %v, want one at %d", stats.Cuts, cuts, at)
	}
}

// renumbered names the islands in the order in which they are met.
func renumbered(ids []uint16) []uint16 {
	names := make(map[uint16]uint16)
	out := make([]uint16, len(ids))
	for i, id := range ids {
		if names[id] == 0 {
			names[id] = uint16(len(names) + 1)
		}
		out[i] = names[id]
	}
	return out
}
