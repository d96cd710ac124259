package eval

import "math"

// means are running means by name.
type means map[string]*mean

type mean struct {
	sum float64
	n   int
}

// add adds a value. One that is not finite would be a fault of the measure, so it panics.
func (m means) add(name string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		panic("eval: " + name + " is not finite")
	}
	if m[name] == nil {
		m[name] = new(mean)
	}
	m[name].sum += v
	m[name].n++
}

// scores returns the means.
func (m means) scores() map[string]float64 {
	s := make(map[string]float64, len(m))
	for name, v := range m {
		s[name] = v.sum / float64(v.n)
	}
	return s
}
