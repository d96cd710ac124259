package glom

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// State holds the embeddings of every location and what a step needs to compute the next ones.
// It has one owner at a time.
type State struct {
	Rows, Cols  int // the grid; N = Rows*Cols
	Levels, Dim int
	Steps       int // settling steps since the last Reset
	NonFinite   int // embeddings that were not finite in the last step; they became zero vectors

	x, next []float32 // (L, N, D) embeddings now, and the buffer of the next step
	agree   []float32 // (L, N) length of the weighted mean of the contributions

	posTerm [][]float32 // (L-1) of (N, H): what the position code adds to the hidden layer of TD, with its bias
	prior   []prior     // (L) of the gaussian over distances, for dense attention
	offsets [][]offset  // (L) of (K), for sampled attention

	workers []worker
	job     job
}

// job is what the workers of one step share.
type job struct {
	m        *Model
	evidence []float32
	block    atomic.Int64
	bad      atomic.Int64
	wg       sync.WaitGroup
}

// NewState returns a state for a grid of rows by cols locations, as Reset leaves it.
func (m *Model) NewState(rows, cols int) (*State, error) {
	if rows < 1 || cols < 1 || rows > maxLocations || cols > maxLocations || rows*cols > maxLocations {
		return nil, fmt.Errorf("glom: grid of %d by %d locations: want at least 1 by 1 and at most %d in all", rows, cols, maxLocations)
	}
	c := m.cfg
	N := rows * cols
	s := &State{
		Rows: rows, Cols: cols, Levels: c.Levels, Dim: c.Dim,
		x:     make([]float32, c.Levels*N*c.Dim),
		next:  make([]float32, c.Levels*N*c.Dim),
		agree: make([]float32, c.Levels*N),
	}
	s.posTerm = m.positionTerms(rows, cols)
	for l := range c.Levels {
		if c.Attention == Dense {
			s.prior = append(s.prior, newPrior(rows, cols, c.Sigma[l]))
		} else {
			s.offsets = append(s.offsets, make([]offset, 0, c.Samples))
			s.offsets[l] = sampleOffsets(s.offsets[l], c, l, rows, cols, 0)
		}
	}
	s.workers = make([]worker, max(1, min(runtime.GOMAXPROCS(0), (N+blockRows-1)/blockRows)))
	for i := range s.workers {
		s.workers[i] = newWorker(s, c)
	}
	return s, nil
}

// Level returns the embeddings of level l as a view of (N, D). The next Step makes it stale.
func (s *State) Level(l int) []float32 {
	n := s.Rows * s.Cols * s.Dim
	return s.x[l*n : l*n+n : l*n+n]
}

// Agreement returns, for each location of level l, how strongly bottom-up, top-down, the
// previous state and the neighbours agreed in the last step: the length of their weighted mean,
// 0 (they cancel) to 1 (all the same). It is a view of (N), stale after the next Step.
func (s *State) Agreement(l int) []float32 {
	n := s.Rows * s.Cols
	return s.agree[l*n : l*n+n : l*n+n]
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
