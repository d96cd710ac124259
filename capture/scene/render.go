package scene

import (
	"math"
	"math/rand/v2"

	"glomstream/capture"
)

// render draws frame n without sensor noise into pix, (H, W, 3) BGR, and returns its truth.
func (s *stage) render(pix []byte, n int) *capture.Truth {
	t := &capture.Truth{Levels: make([][]uint16, Levels)}
	for l := range t.Levels {
		t.Levels[l] = make([]uint16, s.w*s.h)
	}
	clear(pix)
	for i := range s.free {
		s.free[i] = 255
	}
	now, scene := s.poses(n), s.current(n)
	// From front to back, so that nothing is painted that is not seen.
	for i := len(s.shapes) - 1; i >= 0; i-- {
		if sh := &s.shapes[i]; sh.scene == scene {
			s.draw(pix, t.Levels[0], sh, now[sh.node])
		}
	}
	for l := 1; l < Levels; l++ {
		up, ids := s.up[l], t.Levels[l]
		for i, id := range t.Levels[0] {
			ids[i] = up[id]
		}
	}
	switch {
	case n == 0:
	case s.current(n-1) != scene:
		t.Cut = true
	default:
		t.Flow = s.flow(t.Levels[1], s.poses(n-1), now)
	}
	return t
}

// flow returns the motion at each pixel of the shapes that are seen there, (H*W, 2).
func (s *stage) flow(seen []uint16, before, now []affine) []float32 {
	moves := make([]*affine, len(s.shapes)+1) // by level-1 id; nil for rest
	for i, sh := range s.shapes {
		if before[sh.node] != now[sh.node] {
			m := motion(before[sh.node], now[sh.node])
			moves[i+1] = &m
		}
	}
	flow := make([]float32, 2*len(seen))
	for y := range s.h {
		ids, out := seen[y*s.w:][:s.w], flow[2*y*s.w:][:2*s.w]
		for x, id := range ids {
			if m := moves[id]; m != nil {
				dx, dy := m.apply(float64(x)+0.5, float64(y)+0.5)
				out[2*x], out[2*x+1] = float32(dx), float32(dy)
			}
		}
	}
	return flow
}

// extent returns the pixels x0 <= x < x1, y0 <= y < y1 that a shape may touch.
func (s *stage) extent(sh *shape, m affine) (x0, y0, x1, y1 int) {
	u0, v0, u1, v1 := sh.form.bounds()
	lx, ly, hx, hy := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, c := range [4][2]float64{{u0, v0}, {u1, v0}, {u0, v1}, {u1, v1}} {
		x, y := m.apply(c[0], c[1])
		lx, ly, hx, hy = min(lx, x), min(ly, y), max(hx, x), max(hy, y)
	}
	edge := 2 + sh.soft*s.unit
	w, h := float64(s.w), float64(s.h)
	return int(clamp(lx-edge, w)), int(clamp(ly-edge, h)),
		int(clamp(hx+edge, w)), int(clamp(hy+edge, h))
}

// draw paints one shape with pose m under what is there already. The outline is blended by how
// far the pixel centre is from it; the truth goes by the centre alone.
func (s *stage) draw(pix []byte, ids []uint16, sh *shape, m affine) {
	x0, y0, x1, y1 := s.extent(sh, m)
	inv := m.inverse()
	px := math.Sqrt(math.Abs(dot(m.a, m.d, -m.b, m.c))) // pixels per unit of the shape
	sharp := px
	if sh.soft > 0 {
		sharp = min(px, 1/sh.soft)
	}
	for y := y0; y < y1; y++ {
		cy := float64(y) + 0.5
		ru, rv := float64(inv.b*cy)+inv.x, float64(inv.d*cy)+inv.y
		row, idRow, free := pix[3*y*s.w:][:3*s.w], ids[y*s.w:][:s.w], s.free[y*s.w:][:s.w]
		for x := x0; x < x1; x++ {
			if free[x] == 0 && idRow[x] != 0 {
				continue
			}
			cx := float64(x) + 0.5
			u, v := float64(inv.a*cx)+ru, float64(inv.c*cx)+rv
			d := sh.form.dist(u, v)
			e := float64(d * sharp)
			if e >= 0.5 {
				continue
			}
			patch, c := sh.paint.at(u, v, px)
			if d <= 0 && idRow[x] == 0 && sh.first > 0 {
				idRow[x] = sh.first + uint16(patch)
			}
			alpha := sh.alpha
			if e > -0.5 {
				alpha = int32((0.5-e)*256) * alpha >> 8
			}
			share := int32(free[x]) * alpha >> 8
			free[x] -= byte(share)
			under(row[3*x:3*x+3], c, s.light(&sh.paint, u, v, d), share)
		}
	}
}

// light returns the brightness of a surface point, 256 for that of the plain tone.
func (s *stage) light(p *paint, u, v, d float64) int32 {
	light := int32(256)
	if p.grain > 0 {
		light += s.tex.at(float64(u*p.fu)+p.tu, float64(v*p.fv)+p.tv) * p.grain >> 6
	}
	if p.rim > 0 && d > -p.rim {
		e := 1 + d/p.rim
		light = light * (256 - int32(64*e*e)) >> 8
	}
	return light
}

// under adds a share, of 255, of a lit colour to a pixel. It rounds down, so that a sum over all
// shares cannot overflow.
func under(dst []byte, c colour, light, share int32) {
	_ = dst[2]
	share = 257*share + share>>7 // now of 65536
	for i := range c {
		dst[i] += byte(min(255, c[i]*light>>8) * share >> 16)
	}
}

// noiseLen is how many noise values there are to start a row from.
const noiseLen = 1 << 16

// sensorNoise returns values with a standard deviation of about 1.7 levels: the sum of four
// uniform ones is close enough to a normal one. A row of any width fits behind any start.
func sensorNoise(seed uint64) []int8 {
	r := rand.New(rand.NewPCG(seed, 'N'))
	noise := make([]int8, noiseLen+3*maxSize)
	for i := range noise {
		b := r.Uint32()
		sum := int32(b&255) + int32(b>>8&255) + int32(b>>16&255) + int32(b>>24)
		noise[i] = int8(((sum-510)*3 + 128) >> 8)
	}
	return noise
}

// expose adds the sensor noise of frame f.Seq.
func (s *Source) expose(f *capture.Frame) {
	if s.noise == nil {
		return
	}
	r := rand.NewPCG(s.cfg.Seed, f.Seq)
	for y := range f.H {
		row := f.Pix[y*f.Stride:][:3*f.W]
		noise := s.noise[r.Uint64()%noiseLen:][:len(row)]
		for i, v := range row {
			row[i] = byte(max(0, min(255, int32(v)+int32(noise[i]))))
		}
	}
}
