package glom

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"glomstream/glom/internal/gradcheck"
	"glomstream/glom/internal/vec"
)

// run is a model on a few frames, whose loss is a random linear function of all embeddings and
// predictions of all steps.
type run[T vec.Float] struct {
	m          core[T]
	rows, cols int
	evidence   [][]T // one per step; the same slice again where a frame settles for several steps
	r          []T   // of the loss, used in turn
	past       []T   // (L, N, D) if not nil, the state that the first step goes on from
}

// newRun draws weights and evidence that float32 and float64 hold alike.
func newRun[T vec.Float](c Config, rows, cols, steps int, past bool) *run[T] {
	c = c.withDefaults()
	rng := rand.New(rand.NewPCG(11, 12))
	e := &run[T]{m: newCore[T](c), rows: rows, cols: cols}
	for i := range e.m.all {
		e.m.all[i] = T(float32(0.3 * rng.NormFloat64()))
	}
	e.m.changed()
	units := func(n int) []T { return gradcheck.Convert[T](randomUnits(rng, n, c.Dim)) }
	for i := range steps {
		if i == 1 { // the first frame settles for two steps
			e.evidence = append(e.evidence, e.evidence[0])
			continue
		}
		e.evidence = append(e.evidence, units(rows*cols))
	}
	e.r = gradcheck.Convert[T](randomUnits(rng, 997, 1))
	for i := range e.r {
		e.r[i] = T(float32(rng.NormFloat64()))
	}
	if past {
		e.past = units(c.Levels * rows * cols)
	}
	return e
}

// forward takes all steps and returns the loss.
func (e *run[T]) forward(f *field[T], t *tape[T]) float64 {
	f.init(&e.m, e.rows, e.cols, 2)
	f.refresh(&e.m, true)
	first := 0
	if e.past != nil {
		copy(f.x, e.past)
		first = 5
	}
	for i, ev := range e.evidence {
		e.m.step(f, ev, first+i, t)
	}
	var loss float64
	k := 0
	add := func(x []T) {
		for _, v := range x {
			loss += float64(e.r[k%len(e.r)]) * float64(v)
			k++
		}
	}
	for i := range t.n {
		rec := &t.records[i]
		for l := range f.levels {
			add(plane(rec.x, l, t.size))
			if l > 0 {
				add(plane(rec.bu, l, t.size))
			}
			if l < f.levels-1 {
				add(plane(rec.td, l, t.size))
			}
		}
	}
	return loss
}

// backward returns the gradients with respect to the weights and to the evidence of all steps.
func (e *run[T]) backward() (grad params[T], dEvidence [][]T) {
	var f field[T]
	var t tape[T]
	e.forward(&f, &t)
	b := newBackprop(&e.m, &f)
	grad = newParams[T](e.m.cfg)
	b.begin(&t, grad)
	// The loss goes through its random numbers forward, so each step's begin at a known place.
	perStep := (3*f.levels - 2) * t.size
	for i := t.n - 1; i >= 0; i-- {
		k := i * perStep
		add := func(x []T) {
			for j := range x {
				x[j] += e.r[k%len(e.r)]
				k++
			}
		}
		for l := range f.levels {
			add(plane(b.dx, l, t.size))
			if l > 0 {
				add(plane(b.dbu, l, t.size))
			}
			if l < f.levels-1 {
				add(plane(b.dtd, l, t.size))
			}
		}
		d := make([]T, t.size)
		b.step(d)
		dEvidence = append([][]T{d}, dEvidence...)
	}
	b.end()
	return grad, dEvidence
}

func gradientConfigs() []Config {
	var list []Config
	for _, order := range []Order{Sweep, Sync} {
		for _, query := range []Query{QueryBU, QueryState} {
			for _, att := range []Attention{Sampled, Resampled, Dense} {
				list = append(list, Config{
					Levels: 3, Dim: 8, Hidden: 8, Octaves: 1, Samples: 5, Order: order, Query: query, Attention: att,
					Beta: []float64{4, 3, 2}, Sigma: []float64{1, 1.5, 2}, Seed: 5,
				})
			}
		}
	}
	return list
}

func (c Config) name() string { return fmt.Sprintf("%s,%s,%s", c.Order, c.Query, c.Attention) }

// Every term of the step enters: the weights of the nets and of the mixture, the evidence, the
// state from which a truncated run goes on.
func TestGradients(t *testing.T) {
	const tol = 1e-7
	for _, c := range gradientConfigs() {
		for _, steps := range []int{1, 3, 6} {
			for _, past := range []bool{false, true} {
				if past && steps != 3 {
					continue
				}
				t.Run(fmt.Sprintf("%s,steps=%d,past=%v", c.name(), steps, past), func(t *testing.T) {
					e := newRun[float64](c, 3, 4, steps, past)
					f := func() float64 { return e.forward(new(field[float64]), new(tape[float64])) }
					grad, dEvidence := e.backward()
					if err := gradcheck.RelErr(grad.all, gradcheck.Numeric(e.m.all, f)); !(err < tol) {
						t.Errorf("weights: relative error %.1e, want < %.0e", err, tol)
					}
					for i, ev := range e.evidence {
						d := dEvidence[i]
						switch {
						case i == 0 && steps > 1: // the second step has the same evidence
							vec.Axpy(d, 1, dEvidence[1])
						case i == 1:
							continue
						}
						if err := gradcheck.RelErr(d, gradcheck.Numeric(ev, f)); !(err < tol) {
							t.Errorf("evidence %d: relative error %.1e, want < %.0e", i, err, tol)
						}
					}
				})
			}
		}
	}
}

// What runs is float32, in vector form.
func TestFloat32Gradients(t *testing.T) {
	const tol = 1e-5
	for _, c := range gradientConfigs() {
		c.Levels, c.Dim, c.Hidden, c.Samples, c.Beta, c.Sigma = 5, 64, 128, 20, nil, nil
		t.Run(c.name(), func(t *testing.T) {
			const rows, cols, steps = 9, 13, 4
			want, wantEv := newRun[float64](c, rows, cols, steps, false).backward()
			got, gotEv := newRun[float32](c, rows, cols, steps, false).backward()
			if err := gradcheck.RelErr(gradcheck.Convert[float64](got.all), want.all); !(err < tol) {
				t.Errorf("weights: float32 differs by %.1e, want < %.0e", err, tol)
			}
			for i := range wantEv {
				if err := gradcheck.RelErr(gradcheck.Convert[float64](gotEv[i]), wantEv[i]); !(err < tol) {
					t.Errorf("evidence %d: float32 differs by %.1e, want < %.0e", i, err, tol)
				}
			}
		})
	}
}
