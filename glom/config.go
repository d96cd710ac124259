package glom

import (
	"fmt"
	"math"
)

// Order says which state the bottom-up prediction of a level reads.
type Order string

// The orders of a settling step.
const (
	// Sweep goes upward: level l reads what level l-1 has just become, so that fresh evidence
	// reaches every level within the step. The default for video.
	Sweep Order = "sweep"
	// Sync is the paper's literal rule: all terms come from the step before, and evidence
	// climbs one level a step.
	Sync Order = "sync"
)

// Query says what asks for attention.
type Query string

// The queries of attention.
const (
	// QueryBU lets the fresh bottom-up prediction ask and the previous state answer, so that
	// the lateral term carries state along with motion. The default for video.
	QueryBU Query = "bu"
	// QueryState is the paper's literal rule: the previous state asks.
	QueryState Query = "state"
)

// Attention says which locations a location attends to.
type Attention string

// The kinds of attention.
const (
	// Sampled attends to Samples offsets drawn once from a gaussian of width Sigma. The default.
	Sampled Attention = "sampled"
	// Resampled draws the offsets anew each step.
	Resampled Attention = "resampled"
	// Dense attends to every location, with a gaussian prior of width Sigma: what sampling
	// gives on average. The reference.
	Dense Attention = "dense"
)

// Mix holds the weights of the four contributions to a level. Only their ratios matter. One of 0 is
// not there, and does not come in training.
type Mix struct {
	BU   float64 `json:"bu"`
	TD   float64 `json:"td"`
	Prev float64 `json:"prev"`
	Att  float64 `json:"att"`
}

// Config gives the shape of a model and the rule of its step. A zero field means its default.
// It is saved, as JSON, with the weights.
type Config struct {
	Levels  int `json:"levels"`  // L, 2 to 16; default 5
	Dim     int `json:"dim"`     // D, a multiple of 8 up to 1024; default 64
	Hidden  int `json:"hidden"`  // H, a multiple of 8 up to 4096; default 128
	Octaves int `json:"octaves"` // frequencies of the Fourier position code, 1 to 12; default 6

	Order     Order     `json:"order"`     // default Sweep
	Query     Query     `json:"query"`     // default QueryBU
	Attention Attention `json:"attention"` // default Sampled
	Samples   int       `json:"samples"`   // K, attended offsets, itself included, 1 to 256; default 20

	Beta  []float64 `json:"beta"`  // (L) inverse temperature of attention, 0 to 1000; default 20 falling to 3 at the top
	Sigma []float64 `json:"sigma"` // (L) width of the attended neighbourhood in locations, over 0; default 1.5, growing by a third with each level
	Mix   []Mix     `json:"mix"`   // (L) weights a new model starts with; default 4, 0.1, 0.02, 2

	Seed uint64 `json:"seed"` // draws the initial weights and the sampled offsets
}

// Limits that keep a hostile configuration from asking for absurd amounts of memory.
const (
	maxLevels    = 16
	maxDim       = 1024
	maxHidden    = 4096
	maxOctaves   = 12
	maxSamples   = 256
	maxLocations = 1 << 16
)

// positionDim is P: the sine and cosine of both coordinates for each octave.
func (c Config) positionDim() int { return 4 * c.Octaves }

// size returns the number of weights of a model.
func (c Config) size() int {
	n := 4 * c.Levels
	for _, in := range []int{c.Dim, c.Dim + c.positionDim()} {
		n += (c.Levels - 1) * (c.Hidden*in + c.Hidden + c.Dim*c.Hidden + c.Dim)
	}
	return n
}

// withDefaults returns c with every zero field replaced.
func (c Config) withDefaults() Config {
	setDefault(&c.Levels, 5)
	setDefault(&c.Dim, 64)
	setDefault(&c.Hidden, 128)
	setDefault(&c.Octaves, 6)
	setDefault(&c.Order, Sweep)
	setDefault(&c.Query, QueryBU)
	setDefault(&c.Attention, Sampled)
	setDefault(&c.Samples, 20)
	if c.Levels < 0 || c.Levels > maxLevels {
		return c // check refuses it
	}
	if c.Beta == nil {
		c.Beta = make([]float64, c.Levels)
		for l := range c.Beta {
			c.Beta[l] = 20 - 17*float64(l)/float64(max(1, c.Levels-1))
		}
	}
	if c.Sigma == nil {
		c.Sigma = make([]float64, c.Levels)
		for l := range c.Sigma {
			c.Sigma[l] = 1.5 * math.Pow(4.0/3, float64(l)) // paper, section 6: larger at higher levels
		}
	}
	if c.Mix == nil {
		c.Mix = make([]Mix, c.Levels)
		for l := range c.Mix {
			c.Mix[l] = Mix{BU: 4, TD: 0.1, Prev: 0.02, Att: 2}
		}
	}
	return c
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// check reports the first field that is out of range. c has its defaults filled in.
func (c Config) check() error {
	switch {
	case c.Levels < 2 || c.Levels > maxLevels:
		return fmt.Errorf("levels %d: want 2 to %d", c.Levels, maxLevels)
	case c.Dim < 8 || c.Dim > maxDim || c.Dim%8 != 0:
		return fmt.Errorf("dim %d: want a multiple of 8 up to %d", c.Dim, maxDim)
	case c.Hidden < 8 || c.Hidden > maxHidden || c.Hidden%8 != 0:
		return fmt.Errorf("hidden %d: want a multiple of 8 up to %d", c.Hidden, maxHidden)
	case c.Octaves < 1 || c.Octaves > maxOctaves:
		return fmt.Errorf("octaves %d: want 1 to %d", c.Octaves, maxOctaves)
	case c.Order != Sweep && c.Order != Sync:
		return fmt.Errorf("order %q: want %s or %s", c.Order, Sweep, Sync)
	case c.Query != QueryBU && c.Query != QueryState:
		return fmt.Errorf("query %q: want %s or %s", c.Query, QueryBU, QueryState)
	case c.Attention != Sampled && c.Attention != Resampled && c.Attention != Dense:
		return fmt.Errorf("attention %q: want %s, %s or %s", c.Attention, Sampled, Resampled, Dense)
	case c.Samples < 1 || c.Samples > maxSamples:
		return fmt.Errorf("samples %d: want 1 to %d", c.Samples, maxSamples)
	case len(c.Beta) != c.Levels || len(c.Sigma) != c.Levels || len(c.Mix) != c.Levels:
		return fmt.Errorf("%d betas, %d sigmas and %d mixes for %d levels", len(c.Beta), len(c.Sigma), len(c.Mix), c.Levels)
	}
	for l := range c.Levels {
		if b := c.Beta[l]; !(b >= 0 && b <= 1000) {
			return fmt.Errorf("beta of level %d is %v: want 0 to 1000", l, b)
		}
		if s := c.Sigma[l]; !(s > 0 && s <= 1e6) {
			return fmt.Errorf("sigma of level %d is %v: want over 0, up to 1e6", l, s)
		}
		m := c.Mix[l]
		for _, w := range []float64{m.BU, m.TD, m.Prev, m.Att} {
			if !(w >= 0 && w <= 1e6) {
				return fmt.Errorf("mix of level %d has weight %v: want 0 to 1e6", l, w)
			}
		}
		if m.BU+m.Prev+m.Att == 0 {
			return fmt.Errorf("mix of level %d has no weight", l)
		}
	}
	return nil
}
