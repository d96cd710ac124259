package salient

import (
	"math"

	"glomstream/glom"
	"glomstream/glom/camera"
)

// kernelSize is the number of cosines that like knows.
const kernelSize = 1024

// like returns exp((cos-1)/Tau), from a table: the exponential itself would take most of the time.
func (f *Finder) like(cos float32) float32 {
	return f.kernel[min(max(int((cos+1)*(kernelSize/2)), 0), kernelSize-1)]
}

// feel fills texture from the mean length of the gradient of green, in steps of 0..255 per pixel; a
// length of 4 counts half.
func (f *Finder) feel(in *Frame) {
	const half = 4
	for i := range f.texture {
		r, c := i/f.cols, i%f.cols
		y0, y1 := r*in.H/f.rows, min((r+1)*in.H/f.rows, in.H-1)
		x0, x1 := c*in.W/f.cols, min((c+1)*in.W/f.cols, in.W-1)
		var sum float32
		for y := y0; y < y1; y++ {
			row, below := in.Pix[3*y*in.W:][:3*in.W], in.Pix[3*(y+1)*in.W:][:3*in.W]
			for x := x0; x < x1; x++ {
				g := int(row[3*x+1])
				dx, dy := float32(int(row[3*x+4])-g), float32(int(below[3*x+1])-g)
				sum += float32(math.Sqrt(float64(dx*dx + dy*dy)))
			}
		}
		mean := sum / float32(max(1, (y1-y0)*(x1-x0)))
		f.texture[i] = mean / (mean + half)
	}
}

// measure fills residual.
func (f *Finder) measure() {
	f.camera.Fit(f.motion, f.texture, f.rows, f.cols)
	for i := range f.residual {
		u, v := f.camera.At(i/f.cols, i%f.cols, f.rows, f.cols)
		f.residual[i] = float32(math.Hypot(float64(f.motion[2*i]-u), float64(f.motion[2*i+1]-v)))
	}
}

// carry moves the evidence to where it belongs now and adds that of this frame. A location takes
// it from the 3x3 locations about where the flow comes from, by how much they looked like it does now:
// the ground that comes out behind a thing has its flow, but not its looks.
func (f *Finder) carry(in *Frame) {
	copy(f.sorted, f.residual)
	noise := float32(f.cfg.Noise) * max(quantile(f.sorted, len(f.sorted)/2), camera.LeastSpread)
	for i, r := range f.residual {
		e := f.before(in, i)
		now := r * r / (r*r + noise*noise)
		rate := float32(f.cfg.Rate) * f.texture[i]
		if now < e {
			rate *= float32(f.cfg.Fade)
		}
		f.next[i] = e + rate*(now-e)
	}
	f.evidence, f.next = f.next, f.evidence
}

// before returns the evidence that location i had in the frame before.
func (f *Finder) before(in *Frame, i int) float32 {
	x, y := float32(i%f.cols)-f.motion[2*i], float32(i/f.cols)-f.motion[2*i+1]
	cx, cy := min(max(int(x+0.5), 0), f.cols-1), min(max(int(y+0.5), 0), f.rows-1)
	v := in.Vectors[i*f.dim:][:f.dim]
	var sum, total float32
	for r := max(0, cy-1); r <= min(f.rows-1, cy+1); r++ {
		for c := max(0, cx-1); c <= min(f.cols-1, cx+1); c++ {
			j := r*f.cols + c
			dx, dy := float32(c)-x, float32(r)-y
			w := f.like(glom.Dot(v, f.last[j*f.dim:][:f.dim])) / (1 + 2*(dx*dx+dy*dy))
			sum += w
			total += w * f.evidence[j]
		}
	}
	return ratio(total, sum)
}

// spread fills filled: the mean of the evidence of the 7x7 locations around, by how much they look alike
// and by their texture.
func (f *Finder) spread(in *Frame) {
	const (
		reach = 3
		flat  = 0.02 // weight without texture
	)
	for i := range f.filled {
		r, c := i/f.cols, i%f.cols
		v := in.Vectors[i*f.dim:][:f.dim]
		var sum, total float32
		for y := max(0, r-reach); y <= min(f.rows-1, r+reach); y++ {
			for x := max(0, c-reach); x <= min(f.cols-1, c+reach); x++ {
				j := y*f.cols + x
				w := f.like(glom.Dot(v, in.Vectors[j*f.dim:][:f.dim])) * (f.texture[j] + flat)
				sum += w
				total += w * f.evidence[j]
			}
		}
		f.filled[i] = ratio(total, sum)
	}
}

// ratio returns a/b, 0 if there is nothing.
func ratio(a, b float32) float32 {
	if b > 0 {
		return a / b
	}
	return 0
}
