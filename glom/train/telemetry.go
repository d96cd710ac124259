package train

import (
	"fmt"

	"glomstream/glom"
	"glomstream/glom/metrics"
)

// Health tells, for each level, how far its vectors are from collapse: some of each clip of an
// update, and the attention in one clip.
type Health struct {
	Cosine     []float64 `json:"cosine"`     // mean cosine of two vectors; 1: all are the same
	Rank       []float64 `json:"rank"`       // effective rank; 1: all lie on a line
	Spread     []float64 `json:"spread"`     // sum over the dimensions of the variance; 0: all are the same
	Perplexity []float64 `json:"perplexity"` // of attention, as a share of the locations attended to
}

// The bounds beyond which a level counts as collapsed.
const (
	maxCosine = 0.97
	minRank   = 1.5
)

// examine measures the attention of the last step.
func examine(s *glom.State, t *glom.Tape) *Health {
	h := &Health{}
	for l := range s.Levels {
		if a := t.Attention(t.Len()-1, l); a != nil {
			h.Perplexity = append(h.Perplexity, perplexity(a, s.Rows*s.Cols))
		}
	}
	return h
}

// add measures the vectors x (n, D) of the next level.
func (h *Health) add(x []float32, D int) {
	n := len(x) / D
	var spread float64
	for _, v := range metrics.DimensionStd(x, n, D) {
		spread += v * v
	}
	h.Cosine = append(h.Cosine, metrics.MeanCosine(x, n, D))
	h.Rank = append(h.Rank, metrics.EffectiveRank(x, n, D))
	h.Spread = append(h.Spread, spread)
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
