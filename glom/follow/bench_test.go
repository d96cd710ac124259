package follow

import "testing"

// BenchmarkFrame follows through the default grid and brings the masks to 640x360 pixels.
func BenchmarkFrame(b *testing.B) {
	for _, bb := range []struct {
		name  string
		discs []disc
	}{
		{"one", []disc{{14, 10, 0, 0, 5}}},
		{"five", []disc{{6, 6, 0, 0, 3}, {14, 6, 0, 0, 3}, {22, 6, 0, 0, 3}, {30, 6, 0, 0, 3}, {14, 15, 0, 0, 3}}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			w := newWorld(1, 0.5, bb.discs...)
			w.resize(22, 40, 64)
			in := w.paint()
			in.Vectors = [][]float32{w.x, w.x, w.x}
			f := New(Config{})
			f.Start(in, w.truth, in.W, in.H)
			pix, dst := make([]byte, 3*640*360), make([]uint8, 640*360)
			for b.Loop() {
				f.Step(in)
				f.Mask(dst, 640, 360, pix, 3*640)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}
