package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"glomstream/glom"
	"glomstream/glom/clips"
	"glomstream/glom/conv"
	"glomstream/glom/internal/vec"
)

// Trainer holds weights in training. One goroutine uses it at a time.
type Trainer struct {
	cfg   Config
	model *glom.Model
	front *conv.Net
	dec   decoder[float32]

	parts              []part // all weights: the model's, the front end's, the decoder's
	atFront, atDecoder int    // where these begin in grad

	grad    []float32 // the mean of the clips' gradients
	m, v    []float32 // moments of AdamW
	average []float32 // of the weights

	bank        []float32 // (clips, perClip, D) of the top level, from the update before
	bankSources []string  // of its clips

	step     int
	workers  []*worker
	outcomes []outcome
}

// Report tells about an update.
type Report struct {
	Step   int                `json:"step"` // updates taken, this one included
	Loss   float64            `json:"loss"` // weighted sum
	Losses map[string]float64 `json:"losses"`
	Norm   float64            `json:"norm"` // of the gradient, before it is cut
	Rate   float64            `json:"rate"`
	Health *Health            `json:"health,omitempty"` // of one clip, every tenth update
}

// examineEvery is the number of updates from one Health to the next.
const examineEvery = 10

// New returns a trainer with random weights.
func New(cfg Config) (*Trainer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	model, err := glom.New(cfg.Model)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	front, err := conv.New(cfg.FrontEnd)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	t, err := newTrainer(cfg, model, front)
	if err != nil {
		return nil, err
	}
	t.dec.draw(rand.New(rand.NewPCG(cfg.Seed, 0xdec)))
	t.average = t.gather(t.average[:0])
	return t, nil
}

// newTrainer returns a trainer of these weights, with a decoder that is zero.
func newTrainer(cfg Config, model *glom.Model, front *conv.Net) (*Trainer, error) {
	cfg.Model, cfg.FrontEnd = model.Config(), front.Config()
	D, H := cfg.Model.Dim, cfg.Decoder
	if D != cfg.FrontEnd.Dim {
		return nil, fmt.Errorf("train: the front end gives vectors of %d, the model takes %d", cfg.FrontEnd.Dim, D)
	}
	t := &Trainer{cfg: cfg, model: model, front: front}
	t.dec = decoderOver(make([]float32, decoderSize(D, H)), D, H)
	t.assemble()
	return t, nil
}

// assemble lists all weights and makes room for what goes with them.
func (t *Trainer) assemble() {
	add := func(decay bool, w []float32) { t.parts = append(t.parts, part{w, decay}) }
	for _, nets := range [][]glom.Net{t.model.Params.BU, t.model.Params.TD} {
		for _, n := range nets {
			add(true, n.W1)
			add(false, n.B1)
			add(true, n.W2)
			add(false, n.B2)
		}
	}
	add(false, t.model.Params.Mix)
	t.atFront = t.size()
	for _, l := range t.front.Layers() {
		add(true, l.W)
		add(false, l.Gain)
		add(false, l.Bias)
	}
	t.atDecoder = t.size()
	add(true, t.dec.w1)
	add(false, t.dec.b1)
	add(true, t.dec.w2)
	add(false, t.dec.b2)
	n := t.size()
	t.grad, t.m, t.v, t.average = make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	t.outcomes = make([]outcome, t.cfg.Clips)
	for i := range t.outcomes {
		t.outcomes[i].grad = make([]float32, n)
	}
}

// size returns the number of weights so far.
func (t *Trainer) size() int {
	n := 0
	for _, p := range t.parts {
		n += len(p.w)
	}
	return n
}

// gather appends all weights to dst.
func (t *Trainer) gather(dst []float32) []float32 {
	for _, p := range t.parts {
		dst = append(dst, p.w...)
	}
	return dst
}

// Config returns the configuration with all defaults filled in.
func (t *Trainer) Config() Config { return t.cfg }

// Step returns the number of updates taken.
func (t *Trainer) Step() int { return t.step }

// Update takes one update with the next clips of src. If it ends early because ctx is done, or
// with another error, nothing has changed.
func (t *Trainer) Update(ctx context.Context, src clips.Source) (Report, error) {
	if err := t.clips(ctx, src); err != nil {
		return Report{}, err
	}
	return t.apply()
}

// apply changes the weights by the gradients of the clips.
func (t *Trainer) apply() (Report, error) {
	clear(t.grad)
	var losses [kinds]float64
	share := 1 / float32(len(t.outcomes))
	for i := range t.outcomes { // always in this order
		vec.Axpy(t.grad, share, t.outcomes[i].grad)
		for k, l := range t.outcomes[i].losses {
			losses[k] += l / float64(len(t.outcomes))
		}
	}
	r := Report{Step: t.step + 1, Losses: map[string]float64{}, Rate: t.cfg.rateAt(t.step), Health: t.outcomes[0].health}
	for k, name := range lossNames() {
		r.Loss += losses[k]
		if losses[k] != 0 {
			r.Losses[name] = losses[k]
		}
	}
	t.front.Unstandardise(t.grad[t.atFront:t.atDecoder])
	r.Norm = norm(t.grad)
	if x := r.Loss + r.Norm; math.IsNaN(x) || math.IsInf(x, 0) {
		return Report{}, fmt.Errorf("update %d: %w: loss %v, gradient %v", r.Step, ErrDiverged, r.Loss, r.Norm)
	}
	if r.Norm > t.cfg.MaxNorm {
		vec.Scale(t.grad, float32(t.cfg.MaxNorm/r.Norm))
	}
	adamw(t.parts, t.grad, t.m, t.v, t.step+1, r.Rate, max(0, t.cfg.Decay))
	t.model.Changed()
	t.front.Changed()
	t.followAverage()
	t.keepBank()
	t.step++
	if r.Health != nil { // one scene should be one island: the top level is compared across clips
		r.Health.set(t.cfg.Model.Levels-1, t.bank, t.cfg.Model.Dim)
	}
	return r, nil
}

// ErrDiverged is returned by Update when the loss or its gradient is not a finite number.
var ErrDiverged = errors.New("training diverged")

// clips lets the workers share the clips of the next update.
func (t *Trainer) clips(ctx context.Context, src clips.Source) error {
	n := min(runtime.GOMAXPROCS(0), len(t.outcomes))
	for len(t.workers) < n {
		t.workers = append(t.workers, newWorker(t))
	}
	t.outcomes[0].examine, t.outcomes[0].health = (t.step+1)%examineEvery == 0, nil
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, w := range t.workers[:n] {
		wg.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= len(t.outcomes) {
					return
				}
				out := &t.outcomes[i]
				if out.err = context.Cause(ctx); out.err == nil {
					out.err = w.run(src, uint64(t.step)*uint64(len(t.outcomes))+uint64(i), out)
				}
			}
		})
	}
	wg.Wait()
	for i := range t.outcomes {
		if err := t.outcomes[i].err; err != nil {
			return fmt.Errorf("update %d: %w", t.step+1, err)
		}
	}
	return nil
}

// followAverage moves the averaged weights towards the weights. At first it follows faster, so
// that the random weights of the beginning are soon forgotten.
func (t *Trainer) followAverage() {
	keep := float32(min(t.cfg.Average, float64(t.step+1)/float64(t.step+10)))
	a := t.average
	for _, p := range t.parts {
		for i, w := range p.w {
			a[i] = keep*a[i] + (1-keep)*w
		}
		a = a[len(p.w):]
	}
}

// keepBank keeps the scene vectors of the clips for the next update.
func (t *Trainer) keepBank() {
	t.bank, t.bankSources = t.bank[:0], t.bankSources[:0]
	for i := range t.outcomes {
		t.bank = append(t.bank, t.outcomes[i].scene...)
		t.bankSources = append(t.bankSources, t.outcomes[i].source)
	}
}

// Averaged returns a model and a front end with the averaged weights, which are better than the
// last ones.
func (t *Trainer) Averaged() (*glom.Model, *conv.Net, error) {
	model, err := glom.New(t.cfg.Model)
	if err != nil {
		return nil, nil, err
	}
	front, err := conv.New(t.cfg.FrontEnd)
	if err != nil {
		return nil, nil, err
	}
	copy(model.Params.All, t.average[:t.atFront])
	copy(front.Params, t.average[t.atFront:t.atDecoder])
	model.Changed()
	front.Changed()
	return model, front, nil
}
