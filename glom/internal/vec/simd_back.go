//go:build amd64 && goexperiment.simd

package vec

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

// The vector form of back.go. The rules of simd.go hold here too.

func axpy(y []float32, s float32, x []float32) {
	if !vectors() {
		axpyLoop(y, s, x)
		return
	}
	x = x[:len(y)]
	ss := archsimd.BroadcastFloat32x8(s)
	i := 0
	for ; i+8 <= len(y); i += 8 {
		at(x, i).MulAdd(ss, at(y, i)).StoreSlice(y[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	axpyLoop(y[i:], s, x[i:])
}

func mask(y, x []float32) {
	if !vectors() {
		maskLoop(y, x)
		return
	}
	x = x[:len(y)]
	var zero vec
	i := 0
	for ; i+8 <= len(y); i += 8 {
		at(y, i).Masked(at(x, i).Greater(zero)).StoreSlice(y[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	maskLoop(y[i:], x[i:])
}

func sum(x []float32) float32 {
	if !vectors() {
		return sumLoop(x)
	}
	var s0, s1 vec
	i := 0
	for ; i+16 <= len(x); i += 16 {
		s0, s1 = s0.Add(at(x, i)), s1.Add(at(x, i+8))
	}
	return clearAndSum(s0.Add(s1)) + sumLoop(x[i:])
}

func mulAdd(y, x, sum []float32) {
	if !vectors() {
		mulAddLoop(y, x, sum)
		return
	}
	x, sum = x[:len(y)], sum[:len(y)]
	i := 0
	for ; i+8 <= len(y); i += 8 {
		v := at(y, i).Mul(at(x, i))
		v.StoreSlice(y[i : i+8])
		at(sum, i).Add(v).StoreSlice(sum[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	mulAddLoop(y[i:], x[i:], sum[i:])
}

func unitBack(dv, dy, y []float32, inv float32) {
	if !vectors() || len(dv)%8 != 0 {
		unitBackLoop(dv, dy, y, inv)
		return
	}
	project(dv, dy, y, dot(y, dy), inv)
}

// project writes (dy - p y) inv into dv.
func project(dv, dy, y []float32, p, inv float32) {
	dy, y = dy[:len(dv)], y[:len(dv)]
	vp, vi := archsimd.BroadcastFloat32x8(-p), archsimd.BroadcastFloat32x8(inv)
	for i := 0; i+8 <= len(dv); i += 8 {
		at(y, i).MulAdd(vp, at(dy, i)).Mul(vi).StoreSlice(dv[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
}

func mixBack(dv, dbu, dtd, dprev, dy, y, bu, td, prev []float32, inv, wBU, wTD, wPrev float32, dw *[3]float32) {
	if !vectors() || len(dv)%8 != 0 {
		mixBackLoop(dv, dbu, dtd, dprev, dy, y, bu, td, prev, inv, wBU, wTD, wPrev, dw)
		return
	}
	D := len(dv)
	p := dot(y, dy)
	dbu, dtd, dprev, dy, y = dbu[:D], dtd[:D], dprev[:D], dy[:D], y[:D]
	bu, td, prev = bu[:D], td[:D], prev[:D]
	w0, w1, w2 := archsimd.BroadcastFloat32x8(wBU), archsimd.BroadcastFloat32x8(wTD), archsimd.BroadcastFloat32x8(wPrev)
	vp, vi := archsimd.BroadcastFloat32x8(-p), archsimd.BroadcastFloat32x8(inv)
	var s0, s1, s2 vec
	for i := 0; i+8 <= D; i += 8 {
		v := at(y, i).MulAdd(vp, at(dy, i)).Mul(vi)
		v.StoreSlice(dv[i : i+8])
		s0, s1, s2 = at(bu, i).MulAdd(v, s0), at(td, i).MulAdd(v, s1), at(prev, i).MulAdd(v, s2)
		v.MulAdd(w0, at(dbu, i)).StoreSlice(dbu[i : i+8])
		v.MulAdd(w1, at(dtd, i)).StoreSlice(dtd[i : i+8])
		v.MulAdd(w2, at(dprev, i)).StoreSlice(dprev[i : i+8])
	}
	var zero vec
	h := s0.AddPairsGrouped(s1).AddPairsGrouped(s2.AddPairsGrouped(zero))
	var sums [4]float32
	h.GetLo().Add(h.GetHi()).Store(&sums)
	archsimd.ClearAVXUpperBits()
	dw[0] += sums[0]
	dw[1] += sums[1]
	dw[2] += sums[2]
}

func softmaxBack(g, a []float32, s float32) float32 {
	if !vectors() {
		return softmaxBackLoop(g, a, s)
	}
	g = g[:len(a)]
	mean := dot(a, g)
	vm, vs := archsimd.BroadcastFloat32x8(mean), archsimd.BroadcastFloat32x8(s)
	i := 0
	for ; i+8 <= len(a); i += 8 {
		at(g, i).Sub(vm).Mul(at(a, i)).Mul(vs).StoreSlice(g[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	for ; i < len(a); i++ {
		g[i] = s * a[i] * (g[i] - mean)
	}
	return mean
}

func geluBoth(h, d, b []float32) {
	if !vectors() {
		geluBothLoop(h, d, b)
		return
	}
	d, b = d[:len(h)], b[:len(h)]
	if wide() && len(h)%16 == 0 {
		geluBoth16(h, d, b)
		return
	}
	one, cube, cube3, scale := splat(1), splat(geluCube), splat(3*geluCube), splat(geluScale)
	low, high, toLog2 := splat(-126), splat(126), splat(-math.Log2E)
	c5, c4, c3, c2, c1, c0 := splat(pow2c5), splat(pow2c4), splat(pow2c3), splat(pow2c2), splat(pow2c1), splat(pow2c0)
	i := 0
	for ; i+8 <= len(h); i += 8 {
		v := at(h, i).Add(at(b, i))
		sq := v.Mul(v)
		t := sq.MulAdd(cube, one).Mul(v).Mul(scale).Mul(toLog2).Min(high).Max(low)
		e := pow2(t, c5, c4, c3, c2, c1, c0)
		s := one.Div(e.Add(one))
		v.Mul(s).StoreSlice(h[i : i+8])
		slope := sq.MulAdd(cube3, one).Mul(scale)
		e.Mul(s).Mul(v).MulAdd(slope, one).Mul(s).StoreSlice(d[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
	geluBothLoop(h[i:], d[i:], b[i:])
}

func geluBoth16(h, d, b []float32) {
	one, cube, cube3, scale := splat16(1), splat16(geluCube), splat16(3*geluCube), splat16(geluScale)
	least, most, toLog2 := splat16(-126), splat16(126), splat16(-math.Log2E)
	c5, c4, c3 := splat16(pow2c5), splat16(pow2c4), splat16(pow2c3)
	c2, c1, c0 := splat16(pow2c2), splat16(pow2c1), splat16(pow2c0)
	for i := 0; i+16 <= len(h); i += 16 {
		v := at16(h, i).Add(at16(b, i))
		sq := v.Mul(v)
		t := sq.MulAdd(cube, one).Mul(v).Mul(scale).Mul(toLog2).Min(most).Max(least)
		e := pow2x16(t, c5, c4, c3, c2, c1, c0)
		s := one.Div(e.Add(one))
		v.Mul(s).StoreSlice(h[i : i+16])
		slope := sq.MulAdd(cube3, one).Mul(scale)
		e.Mul(s).Mul(v).MulAdd(slope, one).Mul(s).StoreSlice(d[i : i+16])
	}
	archsimd.ClearAVXUpperBits()
}

func logistic(g, s []float32, middle, w float32) float32 {
	if !vectors() {
		return logisticLoop(g, s, middle, w)
	}
	// One logarithm for so many factors of at most 2 each: a lane holds the product of 64, a float64 that of all.
	const run = 8 * 64
	g = g[:len(s)]
	var sum float32
	for ; len(s) > run; g, s = g[run:], s[run:] {
		sum += logistic8(g[:run], s[:run], middle, w)
	}
	return sum + logistic8(g, s, middle, w)
}

func logistic8(g, s []float32, middle, w float32) float32 {
	sign := float32(1)
	if w < 0 {
		sign = -1
	}
	n := len(s) &^ 7
	var last, gLast [8]float32 // the rest, and what adds nothing to a sum
	for k := range last {
		last[k] = middle - 200*sign
	}
	copy(last[:], s[n:])
	mid, turn, weight := splat(middle), splat(sign), splat(w)
	zero, one, toLog2, low := splat(0), splat(1), splat(-math.Log2E), splat(-126)
	c5, c4, c3, c2, c1, c0 := splat(pow2c5), splat(pow2c4), splat(pow2c3), splat(pow2c2), splat(pow2c1), splat(pow2c0)
	ramp, product := zero, one
	for i := 0; i <= n; i += 8 {
		from, to := last[:], gLast[:]
		if i < n {
			from, to = s[i:i+8], g[i:i+8]
		}
		z := at(from, 0).Sub(mid).Mul(turn)
		e := pow2(z.Max(zero.Sub(z)).Mul(toLog2).Max(low), c5, c4, c3, c2, c1, c0)
		f := e.Add(one)
		p := one.Div(f)
		q := e.Mul(p)
		p.Sub(q).Masked(z.Greater(zero)).Add(q).Mul(weight).StoreSlice(to)
		ramp = ramp.Add(z.Max(zero))
		product = product.Mul(f)
	}
	var lanes [8]float32
	product.Store(&lanes)
	sum := clearAndSum(ramp)
	copy(g[n:], gLast[:])
	all := 1.0
	for _, v := range lanes {
		all *= float64(v)
	}
	return sum + float32(math.Log(all))
}

func attendKeysBack(dq, dx, g, dy, a, q, x []float32, keys []int32, beta, w float32) float32 {
	if !vectors() || len(q)%8 != 0 {
		return attendKeysBackLoop(dq, dx, g, dy, a, q, x, keys, beta, w)
	}
	dotKeys(g, dy, x, keys, 1)
	g = g[:len(keys)]
	dw := softmaxBack(g, a[:len(keys)], w*beta)
	addKeys(dq, dx, g, a, dy, q, x, keys, w)
	return dw
}

// addKeys adds Σ_k h_k x_k to dq, and w a_k dy + h_k q to row k of dx, for the rows that keys names.
func addKeys(dq, dx, h, a, dy, q, x []float32, keys []int32, w float32) {
	D, K := len(q), len(keys)
	ww := archsimd.BroadcastFloat32x8(w)
	hs := unsafe.Slice((*int32)(unsafe.Pointer(&h[0])), K) // the weights, for integer registers
	as := unsafe.Slice((*int32)(unsafe.Pointer(&a[0])), K)
	from0, to0, stride := rowsOf(x, keys, D), rowsOf(dx, keys, D), 4*uintptr(D)
	i := 0
	for ; i+32 <= D; i += 32 {
		s, t := unsafe.Add(from0, 4*i), unsafe.Add(to0, 4*i)
		y0, y1 := at(dy, i).Mul(ww), at(dy, i+8).Mul(ww)
		y2, y3 := at(dy, i+16).Mul(ww), at(dy, i+24).Mul(ww)
		q0, q1, q2, q3 := at(q, i), at(q, i+8), at(q, i+16), at(q, i+24)
		v := dq[i : i+32]
		s0, s1, s2, s3 := at(v, 0), at(v, 8), at(v, 16), at(v, 24)
		for k, j := range keys {
			row, to := unsafe.Add(s, uintptr(j)*stride), unsafe.Add(t, uintptr(j)*stride)
			hk := archsimd.BroadcastInt32x8(hs[k]).AsFloat32x8()
			ak := archsimd.BroadcastInt32x8(as[k]).AsFloat32x8()
			s0, s1 = from(row, 0).MulAdd(hk, s0), from(row, 32).MulAdd(hk, s1)
			s2, s3 = from(row, 64).MulAdd(hk, s2), from(row, 96).MulAdd(hk, s3)
			store(to, 0, q0.MulAdd(hk, y0.MulAdd(ak, from(to, 0))))
			store(to, 32, q1.MulAdd(hk, y1.MulAdd(ak, from(to, 32))))
			store(to, 64, q2.MulAdd(hk, y2.MulAdd(ak, from(to, 64))))
			store(to, 96, q3.MulAdd(hk, y3.MulAdd(ak, from(to, 96))))
		}
		s0.StoreSlice(v)
		s1.StoreSlice(v[8:])
		s2.StoreSlice(v[16:])
		s3.StoreSlice(v[24:])
	}
	for ; i+8 <= D; i += 8 {
		y0, q0, s0 := at(dy, i).Mul(ww), at(q, i), at(dq, i)
		for k, j := range keys {
			o := int(j)*D + i
			hk := archsimd.BroadcastInt32x8(hs[k]).AsFloat32x8()
			ak := archsimd.BroadcastInt32x8(as[k]).AsFloat32x8()
			s0 = at(x, o).MulAdd(hk, s0)
			q0.MulAdd(hk, y0.MulAdd(ak, at(dx, o))).StoreSlice(dx[o : o+8])
		}
		s0.StoreSlice(dq[i : i+8])
	}
	archsimd.ClearAVXUpperBits()
}

// store writes v to the eight numbers that lie so many bytes behind p.
func store(p unsafe.Pointer, bytes uintptr, v vec) { v.Store((*[8]float32)(unsafe.Add(p, bytes))) }
