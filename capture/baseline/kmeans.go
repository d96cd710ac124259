package baseline

import (
	"math"

	"glomstream/capture"
	"glomstream/capture/opencv"
)

// samples is about how many points of a picture k-means looks at. Their clusters then take all
// pixels.
const samples = 3000

// The features of k-means: position first, since it rules out most clusters soonest, then colour
// and motion.
const numPoint = 7

// spread is how many steps of Lab colour the longer side of the picture counts for.
const spread = 100

// clusters is a Segmenter by k-means.
type clusters struct {
	view    view
	names   names
	points  []float32 // (samples, numPoint)
	labels  []int32   // (samples)
	centres []float32 // (count, numPoint)
	number  []uint16  // (count) labels from 1 in the order of a scan, 0 for none yet
}

// Segment clusters the means of small square blocks, then gives each pixel to the nearest centre.
func (c *clusters) Segment(dst []uint16, f *capture.Frame, ev *capture.Evidence, count int) error {
	if err := checkSegment(dst, f, count); err != nil {
		return err
	}
	if err := c.view.look(f, ev); err != nil {
		return err
	}
	c.sample()
	n := len(c.points) / numPoint
	count = min(count, n)
	c.labels = resize(c.labels, n)
	c.centres = resize(c.centres, count*numPoint)
	if err := opencv.KMeans(c.labels, c.centres, c.points, numPoint, count); err != nil {
		return err
	}
	c.names.keep(dst, c.assign(dst, count), &c.view)
	return nil
}

// sample fills c.points with the means of blocks.
func (c *clusters) sample() {
	v := &c.view
	side := max(1, int(math.Sqrt(float64(v.w)*float64(v.h)/samples)))
	c.points = c.points[:0]
	for y := 0; y < v.h; y += side {
		for x := 0; x < v.w; x += side {
			var sum [numPoint]float32
			area := float32(0)
			for yy := y; yy < min(y+side, v.h); yy++ {
				for xx := x; xx < min(x+side, v.w); xx++ {
					p := v.point(xx, yy)
					for i := range sum {
						sum[i] += p[i]
					}
					area++
				}
			}
			for i := range sum {
				sum[i] /= area
			}
			c.points = append(c.points, sum[:]...)
		}
	}
}

// point returns the features of a pixel.
func (v *view) point(x, y int) [numPoint]float32 {
	i := y*v.w + x
	long := float32(max(v.w, v.h))
	lab := v.lab[3*i:][:3]
	p := [numPoint]float32{
		float32(x) * (spread / long), float32(y) * (spread / long),
		float32(lab[0]) * (100. / 255), float32(lab[1]), float32(lab[2]),
	}
	if v.flow != nil {
		scale := flowWeight * 320 / long
		p[5], p[6] = v.flow[2*i]*scale, v.flow[2*i+1]*scale
	}
	return p
}

// assign writes into dst the nearest centre of each pixel, numbered from 1 in the order of a scan,
// and returns how many of them there are.
func (c *clusters) assign(dst []uint16, count int) (n int) {
	v := &c.view
	c.number = resize(c.number, count)
	clear(c.number)
	best := 0
	for y := range v.h {
		for x := range v.w {
			p := v.point(x, y)
			best = c.nearest(&p, best)
			if c.number[best] == 0 {
				n++
				c.number[best] = uint16(n)
			}
			dst[y*v.w+x] = c.number[best]
		}
	}
	return n
}

// nearest returns the centre that is nearest to p. A good guess saves most of the work: the other
// centres are given up as soon as a part of their distance is larger. Of two equally near centres
// the one that comes first is taken, whatever the guess.
func (c *clusters) nearest(p *[numPoint]float32, guess int) int {
	best, least := guess, distance(p, c.centres[guess*numPoint:], math.MaxFloat32)
	for k := 0; k < len(c.centres)/numPoint; k++ {
		if d := distance(p, c.centres[k*numPoint:], least); d < least || d == least && k < best {
			best, least = k, d
		}
	}
	return best
}

// distance returns the squared distance of p to q, or something over limit.
func distance(p *[numPoint]float32, q []float32, limit float32) float32 {
	q = q[:numPoint]
	dx, dy := p[0]-q[0], p[1]-q[1]
	d := dx*dx + dy*dy
	if d > limit {
		return d
	}
	for i := 2; i < numPoint; i++ {
		d += (p[i] - q[i]) * (p[i] - q[i])
	}
	return d
}

// Reset forgets the frame before.
func (c *clusters) Reset() { c.names.reset() }

// Close does nothing; there is nothing to free.
func (c *clusters) Close() error { return nil }
