package train

import (
	"fmt"

	"glomstream/glom"
	"glomstream/glom/metrics"
)

// Health tells, for each level, how far its vectors are from collapse: those of one frame, and at
// the top level some of each clip, since one scene should be one island there.
type Health struct {
	Cosine     []float64 `json:"cosine"`     // mean cosine of two locations; 1: all are the same
	Rank       []float64 `json:"rank"`       // effective rank; 1: all lie on a line
	Spread     []float64 `json:"spread"`     // sum over the dimensions of the variance; 0: all are the same
	Perplexity []float64 `json:"perplexity"` // of attention, as a share of the locations attended to
}

// The bounds beyond which a level counts as collapsed.
const (
	maxCosine = 0.97
	minRank   = 1.5
)

// examine measures the state after the last step.
func examine(s *glom.State, t *glom.Tape) *Health {
	L := s.Levels
	h := &Health{Cosine: make([]float64, L), Rank: make([]float64, L), Spread: make([]float64, L)}
	for l := range L {
		h.set(l, s.Level(l), s.Dim)
		if a := t.Attention(t.Len()-1, l); a != nil {
			h.Perplexity = append(h.Perplexity, perplexity(a, s.Rows*s.Cols))
		}
	}
	return h
}

// set measures the vectors x (n, D) of level l.
func (h *Health) set(l int, x []float32, D int) {
	n := len(x) / D
	h.Cosine[l], h.Rank[l], h.Spread[l] = metrics.MeanCosine(x, n, D), metrics.EffectiveRank(x, n, D), 0
	for _, v := range metrics.DimensionStd(x, n, D) {
		h.Spread[l] += v * v
	}
}

// perplexity is the mean over N locations.
func perplexity(a []float32, N int) float64 {
	K := len(a) / N
	var sum float64
	for i := range N {
		sum += metrics.Perplexity(a[i*K : i*K+K])
	}
	return sum / float64(N)
}

// Alarms names the levels that have collapsed.
func (h *Health) Alarms() []string {
	var list []string
	for l := range h.Cosine {
		if h.Cosine[l] > maxCosine {
			list = append(list, fmt.Sprintf("level %d: mean cosine %.3f", l, h.Cosine[l]))
		}
		if h.Rank[l] < minRank {
			list = append(list, fmt.Sprintf("level %d: effective rank %.2f", l, h.Rank[l]))
		}
	}
	return list
}
