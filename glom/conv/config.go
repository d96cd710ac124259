package conv

import (
	"fmt"
	"slices"
)

// Stride is the side of a location in pixels.
const Stride = 8

// Config gives the shape of a net. A zero field means its default. It is saved with the weights.
type Config struct {
	Channels int    `json:"channels"` // of the input: 5 (R, G, B, dx, dy), the default, or 3 (R, G, B)
	Widths   []int  `json:"widths"`   // channels of the layers but the last, default 16, 32, 64, 64
	Dim      int    `json:"dim"`      // D, default 64
	Seed     uint64 `json:"seed"`     // draws the initial weights
}

// Limits that keep a hostile configuration from asking for absurd amounts of memory.
const (
	maxLayers = 16
	maxWidth  = 1024
)

func (c Config) withDefaults() Config {
	if c.Channels == 0 {
		c.Channels = 5
	}
	if c.Widths == nil {
		c.Widths = []int{16, 32, 64, 64}
	}
	if c.Dim == 0 {
		c.Dim = 64
	}
	return c
}

func (c Config) check() error {
	if c.Channels != 5 && c.Channels != 3 {
		return fmt.Errorf("channels %d: want 5 or 3", c.Channels)
	}
	if len(c.Widths) < 2 || len(c.Widths) >= maxLayers { // the first three layers have stride 2
		return fmt.Errorf("%d widths: want 2 to %d", len(c.Widths), maxLayers-1)
	}
	for _, w := range append(slices.Clone(c.Widths), c.Dim) {
		if w < 1 || w > maxWidth {
			return fmt.Errorf("width %d: want 1 to %d", w, maxWidth)
		}
	}
	return nil
}

// layers returns the shapes of all layers; the first three have stride 2.
func (c Config) layers() []shape {
	var list []shape
	in := c.Channels
	for i, out := range append(slices.Clone(c.Widths), c.Dim) {
		s := shape{in: in, out: out, stride: 1}
		if i < 3 {
			s.stride = 2
		}
		list = append(list, s)
		in = out
	}
	return list
}

// params returns the number of weights of a net.
func (c Config) params() int {
	n := 0
	for _, s := range c.layers() {
		n += s.out * (s.taps() + 2)
	}
	return n
}

// FLOP returns the additions and multiplications of the products of one picture of n locations.
func (c Config) FLOP(n int) float64 {
	sum, pixels := 0.0, float64(n*Stride*Stride)
	for _, s := range c.layers() {
		pixels /= float64(s.stride * s.stride)
		sum += 2 * float64(s.out) * float64(s.taps()) * pixels
	}
	return sum
}

// shape is the shape of a layer.
type shape struct{ in, out, stride int }

// taps is the number of weights that an output has.
func (s shape) taps() int { return 9 * s.in }
