package vec

import (
	"math"
	"unsafe"
)

// Float is what the kernels are written for: float32 to run, float64 to check.
type Float interface{ float32 | float64 }

// F32 returns s, of float32, as such. It panics if T is another type.
func F32[T Float](s []T) []float32 {
	if !single[T]() {
		panic("vec: not float32")
	}
	return f32(s)
}

// single tells whether T is float32. The compiler knows the answer for each T.
func single[T Float]() bool {
	var v T
	return unsafe.Sizeof(v) == 4
}

// f32 returns s as what it is if single is true.
func f32[T Float](s []T) []float32 { return *(*[]float32)(unsafe.Pointer(&s)) }

// Dot returns a·b, summed over the length of a; b is at least as long.
func Dot[T Float](a, b []T) T {
	if single[T]() {
		return T(dot(f32(a), f32(b)))
	}
	return dotLoop(a, b)
}

// Axpy adds s*x to y.
func Axpy[T Float](y []T, s T, x []T) {
	if single[T]() {
		axpy(f32(y), float32(s), f32(x))
		return
	}
	axpyLoop(y, s, x)
}

// Scale multiplies y by s.
func Scale[T Float](y []T, s T) {
	if single[T]() {
		scale(f32(y), float32(s))
		return
	}
	scaleLoop(y, s)
}

// Add computes y = a + b.
func Add[T Float](y, a, b []T) {
	a, b = a[:len(y)], b[:len(y)]
	for i := range y {
		y[i] = a[i] + b[i]
	}
}

// Inverse returns 1/length, or 0 for a vector that has no direction.
func Inverse[T Float](length T) T { return inverse(length) }

// UnitRows projects the n rows of y (n, D) to the unit sphere. If inv is not nil, it receives
// 1/length of each row, 0 for a row that has no direction.
func UnitRows[T Float](y, inv []T, n, D int) {
	for r := range n {
		v := y[r*D : r*D+D]
		s := inverse(T(math.Sqrt(float64(Dot(v, v)))))
		Scale(v, s)
		if inv != nil {
			inv[r] = s
		}
	}
}

// UnitBack writes into dv the gradient of y = v/|v| from dy; inv is 1/|v|, or 0. dv may be dy.
func UnitBack[T Float](dv, dy, y []T, inv T) {
	if single[T]() {
		unitBack(f32(dv), f32(dy), f32(y), float32(inv))
		return
	}
	unitBackLoop(dv, dy, y, inv)
}

// AddPrior adds rows[r]+cols[c] to s[r*len(cols)+c] and returns the largest sum.
func AddPrior[T Float](s, rows, cols []T) T {
	if single[T]() {
		return T(addPrior(f32(s), f32(rows), f32(cols)))
	}
	return addPriorLoop(s, rows, cols)
}

// ExpSum replaces s[k] by exp(s[k]-top), with 0 for what is below exp(-60), and returns the sum.
func ExpSum[T Float](s []T, top T) T {
	if single[T]() {
		return T(expSum(f32(s), float32(top)))
	}
	return expSumLoop(s, top)
}

// Logistic writes into g the derivatives of |w| Σ_k log(1 + exp(z_k)) with respect to s, which are w/(1+exp(-z_k)),
// and returns the sum without the weight. z = s - middle, or if w is below 0 middle - s.
func Logistic[T Float](g, s []T, middle, w T) T {
	if single[T]() {
		return T(logistic(f32(g), f32(s), float32(middle), float32(w)))
	}
	return logisticLoop(g, s, middle, w)
}

// SoftmaxBack replaces g, the gradient with respect to a = softmax(s), by scale times that with
// respect to s, and returns Σ_k a_k g_k.
func SoftmaxBack[T Float](g, a []T, scale T) T {
	if single[T]() {
		return T(softmaxBack(f32(g), f32(a), float32(scale)))
	}
	return softmaxBackLoop(g, a, scale)
}

// BiasRelu replaces y by max(y+b, 0).
func BiasRelu[T Float](y []T, b T) {
	if single[T]() {
		biasRelu(f32(y), float32(b))
		return
	}
	biasReluLoop(y, b)
}

// Mask zeroes y where x is not above 0: the way back through a ReLU that gave x.
func Mask[T Float](y, x []T) {
	if single[T]() {
		mask(f32(y), f32(x))
		return
	}
	maskLoop(y, x)
}

// Sum returns the sum of x.
func Sum[T Float](x []T) T {
	if single[T]() {
		return T(sum(f32(x)))
	}
	return sumLoop(x)
}

// GeluBias replaces h by gelu(h+b).
func GeluBias[T Float](h, b []T) {
	if single[T]() {
		geluBias(f32(h), f32(b))
		return
	}
	geluBiasLoop(h, b)
}

// GeluBoth replaces h by gelu(h+b) and writes the derivative into d.
func GeluBoth[T Float](h, d, b []T) {
	if single[T]() {
		geluBoth(f32(h), f32(d), f32(b))
		return
	}
	geluBothLoop(h, d, b)
}

// MulAdd replaces y by x*y, element by element, and adds the result to sum.
func MulAdd[T Float](y, x, sum []T) {
	if single[T]() {
		mulAdd(f32(y), f32(x), f32(sum))
		return
	}
	mulAddLoop(y, x, sum)
}

// Mix writes unit(wBU*bu + wTD*td + wPrev*prev + wAtt*att) into y and returns the length before
// the projection. All are (D), D a multiple of 8. A vector of no length stays zero.
func Mix[T Float](y, bu, td, prev, att []T, wBU, wTD, wPrev, wAtt T) T {
	if single[T]() {
		return T(mix(f32(y), f32(bu), f32(td), f32(prev), f32(att), float32(wBU), float32(wTD), float32(wPrev), float32(wAtt)))
	}
	return mixLoop(y, bu, td, prev, att, wBU, wTD, wPrev, wAtt)
}

// MixBack undoes Mix for all but att: it writes dv, the gradient before the projection, adds its
// shares to dbu, dtd and dprev, and the gradients of wBU, wTD and wPrev to dw. inv is 1/|v|, or 0.
func MixBack[T Float](dv, dbu, dtd, dprev, dy, y, bu, td, prev []T, inv, wBU, wTD, wPrev T, dw *[3]T) {
	if single[T]() {
		mixBack(f32(dv), f32(dbu), f32(dtd), f32(dprev), f32(dy), f32(y), f32(bu), f32(td), f32(prev),
			float32(inv), float32(wBU), float32(wTD), float32(wPrev), (*[3]float32)(unsafe.Pointer(dw)))
		return
	}
	mixBackLoop(dv, dbu, dtd, dprev, dy, y, bu, td, prev, inv, wBU, wTD, wPrev, dw)
}

// AttendKeys writes Σ_k exp(s_k) x_k into att (D), with s_k = beta q·x_k for the rows of x that
// keys names, and returns 1 / Σ_k exp(s_k). logits, scratch space for K+3, keeps the exp(s_k).
func AttendKeys[T Float](att, logits, q, x []T, keys []int32, beta T) T {
	if single[T]() {
		return T(attendKeys(f32(att), f32(logits), f32(q), f32(x), keys, float32(beta)))
	}
	return attendKeysLoop(att, logits, q, x, keys, beta)
}

// AttendKeysBack undoes y = w Σ_k a_k x_k with a = softmax(beta q·x_k) over the rows of x that
// keys names: from dy it adds to dq (D) and to the rows of dx, and returns the gradient of w. a
// (K) are the weights; g is scratch space for K+3. dq must not lie in dx.
func AttendKeysBack[T Float](dq, dx, g, dy, a, q, x []T, keys []int32, beta, w T) T {
	if single[T]() {
		return T(attendKeysBack(f32(dq), f32(dx), f32(g), f32(dy), f32(a), f32(q), f32(x), keys, float32(beta), float32(w)))
	}
	return attendKeysBackLoop(dq, dx, g, dy, a, q, x, keys, beta, w)
}
