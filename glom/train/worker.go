package train

import (
	"fmt"
	"math/rand/v2"
	"slices"

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
	examine bool // health is asked for
	health  *Health
	err     error
}

// episode is one clip of an update, from its first frame to its gradient.
type episode struct {
	outcome
	clip       clips.Clip
	pcg        rand.PCG
	rng        *rand.Rand
	rows, cols int // of the grid that what follows is made for
	state      *glom.State
	tape       *glom.Tape
	frames     []frame
	steps      []step // on the tape

	others []float32 // (L, perClip, D) some vectors after the last step, for the other clips
	at     []int     // (perClip) their locations
	dScene []float32 // (perClip, D) gradient of those of the top level from all clips
}

// step of a clip.
type step struct {
	frame int
	loss  bool // the last step of its frame, with losses
}

// worker is the scratch space in which episodes are carried forward and backward, one at a time.
type worker struct {
	t *Trainer
	*episode

	back   *glom.Backprop
	input  conv.Input
	planes []float32 // (C, H, W)
	pass   conv.Pass

	field  field[float32]
	want   []float32 // (N, places, 3)
	weight []float32 // (N)
	ids    []uint16  // (N)
	picks  picks
	pair   contrast[float32]
	bank   [][]float32 // (L) of (M, D) of clips of other scenes

	predictor predictor[float32]
	spread    spread[float32]
	targets   []float32 // (picks, D)
	from      []int     // (N) where each location of a frame was in the frame before, -1 unknown
	next      []int     // (N) the same of the frame after
	every     []int     // (N) 0, 1, 2, …
	second    conv.Frame
}

// frame is one frame of the clip.
type frame struct {
	conv     conv.Frame
	x, dx    []float32 // (N, D) evidence and its gradient
	hidden   []bool    // (N)
	nHidden  int
	seen     []float32 // (N, D) what the averaged front end makes of it
	steps    int       // that end with this frame, counted from the first of the clip
	last     int       // its last step on the tape, -1 before it was taken
	lossPart float64   // what its losses count, 0 for none
}

// forward carries clip n to its last frame. If gradients go back through windows, all windows but
// the last have then been gone back through.
func (w *worker) forward(e *episode, src clips.Source, n uint64) error {
	w.episode = e
	if err := src.Clip(&e.clip, n); err != nil {
		return fmt.Errorf("clip %d: %w", n, err)
	}
	if err := w.fit(); err != nil {
		return fmt.Errorf("clip %d: %w", n, err)
	}
	clear(e.grad)
	e.losses = [kinds]float64{}
	e.pcg.Seed(w.t.cfg.Seed, n)
	w.plan()
	flow := w.rng.Float64() >= w.t.cfg.NoFlow
	w.t.model.Refresh(w.state)
	w.state.Reset()
	window := w.t.cfg.Window
	if window == 0 {
		window = e.clip.T
	}
	for l := range w.bank {
		w.bank[l] = w.bank[l][:0] // the other clips are not there yet
	}
	for first := 0; first < e.clip.T; first += window {
		if first > 0 {
			w.backward()
		}
		w.tape.Rewind()
		w.steps = w.steps[:0]
		for f := range w.frames {
			w.frames[f].last = -1
		}
		for f := first; f < min(first+window, e.clip.T); f++ {
			w.perceive(f, flow && f > 0)
			if err := w.settle(f); err != nil {
				return fmt.Errorf("clip %d, frame %d: %w", n, f, err)
			}
		}
	}
	w.pickOthers()
	if e.examine {
		e.health = examine(w.state, w.tape)
	}
	return nil
}

// finish goes back from the last frame, when all clips have got there.
func (w *worker) finish(e *episode) error {
	w.episode = e
	if err := w.fit(); err != nil {
		return err
	}
	w.fillBank()
	w.backward()
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
	if rows < 2 || cols < 2 {
		return fmt.Errorf("%d by %d pixels are too few", w.clip.W, w.clip.H)
	}
	if rows != w.rows || cols != w.cols {
		s, err := w.t.model.NewSerialState(rows, cols)
		if err != nil {
			return err
		}
		w.rows, w.cols, w.state = rows, cols, s
	}
	if w.back == nil || w.back.Rows() != rows || w.back.Cols() != cols {
		w.back = w.t.model.NewBackprop(w.state)
	}
	w.planes = grow(w.planes, w.t.front.Config().Channels*w.clip.H*w.clip.W)
	w.want, w.weight, w.ids = grow(w.want, N*places*rgb), grow(w.weight, N), grow(w.ids, N)
	w.bank = grow(w.bank, w.t.model.Config().Levels)
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
	if w.t.cfg.Losses.Features > 0 {
		p.seen = grow(p.seen, len(p.x))
		w.pass.Forward(w.t.second, p.seen, w.planes, h, wd, &w.second)
	}
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
			return fmt.Errorf("%w: %d embeddings are not finite", ErrDiverged, w.state.NonFinite)
		}
		w.steps = append(w.steps, step{f, n == p.steps && p.lossPart > 0})
	}
	p.last = len(w.steps) - 1
	return nil
}

// backward adds the losses of the steps on the tape and goes back through them.
func (w *worker) backward() {
	t, out := w.t, &w.outcome
	w.back.Begin(w.state, w.tape, out.grad[:t.atFront])
	for i, s := range slices.Backward(w.steps) {
		p := &w.frames[s.frame]
		if i == len(w.steps)-1 && s.frame == w.clip.T-1 {
			w.addScene()
		}
		if s.loss {
			w.addLosses(i, s.frame)
		}
		w.back.Step(p.dx)
		if i == 0 || w.steps[i-1].frame != s.frame {
			w.pass.Backward(t.front, out.grad[t.atFront:t.atDecoder], p.dx, &p.conv)
		}
	}
	w.back.End()
}
