package vec

import "math"

// The loops below undo those of loops.go: from the gradient of a loss with respect to what a
// kernel gives they compute the gradient with respect to what it takes.

// geluBothLoop replaces h by gelu(h+b) and writes the derivative into d. With s = σ(g(v)) and
// g(v) = 2√(2/π) (v + 0.044715 v³):
//
//	gelu(v) = v s,   gelu'(v) = s + v s (1-s) g'(v)
func geluBothLoop[T Float](h, d, b []T) {
	d, b = d[:len(h)], b[:len(h)]
	for i := range h {
		v := h[i] + b[i]
		e := T(math.Exp(float64(min(-geluScale*(v+geluCube*v*v*v), 80))))
		s := 1 / (1 + e)
		h[i] = v * s
		d[i] = s * (1 + e*s*v*geluScale*(1+3*geluCube*v*v))
	}
}

// logisticLoop writes into g the derivatives of |w| Σ_k log(1 + exp(z_k)) with respect to s and returns the sum
// without the weight. z = s - middle, or if w is below 0 middle - s.
func logisticLoop[T Float](g, s []T, middle, w T) T {
	g = g[:len(s)]
	sign := T(1)
	if w < 0 {
		sign = -1
	}
	var sum float64
	for k, v := range s {
		z := sign * (v - middle)
		e := math.Exp(-math.Abs(float64(z)))
		p := 1 / (1 + e)
		if !(z > 0) {
			p *= e
		}
		g[k] = w * T(p)
		sum += max(float64(z), 0) + math.Log1p(e)
	}
	return T(sum)
}

// maskLoop zeroes y where x is not above 0.
func maskLoop[T Float](y, x []T) {
	x = x[:len(y)]
	for i := range y {
		if !(x[i] > 0) {
			y[i] = 0
		}
	}
}

// sumLoop returns the sum of x.
func sumLoop[T Float](x []T) T {
	var s T
	for _, v := range x {
		s += v
	}
	return s
}

// mulAddLoop replaces y by x*y, element by element, and adds the result to sum.
func mulAddLoop[T Float](y, x, sum []T) {
	x, sum = x[:len(y)], sum[:len(y)]
	for i := range y {
		y[i] *= x[i]
		sum[i] += y[i]
	}
}

// unitBackLoop writes into dv the gradient of y = v/|v|. From dy:
//
//	dv = (dy - y (y·dy)) inv,   inv = 1/|v|, 0 for a vector of no length
func unitBackLoop[T Float](dv, dy, y []T, inv T) {
	dy, y = dy[:len(dv)], y[:len(dv)]
	p := dotLoop(y, dy)
	for i := range dv {
		dv[i] = (dy[i] - y[i]*p) * inv
	}
}

// mixBackLoop undoes mixLoop, y = unit(v), v = wBU*bu + wTD*td + wPrev*prev + wAtt*att. It writes
// dv, adds wBU*dv to dbu, wTD*dv to dtd and wPrev*dv to dprev, and adds the gradients of wBU, wTD
// and wPrev to dw. inv is 1/|v|, or 0.
func mixBackLoop[T Float](dv, dbu, dtd, dprev, dy, y, bu, td, prev []T, inv, wBU, wTD, wPrev T, dw *[3]T) {
	unitBackLoop(dv, dy, y, inv)
	dw[0] += dotLoop(dv, bu)
	dw[1] += dotLoop(dv, td)
	dw[2] += dotLoop(dv, prev)
	axpyLoop(dbu, wBU, dv)
	axpyLoop(dtd, wTD, dv)
	axpyLoop(dprev, wPrev, dv)
}

// softmaxBackLoop undoes a = softmax(s): it replaces g, the gradient with respect to a, by scale
// times that with respect to s, and returns Σ_k a_k g_k.
//
//	ds_k = a_k (g_k - Σ_m a_m g_m)
func softmaxBackLoop[T Float](g, a []T, scale T) T {
	mean := dotLoop(a, g)
	for k, w := range a {
		g[k] = scale * w * (g[k] - mean)
	}
	return mean
}

// attendKeysBackLoop undoes y = w Σ_k a_k x_k with a = softmax(beta q·x_k) over the rows of x that
// keys names. From dy (D), the gradient of y, it adds to dq (D) and to the rows of dx, and returns
// the gradient of w. a (K) are the weights; g is scratch space for K+7.
//
//	g_k  = dy·x_k
//	h_k  = w beta a_k (g_k - Σ_m a_m g_m)
//	dq  += Σ_k h_k x_k
//	dx_k += w a_k dy + h_k q
func attendKeysBackLoop[T Float](dq, dx, g, dy, a, q, x []T, keys []int32, beta, w T) T {
	D := len(q)
	g = g[:len(keys)]
	for k, j := range keys {
		g[k] = dotLoop(dy, x[int(j)*D:][:D])
	}
	dw := softmaxBackLoop(g, a[:len(keys)], w*beta)
	for k, j := range keys {
		axpyLoop(dq, g[k], x[int(j)*D:][:D])
		axpyLoop(dx[int(j)*D:][:D], w*a[k], dy)
		axpyLoop(dx[int(j)*D:][:D], g[k], q)
	}
	return dw
}
