//go:build amd64 && goexperiment.simd

package vec

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

// The vector form of loops.go, eight lanes wide, for processors with AVX2 and FMA. Sums run in
// another order than in the loops, so results differ in the last bits.
//
// The compiler's scalar float instructions are of the old SSE encoding, and one of them between
// vector instructions costs about 100 ns while the upper halves of the registers are in use. So
// each kernel sets up its broadcast variables first, works on vectors only, stores its sums to
// memory, calls ClearAVXUpperBits, and only then touches a float again. Constants are broadcast
// from integer registers.

func vectors() bool { return archsimd.X86.AVX2() && archsimd.X86.FMA() }

type vec = archsimd.Float32x8

func at(s []float32, i int) vec { return archsimd.LoadFloat32x8((*[8]float32)(s[i : i+8])) }

// splat broadcasts a constant.
func splat(v float32) vec {
	return archsimd.BroadcastInt32x8(int32(math.Float32bits(v))).AsFloat32x8()
}

// clearAndSum ends the vector part of a kernel and returns the sum of the lanes of v.
func clearAndSum(v vec) float32 {
	var a [8]float32
	v.Store(&a)
	archsimd.ClearAVXUpperBits()
	return ((a[0] + a[1]) + (a[2] + a[3])) + ((a[4] + a[5]) + (a[6] + a[7]))
}

// clearAndMax ends the vector part of a kernel and returns the largest lane of v.
func clearAndMax(v vec) float32 {
	var a [8]float32
	v.Store(&a)
	archsimd.ClearAVXUpperBits()
	return max(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7])
}

// pow2 returns 2^t for t from -126 to 127, with a relative error below 2e-7: t = n + f with
// |f| <= 1/2, 2^f is a polynomial c of degree 5, and n goes into the exponent.
func pow2(t, c5, c4, c3, c2, c1, c0 vec) vec {
	n := t.RoundToEven()
	f := t.Sub(n)
	p := c5.MulAdd(f, c4).MulAdd(f, c3).MulAdd(f, c2).MulAdd(f, c1).MulAdd(f, c0)
	return p.AsInt32x8().Add(n.ConvertToInt32().ShiftAllLeft(23)).AsFloat32x8()
}

// The minimax polynomial of pow2.
const (
	pow2c0 = 1.0000000716546544
	pow2c1 = 0.6931469670638637
	pow2c2 = 0.240221197239343
	pow2c3 = 0.055507132749625515
	pow2c4 = 0.009675541330662493
	pow2c5 = 0.0013276471518930653
)

func dot(a, b []float32) float32 {
	if !vectors() {
		return dotLoop(a, b)
	}
	b = b[:len(a)]
	var s0, s1 vec
	i := 0
	for ; i+16 <= len(a); i += 16 {
		s0 = at(a, i).MulAdd(at(b, i), s0)
		s1 = at(a, i+8).MulAdd(at(b, i+8), s1)
	}
	for ; i+8 <= len(a); i += 8 {
		s0 = at(a, i).MulAdd(at(b, i), s0)
	}
	return clearAndSum(s0.Add(s1)) + dotLoop(a[i:], b[i:])
}

func addPrior(s, rows, cols []float32) float32 {
	C := len(cols)
	switch {
	case !vectors() || C < 8:
		return addPriorLoop(s, rows, cols)
	case wide() && C >= 16:
		return addPrior16(s, rows, cols)
	}
	return addPrior8(s, rows, cols)
}

func addPrior8(s, rows, cols []float32) float32 {
	C := len(cols)
	top := archsimd.BroadcastFloat32x8(float32(math.Inf(-1)))
	last := at(cols, C-8)
	bits := unsafe.Slice((*int32)(unsafe.Pointer(&rows[0])), len(rows)) // for integer registers
	for k := range bits {
		row := s[k*C : k*C+C]
		c := archsimd.BroadcastInt32x8(bits[k]).AsFloat32x8()
		// The last eight overlap with those before them, so they are read first.
		end := at(row, C-8).Add(last.Add(c))
		top = top.Max(end)
		for i := 0; i+8 < C; i += 8 {
			t := at(row, i).Add(at(cols, i).Add(c))
			t.StoreSlice(row[i : i+8])
			top = top.Max(t)
		}
		end.StoreSlice(row[C-8:])
	}
	return clearAndMax(top)
}

func expSum(s []float32, top float32) float32 {
	switch {
	case !vectors() || len(s) < 8:
		return expSumLoop(s, top)
	case wide() && len(s) >= 64:
		return expSum16(s, top)
	}
	return expSum8(s, top)
}

func expSum8(s []float32, top float32) float32 {
	var sum vec
	offset := archsimd.BroadcastFloat32x8(-math.Log2E * top)
	log2e, low := splat(math.Log2E), splat(vanish*math.Log2E)
	c5, c4, c3, c2, c1, c0 := splat(pow2c5), splat(pow2c4), splat(pow2c3), splat(pow2c2), splat(pow2c1), splat(pow2c0)
	// The last eight overlap with those before them, so they are read first, and only the lanes
	// that are not yet counted are added.
	n := len(s)
	var fresh [8]float32
	for k := 8 - n&7; k < 8; k++ {
		fresh[k] = 1
	}
	t := at(s, n-8).MulAdd(log2e, offset)
	end := pow2(t.Max(low), c5, c4, c3, c2, c1, c0).Masked(t.Greater(low))
	i := 0
	for ; i+8 <= n; i += 8 {
		t := at(s, i).MulAdd(log2e, offset)
		e := pow2(t.Max(low), c5, c4, c3, c2, c1, c0).Masked(t.Greater(low))
		e.StoreSlice(s[i : i+8])
		sum = sum.Add(e)
	}
	if i < n {
		end.StoreSlice(s[n-8:])
		sum = end.MulAdd(at(fresh[:], 0), sum)
	}
	return clearAndSum(sum)
}

func biasRelu(y []float32, b float32) {
	if !vectors() {
		biasReluLoop(y, b)
		return
	}
	var zero vec
	vb := archsimd.BroadcastFloat32x8(b)
	i := 0
	for ; i+8 <= len(y); i += 8 {
		at(y, i).Add(vb).Max(zero).StoreSlice(y[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	biasReluLoop(y[i:], b)
}

func geluBias(h, b []float32) {
	b = b[:len(h)]
	switch {
	case !vectors():
		geluBiasLoop(h, b)
		return
	case wide() && len(h)%16 == 0:
		geluBias16(h, b)
		return
	}
	geluBias8(h, b)
}

func geluBias8(h, b []float32) {
	one, cube, scale := splat(1), splat(geluCube), splat(-geluScale*math.Log2E)
	low, high := splat(-126), splat(126)
	c5, c4, c3, c2, c1, c0 := splat(pow2c5), splat(pow2c4), splat(pow2c3), splat(pow2c2), splat(pow2c1), splat(pow2c0)
	i := 0
	for ; i+8 <= len(h); i += 8 {
		v := at(h, i).Add(at(b, i))
		t := v.Mul(v).MulAdd(cube, one).Mul(v).Mul(scale).Min(high).Max(low)
		v.Div(pow2(t, c5, c4, c3, c2, c1, c0).Add(one)).StoreSlice(h[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	geluBiasLoop(h[i:], b[i:])
}

func scale(y []float32, s float32) {
	if !vectors() {
		scaleLoop(y, s)
		return
	}
	i := 0
	ss := archsimd.BroadcastFloat32x8(s)
	for ; i+8 <= len(y); i += 8 {
		at(y, i).Mul(ss).StoreSlice(y[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	scaleLoop(y[i:], s)
}

// mix works on vectors whose length is a multiple of 8, as Config demands of D.
func mix(y, bu, td, prev, att []float32, wBU, wTD, wPrev, wAtt float32) float32 {
	if !vectors() {
		return mixLoop(y, bu, td, prev, att, wBU, wTD, wPrev, wAtt)
	}
	bu, td, prev, att = bu[:len(y)], td[:len(y)], prev[:len(y)], att[:len(y)]
	w0, w1 := archsimd.BroadcastFloat32x8(wBU), archsimd.BroadcastFloat32x8(wTD)
	w2, w3 := archsimd.BroadcastFloat32x8(wPrev), archsimd.BroadcastFloat32x8(wAtt)
	var sum vec
	for i := 0; i+8 <= len(y); i += 8 {
		v := at(bu, i).Mul(w0)
		v = at(td, i).MulAdd(w1, v)
		v = at(prev, i).MulAdd(w2, v)
		v = at(att, i).MulAdd(w3, v)
		v.StoreSlice(y[i : i+8])
		sum = v.MulAdd(v, sum)
	}
	length := float32(math.Sqrt(float64(clearAndSum(sum))))
	scale(y, inverse(length))
	return length
}

// attendKeys takes the products of four keys at a time, the last one again where fewer are left.
func attendKeys(att, logits, q, x []float32, keys []int32, beta float32) float32 {
	if !vectors() || len(q)%8 != 0 {
		return attendKeysLoop(att, logits, q, x, keys, beta)
	}
	dotKeys(logits, q, x, keys, beta)
	logits = logits[:len(keys)]
	top := logits[0]
	for _, v := range logits {
		top = max(top, v)
	}
	sum := expSum(logits, top)
	weightedSum(att, logits, x, keys)
	return 1 / sum
}

// dotKeys writes beta q·x_k into s, which has room for K+3, for the rows of x that keys names. q is
// (D), D a multiple of 8.
func dotKeys(s, q, x []float32, keys []int32, beta float32) {
	D, K := len(q), len(keys)
	b4 := archsimd.BroadcastFloat32x4(beta)
	base, query := rowsOf(x, keys, D), unsafe.Pointer(&q[0])
	stride := 4 * uintptr(D)
	for k := 0; k < K; k += 4 {
		a := unsafe.Add(base, uintptr(keys[k])*stride)
		b := unsafe.Add(base, uintptr(keys[min(k+1, K-1)])*stride)
		c := unsafe.Add(base, uintptr(keys[min(k+2, K-1)])*stride)
		d := unsafe.Add(base, uintptr(keys[min(k+3, K-1)])*stride)
		var sa, sb, sc, sd vec
		for o := uintptr(0); o < stride; o += 32 {
			v := from(query, o)
			sa = from(a, o).MulAdd(v, sa)
			sb = from(b, o).MulAdd(v, sb)
			sc = from(c, o).MulAdd(v, sc)
			sd = from(d, o).MulAdd(v, sd)
		}
		h := sa.AddPairsGrouped(sb).AddPairsGrouped(sc.AddPairsGrouped(sd)) // per half: the sums of a, b, c, d
		h.GetLo().Add(h.GetHi()).Mul(b4).StoreSlice(s[k : k+4])
	}
	archsimd.ClearAVXUpperBits()
}

// weightedSum writes Σ_k w_k x_k into y (D, a multiple of 8) for the rows of x that keys names.
// It is a function of its own so that no scalar float is alive in its loops, and takes 32
// dimensions at a time so that their sums stay in registers.
func weightedSum(y, w, x []float32, keys []int32) {
	D := len(y)
	bits := unsafe.Slice((*int32)(unsafe.Pointer(&w[0])), len(keys)) // the weights, for integer registers
	base, stride := rowsOf(x, keys, D), 4*uintptr(D)
	i := 0
	for ; i+32 <= D; i += 32 {
		part := unsafe.Add(base, 4*i)
		var s0, s1, s2, s3 vec
		for k, j := range keys {
			w := archsimd.BroadcastInt32x8(bits[k]).AsFloat32x8()
			row := unsafe.Add(part, uintptr(j)*stride)
			s0 = from(row, 0).MulAdd(w, s0)
			s1 = from(row, 32).MulAdd(w, s1)
			s2 = from(row, 64).MulAdd(w, s2)
			s3 = from(row, 96).MulAdd(w, s3)
		}
		v := y[i : i+32]
		s0.StoreSlice(v)
		s1.StoreSlice(v[8:])
		s2.StoreSlice(v[16:])
		s3.StoreSlice(v[24:])
	}
	for ; i+8 <= D; i += 8 {
		var s vec
		for k, j := range keys {
			s = at(x, int(j)*D+i).MulAdd(archsimd.BroadcastInt32x8(bits[k]).AsFloat32x8(), s)
		}
		s.StoreSlice(y[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
}

// rowsOf returns the address of the first row of x (rows, D), after a check that x has all the
// rows that keys names: so checked once, the loops over them can do without.
func rowsOf(x []float32, keys []int32, D int) unsafe.Pointer {
	var last uint32
	for _, j := range keys {
		last = max(last, uint32(j))
	}
	_ = x[:(int(last)+1)*D]
	return unsafe.Pointer(&x[0])
}

// from loads the eight numbers that lie so many bytes behind p.
func from(p unsafe.Pointer, bytes uintptr) vec {
	return archsimd.LoadFloat32x8((*[8]float32)(unsafe.Add(p, bytes)))
}

// Kernels names the form of the hot loops that this build and processor use.
func Kernels() string {
	switch {
	case wide():
		return "AVX-512"
	case vectors():
		return "AVX2 with FMA"
	}
	return "portable loops (the processor lacks AVX2 or FMA)"
}
