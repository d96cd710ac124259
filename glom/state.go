package glom

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"glomstream/glom/internal/vec"
)

// State holds the embeddings of every location and what a step needs to compute the next ones.
// It has one owner at a time.
type State struct {
	Rows, Cols  int // the grid; N = Rows*Cols
	Levels, Dim int
	Steps       int // settling steps since the last Reset
	NonFinite   int // embeddings that were not finite in the last step; they became zero vectors

	field[float32]
}

// field is a State in one precision.
type field[T vec.Float] struct {
	rows, cols, levels, dim int

	x, next []T // (L, N, D) embeddings now, and the buffer of the next step
	agree   []T // (L, N) length of the weighted mean of the contributions

	pos     []T        // (N, P) position code
	posTerm [][]T      // (L-1) of (N, H): what the position code adds to the hidden layer of TD, with its bias
	prior   []prior[T] // (L) of the gaussian over distances, for dense attention
	offsets [][]offset // (L) of (K), for sampled attention

	workers []worker[T]
	job     job[T]
}

// job is what the workers of one step share.
type job[T vec.Float] struct {
	m        *core[T]
	evidence []T
	record   *record[T] // nil: nothing is recorded
	block    atomic.Int64
	bad      atomic.Int64
	wg       sync.WaitGroup
}

// NewState returns a state for a grid of rows by cols locations, as Reset leaves it.
func (m *Model) NewState(rows, cols int) (*State, error) {
	if err := checkGrid(rows, cols); err != nil {
		return nil, err
	}
	return m.newState(rows, cols, runtime.GOMAXPROCS(0)), nil
}

// NewSerialState returns a state whose steps start no goroutines, for callers that work on many
// states at once. The results are the same.
func (m *Model) NewSerialState(rows, cols int) (*State, error) {
	if err := checkGrid(rows, cols); err != nil {
		return nil, err
	}
	return m.newState(rows, cols, 1), nil
}

func checkGrid(rows, cols int) error {
	if rows < 1 || cols < 1 || rows > maxLocations || cols > maxLocations || rows*cols > maxLocations {
		return fmt.Errorf("glom: grid of %d by %d locations: want at least 1 by 1 and at most %d in all", rows, cols, maxLocations)
	}
	return nil
}

func (m *Model) newState(rows, cols, workers int) *State {
	s := &State{Rows: rows, Cols: cols, Levels: m.cfg.Levels, Dim: m.cfg.Dim}
	s.field.init(&m.core, rows, cols, workers)
	return s
}

// Refresh recomputes what s keeps of the weights, after they were changed.
func (m *Model) Refresh(s *State) { s.field.refresh(&m.core, true) }

func (f *field[T]) init(m *core[T], rows, cols, workers int) {
	c := m.cfg
	N := rows * cols
	f.rows, f.cols, f.levels, f.dim = rows, cols, c.Levels, c.Dim
	f.x, f.next = make([]T, c.Levels*N*c.Dim), make([]T, c.Levels*N*c.Dim)
	f.agree = make([]T, c.Levels*N)
	f.pos = positionCode[T](rows, cols, c.Octaves)
	f.posTerm = make([][]T, c.Levels-1)
	f.refresh(m, false)
	for l := range c.Levels {
		if c.Attention == Dense {
			f.prior = append(f.prior, newPrior[T](rows, cols, c.Sigma[l]))
		} else {
			f.offsets = append(f.offsets, make([]offset, 0, c.Samples))
			f.offsets[l] = sampleOffsets(f.offsets[l], c, l, rows, cols, 0)
		}
	}
	f.workers = make([]worker[T], max(1, min(workers, (N+blockRows-1)/blockRows)))
	for i := range f.workers {
		f.workers[i] = newWorker(f, c)
	}
}

// refresh computes the position terms; of nets that are the identity only if all is true.
func (f *field[T]) refresh(m *core[T], all bool) {
	N := f.rows * f.cols
	for l := range f.posTerm {
		if m.identityTD[l] && !all {
			continue
		}
		if f.posTerm[l] == nil {
			f.posTerm[l] = make([]T, N*m.cfg.Hidden)
		}
		m.positionTerm(f.posTerm[l], f.pos, l, N)
	}
}

// level returns the embeddings of level l (N, D).
func (f *field[T]) level(l int) []T { return plane(f.x, l, f.rows*f.cols*f.dim) }

// plane returns the l-th n numbers of x.
func plane[T any](x []T, l, n int) []T { return x[l*n : l*n+n : l*n+n] }

// Level returns the embeddings of level l as a view of (N, D). The next Step makes it stale.
func (s *State) Level(l int) []float32 { return s.level(l) }

// Agreement returns, for each location of level l, how strongly bottom-up, top-down, the
// previous state and the neighbours agreed in the last step: the length of their weighted mean,
// 0 (they cancel) to 1 (all the same). It is a view of (N), stale after the next Step.
func (s *State) Agreement(l int) []float32 {
	return plane(s.agree, l, s.Rows*s.Cols)
}

// Reset forgets the past: the next Step starts from its evidence alone.
func (s *State) Reset() { s.Steps = 0 }

// CopyFrom copies the embeddings and the agreement of o, which has the same shape.
func (s *State) CopyFrom(o *State) {
	if s.Rows != o.Rows || s.Cols != o.Cols || s.Levels != o.Levels || s.Dim != o.Dim {
		panic("glom: CopyFrom between states of different shape")
	}
	s.Steps, s.NonFinite = o.Steps, o.NonFinite
	copy(s.x, o.x)
	copy(s.agree, o.agree)
}
