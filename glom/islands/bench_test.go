package islands

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func BenchmarkRead(b *testing.B) {
	const rows, cols, dim = 22, 40, 64
	raw, _ := noisyField(rand.New(rand.NewPCG(1, 1)), rows, cols, dim, 30, .5, .16)
	for _, c := range []struct {
		name string
		x    []float32
		cfg  Config
	}{
		{"noise", raw, Config{Steps: -1}},
		{"settled", settled(raw, rows, cols, dim, 6), Config{Steps: -1}},
		{"settled+shift", settled(raw, rows, cols, dim, 6), Config{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := NewReader(c.cfg)
			var l Level
			b.ReportAllocs()
			for b.Loop() {
				r.Read(&l, c.x, nil, rows, cols, dim)
			}
			b.ReportMetric(float64(len(l.Islands)), "islands")
		})
	}
}

func BenchmarkMatch(b *testing.B) {
	const rows, cols, dim = 22, 40, 16
	x, _ := noisyField(rand.New(rand.NewPCG(1, 1)), rows, cols, dim, 30, .9, .1)
	var l Level
	var m Tracker
	NewReader(Config{Steps: -1}).Read(&l, x, nil, rows, cols, dim)
	b.ReportAllocs()
	for b.Loop() {
		m.Track(&l, nil)
	}
}

func BenchmarkLabels(b *testing.B) {
	for _, size := range [][2]int{{640, 360}, {1920, 1080}} {
		w, h := size[0], size[1]
		b.Run(fmt.Sprintf("%dx%d", w, h), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			l := voronoiLevel(rng, 22, 40, 30)
			pix := picture(rng, w, h, l, 12)
			dst := make([]uint16, w*h)
			var u Upsampler
			b.ReportAllocs()
			for b.Loop() {
				u.Labels(dst, w, h, l, pix, 3*w)
			}
		})
	}
}
