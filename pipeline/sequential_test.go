package pipeline

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"glomstream/capture/cut"
	"glomstream/glom"
	"glomstream/glom/camera"
	"glomstream/glom/islands"
	"glomstream/overlay"
)

// sequential is Run as a plain loop: one frame after the other, nothing shared, nothing reused
// but what one frame must know of the one before.
func sequential(t *testing.T, c Config) (all []Result) {
	t.Helper()
	var state *glom.State
	var w, h int
	L := c.Model.Config().Levels
	trackers := make([]islands.Tracker, L)
	var cuts cut.Detector
	for {
		f, err := c.Source.Next(t.Context())
		if err != nil {
			return all
		}
		anew := false
		r := Result{Frame: f, Islands: make([]islands.Level, L), Labels: make([][]uint16, L), Agreement: make([][]float32, L)}
		if f.W != w || f.H != h {
			w, h = f.W, f.H
			c.FrontEnd.Reset()
			if state, err = c.Model.NewState(c.FrontEnd.Grid(w, h)); err != nil {
				t.Fatal(err)
			}
			anew = true
			cuts = cut.Detector{}
		}
		if err := c.FrontEnd.Evidence(&r.Evidence, &f); err != nil {
			t.Fatal(err)
		}
		if cuts.Cut(r.Evidence.Pix, r.Evidence.Flow, r.Evidence.W, r.Evidence.H) {
			r.Cut = true
			c.FrontEnd.Reset()
			if err := c.FrontEnd.Evidence(&r.Evidence, &f); err != nil {
				t.Fatal(err)
			}
			state.Reset()
			anew = true
		}
		steps := 1
		if state.Steps == 0 {
			steps = 8
		}
		for range steps {
			c.Model.Step(state, r.Evidence.X)
			r.Steps++
			if state.NonFinite > 0 {
				state.Reset()
				break
			}
		}
		r.Motion = camera.Coarsen(nil, r.Evidence.Flow, r.Evidence.W, r.Evidence.H, state.Rows, state.Cols)
		unrest := make([]float32, L*state.Rows*state.Cols)
		if r.Steps > 1 {
			r.Unsettled = state.Unsettled(unrest, nil)
		} else {
			r.Unsettled = state.Unsettled(unrest, r.Motion)
		}
		for l := range L {
			r.Unrest = append(r.Unrest, unrest[l*state.Rows*state.Cols:][:state.Rows*state.Cols])
			r.Agreement[l] = slices.Clone(state.Agreement(l))
		}
		var above *islands.Level
		for l := L - 1; l >= 0; l-- {
			islands.NewReader(c.Islands[min(l, len(c.Islands)-1)]).Read(&r.Islands[l], above, state.Level(l), r.Agreement[l], state.Rows, state.Cols, state.Dim)
			if anew {
				trackers[l].Cut()
			}
			trackers[l].Track(&r.Islands[l], r.Motion)
			above = &r.Islands[l]
		}
		new(islands.Linker).Link(r.Islands)
		for _, l := range c.Pixels {
			r.Labels[l] = make([]uint16, w*h)
			new(islands.Upsampler).Labels(r.Labels[l], w, h, &r.Islands[l], f.Pix, f.Stride)
		}
		r.Canvas.W, r.Canvas.H = c.Draw.Size(w, h)
		r.Canvas.Stride = 3 * r.Canvas.W
		r.Canvas.Pix = make([]byte, r.Canvas.Stride*r.Canvas.H)
		c.Draw.Draw(&r.Canvas, &overlay.Scene{
			Frame: &f, Levels: L, Labels: r.Labels, Rows: state.Rows, Cols: state.Cols, Agreement: r.Agreement,
			Unrest: r.Unrest, Unsettled: r.Unsettled, Cut: r.Cut, Flow: r.Evidence.Flow, FlowW: r.Evidence.W, FlowH: r.Evidence.H,
		})
		all = append(all, r)
	}
}

// identityConfig is a run that meets everything: it changes its size, keeping the grid and not
// keeping it, meets a NaN and a cut, and draws all levels.
func identityConfig(t *testing.T, frames int) Config {
	t.Helper()
	src := newClip(frames)
	src.cut = 30
	src.room = [2]int{136, 80}
	src.size = func(i int) (w, h int) {
		switch {
		case i >= 50:
			return 136, 80
		case i >= 40:
			return 95, 63
		}
		return 96, 64
	}
	c, fe := newConfig(t, src)
	fe.picture = true
	fe.spoil = func(seq uint64) bool { return seq == 20 }
	c.Pixels = []int{0, 1, 2}
	d, err := overlay.New(overlay.Config{All: true, Levels: 3})
	if err != nil {
		t.Fatal(err)
	}
	c.Draw = d
	return c
}

func TestRunEqualsSequential(t *testing.T) {
	const frames = 64
	want := sequential(t, identityConfig(t, frames))
	if len(want) != frames {
		t.Fatalf("the sequential run has %d frames, want %d", len(want), frames)
	}
	most := 0
	for _, r := range want {
		most = max(most, len(r.Islands[1].Islands))
	}
	if most < 2 {
		t.Fatalf("no frame has more than %d islands: the comparison would show little", most)
	}
	for _, tt := range []struct{ procs, inFlight int }{{1, 3}, {2, 1}, {2, 2}, {2, 3}, {2, 8}, {4, 5}} {
		t.Run(fmt.Sprintf("procs=%d/inflight=%d", tt.procs, tt.inFlight), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(tt.procs))
			compareRun(t, tt.inFlight, want)
		})
	}
}

func compareRun(t *testing.T, inFlight int, want []Result) {
	t.Helper()
	c := identityConfig(t, len(want))
	c.InFlight = inFlight
	c.Clock = func() time.Time { return time.Time{} } // the canvas shows the frame rate
	n := 0
	c.Sinks = []Sink{sink(func(r *Result) error {
		n++
		return compare(r, &want[n-1])
	})}
	stats, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := stats, (Stats{Frames: len(want), Resets: 1, SizeChanges: 2, Cuts: 1}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
	c.Source.(*clip).checkReleased(t)
}

// compare returns an error that tells in what got differs from the sequential run. It runs in a
// sink, while got is valid, where t.Fatal must not be called.
func compare(got, want *Result) error {
	seq := want.Frame.Seq
	if got.Frame.Seq != seq || got.Canvas.Seq != seq || got.Canvas.PTS != want.Frame.PTS {
		return fmt.Errorf("got canvas %d at %v, want %d at %v", got.Canvas.Seq, got.Canvas.PTS, seq, want.Frame.PTS)
	}
	for l := range want.Islands { // field by field: a Level has scratch space, too
		g, w := got.Islands[l], want.Islands[l]
		if g.Rows != w.Rows || g.Cols != w.Cols || !slices.Equal(g.ID, w.ID) ||
			!slices.Equal(g.Events, w.Events) ||
			g.Nesting != w.Nesting || g.Agreement != w.Agreement || !reflect.DeepEqual(g.Islands, w.Islands) {
			return fmt.Errorf("islands of level %d differ", l)
		}
	}
	for _, p := range []struct {
		name      string
		got, want any
	}{
		{"picture", got.Frame.Pix, want.Frame.Pix},
		{"flow", got.Evidence.Flow, want.Evidence.Flow}, // not X: it has a NaN
		{"motion", got.Motion, want.Motion},
		{"labels", got.Labels, want.Labels},
		{"agreement", got.Agreement, want.Agreement},
		{"motion", got.Motion, want.Motion},
		{"unrest", got.Unrest, want.Unrest},
		{"cut, steps and unsettled", []any{got.Cut, got.Steps, got.Unsettled}, []any{want.Cut, want.Steps, want.Unsettled}},
		{"canvas", got.Canvas.Pix, want.Canvas.Pix},
		{"canvas size", [2]int{got.Canvas.W, got.Canvas.H}, [2]int{want.Canvas.W, want.Canvas.H}},
	} {
		if !reflect.DeepEqual(p.got, p.want) {
			return fmt.Errorf("%s differ", p.name)
		}
	}
	return nil
}
