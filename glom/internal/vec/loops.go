package vec

import "math"

// The loops below are the reference form of the forward kernels; back.go holds the backward ones.

// dotLoop returns a·b.
func dotLoop[T Float](a, b []T) T {
	b = b[:len(a)]
	var s0, s1, s2, s3 T
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// axpyLoop adds s*x to y.
func axpyLoop[T Float](y []T, s T, x []T) {
	x = x[:len(y)]
	for i := range y {
		y[i] += s * x[i]
	}
}

// attendKeysLoop writes Σ_k exp(s_k) x_k into att (D), with s_k = beta q·x_k for the rows of x that
// keys names, leaves the exp(s_k) in logits, scratch space for K+3, and returns 1 / Σ_k exp(s_k).
func attendKeysLoop[T Float](att, logits, q, x []T, keys []int32, beta T) T {
	D := len(q)
	logits = logits[:len(keys)]
	top := T(math.Inf(-1))
	for k, j := range keys {
		logits[k] = beta * dotLoop(q, x[int(j)*D:][:D])
		top = max(top, logits[k])
	}
	sum := expSumLoop(logits, top)
	clear(att)
	for k, j := range keys {
		axpyLoop(att, logits[k], x[int(j)*D:][:D])
	}
	return 1 / sum
}

// addPriorLoop adds rows[r]+cols[c] to s[r*len(cols)+c] and returns the largest sum.
func addPriorLoop[T Float](s, rows, cols []T) T {
	top := T(math.Inf(-1))
	for r, v := range rows {
		row := s[r*len(cols):][:len(cols)]
		for c, w := range cols {
			row[c] += v + w
			top = max(top, row[c])
		}
	}
	return top
}

// expSumLoop replaces s[k] by exp(s[k]-top) and returns the sum, to which the largest s[k]
// contributes 1. What is below exp(vanish), too little to matter beside that, becomes 0: sums of
// such weights would be denormal numbers, with which processors are a hundred times slower.
func expSumLoop[T Float](s []T, top T) T {
	var sum T
	for k, v := range s {
		var e T
		if v-top > vanish {
			e = T(math.Exp(float64(v - top)))
		}
		s[k] = e
		sum += e
	}
	return sum
}

const vanish = -60

// geluBiasLoop replaces h by gelu(h+b), in the form 0.5 v (1 + tanh(√(2/π) (v + 0.044715 v³))),
// which equals v / (1 + exp(-2√(2/π) (v + 0.044715 v³))).
func geluBiasLoop[T Float](h, b []T) {
	b = b[:len(h)]
	for i := range h {
		v := h[i] + b[i]
		h[i] = v / (1 + T(math.Exp(float64(-geluScale*(v+geluCube*v*v*v)))))
	}
}

const (
	geluScale = 1.5957691216057308 // 2√(2/π)
	geluCube  = 0.044715
)

// biasReluLoop replaces y by max(y+b, 0).
func biasReluLoop[T Float](y []T, b T) {
	for i := range y {
		y[i] = max(y[i]+b, 0)
	}
}

// mixLoop writes unit(wBU*bu + wTD*td + wPrev*prev + wAtt*att) into y and returns the length
// before the projection. All are (D). A vector of no length stays zero.
func mixLoop[T Float](y, bu, td, prev, att []T, wBU, wTD, wPrev, wAtt T) T {
	bu, td, prev, att = bu[:len(y)], td[:len(y)], prev[:len(y)], att[:len(y)]
	var sum T
	for i := range y {
		v := wBU*bu[i] + wTD*td[i] + wPrev*prev[i] + wAtt*att[i]
		y[i] = v
		sum += v * v
	}
	length := T(math.Sqrt(float64(sum)))
	scaleLoop(y, inverse(length))
	return length
}

func scaleLoop[T Float](y []T, s T) {
	for i := range y {
		y[i] *= s
	}
}

// inverse returns 1/length, or 0 for a vector that has no direction.
func inverse[T Float](length T) T {
	if length < 1e-12 {
		return 0
	}
	return 1 / length
}
