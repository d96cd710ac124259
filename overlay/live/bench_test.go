package live

import (
	"testing"

	"glomstream/pipeline"
)

// What a frame of 640x360 costs the pipeline: copying, with nobody there and with the encoder busy.
func BenchmarkWrite(b *testing.B) {
	h := newTheatre(b, Config{})
	h.play(b, film{name: "demo?size=640x360", frames: 2, each: func(i int, r *pipeline.Result) {
		if i == 0 {
			return
		}
		b.ReportAllocs()
		for b.Loop() {
			if err := h.Write(r); err != nil {
				b.Error(err)
			}
		}
	}})
}

// In the long run a frame allocates nothing for Write.
func TestWriteAllocatesNothing(t *testing.T) {
	h := newTheatre(t, Config{})
	h.play(t, film{name: small, frames: 2, each: func(i int, r *pipeline.Result) {
		if i == 0 {
			return
		}
		if n := testing.AllocsPerRun(200, func() { _ = h.Write(r) }); n > 0 {
			t.Errorf("%v allocations a frame", n)
		}
	}})
}
