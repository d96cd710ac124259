// Package dice draws the random numbers of training clips. A draw is the same on every machine:
// nothing in it may be fused or rounded in two ways, which rules out package rand's NormFloat64.
package dice

import "math/rand/v2"

// Dice is a PCG generator with the draws that scenes need. It allocates nothing.
type Dice struct{ pcg rand.PCG }

// New returns the dice of throw n of seed.
func New(seed, n uint64) Dice {
	var d Dice
	// Neighbouring n must not give neighbouring streams: PCG's second word is mixed first.
	n = (n + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	d.pcg.Seed(seed, n^n>>31)
	return d
}

// Uint64 returns 64 random bits.
func (d *Dice) Uint64() uint64 { return d.pcg.Uint64() }

// Float returns a number in [0, 1).
func (d *Dice) Float() float64 { return float64(d.pcg.Uint64()>>11) / (1 << 53) }

// Range returns a number in [a, b).
func (d *Dice) Range(a, b float64) float64 { return a + float64((b-a)*d.Float()) }

// Chance is true with probability p.
func (d *Dice) Chance(p float64) bool { return d.Float() < p }

// Intn returns a number in [0, n); n must be positive.
func (d *Dice) Intn(n int) int { return int(float64(d.Float() * float64(n))) }

// Normal returns a number with mean 0 and standard deviation 1 that is nearly gaussian and at
// most 3.5 from 0: the sum of four uniform ones.
func (d *Dice) Normal() float64 {
	s := d.Float() + d.Float() + d.Float() + d.Float() - 2
	return float64(s * 1.7320508075688772)
}
