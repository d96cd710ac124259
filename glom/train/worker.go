package train

import (
	"fmt"
	"math/rand/v2"

	"glomstream/glom"
	"glomstream/glom/clips"
	"glomstream/glom/conv"
)

// The losses' own numbers.
const (
	places    = 4   // of each location that are reconstructed in a frame
	contrasts = 256 // locations of a frame whose islands are contrasted
	perClip   = 32  // locations of a clip that stand for it among other clips
	tau       = 0.1 // temperature of the contrasts
)

// outcome is what a clip gives.
type outcome struct {
	grad    []float32 // as Trainer.grad
	losses  [kinds]float64
	scene   []float32 // (perClip, D) of the top level, for the bank
	source  string
	examine bool // health is asked for
	health  *Health
	err     error
}

// step of a clip.
type step struct {
	frame int
	loss  bool // the last step of its frame, with losses
}

// worker carries one clip at a time forward and backward.
type worker struct {
	t   *Trainer
	pcg rand.PCG
	rng *rand.Rand

	clip       clips.Clip
	rows, cols int // of the grid that what follows is made for
	state      *glom.State
	tape       *glom.Tape
	back       *glom.Backprop
	input      conv.Input
	planes     []float32 // (C, H, W)
	pass       conv.Pass
	frames     []frame
	steps      []step // on the tape

	field  field[float32]
	want   []float32 // (N, places, 3)
	weight []float32 // (N)
	ids    []uint16  // (N)
	picks  picks
	pair   contrast[float32]
	bank   []float32 // (M, D) of clips of other scenes
}

// frame is one frame of the clip.
type frame struct {
	conv     conv.Frame
	x, dx    []float32 // (N, D) evidence and its gradient
	hidden   []bool    // (N)
	nHidden  int
	steps    int     // that end with this frame, counted from the first of the clip
	lossPart float64 // what its losses count, 0 for none
}

func newWorker(t *Trainer) *worker {
	w := &worker{t: t, tape: glom.NewTape()}
	w.rng = rand.New(&w.pcg)
	return w
}

// run adds up the losses of clip n and writes their gradient into out.
func (w *worker) run(src clips.Source, n uint64, out *outcome) error {
	if err := src.Clip(&w.clip, n); err != nil {
		return fmt.Errorf("clip %d: %w", n, err)
	}
	if err := w.fit(); err != nil {
		return fmt.Errorf("clip %d: %w", n, err)
	}
	clear(out.grad)
	out.losses = [kinds]float64{}
	out.source = w.clip.Source
	w.pcg.Seed(w.t.cfg.Seed, n)
	w.plan()
	w.fillBank()
	flow := w.rng.Float64() >= w.t.cfg.NoFlow
	w.t.model.Refresh(w.state)
	w.state.Reset()
	window := w.t.cfg.Window
	if window == 0 {
		window = w.clip.T
	}
	for first := 0; first < w.clip.T; first += window {
		w.tape.Rewind()
		w.steps = w.steps[:0]
		last := min(first+window, w.clip.T)
		for f := first; f < last; f++ {
			w.perceive(f, flow && f > 0)
			if err := w.settle(f); err != nil {
				return fmt.Errorf("clip %d, frame %d: %w", n, f, err)
			}
		}
		if last == w.clip.T {
			w.pickScene(out)
			if out.examine {
				out.health = examine(w.state, w.tape)
			}
		}
		w.backward(out)
	}
	return nil
}

// fit makes everything fit the size of the clip.
func (w *worker) fit() error {
	rows, cols := w.clip.H/cell, w.clip.W/cell
	for len(w.frames) < w.clip.T {
		w.frames = append(w.frames, frame{})
	}
	N, D := rows*cols, w.t.model.Config().Dim
	for f := range w.frames[:w.clip.T] {
		p := &w.frames[f]
		p.x, p.dx, p.hidden = grow(p.x, N*D), grow(p.dx, N*D), grow(p.hidden, N)
	}
	if rows == w.rows && cols == w.cols {
		return nil
	}
	if rows < 2 || cols < 2 {
		return fmt.Errorf("%d by %d pixels are too few", w.clip.W, w.clip.H)
	}
	s, err := w.t.model.NewSerialState(rows, cols)
	if err != nil {
		return err
	}
	w.rows, w.cols, w.state, w.back = rows, cols, s, w.t.model.NewBackprop(s)
	w.planes = grow(w.planes, w.t.front.Config().Channels*w.clip.H*w.clip.W)
	w.want, w.weight, w.ids = grow(w.want, N*places*rgb), grow(w.weight, N), grow(w.ids, N)
	return nil
}

// plan draws how many steps each frame takes and shares the losses out among the frames.
func (w *worker) plan() {
	c := w.t.cfg
	frames, n, count := w.frames[:w.clip.T], 0, 0
	for f := range frames {
		n++
		if f == 0 {
			n += c.Settle - 1
		}
		if f == len(frames)-1 && c.Extra > 0 {
			n += w.rng.IntN(c.Extra + 1)
		}
		frames[f].steps = n
		if n >= c.First {
			count++
		}
	}
	for f := range frames {
		frames[f].lossPart = 0
		if frames[f].steps >= c.First {
			frames[f].lossPart = 1 / float64(count)
		}
	}
}

// perceive computes the evidence of frame f, a part of which may be hidden.
func (w *worker) perceive(f int, flow bool) {
	p, h, wd := &w.frames[f], w.clip.H, w.clip.W
	var motion []float32
	if flow {
		motion = w.clip.Flow[f*h*wd*2:][:h*wd*2]
	}
	w.input.Fill(w.planes, w.clip.Pix[f*h*wd*3:][:h*wd*3], motion, h, wd)
	w.hide(p)
	w.pass.Forward(w.t.front, p.x, w.planes, h, wd, &p.conv)
	clear(p.dx)
}

// hide covers a random rectangle of locations with grey.
func (w *worker) hide(p *frame) {
	clear(p.hidden)
	p.nHidden = 0
	if w.rng.Float64() >= w.t.cfg.Hide {
		return
	}
	side := func(n int) (from, to int) {
		size := 2 + w.rng.IntN(max(1, n/2-1))
		size = min(size, n)
		from = w.rng.IntN(n - size + 1)
		return from, from + size
	}
	r0, r1 := side(w.rows)
	c0, c1 := side(w.cols)
	for r := r0; r < r1; r++ {
		for c := c0; c < c1; c++ {
			p.hidden[r*w.cols+c] = true
			p.nHidden++
		}
	}
	size := w.clip.H * w.clip.W
	for ch := 0; ch*size < len(w.planes); ch++ {
		var grey float32 // no motion
		if ch < rgb {
			grey = 0.5
		}
		for y := r0 * cell; y < r1*cell; y++ {
			row := w.planes[ch*size+y*w.clip.W:][c0*cell : c1*cell]
			for x := range row {
				row[x] = grey
			}
		}
	}
}

// settle takes the steps of frame f.
func (w *worker) settle(f int) error {
	p, before := &w.frames[f], 0
	if f > 0 {
		before = w.frames[f-1].steps
	}
	for n := before + 1; n <= p.steps; n++ {
		w.t.model.StepTape(w.state, p.x, w.tape)
		if w.state.NonFinite > 0 {
			return fmt.Errorf("%d embeddings are not finite", w.state.NonFinite)
		}
		w.steps = append(w.steps, step{f, n == p.steps && p.lossPart > 0})
	}
	return nil
}

// backward adds the losses of the steps on the tape and goes back through them.
func (w *worker) backward(out *outcome) {
	t := w.t
	w.back.Begin(w.tape, out.grad[:t.atFront])
	for i := len(w.steps) - 1; i >= 0; i-- {
		s := w.steps[i]
		p := &w.frames[s.frame]
		if s.loss {
			w.losses(i, s.frame, out)
		}
		w.back.Step(p.dx)
		if i == 0 || w.steps[i-1].frame != s.frame {
			w.pass.Backward(t.front, out.grad[t.atFront:t.atDecoder], p.dx, &p.conv)
		}
	}
	w.back.End()
}
