package glom

import (
	"fmt"
	"math"
	"math/rand/v2"

	"glomstream/glom/internal/vec"
)

// Net is a residual network of one hidden layer, y = x + W2 gelu(W1 x + b1) + b2.
// With W2 and b2 zero it is the identity.
type Net struct {
	W1 []float32 // (H, I); I = D bottom-up, D+P top-down, the position code last
	B1 []float32 // (H)
	W2 []float32 // (D, H)
	B2 []float32 // (D)
}

// Params are views into one flat slice, so that saving, comparing and updating are single loops.
type Params struct {
	All []float32
	BU  []Net     // (L-1) BU[l-1] predicts level l from level l-1
	TD  []Net     // (L-1) TD[l] predicts level l from level l+1 and the position
	Mix []float32 // (L, 4) logits of the weights of BU, TD, previous state and attention
}

// Model holds the weights, which every location shares. It is safe for concurrent use as long
// as nobody changes the weights.
type Model struct {
	Params Params
	core[float32]
}

// core is the model in one precision: float32 runs, float64 checks the gradients. In a Model its
// weights are those of Params.
type core[T vec.Float] struct {
	cfg Config
	params[T]
	// identity[k] tells that bu[k] and td[k] return their input and need not be computed.
	identityBU, identityTD []bool
}

// params are views into one flat slice.
type params[T vec.Float] struct {
	all    []T
	bu, td []netOf[T] // (L-1)
	mix    []T        // (L, 4)
}

// netOf is Net in one precision.
type netOf[T vec.Float] struct {
	W1 []T // (H, I)
	B1 []T // (H)
	W2 []T // (D, H)
	B2 []T // (D)
}

// New returns an untrained model: the nets are the identity, which makes it a multi-scale mean shift.
func New(cfg Config) (*Model, error) {
	m, err := newModel(cfg)
	if err != nil {
		return nil, fmt.Errorf("glom: %w", err)
	}
	rng := rand.New(rand.NewPCG(m.cfg.Seed, 0x610e))
	for _, nets := range [][]Net{m.Params.BU, m.Params.TD} {
		for _, n := range nets {
			scale := math.Sqrt(2 / float64(len(n.W1)/len(n.B1)))
			for i := range n.W1 {
				n.W1[i] = float32(scale * rng.NormFloat64())
			}
		}
	}
	for l, w := range m.cfg.Mix {
		for k, v := range []float64{w.BU, w.TD, w.Prev, w.Att} {
			m.Params.Mix[4*l+k] = float32(math.Log(max(v, 1e-9)))
		}
	}
	m.Changed()
	return m, nil
}

// With returns a model of the same weights, which both share, that steps by another rule: cfg may
// differ from m's in order, query, attention, samples, beta, sigma and seed, but not in what
// gives the weights their shape.
func (m *Model) With(cfg Config) (*Model, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("glom: %w", err)
	}
	c := m.cfg
	if cfg.Levels != c.Levels || cfg.Dim != c.Dim || cfg.Hidden != c.Hidden || cfg.Octaves != c.Octaves {
		return nil, fmt.Errorf("glom: levels, dim, hidden and octaves %d, %d, %d, %d do not fit weights of %d, %d, %d, %d",
			cfg.Levels, cfg.Dim, cfg.Hidden, cfg.Octaves, c.Levels, c.Dim, c.Hidden, c.Octaves)
	}
	cfg.Mix = c.Mix // those that a new model would start with
	return &Model{Params: m.Params, core: core[float32]{cfg, m.params, m.identityBU, m.identityTD}}, nil
}

// newModel returns a model of that shape whose weights are zero.
func newModel(cfg Config) (*Model, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	m := &Model{core: newCore[float32](cfg)}
	m.Params = m.params.export()
	return m, nil
}

// newCore returns a core of that shape whose weights are zero.
func newCore[T vec.Float](cfg Config) core[T] {
	return core[T]{
		cfg:        cfg,
		params:     newParams[T](cfg),
		identityBU: make([]bool, cfg.Levels-1),
		identityTD: make([]bool, cfg.Levels-1),
	}
}

func newParams[T vec.Float](cfg Config) params[T] { return paramsOver(cfg, make([]T, cfg.size())) }

// paramsOver views all as params.
func paramsOver[T vec.Float](cfg Config, all []T) params[T] {
	L, D, H, P := cfg.Levels, cfg.Dim, cfg.Hidden, cfg.positionDim()
	w := params[T]{all: all}
	rest := w.all
	take := func(n int) []T {
		v := rest[:n:n]
		rest = rest[n:]
		return v
	}
	net := func(in int) netOf[T] {
		return netOf[T]{W1: take(H * in), B1: take(H), W2: take(D * H), B2: take(D)}
	}
	for range L - 1 {
		w.bu = append(w.bu, net(D))
	}
	for range L - 1 {
		w.td = append(w.td, net(D+P))
	}
	w.mix = take(4 * L)
	return w
}

// params returns the weights of a float32 core as Params.
func (w params[T]) export() Params {
	nets := func(list []netOf[T]) (out []Net) {
		for _, n := range list {
			out = append(out, Net{vec.F32(n.W1), vec.F32(n.B1), vec.F32(n.W2), vec.F32(n.B2)})
		}
		return out
	}
	return Params{All: vec.F32(w.all), BU: nets(w.bu), TD: nets(w.td), Mix: vec.F32(w.mix)}
}

// Config returns the configuration with all defaults filled in.
func (m *Model) Config() Config { return m.cfg }

// Changed must be called after the weights were changed; it finds the nets that need no
// computing. A State made before keeps the old position terms: make a new one, or call Refresh.
func (m *Model) Changed() { m.changed() }

func (m *core[T]) changed() {
	for k := range m.bu {
		m.identityBU[k] = m.bu[k].identity()
		m.identityTD[k] = m.td[k].identity()
	}
}

func (net netOf[T]) identity() bool {
	for _, v := range net.W2 {
		if v != 0 {
			return false
		}
	}
	for _, v := range net.B2 {
		if v != 0 {
			return false
		}
	}
	return true
}

// mixing returns the mixing weights of level l, which add up to 1. The top level has no
// top-down term, and no level has one that its Mix leaves out.
func (m *core[T]) mixing(l int) (bu, td, prev, att T) {
	var e [4]float64
	var sum float64
	there := m.cfg.Mix[l]
	for k, w := range [4]float64{there.BU, there.TD, there.Prev, there.Att} {
		if w == 0 || k == 1 && l == m.cfg.Levels-1 {
			continue
		}
		e[k] = math.Exp(float64(m.mix[4*l+k]))
		sum += e[k]
	}
	return T(e[0] / sum), T(e[1] / sum), T(e[2] / sum), T(e[3] / sum)
}
