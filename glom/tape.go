package glom

import "glomstream/glom/internal/vec"

// Tape records settling steps so that a Backprop can undo them. What it keeps of a step, for each
// level and location, are the new embedding, the two predictions and the attention weights; the
// hidden layers of the nets are computed again on the way back, which costs a tenth of the time
// and saves more than half of the memory.
//
// From the first recorded step on the embeddings of the State live in the tape: record all steps
// of a State on one tape, or Reset the State in between.
type Tape struct{ tape[float32] }

// NewTape returns an empty tape. It grows with the steps and keeps its memory over Rewind.
func NewTape() *Tape { return &Tape{} }

// Len returns the number of recorded steps.
func (t *Tape) Len() int { return t.n }

// Rewind forgets the steps. What is recorded next goes on from the State as it is, without a
// gradient into its past: this is where truncated backpropagation ends.
func (t *Tape) Rewind() { t.rewind() }

// Level returns the embeddings (N, D) of level l after step i.
func (t *Tape) Level(i, l int) []float32 { return plane(t.records[i].x, l, t.size) }

// BU returns the bottom-up predictions (N, D) for level l at step i; those of level 0 are the
// evidence.
func (t *Tape) BU(i, l int) []float32 { return t.records[i].predictions(l, t.size) }

// TD returns the top-down predictions (N, D) for level l at step i; the top level has none.
func (t *Tape) TD(i, l int) []float32 { return plane(t.records[i].td, l, t.size) }

// Attention returns the weights (N, K) with which the locations of level l attended at step i;
// K is the number of sampled offsets; a location near the border uses fewer, and the rest of its
// row is 0. Dense attention keeps none: nil.
func (t *Tape) Attention(i, l int) []float32 {
	if t.records[i].att == nil {
		return nil
	}
	return t.records[i].att[l]
}

type tape[T vec.Float] struct {
	n       int
	size    int // N*D
	records []record[T]

	before   []T  // (L, N, D) the state before the first step
	startInv []T  // (L, N) if started: 1/length of the predictions that it is made of
	started  bool // the state before the first step was made from the evidence
}

// record is one step.
type record[T vec.Float] struct {
	evidence     []T        // (N, D) the caller's
	x            []T        // (L, N, D) after the step
	inv          []T        // (L, N) 1/length of the weighted mean, 0 for none
	bu, td       []T        // (L, N, D) unit predictions; bu of level 0 is not used
	invBU, invTD []T        // (L, N) 1/length before the projection
	att          [][]T      // (L) of (N, K) attention weights of the keys inside the grid, nil for dense attention
	offsets      [][]offset // (L) of (K), the step's own if they are resampled
}

func (r *record[T]) predictions(l, size int) []T {
	if l == 0 {
		return r.evidence
	}
	return plane(r.bu, l, size)
}

func (t *tape[T]) rewind() { t.n = 0 }

// attach moves the embeddings of f, as they are before the first step, into the tape.
func (t *tape[T]) attach(f *field[T], steps int) {
	if t.n > 0 {
		if steps == 0 {
			panic("glom: a tape records one run of one state: rewind it first")
		}
		return
	}
	N := f.rows * f.cols
	t.size, t.started = N*f.dim, steps == 0
	t.before, t.startInv = resize(t.before, len(f.x)), resize(t.startInv, f.levels*N)
	if steps > 0 {
		copy(t.before, f.x)
	}
	f.x = t.before
}

// next returns the record of a new step and makes its x the buffer of the step.
func (t *tape[T]) next(f *field[T], evidence []T) *record[T] {
	if t.n == len(t.records) {
		t.records = append(t.records, record[T]{})
	}
	r := &t.records[t.n]
	t.n++
	N, L := f.rows*f.cols, f.levels
	r.evidence = evidence
	r.x = resize(r.x, len(f.x))
	r.bu, r.td = resize(r.bu, len(f.x)), resize(r.td, len(f.x))
	r.inv, r.invBU, r.invTD = resize(r.inv, L*N), resize(r.invBU, L*N), resize(r.invTD, L*N)
	if f.prior == nil {
		r.att, r.offsets = resize(r.att, L), resize(r.offsets, L)
		for l, o := range f.offsets {
			r.att[l] = resize(r.att[l], N*len(o))
			r.offsets[l] = append(r.offsets[l][:0], o...)
		}
	} else {
		r.att = nil
	}
	f.next = r.x
	return r
}

// Attended writes into dst (len(at), D) what the locations at attended to at step i > 0 of the
// level, projected to the unit sphere: the attention-weighted means of the embeddings before that
// step. s is the state that was recorded.
func (t *Tape) Attended(dst []float32, s *State, i, l int, at []int) {
	if i == 0 || t.records[i].att == nil {
		panic("glom: the first step on a tape, and dense attention, keep no keys")
	}
	D, x, r := s.Dim, t.Level(i-1, l), &t.records[i]
	K := len(r.offsets[l])
	keys := make([]int32, K)
	for k, n := range at {
		y := dst[k*D : k*D+D]
		clear(y)
		for j, key := range s.keys(keys, r.offsets[l], n) {
			vec.Axpy(y, r.att[l][n*K+j], x[int(key)*D:][:D])
		}
	}
	vec.UnitRows(dst, nil, len(at), D)
}
