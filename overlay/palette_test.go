package overlay

import (
	"fmt"
	"math"
	"testing"
)

// vision turns linear R, G, B into what a kind of eye makes of it, (3, 3).
type vision [9]float64

// Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
// Deficiency" (2009), severity 1.
const (
	normal = iota
	protanopia
	deuteranopia
)

func visions() []vision {
	return []vision{
		normal:       {1, 0, 0, 0, 1, 0, 0, 0, 1},
		protanopia:   {0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998},
		deuteranopia: {0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.011820, 0.042940, 0.968881},
	}
}

type lab [3]float64 // CIE L*, a*, b* under D65

// distance is ΔE of 1976.
func (a lab) distance(b lab) float64 {
	return math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
}

func labOf(c bgr, eye int) lab {
	var lin [3]float64
	for i := range lin {
		v := float64(c[2-i]) / 255
		if lin[i] = v / 12.92; v > 0.04045 {
			lin[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	m := visions()[eye]
	var s [3]float64
	for i := range s {
		s[i] = min(max(m[3*i]*lin[0]+m[3*i+1]*lin[1]+m[3*i+2]*lin[2], 0), 1)
	}
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124*s[0] + 0.3576*s[1] + 0.1805*s[2]) / 0.95047)
	y := f(0.2126*s[0] + 0.7152*s[1] + 0.0722*s[2])
	z := f((0.0193*s[0] + 0.1192*s[1] + 0.9505*s[2]) / 1.08883)
	return lab{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func TestLabOf(t *testing.T) {
	cases := []struct {
		c    bgr
		want lab
	}{ // values of Lindbloom's calculator, sRGB and D65
		{bgr{255, 255, 255}, lab{100, 0, 0}},
		{bgr{0, 0, 255}, lab{53.24, 80.09, 67.20}},
		{bgr{255, 0, 0}, lab{32.30, 79.19, -107.86}},
	}
	for _, c := range cases {
		if got := labOf(c.c, normal); got.distance(c.want) > 0.1 {
			t.Errorf("%v: got %.2f, want %.2f", c.c, got, c.want)
		}
	}
}

func TestColoursDiffer(t *testing.T) {
	for eye, name := range []string{"normal", "protanopia", "deuteranopia"} {
		t.Run(name, func(t *testing.T) {
			check := func(a, b uint16, least float64) {
				if got := labOf(colourBGR(a), eye).distance(labOf(colourBGR(b), eye)); got < least {
					t.Errorf("ids %d and %d differ by %.1f, want %v", a, b, got, least)
				}
			}
			for a := uint16(1); a <= 8; a++ {
				for b := a + 1; b <= 8; b++ {
					check(a, b, 16)
				}
			}
			for a := uint16(1); a <= 2*uint16(paletteSize); a++ {
				check(a, a+1, 23)
				for b := a + 1; b < a+uint16(paletteSize); b++ {
					check(a, b, 8)
				}
			}
		})
	}
}

func TestColour(t *testing.T) {
	if got := Colour(0); got.A != 0 {
		t.Errorf("no island is %v, want transparent", got)
	}
	if got := fmt.Sprintf("%02X%02X%02X", Colour(3).R, Colour(3).G, Colour(3).B); got != "0072B2" {
		t.Errorf("colour of 3 is %s, want 0072B2", got)
	}
	for id := uint16(1); id <= 24; id++ {
		if Colour(id) != Colour(id+24) {
			t.Errorf("colours of %d and %d differ", id, id+24)
		}
	}
	_ = Colour(math.MaxUint16)
}
