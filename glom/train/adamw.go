package train

import "math"

// part is a run of weights that are treated alike.
type part struct {
	w     []float32
	decay bool // matrices decay, biases and gains do not
}

// AdamW's own constants.
const (
	beta1 = 0.9
	beta2 = 0.999
	tiny  = 1e-8
)

// adamw changes the weights of parts by the gradient g, whose moments are m and v; all follow the
// order of parts. step counts from 1.
func adamw(parts []part, g, m, v []float32, step int, rate, decay float64) {
	c1, c2 := 1-math.Pow(beta1, float64(step)), 1-math.Pow(beta2, float64(step))
	size := float32(rate / c1)
	root := float32(1 / math.Sqrt(c2))
	for _, p := range parts {
		keep := float32(1)
		if p.decay {
			keep -= float32(rate * decay)
		}
		n := len(p.w)
		g1, m1, v1 := g[:n], m[:n], v[:n]
		for i := range p.w {
			m1[i] += (1 - beta1) * (g1[i] - m1[i])
			v1[i] += (1 - beta2) * (g1[i]*g1[i] - v1[i])
			p.w[i] = keep*p.w[i] - size*m1[i]/(float32(math.Sqrt(float64(v1[i])))*root+tiny)
		}
		g, m, v = g[n:], m[n:], v[n:]
	}
}

// rate is the learning rate at an update: up in a line, then down as a cosine to 0.
func (c Config) rateAt(step int) float64 {
	if step < c.Warmup {
		return c.Rate * float64(step+1) / float64(c.Warmup)
	}
	x := float64(step-c.Warmup) / float64(max(1, c.Updates-c.Warmup))
	return c.Rate * 0.5 * (1 + math.Cos(math.Pi*min(x, 1)))
}

// norm returns the length of g.
func norm(g []float32) float64 {
	var sum float64
	for _, x := range g {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}
