package clips

import "glomstream/glom/internal/dice"

// Mix draws each clip from one of two sources.
type Mix struct {
	Composite, Real Source
	Share           float64 // how many of the clips are composite, 0 to 1
	Seed            uint64
}

// Clip implements Source.
func (m *Mix) Clip(dst *Clip, n uint64) error {
	d := dice.New(m.Seed, n)
	if d.Chance(m.Share) {
		return m.Composite.Clip(dst, n)
	}
	return m.Real.Clip(dst, n)
}
