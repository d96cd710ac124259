package eval

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"glomstream/capture"
	"glomstream/capture/scene"
	"glomstream/glom"
	"glomstream/glom/metrics"
	"glomstream/pipeline"
)

// LockReport is the lock curve (paper, section 11): how well the best island of the object level
// covers a textured square that moves over two textured regions, at one speed after the other.
type LockReport struct {
	Frames int         `json:"frames"` // scored, of each seed
	Seeds  int         `json:"seeds"`
	Speeds []float64   `json:"speeds"` // locations per frame
	Curves []LockCurve `json:"curves"`
}

// LockCurve is the curve of one rule of the settling step.
type LockCurve struct {
	Rule  string    `json:"rule"`  // default or literal
	Steps int       `json:"steps"` // per frame
	IoU   []float64 `json:"iou"`   // (speeds) mean over frames and seeds of the best island's
}

// LockConfig says how a lock curve is measured. A zero field means its default.
type LockConfig struct {
	Speeds []float64 // locations per frame; default 0.1 to 4
	Seeds  int       // scenes at each speed; default 3
	Frames int       // scored, of each scene; default 40
	W, H   int       // pixels; default 640 by 360
}

// settleIn is how many frames of a scene are not scored.
const settleIn = 8

func (c LockConfig) withDefaults() LockConfig {
	if c.Speeds == nil {
		c.Speeds = []float64{0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4}
	}
	if c.Seeds == 0 {
		c.Seeds = 3
	}
	if c.Frames == 0 {
		c.Frames = 40
	}
	if c.W == 0 {
		c.W, c.H = 640, 360
	}
	return c
}

// Total is how many frames Lock takes through the pipeline.
func (c LockConfig) Total() int {
	c = c.withDefaults()
	return 4 * len(c.Speeds) * c.Seeds * (settleIn + c.Frames)
}

// Lock measures the lock curve of the model's own rule ("default") and of the paper's literal
// rule, each with one and with two settling steps per frame.
func Lock(ctx context.Context, c Config, lc LockConfig) (*LockReport, error) {
	lc = lc.withDefaults()
	literal := c.Model.Config()
	literal.Order, literal.Query = glom.Sync, glom.QueryState
	paper, err := c.Model.With(literal)
	if err != nil {
		return nil, err
	}
	out := &LockReport{Frames: lc.Frames, Seeds: lc.Seeds, Speeds: lc.Speeds}
	done := 0
	for _, rule := range []struct {
		name  string
		model *glom.Model
	}{{"default", c.Model}, {"literal", paper}} {
		for steps := 1; steps <= 2; steps++ {
			curve := LockCurve{Rule: rule.name, Steps: steps}
			for _, speed := range out.Speeds {
				iou, err := c.lock(ctx, &lc, rule.model, steps, speed, &done)
				if err != nil {
					return nil, fmt.Errorf("synthetic:lock at %v locations per frame: %w", speed, err)
				}
				curve.IoU = append(curve.IoU, iou)
			}
			out.Curves = append(out.Curves, curve)
		}
	}
	return out, nil
}

func (c *Config) lock(ctx context.Context, lc *LockConfig, m *glom.Model, steps int, speed float64, done *int) (float64, error) {
	_, cols := c.FrontEnd.Grid(lc.W, lc.H)
	var sum mean
	for seed := range uint64(lc.Seeds) {
		src, err := scene.New(scene.Config{
			Name: "lock", Seed: seed + 1, W: lc.W, H: lc.H, Frames: settleIn + lc.Frames,
			Speed: speed * float64(lc.W) / float64(cols),
		})
		if err != nil {
			return 0, err
		}
		object := max(0, m.Config().Levels-2)
		_, err = pipeline.Run(ctx, pipeline.Config{
			Source: src, FrontEnd: c.FrontEnd, Model: m, Islands: c.Islands, Steps: steps, Pixels: []int{object},
			Sinks: []pipeline.Sink{lockSink{object, &sum}},
			Progress: func(pipeline.Stats) {
				*done++
				if c.Progress != nil {
					c.Progress("synthetic:lock", *done)
				}
			},
		})
		if err != nil {
			return 0, err
		}
	}
	return sum.sum / float64(sum.n), nil
}

// lockSink scores the square.
type lockSink struct {
	level int
	sum   *mean
}

func (s lockSink) Write(r *pipeline.Result) error {
	if r.Frame.Seq < settleIn {
		return nil
	}
	truth := r.Frame.Truth.Levels[3]
	var t metrics.Table
	t.Add(truth, r.Labels[s.level])
	_, iou := t.BestIoU(mover(&r.Frame))
	s.sum.sum += iou
	s.sum.n++
	return nil
}

// mover is the object that moves: the regions of the scene are at rest.
func mover(f *capture.Frame) uint16 {
	truth := f.Truth.Levels[3]
	for i, id := range truth {
		if f.Truth.Flow[2*i] != 0 || f.Truth.Flow[2*i+1] != 0 {
			return id
		}
	}
	return 0
}

func (l *LockReport) write(w io.Writer) {
	t := table{head: []string{"rule, steps per frame"}}
	for _, v := range l.Speeds {
		t.head = append(t.head, strconv.FormatFloat(v, 'g', 3, 64))
	}
	for _, c := range l.Curves {
		line := []string{fmt.Sprintf("%s, %d", c.Rule, c.Steps)}
		for _, v := range c.IoU {
			line = append(line, number(v))
		}
		t.rows = append(t.rows, line)
	}
	fmt.Fprintf(w, "## synthetic:lock\n\n")
	t.write(w, fmt.Sprintf("IoU of the best island of the object level with a moving square, by its speed in locations per frame; %d frames of %d seeds", l.Frames, l.Seeds))
}
