package glom

import "sync/atomic"

// blockRows is how many locations a worker carries through all levels at a time. The scratch
// space of a block stays in the second-level cache.
const blockRows = 96

// worker is the scratch space of one goroutine of a step.
type worker struct {
	s      *State
	bu, td []float32 // (blockRows, D)
	hidden []float32 // (blockRows, H)
	att    []float32 // (blockRows, D)
	inv    []float32 // (blockRows) what the rows of att have to be multiplied with
	logits []float32 // (blockRows, N) dense, (K+3) sampled
	keys   []int32   // (K) sampled: the locations attended to
	run    func()    // started by Step; kept so that a step allocates nothing
}

func newWorker(s *State, c Config) worker {
	w := worker{
		s:      s,
		bu:     make([]float32, blockRows*c.Dim),
		td:     make([]float32, blockRows*c.Dim),
		hidden: make([]float32, blockRows*c.Hidden),
		att:    make([]float32, blockRows*c.Dim),
		inv:    make([]float32, blockRows),
	}
	if c.Attention == Dense {
		w.logits = make([]float32, blockRows*s.Rows*s.Cols)
	} else {
		w.logits = make([]float32, c.Samples+3)
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
func (m *Model) Step(s *State, evidence []float32) {
	N := s.Rows * s.Cols
	if len(evidence) != N*s.Dim {
		panic("glom: evidence does not have the shape of the state")
	}
	if s.Steps == 0 {
		m.start(s, evidence)
	}
	if m.cfg.Attention == Resampled {
		for l := range s.offsets {
			s.offsets[l] = sampleOffsets(s.offsets[l], m.cfg, l, s.Rows, s.Cols, uint64(s.Steps))
		}
	}
	j := &s.job
	j.m, j.evidence = m, evidence
	j.block.Store(0)
	j.bad.Store(0)
	for i := range s.workers {
		w := &s.workers[i]
		if w.run == nil {
			w.run = w.blocks
		}
		if i > 0 {
			j.wg.Add(1)
			go w.run()
		}
	}
	j.wg.Add(1)
	s.workers[0].blocks()
	j.wg.Wait()
	j.evidence = nil
	s.x, s.next = s.next, s.x
	s.Steps++
	s.NonFinite = int(j.bad.Load())
}

// start sets the state before the first step: the evidence, carried up by BU.
func (m *Model) start(s *State, evidence []float32) {
	copy(s.Level(0), evidence)
	N, D := s.Rows*s.Cols, s.Dim
	w := &s.workers[0]
	for l := 1; l < s.Levels; l++ {
		for i := 0; i < N; i += blockRows {
			n := min(blockRows, N-i)
			rows := s.Level(l)[i*D : (i+n)*D]
			m.bottomUp(rows, w.hidden, s.Level(l - 1)[i*D:(i+n)*D], l, n)
		}
	}
}

// blocks takes blocks of locations until none is left.
func (w *worker) blocks() {
	j := &w.s.job
	defer j.wg.Done()
	N := w.s.Rows * w.s.Cols
	for {
		i := int(j.block.Add(1)-1) * blockRows
		if i >= N {
			return
		}
		w.settle(j.m, j.evidence, i, min(blockRows, N-i), &j.bad)
	}
}

// settle computes all levels of the n locations from i on.
func (w *worker) settle(m *Model, evidence []float32, i, n int, bad *atomic.Int64) {
	s, D := w.s, w.s.Dim
	N := s.Rows * s.Cols
	for l := range s.Levels {
		prev := s.Level(l) // x'_l (N, D)
		next := s.next[l*N*D+i*D:][:n*D]
		bu := evidence[i*D:][:n*D]
		if l > 0 {
			below := s.next[(l-1)*N*D:][:N*D]
			if m.cfg.Order == Sync {
				below = s.Level(l - 1)
			}
			bu = w.bu[:n*D]
			m.bottomUp(bu, w.hidden, below[i*D:][:n*D], l, n)
		}
		td := bu // at the top its weight is zero
		if l < s.Levels-1 {
			td = w.td[:n*D]
			m.topDown(td, w.hidden, s.Level(l + 1)[i*D:][:n*D], s.posTerm[l], l, i, n)
		}
		q := bu
		if m.cfg.Query == QueryState {
			q = prev[i*D:][:n*D]
		}
		beta := float32(m.cfg.Beta[l])
		if m.cfg.Attention == Dense {
			attendDense(w.att, w.inv, w.logits, q, prev, beta, s.prior[l], i, n, N, D)
		} else {
			w.attendSampled(q, prev, beta, s.offsets[l], i, n)
		}
		wBU, wTD, wPrev, wAtt := m.weights(l)
		agree := s.agree[l*N+i:][:n]
		for r := range n {
			o := r * D
			length := mix(next[o:o+D], bu[o:o+D], td[o:o+D], prev[(i+r)*D:][:D], w.att[o:o+D], wBU, wTD, wPrev, wAtt*w.inv[r])
			if !(length >= 0 && length < 2) { // NaN, or weights so large that they overflowed
				clear(next[o : o+D])
				length = 0
				bad.Add(1)
			}
			agree[r] = min(length, 1)
		}
	}
}
