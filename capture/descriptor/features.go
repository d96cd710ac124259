package descriptor

import (
	"math"

	"glomstream/glom/camera"
)

// colour sets the Lab colour of each cell, taken from 2 by 2 pixels at a time, and fills grey
// and half.
func (d *Descriptor) colour(pix []byte, H, W, cols int) {
	const share = 4.0 / (Stride * Stride)
	for y := 0; y < H; y += 2 {
		top, bottom := pix[y*W*3:][:W*3], pix[(y+1)*W*3:][:W*3]
		for x := 0; x < W; x += 2 {
			p, q := top[3*x:][:6], bottom[3*x:][:6]
			g0, g1, g2, g3 := luma(p[0:3]), luma(p[3:6]), luma(q[0:3]), luma(q[3:6])
			o := y*W + x
			d.grey[o], d.grey[o+1], d.grey[o+W], d.grey[o+W+1] = g0, g1, g2, g3
			d.half[y/2*(W/2)+x/2] = (g0 + g1 + g2 + g3) / 4
			b := (int(p[0]) + int(p[3]) + int(q[0]) + int(q[3]) + 2) / 4
			g := (int(p[1]) + int(p[4]) + int(q[1]) + int(q[4]) + 2) / 4
			r := (int(p[2]) + int(p[5]) + int(q[2]) + int(q[5]) + 2) / 4
			l, a, bb := d.lab(r, g, b)
			f := d.features[(y/Stride*cols+x/Stride)*numFeatures:]
			f[featL] += l * (scaleL * share)
			f[featA] += a * (scaleAB * share)
			f[featB] += bb * (scaleAB * share)
		}
	}
}

// luma is the grey value of a BGR pixel (BT.601).
func luma(p []byte) float32 {
	return 0.114*float32(p[0]) + 0.587*float32(p[1]) + 0.299*float32(p[2])
}

// lab converts sRGB to CIE Lab under D65, with the lightness taken from its middle, 50.
func (d *Descriptor) lab(r8, g8, b8 int) (l, a, b float32) {
	const steps = float32(len(d.root) - 1)
	r, g, bl := d.linear[r8], d.linear[g8], d.linear[b8]
	x := d.root[int(steps*(0.4339*r+0.3762*g+0.1899*bl)+0.5)]
	y := d.root[int(steps*(0.2126*r+0.7152*g+0.0722*bl)+0.5)]
	z := d.root[int(steps*(0.0178*r+0.1095*g+0.8727*bl)+0.5)]
	return 116*y - 66, 500 * (x - y), 200 * (y - z)
}

// gradients adds, for each cell of side pixels, the strength of the central differences of grey
// (H, W) and their direction as a double angle, which does not tell dark-to-light from
// light-to-dark. features begins at the strength of the first cell.
func gradients(features, grey []float32, H, W, side, cols int, scale float32) {
	const noise = 4 // grey values
	for y := 1; y < H-1; y++ {
		up, row, down := grey[(y-1)*W:][:W], grey[y*W:][:W], grey[(y+1)*W:][:W]
		for x := 1; x < W-1; x++ {
			gx, gy := row[x+1]-row[x-1], down[x]-up[x]
			s := gx*gx + gy*gy
			if s < noise*noise {
				continue
			}
			strength := float32(math.Sqrt(float64(s)))
			inv := scale / strength
			f := features[(y/side*cols+x/side)*numFeatures:][:3]
			f[0] += strength * scale
			f[1] += (gx*gx - gy*gy) * inv
			f[2] += 2 * gx * gy * inv
		}
	}
}

// motion sets the mean motion of each cell less the camera's. Where a cell has no texture, optical flow only
// repeats what is around it: such motion counts less, or every moving thing would have a halo.
func (d *Descriptor) motion(flow []float32, W, rows, cols int) {
	d.moves = camera.Coarsen(d.moves, flow, W, Stride*rows, rows, cols)
	for r := range rows {
		for c := range cols {
			var sure float32
			for y := range Stride {
				sure += texture(d.grey, (r*Stride+y)*W+c*Stride, W)
			}
			d.sure[r*cols+c] = sure / (sure + doubt)
		}
	}
	d.camera.Fit(d.moves, d.sure, rows, cols)
	d.camera.Residual(d.moves, d.moves, rows, cols, 1)
	for i, sure := range d.sure {
		for k := range 2 {
			v := Stride * float64(d.moves[2*i+k])
			d.features[i*numFeatures+flowX+k] = scaleFlow * sure * float32(math.Tanh(v/4))
		}
	}
}

// doubt is the texture of a cell whose motion counts half.
const doubt = 300

// texture is the sum of the squared differences along a row of a cell and to the row above or
// below it.
func texture(grey []float32, o, W int) (s float32) {
	below := o + W
	if below >= len(grey) {
		below = o - W
	}
	row, other := grey[o:][:Stride], grey[below:][:Stride]
	for x := range Stride - 1 {
		dx, dy := row[x+1]-row[x], other[x]-row[x]
		s += dx*dx + dy*dy
	}
	return s
}

// blur widens the field of view: each cell becomes the mean of its 3 by 3 cells with the weights
// 1 3 1 in both directions. At the border the missing cells do not count.
func blur(dst, src []float32, rows, cols int) {
	const middle = 3
	for r := range rows {
		for c := range cols {
			f := dst[(r*cols+c)*numFeatures:][:numFeatures]
			clear(f)
			var sum float32
			for y := max(0, r-1); y <= min(rows-1, r+1); y++ {
				for x := max(0, c-1); x <= min(cols-1, c+1); x++ {
					w := float32(1)
					if y == r {
						w *= middle
					}
					if x == c {
						w *= middle
					}
					for k, v := range src[(y*cols+x)*numFeatures:][:numFeatures] {
						f[k] += w * v
					}
					sum += w
				}
			}
			for k := range f {
				f[k] /= sum
			}
		}
	}
}
