package conv

import (
	"fmt"
	"math"
	"math/rand/v2"

	"glomstream/glom/internal/vec"
)

// Net holds the weights of a front end. It is safe for concurrent use as long as nobody changes
// the weights.
type Net struct {
	Params []float32 // all weights: for each layer w (O, I, 3, 3), gain (O), bias (O)
	net[float32]
}

// net is a Net in one precision: float32 runs, float64 checks the gradients.
type net[T vec.Float] struct {
	cfg    Config
	all    []T
	layers []layer[T]
}

type layer[T vec.Float] struct {
	shape
	w          []T // (O, 9I) as they are learned
	gain, bias []T // (O)
	unit       []T // (O, 9I) (w - mean)/|w - mean|
	inv        []T // (O) 1/|w - mean|
	centred    bool
	eff        []T // (O, 9I) gain * unit, what convolves
}

// New returns a net with random weights.
func New(cfg Config) (*Net, error) {
	n, err := newNet(cfg)
	if err != nil {
		return nil, fmt.Errorf("front end: %w", err)
	}
	rng := rand.New(rand.NewPCG(n.cfg.Seed, 0xc0))
	for k, l := range n.layers {
		for i := range l.w {
			l.w[i] = float32(rng.NormFloat64() / math.Sqrt(float64(l.taps())))
		}
		for o := range l.gain {
			l.gain[o] = math.Sqrt2 // what ReLU takes away
			if k == len(n.layers)-1 {
				l.gain[o] = 1
			}
		}
	}
	n.Changed()
	return n, nil
}

// newNet returns a net of that shape whose weights are zero.
func newNet(cfg Config) (*Net, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	n := &Net{net: makeNet[float32](cfg)}
	n.Params = n.all
	return n, nil
}

func makeNet[T vec.Float](cfg Config) net[T] {
	n := net[T]{cfg: cfg, all: make([]T, cfg.params())}
	n.layers = views(cfg, n.all)
	for i := range n.layers {
		l := &n.layers[i]
		l.unit, l.eff, l.inv = make([]T, len(l.w)), make([]T, len(l.w)), make([]T, l.out)
		l.centred = i > 0
	}
	return n
}

// views takes the layers out of all.
func views[T vec.Float](cfg Config, all []T) []layer[T] {
	take := func(n int) []T {
		v := all[:n:n]
		all = all[n:]
		return v
	}
	var list []layer[T]
	for _, s := range cfg.layers() {
		list = append(list, layer[T]{shape: s, w: take(s.out * s.taps()), gain: take(s.out), bias: take(s.out)})
	}
	return list
}

// Config returns the configuration with all defaults filled in.
func (n *Net) Config() Config { return n.cfg }

// Changed must be called after the weights were changed: it standardises them anew.
func (n *Net) Changed() { n.standardise() }

func (n *net[T]) standardise() {
	for _, l := range n.layers {
		K := l.taps()
		for o := range l.out {
			u := l.unit[o*K : o*K+K]
			copy(u, l.w[o*K:o*K+K])
			if l.centred {
				centre(u)
			}
			vec.UnitRows(u, l.inv[o:o+1], 1, K)
			eff := l.eff[o*K : o*K+K]
			copy(eff, u)
			vec.Scale(eff, l.gain[o])
		}
	}
}

// Layer holds views of the weights of one layer.
type Layer struct {
	W    []float32 // (O, I, 3, 3)
	Gain []float32 // (O)
	Bias []float32 // (O)
}

// Layers returns the weights by layer.
func (n *Net) Layers() []Layer {
	var list []Layer
	for _, l := range n.layers {
		list = append(list, Layer{l.w, l.gain, l.bias})
	}
	return list
}

// Unstandardise turns a gradient with respect to the standardised weights, which Backward gives,
// into one with respect to Params. Gradients of several clips are added up before.
func (n *Net) Unstandardise(grad []float32) { n.unstandardise(grad) }

// unstandardise undoes standardise. With v = w - mean(w), u = v/|v| and e = gain u:
//
//	dgain = u·de,  dv = gain (de - u (u·de)) / |v|,  dw = dv - mean(dv)
func (n *net[T]) unstandardise(grad []T) {
	for k, d := range views(n.cfg, grad) {
		l := n.layers[k]
		K := l.taps()
		for o := range l.out {
			de, u := d.w[o*K:o*K+K], l.unit[o*K:o*K+K]
			d.gain[o] += vec.Dot(u, de)
			vec.UnitBack(de, de, u, l.inv[o]*l.gain[o])
			if l.centred {
				centre(de)
			}
		}
	}
}

// centre takes the mean of v from it.
func centre[T vec.Float](v []T) {
	var sum float64
	for _, x := range v {
		sum += float64(x)
	}
	mean := T(sum / float64(len(v)))
	for i := range v {
		v[i] -= mean
	}
}
