package scene

import (
	"math"
	"math/rand/v2"
)

// colour is blue, green, red, 0 to 255 each.
type colour [3]int32

// hex takes 0xRRGGBB.
func hex(c uint32) colour {
	return colour{int32(c & 255), int32(c >> 8 & 255), int32(c >> 16 & 255)}
}

// mix returns a for w = 0 and b for w = 256.
func mix(a, b colour, w int32) colour {
	for i := range a {
		a[i] += (b[i] - a[i]) * w >> 8
	}
	return a
}

// split is how the tones of a paint share a shape.
type split uint8

const (
	whole split = iota // one tone
	bands              // n bands of width w along (nx, ny) from off on; the outer ones have no outer end
	spot               // the second tone in a disc of radius w around (nx, ny)
	fade               // one patch that turns from the first tone to the second, from off on over w
)

// paint is what the surface of a shape looks like, in the coordinates of the shape.
type paint struct {
	tones          []colour // patch k has tone k modulo their number
	split          split
	n              int
	nx, ny, off, w float64
	grain          int32   // height of the texture, in 1/128 of the brightness
	fu, fv         float64 // texels per unit
	tu, tv         float64 // where in the texture the origin lies, texels
	rim            float64 // the outline is darker, over so many units; 0: it is not
}

func tones(c ...uint32) []colour {
	t := make([]colour, len(c))
	for i := range c {
		t[i] = hex(c[i])
	}
	return t
}

// solid has one tone and the texture of cloth.
func solid(c uint32) paint {
	return paint{tones: tones(c), n: 1, grain: 20, fu: 1, fv: 1, rim: 9}
}

// striped has n bands of width w across the direction angle, centred on the origin.
func striped(angle float64, n int, w float64, c ...uint32) paint {
	p := solid(0)
	p.tones, p.split, p.n, p.w = tones(c...), bands, n, w
	m := turn(angle).rounded()
	p.nx, p.ny, p.off = m.a, m.c, -w*float64(n)/2
	return p
}

// halves has two tones, parted at a distance from the origin by the line across the direction angle.
func halves(angle, at float64, a, b uint32) paint {
	p := striped(angle, 2, 256, a, b)
	p.off += at
	return p
}

// spotted has a disc of radius r of tone b around (u, v), on tone a.
func spotted(u, v, r float64, a, b uint32) paint {
	p := solid(0)
	p.tones, p.split, p.n, p.nx, p.ny, p.w = tones(a, b), spot, 2, u, v, r
	return p
}

// faded turns from tone a at v0 to tone b at v1, without a patch border.
func faded(v0, v1 float64, a, b uint32) paint {
	p := land(0)
	p.tones, p.split, p.ny, p.off, p.w = tones(a, b), fade, 1, v0, v1-v0
	return p
}

// land has one tone, no rim and a broad texture.
func land(c uint32) paint {
	return paint{tones: tones(c), n: 1, grain: 30, fu: 0.5, fv: 0.8}
}

// textured returns p with a texture of the given height and texels per unit.
func (p paint) textured(grain int32, fu, fv float64) paint {
	p.grain, p.fu, p.fv = grain, fu, fv
	return p
}

// at returns patch and tone at (u, v); px is the number of pixels per unit, which says how sharp
// the border between two patches is.
func (p *paint) at(u, v, px float64) (patch int, c colour) {
	switch p.split {
	case bands:
		q := (dot(u, p.nx, v, p.ny) - p.off) / p.w
		k := clamp(math.Floor(q), float64(p.n-1))
		patch, c = int(k), p.tones[int(k)%len(p.tones)]
		q -= k
		next := patch + 1
		if q < 0.5 {
			q, next = 1-q, patch-1
		}
		if e := float64((1-q)*p.w) * px; e < 0.5 && next >= 0 && next < p.n {
			c = mix(c, p.tones[next%len(p.tones)], int32((0.5-e)*256))
		}
		return patch, c
	case spot:
		e := float64((length(u-p.nx, v-p.ny) - p.w) * px)
		if e < 0 {
			patch = 1
		}
		return patch, mix(p.tones[1], p.tones[0], int32(clamp(0.5+e, 1)*256))
	case fade:
		return 0, mix(p.tones[0], p.tones[1], int32(clamp((dot(u, p.nx, v, p.ny)-p.off)/p.w, 1)*256))
	}
	return 0, p.tones[0]
}

// texture is smooth noise, -128 to 127, that repeats after 256 texels in both directions.
type texture [256 * 256]int8

// newTexture adds up five octaves of value noise.
func newTexture(seed uint64) *texture {
	r := rand.New(rand.NewPCG(seed, 'T'))
	sum := make([]int32, 256*256)
	for cell := 32; cell >= 2; cell /= 2 {
		n := 256 / cell
		grid := make([]int32, n*n)
		for i := range grid {
			grid[i] = int32(r.Uint64()>>56) - 128
		}
		for y := range 256 {
			g0, g1 := grid[y/cell*n:][:n], grid[(y/cell+1)%n*n:][:n]
			h := ease(y % cell * 256 / cell)
			for x := range 256 {
				i, j, w := x/cell, (x/cell+1)%n, ease(x%cell*256/cell)
				top := g0[i]*(256-w) + g0[j]*w
				low := g1[i]*(256-w) + g1[j]*w
				sum[256*y+x] += (top*(256-h)>>8 + low*h>>8) >> 8
			}
		}
	}
	t := new(texture)
	for i, s := range sum {
		t[i] = int8(max(-128, min(127, s*2/5)))
	}
	return t
}

// ease is the smooth step 3t² - 2t³ for t = 0 to 256.
func ease(t int) int32 { return int32(t * t * (768 - 2*t) >> 16) }

// at returns the value at (u, v) texels, interpolated.
func (t *texture) at(u, v float64) int32 {
	x, y := int(u*256), int(v*256)
	i, j := x>>8&255, (x>>8+1)&255
	r0, r1 := y>>8&255<<8, (y>>8+1)&255<<8
	fx, fy := int32(x&255), int32(y&255)
	top := int32(t[r0|i])*(256-fx) + int32(t[r0|j])*fx
	low := int32(t[r1|i])*(256-fx) + int32(t[r1|j])*fx
	return (top*(256-fy) + low*fy) >> 16
}
