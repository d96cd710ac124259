package overlay

import (
	"fmt"
	"testing"
)

// BenchmarkDraw measures whole pictures with text and legends.
func BenchmarkDraw(b *testing.B) {
	configs := []struct {
		name string
		c    Config
	}{
		{"islands", Config{Level: 1}},
		{"agreement", Config{View: Agreement}},
		{"flow", Config{View: Flow}},
		{"all", Config{All: true}},
	}
	for _, size := range [][2]int{{640, 360}, {1920, 1080}} {
		s := makeScene(size[0], size[1], 5)
		for _, c := range configs {
			b.Run(fmt.Sprintf("%s/%dx%d", c.name, size[0], size[1]), func(b *testing.B) {
				d := newDrawer(b, c.c)
				canvas := newCanvas(d, s.Frame.W, s.Frame.H)
				b.ReportAllocs()
				for b.Loop() {
					d.Draw(&canvas, s)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
			})
		}
	}
}

// BenchmarkIslands compares the kernel with slowIslands, which is what one would write first.
func BenchmarkIslands(b *testing.B) {
	s := makeScene(640, 360, 5)
	d := newDrawer(b, Config{})
	canvas := newCanvas(d, 640, 360)
	for l := range 5 {
		b.Run(fmt.Sprintf("fast/level%d", l), func(b *testing.B) {
			for b.Loop() {
				d.drawIslands(&canvas, s.Frame, s.Labels[l])
			}
		})
	}
	b.Run("slow/level1", func(b *testing.B) {
		for b.Loop() {
			slowIslands(&canvas, s.Frame, s.Labels[1], d.cfg.Opacity)
		}
	})
	b.Run("copy", func(b *testing.B) {
		for b.Loop() {
			copyFrame(&canvas, s.Frame)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		newDrawer(b, Config{})
	}
}
