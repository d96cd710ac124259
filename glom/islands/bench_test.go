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
		name  string
		x     []float32
		cfg   Config
		above *Level
	}{
		{"noise", raw, Config{Steps: -1}, nil},
		{"settled", settled(raw, rows, cols, dim, 6), Config{Steps: -1}, nil},
		{"settled+shift", settled(raw, rows, cols, dim, 6), Config{}, nil},
		{"settled+shift within", settled(raw, rows, cols, dim, 6), Config{}, voronoiLevel(rand.New(rand.NewPCG(1, 2)), rows, cols, 10)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := NewReader(c.cfg)
			var l Level
			b.ReportAllocs()
			for b.Loop() {
				r.Read(&l, c.above, c.x, nil, rows, cols, dim)
			}
			b.ReportMetric(float64(len(l.Islands)), "islands")
		})
	}
}

// BenchmarkTrack tracks five levels of about 50 islands that waver, and of about 130 of which none
// outlives two frames.
func BenchmarkTrack(b *testing.B) {
	const rows, cols, dim, L = 22, 40, 64, 5
	for _, bb := range []struct {
		name   string
		cells  int
		lasts  int // frames until the picture is another one
		within float64
	}{{"steady", 50, 8, .9}, {"ever new", 60, 2, .5}} {
		b.Run(bb.name, func(b *testing.B) {
			var frames [8]Level
			motion := make([]float32, 2*rows*cols)
			rng := rand.New(rand.NewPCG(1, 1))
			for k := range frames {
				x, _ := noisyField(rand.New(rand.NewPCG(uint64(k/bb.lasts), 1)), rows, cols, dim, bb.cells, bb.within, .1)
				for i := range x {
					x[i] += float32(0.05 * rng.NormFloat64())
				}
				NewReader(Config{Steps: -1}).Read(&frames[k], nil, x, nil, rows, cols, dim)
			}
			for i := range motion {
				motion[i] = float32(i%3) / 4
			}
			var trackers [L]Tracker
			var l Level
			n, islands := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				for k := range trackers {
					from := &frames[(n+k)%len(frames)]
					l.Rows, l.Cols = from.Rows, from.Cols
					l.ID, l.Islands = append(l.ID[:0], from.ID...), append(l.Islands[:0], from.Islands...)
					trackers[k].Track(&l, motion)
					islands += len(l.Islands)
				}
				n++
			}
			b.ReportMetric(float64(islands)/float64(n)/L, "islands")
			b.ReportMetric(float64(len(trackers[0].tracks)), "tracks")
		})
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
