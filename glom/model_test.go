package glom

import (
	"strings"
	"testing"
)

// TestWith changes the rule of a model whose weights are not those of a new one.
func TestWith(t *testing.T) {
	m, err := New(Config{Dim: 16, Hidden: 16, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	for i := range m.Params.All {
		m.Params.All[i] += 0.25
	}
	m.Changed()
	c := m.Config()
	c.Order, c.Query, c.Beta = Sync, QueryState, nil
	paper, err := m.With(c)
	if err != nil {
		t.Fatal(err)
	}
	if &paper.Params.All[0] != &m.Params.All[0] || paper.Config().Order != Sync || m.Config().Order != Sweep || paper.Config().Beta == nil {
		t.Errorf("got %+v beside %+v", paper.Config(), m.Config())
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.Dim = 32 }, func(c *Config) { c.Levels, c.Sigma, c.Mix = 4, nil, nil },
		func(c *Config) { c.Hidden = 8 }, func(c *Config) { c.Octaves = 2 },
	} {
		other := c
		change(&other)
		if _, err := m.With(other); err == nil || !strings.Contains(err.Error(), "do not fit") {
			t.Errorf("%+v: got %v", other, err)
		}
	}
	c.Order = "sideways"
	if _, err := m.With(c); err == nil || !strings.Contains(err.Error(), "sideways") {
		t.Errorf("got %v", err)
	}
}
