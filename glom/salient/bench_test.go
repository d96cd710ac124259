package salient

import "testing"

// BenchmarkFrame is the default grid with a mask of 640x360 pixels, once the memory is full.
func BenchmarkFrame(b *testing.B) {
	w := newWorld(thing{12, 11, 0, 0, 4}, thing{28, 8, 0, 0, 3}, thing{20, 16, 0, 0, 3})
	w.resize(22, 40, 64)
	in := w.next()
	f := New(Config{})
	for range 300 {
		f.Step(in)
	}
	pix, dst := make([]byte, 3*640*360), make([]uint8, 640*360)
	for b.Loop() {
		f.Step(in)
		f.Mask(dst, 640, 360, pix, 3*640)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
}
