package capture

import (
	"image"
	"image/color"
	"math/rand/v2"
	"testing"
)

// BenchmarkFillImage converts a decoded picture of 640 x 360 to BGR.
func BenchmarkFillImage(b *testing.B) {
	const w, h = 640, 360
	rect := image.Rect(0, 0, w, h)
	rgba, nrgba, grey := image.NewRGBA(rect), image.NewNRGBA(rect), image.NewGray(rect)
	i420, i444 := image.NewYCbCr(rect, image.YCbCrSubsampleRatio420), image.NewYCbCr(rect, image.YCbCrSubsampleRatio444)
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range [][]byte{rgba.Pix, nrgba.Pix, grey.Pix, i420.Y, i420.Cb, i420.Cr, i444.Y, i444.Cb, i444.Cr} {
		for i := range p {
			p[i] = byte(rng.Uint32())
		}
	}
	opaque := image.NewNRGBA(rect)
	for i := range opaque.Pix {
		opaque.Pix[i] = nrgba.Pix[i] | byte(255*(i%4/3))
	}
	paletted := image.NewPaletted(rect, color.Palette{color.Black, color.White})
	for _, c := range []struct {
		name string
		src  image.Image
	}{
		{"YCbCr420", i420},
		{"YCbCr444", i444},
		{"Gray", grey},
		{"RGBA", rgba},
		{"NRGBA", nrgba},
		{"NRGBAopaque", opaque},
		{"Paletted", paletted},
	} {
		b.Run(c.name, func(b *testing.B) {
			dst, tables := NewPool(1).Frame(w, h), limitedRange()
			for b.Loop() {
				fillImage(&dst, c.src, tables)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}
