package scene

import "testing"

func BenchmarkNext(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			s, err := New(Config{Name: name, Frames: -1})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				f, err := s.Next(b.Context())
				if err != nil {
					b.Fatal(err)
				}
				f.Release()
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}
