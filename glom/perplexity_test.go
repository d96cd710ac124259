package glom

import (
	"math"
	"testing"
)

// TestPerplexity has states whose attention is known: all embeddings equal, and all orthogonal.
func TestPerplexity(t *testing.T) {
	const rows, cols = 4, 6
	for _, att := range []Attention{Sampled, Dense} {
		m, err := New(Config{Dim: 32, Attention: att, Sigma: []float64{1e6, 1e6, 1e6, 1e6, 1e6}, Beta: []float64{50, 50, 50, 50, 50}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.NewState(rows, cols)
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows * cols {
			s.Level(1)[i*32+5] = 1
			s.Level(2)[i*32+i] = 1
		}
		if got := m.Perplexity(s, 1); math.Abs(got-1) > 1e-6 {
			t.Errorf("%s, all equal: got %v, want 1", att, got)
		}
		if att == Dense {
			if got, want := m.Perplexity(s, 2), 1.0/(rows*cols); math.Abs(got-want) > 1e-6 {
				t.Errorf("all orthogonal: got %v, want %v", got, want)
			}
		}
	}
	// Two of equal weight and one of half: p = 0.4, 0.4, 0.2.
	want := math.Exp(-(0.8*math.Log(0.4) + 0.2*math.Log(0.2))) / 3
	if got := perplexity([]float64{7, 7, 7 - math.Ln2}); math.Abs(got-want) > 1e-12 {
		t.Errorf("got %v, want %v", got, want)
	}
}
