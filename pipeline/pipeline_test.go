package pipeline

import (
	"log/slog"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"glomstream/capture"
)

func TestNoFrames(t *testing.T) {
	for _, latest := range []bool{false, true} {
		c, _ := newConfig(t, newClip(0))
		c.Latest = latest
		stats, err := Run(t.Context(), c)
		if stats.Frames != 0 || err != nil {
			t.Errorf("latest %v: %d frames, error %v, want 0, nil", latest, stats.Frames, err)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Config)
		want   string
	}{
		{"level above", func(c *Config) { c.Pixels = []int{3} }, "pipeline: labels of level 3: the model has levels 0 to 2"},
		{"level below", func(c *Config) { c.Pixels = []int{-1} }, "pipeline: labels of level -1: the model has levels 0 to 2"},
		{"burst", func(c *Config) { c.Burst = -1; c.InFlight = 1 }, "pipeline: burst -1, steps 1, in flight 1: want at least 1"},
		{"in flight", func(c *Config) { c.InFlight = -2 }, "pipeline: burst 8, steps 1, in flight -2: want at least 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := newClip(1)
			c, _ := newConfig(t, src)
			tt.change(&c)
			if _, err := Run(t.Context(), c); err == nil || err.Error() != tt.want {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if src.next != 0 {
				t.Error("a frame was read")
			}
		})
	}
}

// Stages of 30 ms overlap as far as the frames in flight allow.
func TestStagesOverlap(t *testing.T) {
	const frames, step = 10, 30 * time.Millisecond
	for _, tt := range []struct {
		inFlight int
		want     time.Duration
	}{
		{1, 2 * frames * step},
		{2, (frames + 1) * step},
		{4, (frames + 1) * step},
	} {
		synctest.Test(t, func(t *testing.T) {
			src := newClip(frames)
			c, fe := newConfig(t, src)
			c.InFlight = tt.inFlight
			fe.before = func(*capture.Frame) error { time.Sleep(step); return nil }
			var seqs []uint64
			c.Sinks = []Sink{numbers(&seqs), sink(func(*Result) error { time.Sleep(step); return nil })}
			stats, err := Run(t.Context(), c)
			want := Stats{Frames: frames, FrontEnd: frames * step, Sink: frames * step, Wall: tt.want}
			if err != nil || stats != want {
				t.Errorf("%d in flight: got %+v, %v, want %+v", tt.inFlight, stats, err, want)
			}
			checkSeqs(t, seqs, frames)
			src.checkReleased(t)
		})
	}
}

// A camera gives 30 frames a second, the front end takes 10.
func TestLatestDropsAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const frames, slow = 90, 100 * time.Millisecond
		src := newClip(frames)
		src.every = time.Second / 30
		c, fe := newConfig(t, src)
		c.Latest = true
		fe.before = func(*capture.Frame) error { time.Sleep(slow); return nil }
		var last Result
		written := 0
		c.Sinks = []Sink{sink(func(r *Result) error {
			if got, want := r.Dropped, int(r.Frame.Seq)-written; got != want {
				t.Errorf("frame %d is number %d: dropped %d, want %d", r.Frame.Seq, written, got, want)
			}
			if late := time.Since(r.Frame.Captured); late > 2*slow+src.every+time.Millisecond {
				t.Errorf("frame %d is %v old when it is written, want the time of two and of one in the mailbox", r.Frame.Seq, late)
			}
			written++
			last = *r
			return nil
		})}
		stats, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if stats.Frames != written || stats.Frames+stats.Dropped != frames || last.Frame.Seq != frames-1 {
			t.Errorf("%d frames and %d dropped, last is %d, want %d in all and the last", stats.Frames, stats.Dropped, last.Frame.Seq, frames)
		}
		if stats.Frames < 30 || stats.Frames > 33 {
			t.Errorf("%d frames in 3 s at 10 frames/s", stats.Frames)
		}
		if math.Abs(last.FPS-10) > 0.5 {
			t.Errorf("%.1f frames/s, want 10", last.FPS)
		}
		src.checkReleased(t)
	})
}

func TestFileDropsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newClip(60)
		src.every = time.Second / 30
		c, fe := newConfig(t, src)
		fe.before = func(*capture.Frame) error { time.Sleep(100 * time.Millisecond); return nil }
		var seqs []uint64
		c.Sinks = []Sink{numbers(&seqs)}
		stats, err := Run(t.Context(), c)
		if err != nil || stats.Frames != 60 || stats.Dropped != 0 {
			t.Errorf("%d frames, %d dropped, error %v, want 60, 0, nil", stats.Frames, stats.Dropped, err)
		}
		checkSeqs(t, seqs, 60)
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newClip(5)
		src.every = time.Second
		c, _ := newConfig(t, src)
		calls := 0
		c.Progress = func(s Stats) {
			if s.Frames != calls+1 || s.Wall != time.Duration(calls)*time.Second {
				t.Errorf("call %d: %d frames after %v", calls, s.Frames, s.Wall)
			}
			calls++
		}
		if _, err := Run(t.Context(), c); err != nil || calls != 5 {
			t.Errorf("%d calls, error %v, want 5, nil", calls, err)
		}
	})
}

// Frames that are not finite reset the state; the numbers in the results stay finite.
func TestNaN(t *testing.T) {
	c, fe := newConfig(t, newClip(12))
	fe.spoil = func(seq uint64) bool { return seq == 0 || seq == 7 }
	c.Sinks = []Sink{sink(func(r *Result) error {
		for l, a := range r.Agreement {
			if slices.ContainsFunc(a, func(v float32) bool { return !(v >= 0 && v <= 1) }) {
				t.Errorf("frame %d: agreement of level %d is %v", r.Frame.Seq, l, a)
			}
			for _, island := range r.Islands[l].Islands {
				if slices.ContainsFunc(island.Vector, func(v float32) bool { return v != v }) {
					t.Errorf("frame %d: island %d of level %d is NaN", r.Frame.Seq, island.ID, l)
				}
			}
		}
		return nil
	})}
	var log strings.Builder
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	stats, err := Run(t.Context(), c)
	if err != nil || stats.Frames != 12 || stats.Resets != 2 {
		t.Errorf("%d frames, %d resets, error %v, want 12, 2, nil", stats.Frames, stats.Resets, err)
	}
	if got := log.String(); strings.Count(got, "not finite") != 2 || !strings.Contains(got, "frame=7") {
		t.Errorf("the log is %q, want a line for frames 0 and 7", got)
	}
}

// A change of size starts front end, state and ids anew, with the burst of a first frame.
func TestSizeChange(t *testing.T) {
	src := newClip(9)
	src.size = func(i int) (w, h int) {
		if i/3 == 1 {
			return 64, 96
		}
		return 96, 64
	}
	c, fe := newConfig(t, src)
	c.Sinks = []Sink{sink(func(r *Result) error {
		w, h := src.size(int(r.Frame.Seq))
		rows, cols := fe.Grid(w, h)
		if l := r.Islands[1]; l.Rows != rows || l.Cols != cols || len(r.Labels[1]) != w*h || len(r.Agreement[1]) != rows*cols {
			t.Errorf("frame %d: grid %dx%d, %d labels, %d agreements for %dx%d pixels",
				r.Frame.Seq, l.Rows, l.Cols, len(r.Labels[1]), len(r.Agreement[1]), w, h)
		}
		if r.Labels[0] != nil || r.Labels[2] != nil {
			t.Errorf("frame %d: labels of levels that nobody wanted", r.Frame.Seq)
		}
		if r.Canvas.W != 0 {
			t.Errorf("frame %d: there is a canvas", r.Frame.Seq)
		}
		return nil
	})}
	var log strings.Builder
	c.Log = slog.New(slog.NewTextHandler(&log, nil))
	stats, err := Run(t.Context(), c)
	if got := log.String(); strings.Count(got, "size changed") != 2 || !strings.Contains(got, "frame=3 width=64 height=96") {
		t.Errorf("the log is %q, want a line for frames 3 and 6", got)
	}
	if err != nil || stats.SizeChanges != 2 || fe.resets != 3 {
		t.Errorf("%d size changes, %d resets of the front end, error %v, want 2, 3, nil", stats.SizeChanges, fe.resets, err)
	}
	src.checkReleased(t)
}

// A running video allocates next to nothing: what is left is a goroutine and a few small
// objects per frame.
func TestMemoryFlat(t *testing.T) {
	const frames, warm = 300, 100
	const most = 16 << 10 // bytes per frame; the pictures, labels and vectors of a frame are some 150 kB
	src := newClip(frames)
	c := identityConfig(t, 0)
	c.Source = src
	c.FrontEnd.(*blocks).spoil = nil
	var before, after runtime.MemStats
	c.Progress = func(s Stats) {
		switch s.Frames {
		case warm:
			runtime.ReadMemStats(&before)
		case frames:
			runtime.ReadMemStats(&after)
		}
	}
	if _, err := Run(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	per := float64(after.TotalAlloc-before.TotalAlloc) / (frames - warm)
	t.Logf("%.0f bytes in %.1f objects per frame", per, float64(after.Mallocs-before.Mallocs)/(frames-warm))
	if per > most {
		t.Errorf("%.0f bytes allocated per frame, want at most %d", per, most)
	}
}

// TestSteps counts the settling steps: a burst on the first frame, then as many as asked for.
func TestSteps(t *testing.T) {
	for _, tt := range []struct{ burst, steps, want int }{{0, 0, 8 + 4}, {3, 2, 3 + 4*2}} {
		c, _ := newConfig(t, newClip(5))
		c.Burst, c.Steps = tt.burst, tt.steps
		var got int
		c.Sinks = []Sink{sink(func(r *Result) error { got = r.State.Steps; return nil })}
		if _, err := Run(t.Context(), c); err != nil || got != tt.want {
			t.Errorf("burst %d, steps %d: %d steps after 5 frames, error %v, want %d", tt.burst, tt.steps, got, err, tt.want)
		}
	}
}
