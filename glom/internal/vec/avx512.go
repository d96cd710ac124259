//go:build amd64 && goexperiment.simd

package vec

import (
	"math"
	"simd/archsimd"
	"unsafe"
)

// The kernels of dense attention and of the nets' hidden layers sixteen lanes wide, for processors
// with AVX-512. The rules of kernels_simd.go hold here too.

func wide() bool { return archsimd.X86.AVX512() }

type vec16 = archsimd.Float32x16

func at16(s []float32, i int) vec16 { return archsimd.LoadFloat32x16((*[16]float32)(s[i : i+16])) }

func splat16(v float32) vec16 {
	return archsimd.BroadcastInt32x16(int32(math.Float32bits(v))).AsFloat32x16()
}

// pow2x16 is pow2; the processor rounds and scales by itself.
func pow2x16(t, c5, c4, c3, c2, c1, c0 vec16) vec16 {
	n := t.RoundToEvenScaled(0)
	f := t.Sub(n)
	return c5.MulAdd(f, c4).MulAdd(f, c3).MulAdd(f, c2).MulAdd(f, c1).MulAdd(f, c0).Scale(n)
}

func addPrior16(s, rows, cols []float32) float32 {
	C := len(cols)
	top := archsimd.BroadcastFloat32x16(float32(math.Inf(-1)))
	last := at16(cols, C-16)
	bits := unsafe.Slice((*int32)(unsafe.Pointer(&rows[0])), len(rows))
	for k := range bits {
		row := s[k*C : k*C+C]
		c := archsimd.BroadcastInt32x16(bits[k]).AsFloat32x16()
		end := at16(row, C-16).Add(last.Add(c)) // overlaps with those before, so it is read first
		top = top.Max(end)
		for i := 0; i+16 < C; i += 16 {
			t := at16(row, i).Add(at16(cols, i).Add(c))
			t.StoreSlice(row[i : i+16])
			top = top.Max(t)
		}
		end.StoreSlice(row[C-16:])
	}
	return clearAndMax(top.GetLo().Max(top.GetHi()))
}

func expSum16(s []float32, top float32) float32 {
	n := len(s)
	var fresh [16]float32 // 1 in the lanes of the last sixteen that no other sixteen counts
	for k := 16 - n&15; k < 16; k++ {
		fresh[k] = 1
	}
	var sum vec16
	offset := archsimd.BroadcastFloat32x16(-math.Log2E * top)
	log2e, least := splat16(math.Log2E), splat16(vanish*math.Log2E)
	c5, c4, c3 := splat16(pow2c5), splat16(pow2c4), splat16(pow2c3)
	c2, c1, c0 := splat16(pow2c2), splat16(pow2c1), splat16(pow2c0)
	t := at16(s, n-16).MulAdd(log2e, offset)
	end := pow2x16(t.Max(least), c5, c4, c3, c2, c1, c0).Masked(t.Greater(least))
	i := 0
	for ; i+16 <= n; i += 16 {
		t := at16(s, i).MulAdd(log2e, offset)
		e := pow2x16(t.Max(least), c5, c4, c3, c2, c1, c0).Masked(t.Greater(least))
		e.StoreSlice(s[i : i+16])
		sum = sum.Add(e)
	}
	if i < n {
		end.StoreSlice(s[n-16:])
		sum = end.MulAdd(at16(fresh[:], 0), sum)
	}
	return clearAndSum(sum.GetLo().Add(sum.GetHi()))
}

func geluBias16(h, b []float32) {
	one, cube, scale := splat16(1), splat16(geluCube), splat16(-geluScale*math.Log2E)
	least, most := splat16(-126), splat16(126)
	c5, c4, c3 := splat16(pow2c5), splat16(pow2c4), splat16(pow2c3)
	c2, c1, c0 := splat16(pow2c2), splat16(pow2c1), splat16(pow2c0)
	for i := 0; i+16 <= len(h); i += 16 {
		v := at16(h, i).Add(at16(b, i))
		t := v.Mul(v).MulAdd(cube, one).Mul(v).Mul(scale).Min(most).Max(least)
		v.Div(pow2x16(t, c5, c4, c3, c2, c1, c0).Add(one)).StoreSlice(h[i : i+16])
	}
	archsimd.ClearAVXUpperBits()
}
