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

	predict  []float32 // (L, D, D) of the predictors of the next frame
	features []float32 // (D, D) of the predictor of features
	second   *conv.Net // the averaged front end

	parts              []part // all weights: the model's, the front end's, the decoder's, the predictors'
	atFront, atDecoder int    // where these begin in grad
	atPredict          int
	atFeatures         int

	grad    []float32 // the mean of the clips' gradients
	m, v    []float32 // moments of AdamW
	average []float32 // of the weights

	step     int
	episodes []episode // of an update
	workers  []*worker
	pair     contrast[float32] // of the clips
}

// Report tells about an update.
type Report struct {
	Step   int                `json:"step"` // updates taken, this one included
	Loss   float64            `json:"loss"` // weighted sum
	Losses map[string]float64 `json:"losses"`
	Norm   float64            `json:"norm"` // of the gradient, before it is cut
	Rate   float64            `json:"rate"`
	Health *Health            `json:"health,omitempty"` // every tenth update
}

// examineEvery is the number of updates from one Health to the next.
const examineEvery = 10

// New returns a trainer with random weights.
func New(cfg Config) (*Trainer, error) {
	model, err := glom.New(cfg.Model)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	front, err := conv.New(cfg.FrontEnd)
	if err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	return start(cfg, model, front)
}

// start returns a trainer before its first update.
func start(cfg Config, model *glom.Model, front *conv.Net) (*Trainer, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
	t, err := newTrainer(cfg, model, front)
	if err != nil {
		return nil, err
	}
	t.dec.draw(rand.New(rand.NewPCG(cfg.Seed, 0xdec)))
	t.average = t.gather(t.average[:0])
	t.refreshSecond()
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
	t.predict, t.features = make([]float32, cfg.Model.Levels*D*D), make([]float32, D*D)
	t.assemble()
	var err error
	if t.second, err = conv.New(cfg.FrontEnd); err != nil {
		return nil, fmt.Errorf("train: %w", err)
	}
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
	t.atPredict = t.size()
	add(true, t.predict)
	t.atFeatures = t.size()
	add(true, t.features)
	n := t.size()
	t.grad, t.m, t.v, t.average = make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	t.episodes = make([]episode, t.cfg.Clips)
	for i := range t.episodes {
		e := &t.episodes[i]
		e.grad, e.tape, e.rng = make([]float32, n), glom.NewTape(), rand.New(&e.pcg)
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
	losses, err := t.compute(ctx, src)
	if err != nil {
		return Report{}, err
	}
	return t.apply(losses)
}

// compute leaves in t.grad the gradient of the next update, and returns the losses.
func (t *Trainer) compute(ctx context.Context, src clips.Source) (losses [kinds]float64, err error) {
	n := uint64(len(t.episodes))
	t.episodes[0].examine, t.episodes[0].health = (t.step+1)%examineEvery == 0, nil
	err = t.share(ctx, func(w *worker, i int) error {
		return w.forward(&t.episodes[i], src, uint64(t.step)*n+uint64(i))
	})
	if err != nil {
		return losses, err
	}
	t.scenes()
	if err := t.share(ctx, func(w *worker, i int) error { return w.finish(&t.episodes[i]) }); err != nil {
		return losses, err
	}
	clear(t.grad)
	for i := range t.episodes { // always in this order
		e := &t.episodes[i]
		vec.Axpy(t.grad, 1/float32(n), e.grad)
		for k, l := range e.losses {
			losses[k] += l / float64(n)
		}
	}
	t.front.Unstandardise(t.grad[t.atFront:t.atDecoder])
	return losses, nil
}

// apply changes the weights.
func (t *Trainer) apply(losses [kinds]float64) (Report, error) {
	r := Report{Step: t.step + 1, Losses: map[string]float64{}, Rate: t.cfg.rateAt(t.step), Health: t.episodes[0].health}
	for k, name := range lossNames() {
		r.Loss += losses[k]
		if losses[k] != 0 {
			r.Losses[name] = losses[k]
		}
	}
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
	t.step++
	if r.Health != nil {
		t.compare(r.Health)
	}
	return r, nil
}

// compare measures the vectors that the clips of the update have shown each other.
func (t *Trainer) compare(h *Health) {
	n := perClip * t.cfg.Model.Dim
	var x []float32
	for l := range t.cfg.Model.Levels {
		x = x[:0]
		for i := range t.episodes {
			x = append(x, t.episodes[i].others[l*n:(l+1)*n]...)
		}
		h.add(x, t.cfg.Model.Dim)
	}
}

// ErrDiverged is returned by Update when an embedding, the loss or its gradient is not a finite number.
var ErrDiverged = errors.New("training diverged")

// share lets the workers share the clips out among them, and returns the error of the first clip
// that has one.
func (t *Trainer) share(ctx context.Context, run func(w *worker, i int) error) error {
	n := min(runtime.GOMAXPROCS(0), len(t.episodes))
	for len(t.workers) < n {
		t.workers = append(t.workers, &worker{t: t})
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for _, w := range t.workers[:n] {
		wg.Go(func() {
			for {
				i := int(next.Add(1) - 1)
				if i >= len(t.episodes) {
					return
				}
				if t.episodes[i].err = context.Cause(ctx); t.episodes[i].err == nil {
					t.episodes[i].err = run(w, i)
				}
			}
		})
	}
	wg.Wait()
	for i := range t.episodes {
		if err := t.episodes[i].err; err != nil {
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
	t.refreshSecond()
}

// refreshSecond gives the averaged front end its weights.
func (t *Trainer) refreshSecond() {
	copy(t.second.Params, t.average[t.atFront:t.atDecoder])
	t.second.Changed()
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
