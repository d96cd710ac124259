package pipeline

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"glomstream/capture"
	"glomstream/glom"
	"glomstream/glom/islands"
	"glomstream/overlay"
)

// FrontEnd makes evidence of frames. It may remember the frame before, as optical flow must. It
// is used by one goroutine at a time, and sees the frames in order.
type FrontEnd interface {
	// Grid returns the grid of locations for frames of w by h pixels.
	Grid(w, h int) (rows, cols int)
	// Evidence fills ev, which holds what an earlier frame left there and may be reused, from f.
	// It does not keep f or ev. The embeddings have the dimension of the model.
	Evidence(ev *capture.Evidence, f *capture.Frame) error
	// Reset forgets the frame before. It is called before the first frame, before the first
	// frame of another size, and after a cut, when Evidence is then asked for the same frame again.
	Reset()
}

// Sink takes results, one at a time and in the order of the frames.
type Sink interface {
	// Write uses r, which is valid only during the call. An error stops the pipeline.
	Write(r *Result) error
}

// Result is all that is known of one frame. Slices per level have L entries, level 0 first.
// N locations of the grid, (H, W) pixels of the frame.
type Result struct {
	Frame     capture.Frame
	Evidence  capture.Evidence
	Islands   []islands.Level // (L) the parse tree: ids per location, and what is known of each island
	Labels    [][]uint16      // (L) of (H, W) island ids; nil for levels that are not in Config.Pixels
	Agreement [][]float32     // (L) of (N) in 0..1
	State     *glom.State     // the embeddings after the step, to be read only
	Motion    []float32       // (N, 2) optical flow since the frame before in locations, see camera.Coarsen; nil if there is none
	Canvas    capture.Frame   // the drawing, with the frame's Seq and times; W is 0 when nothing draws
	Cut       bool            // there is a cut between the frame before and this one: the state and the ids start anew
	Steps     int             // settling steps taken on this frame
	Unsettled float64         // how much faster the embeddings change than they can settle, 0 to 1, see glom.State.Unsettled
	Unrest    [][]float32     // (L) of (N) the same for each location
	FPS       float64         // frames settled per second, over the last second; 0 at first
	Dropped   int             // frames dropped since the start, before this one
}

// Config says what to run. Source, FrontEnd and Model are needed. Run closes none of them.
type Config struct {
	Source   capture.Source
	FrontEnd FrontEnd
	Model    *glom.Model
	Islands  []islands.Config // how to read out each level, the finest first; the last is for all above it too, none is the default
	Pixels   []int            // levels whose labels are wanted at pixel size, those that Draw shows among them
	Draw     *overlay.Drawer  // for as many levels as the model has; nil: no canvas
	Sinks    []Sink           // written to one after the other

	// Burst is the number of settling steps on the first frame, after a cut, and after a reset.
	// Default 8.
	Burst int
	// Steps is the number of settling steps on all other frames. Default 1.
	Steps int
	// InFlight is how many frames may be on their way at a time. The default is one more than
	// there are processors, and 2 with Latest: when the processors cannot keep up, a frame is as
	// old when it is written as InFlight frames take.
	InFlight int
	// Latest keeps the newest frame of the source and drops the ones that it replaced. Without
	// it the source waits.
	Latest bool

	Log      *slog.Logger     // is told of resets of the state; nil: nobody
	Progress func(Stats)      // called after each frame that was written, by the goroutine that wrote it
	Clock    func() time.Time // for Result.FPS and the times in Stats; called concurrently; default time.Now
}

// Run moves frames from the source to the sinks until the source ends, a stage fails or ctx is
// done. It returns when nothing is left running, which needs a Source.Next that heeds its context.
//
// The error is nil at the end of the source, even if it had no frame at all (Stats.Frames is 0
// then). It is context.Cause(ctx) when ctx ended the run. The error of a source is passed on as it
// is, others name the frame, as in "frame 12: front end: …".
func Run(ctx context.Context, c Config) (Stats, error) {
	if err := c.setDefaults(); err != nil {
		return Stats{}, fmt.Errorf("pipeline: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	in := newIntake(&c)
	if c.Latest {
		wg.Go(func() { in.fill(ctx) })
	}
	out := &writing{sinks: c.Sinks, progress: c.Progress, log: c.Log, clock: c.Clock, began: c.Clock()}
	s := newRing(&c, stop, [batons]stage{
		toLook:   &looking{frontEnd: c.FrontEnd, dim: c.Model.Config().Dim},
		toSettle: &settling{model: c.Model, burst: c.Burst, steps: c.Steps, clock: c.Clock},
		toTrack:  &tracking{trackers: make([]islands.Tracker, c.Model.Config().Levels)},
		toWrite:  out,
	})
	err := s.start(ctx, in)
	for err == nil {
		wg.Go(s.run)
		s = s.next
		err = s.start(ctx, in)
	}
	stop()
	wg.Wait()
	in.drain()

	stats := out.stats
	stats.Dropped, stats.Decode = in.dropped, in.decode
	stats.Wall = c.Clock().Sub(out.began)
	failed := (<-s.turns[toWrite]).err
	switch {
	case failed != nil:
		return stats, failed
	case err == io.EOF: // as the source returned it; one that is wrapped is an error
		return stats, nil
	}
	return stats, err
}

// setDefaults fills in zero fields and checks the others.
func (c *Config) setDefaults() error {
	if c.Source == nil || c.FrontEnd == nil || c.Model == nil {
		panic("pipeline: Config needs Source, FrontEnd and Model")
	}
	if c.Burst == 0 {
		c.Burst = 8
	}
	if c.Steps == 0 {
		c.Steps = 1
	}
	if c.InFlight == 0 {
		c.InFlight = runtime.GOMAXPROCS(0) + 1
		if c.Latest {
			c.InFlight = 2
		}
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Burst < 1 || c.Steps < 1 || c.InFlight < 1 {
		return fmt.Errorf("burst %d, steps %d, in flight %d: want at least 1", c.Burst, c.Steps, c.InFlight)
	}
	levels := c.Model.Config().Levels
	islandsOf := make([]islands.Config, levels)
	for l := range islandsOf {
		if n := len(c.Islands); n > 0 {
			islandsOf[l] = c.Islands[min(l, n-1)]
		}
	}
	c.Islands = islandsOf
	for _, l := range c.Pixels {
		if l < 0 || l >= levels {
			return fmt.Errorf("labels of level %d: the model has levels 0 to %d", l, levels-1)
		}
	}
	return nil
}
