package overlay

import (
	"math"
	"math/rand/v2"
	"testing"

	"glomstream/capture"
)

// slowBlend is blend in real numbers, with the opacity as a multiple of 1/256 as documented.
func slowBlend(pix, colour uint8, opacity float64) uint8 {
	a := math.Round(opacity*256) / 256
	return uint8(math.Floor(float64(pix)*(1-a) + float64(colour)*a + 0.5))
}

// slowIslands draws islands pixel by pixel from the definition of fill and outline.
func slowIslands(dst, src *capture.Frame, labels []uint16, opacity float64) {
	w, h := src.W, src.H
	for y := range h {
		for x := range w {
			p := pixel(src, x, y)
			if id := labels[y*w+x]; id != 0 {
				c := colourBGR(id)
				over, a := c, opacity
				switch slowLine(labels, w, h, x, y) {
				case 'd':
					over, a = slowMix(c, 0, darkKeep), lineOpacity
				case 'l':
					over, a = slowMix(c, 255, lightKeep), lineOpacity
				}
				for i := range p {
					p[i] = slowBlend(p[i], over[i], a)
				}
			}
			copy(row(dst, y)[3*x:], p[:])
		}
	}
}

func slowMix(c bgr, with uint8, keep int) bgr {
	for i := range c {
		c[i] = slowBlend(with, c[i], float64(keep)/256)
	}
	return c
}

// slowLine tells which line is on a pixel: 'd' dark, 'l' light, ' ' none. The nearest change of label
// decides, and among the nearest one to the right or below.
func slowLine(labels []uint16, w, h, x, y int) rune {
	differs := func(dx, dy int) bool {
		if x+dx < 0 || x+dx >= w || y+dy < 0 || y+dy >= h {
			return false
		}
		return labels[(y+dy)*w+x+dx] != labels[y*w+x]
	}
	for k := 1; k <= lineWidth(w, h); k++ {
		if differs(k, 0) || differs(0, k) {
			return 'd'
		}
		if differs(-k, 0) || differs(0, -k) {
			return 'l'
		}
	}
	return ' '
}

func TestIslandsAgainstSlow(t *testing.T) {
	cases := []struct {
		w, h    int
		opacity float64
	}{{1, 1, 0.45}, {1, 9, 1}, {9, 1, 0.45}, {8, 8, 0.45}, {33, 17, 0.01}, {33, 17, 1}, {640, 36, 0.45}, {901, 900, 0.5}}
	for _, c := range cases {
		s := makeScene(c.w, c.h, 3)
		d := newDrawer(t, Config{Opacity: c.opacity})
		for l, labels := range s.Labels {
			got, want := newFrame(c.w, c.h), newFrame(c.w, c.h)
			d.drawIslands(&got, s.Frame, labels)
			slowIslands(&want, s.Frame, labels, c.opacity)
			for i := range labels {
				x, y := i%c.w, i/c.w
				if g, w := pixel(&got, x, y), pixel(&want, x, y); g != w {
					t.Fatalf("%+v level %d at %d,%d: got %v, want %v", c, l, x, y, g, w)
				}
			}
		}
	}
}

// All bytes, all colours of one byte and many weights, in runs of every length up to two blocks.
func TestTintAgainstSlow(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, opacity := range []float64{0, 1.0 / 256, 0.3, 0.45, 0.5, 0.999, 1} {
		for v := range 256 {
			c := bgr{uint8(v), uint8(255 - v), uint8(7 * v)}
			tint := newTint(c, opacity)
			src := make([]byte, 3*rng.IntN(17))
			for i := range src {
				src[i] = uint8(rng.Uint32())
			}
			if v%2 == 0 { // the largest values meet in neighbouring lanes
				for i := range src {
					src[i] = 255
				}
			}
			dst := make([]byte, len(src))
			tint.over(dst, src)
			for i := range dst {
				if want := slowBlend(src[i], c[i%3], opacity); dst[i] != want {
					t.Fatalf("opacity %v colour %v byte %d of %d: %d became %d, want %d", opacity, c, i, len(src), src[i], dst[i], want)
				}
			}
		}
	}
}

// A picture of one island has no line; of two, lines only on the two pixels where they meet.
func TestOutlinePlaces(t *testing.T) {
	const w, h = 12, 9
	gray := newFrame(w, h)
	for i := range gray.Pix {
		gray.Pix[i] = 90
	}
	d := newDrawer(t, Config{})
	fill := func(id uint16) bgr { p := bgr{90, 90, 90}; d.styles[paletteIndex(id)].fill.over(p[:], p[:]); return p }
	cases := []struct {
		name  string
		label func(x, y int) uint16
		line  func(x, y int) bool
	}{
		{"one island", func(x, y int) uint16 { return 3 }, func(x, y int) bool { return false }},
		{"left and right", func(x, y int) uint16 { return uint16(1 + x/6) }, func(x, y int) bool { return x == 5 || x == 6 }},
		{"above and below", func(x, y int) uint16 { return uint16(4 + y/4) }, func(x, y int) bool { return y == 3 || y == 4 || y == 7 || y == 8 }},
		{
			"a square in nothing",
			func(x, y int) uint16 {
				if x >= 3 && x < 7 && y >= 2 && y < 6 {
					return 9
				}
				return 0
			},
			func(x, y int) bool { return x == 3 || x == 6 || y == 2 || y == 5 },
		},
	}
	for _, c := range cases {
		labels := make([]uint16, w*h)
		for i := range labels {
			labels[i] = c.label(i%w, i/w)
		}
		got := newFrame(w, h)
		d.drawIslands(&got, &gray, labels)
		for i, id := range labels {
			x, y := i%w, i/w
			p := pixel(&got, x, y)
			if id == 0 {
				if p != (bgr{90, 90, 90}) {
					t.Errorf("%s: no island at %d,%d but drawn %v", c.name, x, y, p)
				}
			} else if line := p != fill(id); line != c.line(x, y) {
				t.Errorf("%s: line at %d,%d is %v", c.name, x, y, line)
			}
		}
	}
}

// On every grey and on every strong colour, one of the two lines between two islands stands out from
// both fills.
func TestOutlineIsVisible(t *testing.T) {
	d := newDrawer(t, Config{})
	var backs []bgr
	for v := range 256 {
		backs = append(backs, bgr{uint8(v), uint8(v), uint8(v)})
	}
	for i := range 8 {
		backs = append(backs, bgr{uint8(i & 1 * 255), uint8(i >> 1 & 1 * 255), uint8(i >> 2 * 255)})
	}
	const least = 24 // ΔE; 2.3 is just noticeable
	for _, back := range backs {
		for a := uint16(1); a <= uint16(paletteSize); a++ {
			b := a%uint16(paletteSize) + 1
			over := func(t tint) lab { p := back; t.over(p[:], p[:]); return labOf(p, normal) }
			sa, sb := d.styles[paletteIndex(a)], d.styles[paletteIndex(b)]
			fills := []lab{over(sa.fill), over(sb.fill)}
			best := 0.0
			for _, line := range []lab{over(sa.dark), over(sb.light)} {
				best = max(best, min(line.distance(fills[0]), line.distance(fills[1])))
			}
			if best < least {
				t.Errorf("on %v the outline between %d and %d differs by %.1f, want %v", back, a, b, best, least)
			}
		}
	}
}
