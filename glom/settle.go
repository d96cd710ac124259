package glom

import (
	"sync/atomic"

	"glomstream/glom/internal/vec"
)

// blockRows is how many locations a worker carries through all levels at a time. The scratch
// space of a block stays in the second-level cache.
const blockRows = 96

// worker is the scratch space of one goroutine of a step.
type worker[T vec.Float] struct {
	f      *field[T]
	bu, td []T     // (blockRows, D)
	hidden []T     // (blockRows, H)
	att    []T     // (blockRows, D)
	inv    []T     // (blockRows) what the rows of att have to be multiplied with
	logits []T     // (blockRows, N) dense, (K+3) sampled
	keys   []int32 // (K) sampled: the locations attended to
	run    func()  // started by step; kept so that a step allocates nothing
}

func newWorker[T vec.Float](f *field[T], c Config) worker[T] {
	w := worker[T]{
		f:      f,
		bu:     make([]T, blockRows*c.Dim),
		td:     make([]T, blockRows*c.Dim),
		hidden: make([]T, blockRows*c.Hidden),
		att:    make([]T, blockRows*c.Dim),
		inv:    make([]T, blockRows),
	}
	if c.Attention == Dense {
		w.logits = make([]T, blockRows*f.rows*f.cols)
	} else {
		w.logits = make([]T, c.Samples+3)
		w.keys = make([]int32, c.Samples)
	}
	return w
}

// Step takes one settling step towards evidence, (N, D) unit vectors from the front end.
// For each level l and location i, with x' the state before and x the state after:
//
//	bu  = unit(BU_l(x_{l-1}(i)))                 at level 0 the evidence
//	td  = unit(TD_l(x'_{l+1}(i), position(i)))   none at the top
//	att = Σ_j softmax_j(beta_l q(i)·x'_l(j) - |i-j|²/(2 sigma_l²)) x'_l(j)
//	x_l(i) = unit(w_bu bu + w_td td + w_prev x'_l(i) + w_att att)
//
// (Paper, section 1 for the four contributions, 3.4 for the attention.) With Sync, bu reads x'.
// With QueryBU q is bu, with QueryState it is x'_l(i). Sampled attention runs over the sampled
// offsets that lie inside the grid, without the gaussian term, which the sampling stands for.
//
// The lateral term reads only the state before, so a block of locations passes through all
// levels without waiting for the others, and the result does not depend on the number of
// goroutines. Step allocates nothing when blas32's Sgemm does not.
func (m *Model) Step(s *State, evidence []float32) { m.StepTape(s, evidence, nil) }

// StepTape is Step, and records on t, if it is not nil, what a Backprop needs.
func (m *Model) StepTape(s *State, evidence []float32, t *Tape) {
	if len(evidence) != s.Rows*s.Cols*s.Dim {
		panic("glom: evidence does not have the shape of the state")
	}
	var tp *tape[float32]
	if t != nil {
		tp = &t.tape
	}
	s.NonFinite = m.step(&s.field, evidence, s.Steps, tp)
	s.Steps++
}

// step takes the settling step that steps others went before, and returns how many embeddings
// were not finite.
func (m *core[T]) step(f *field[T], evidence []T, steps int, t *tape[T]) int {
	if t != nil {
		t.attach(f, steps)
	}
	if steps == 0 {
		m.start(f, evidence, t)
	}
	if m.cfg.Attention == Resampled {
		for l := range f.offsets {
			f.offsets[l] = sampleOffsets(f.offsets[l], m.cfg, l, f.rows, f.cols, uint64(steps))
		}
	}
	j := &f.job
	j.m, j.evidence, j.record = m, evidence, nil
	if t != nil {
		j.record = t.next(f, evidence)
	}
	j.block.Store(0)
	j.bad.Store(0)
	for i := range f.workers {
		w := &f.workers[i]
		if w.run == nil {
			w.run = w.blocks
		}
		if i > 0 {
			j.wg.Add(1)
			go w.run()
		}
	}
	j.wg.Add(1)
	f.workers[0].blocks()
	j.wg.Wait()
	j.evidence, j.record = nil, nil
	f.x, f.next = f.next, f.x
	return int(j.bad.Load())
}

// start sets the state before the first step: the evidence, carried up by BU.
func (m *core[T]) start(f *field[T], evidence []T, t *tape[T]) {
	copy(f.level(0), evidence)
	N, D := f.rows*f.cols, f.dim
	w := &f.workers[0]
	for l := 1; l < f.levels; l++ {
		for i := 0; i < N; i += blockRows {
			n := min(blockRows, N-i)
			rows := f.level(l)[i*D : (i+n)*D]
			inv := w.inv[:n]
			if t != nil {
				inv = plane(t.startInv, l, N)[i : i+n]
			}
			m.bottomUp(rows, inv, w.hidden, f.level(l - 1)[i*D:(i+n)*D], l, n)
		}
	}
}

// blocks takes blocks of locations until none is left.
func (w *worker[T]) blocks() {
	j := &w.f.job
	defer j.wg.Done()
	N := w.f.rows * w.f.cols
	for {
		i := int(j.block.Add(1)-1) * blockRows
		if i >= N {
			return
		}
		w.settle(j.m, j.evidence, j.record, i, min(blockRows, N-i), &j.bad)
	}
}

// settle computes all levels of the n locations from i on.
func (w *worker[T]) settle(m *core[T], evidence []T, rec *record[T], i, n int, bad *atomic.Int64) {
	f, D := w.f, w.f.dim
	N := f.rows * f.cols
	for l := range f.levels {
		prev := f.level(l) // x'_l (N, D)
		next := plane(f.next, l, N*D)[i*D:][:n*D]
		buf := w.buffers(rec, l, i, n)
		bu := evidence[i*D:][:n*D]
		if l > 0 {
			below := plane(f.next, l-1, N*D)
			if m.cfg.Order == Sync {
				below = f.level(l - 1)
			}
			bu = buf.bu
			m.bottomUp(bu, buf.invBU, w.hidden, below[i*D:][:n*D], l, n)
		}
		td := bu // at the top its weight is zero
		if l < f.levels-1 {
			td = buf.td
			m.topDown(td, buf.invTD, w.hidden, f.level(l + 1)[i*D:][:n*D], f.posTerm[l], l, i, n)
		}
		q := bu
		if m.cfg.Query == QueryState {
			q = prev[i*D:][:n*D]
		}
		beta := T(m.cfg.Beta[l])
		if m.cfg.Attention == Dense {
			attendDense(w.att, w.inv, w.logits, q, prev, beta, f.prior[l], i, n, N, D)
		} else {
			w.attendSampled(q, prev, buf.att, beta, f.offsets[l], i, n)
		}
		wBU, wTD, wPrev, wAtt := m.mixing(l)
		agree := plane(f.agree, l, N)[i:][:n]
		for r := range n {
			o := r * D
			length := vec.Mix(next[o:o+D], bu[o:o+D], td[o:o+D], prev[(i+r)*D:][:D], w.att[o:o+D], wBU, wTD, wPrev, wAtt*w.inv[r])
			if !(length >= 0 && length < 2) { // NaN, or weights so large that they overflowed
				clear(next[o : o+D])
				length = 0
				bad.Add(1)
			}
			agree[r] = min(length, 1)
			if buf.inv != nil {
				buf.inv[r] = vec.Inverse(length)
			}
		}
	}
}

// buffers are what settle writes for one level besides the state; see record.
type buffers[T vec.Float] struct {
	bu, td            []T // (n, D)
	inv, invBU, invTD []T // (n), nil if nothing is recorded
	att               []T // (N, K), nil likewise and for dense attention
}

// buffers says where the n locations from i on of level l leave their intermediate results: in
// the scratch space, or in rec.
func (w *worker[T]) buffers(rec *record[T], l, i, n int) buffers[T] {
	D := w.f.dim
	if rec == nil {
		return buffers[T]{bu: w.bu[:n*D], td: w.td[:n*D]}
	}
	N := w.f.rows * w.f.cols
	buf := buffers[T]{
		bu:    plane(rec.bu, l, N*D)[i*D:][:n*D],
		td:    plane(rec.td, l, N*D)[i*D:][:n*D],
		invBU: plane(rec.invBU, l, N)[i:][:n],
		invTD: plane(rec.invTD, l, N)[i:][:n],
		inv:   plane(rec.inv, l, N)[i:][:n],
	}
	if rec.att != nil {
		buf.att = rec.att[l]
	}
	return buf
}
