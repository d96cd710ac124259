package capture

import (
	"image"
	"image/draw"
)

// yuv turns Y'CbCr of 8 bits into B'G'R'. BT.601 has, with Y in 0 … 1 and U, V in -0.5 … 0.5,
//
//	R = Y              + 1.402 V
//	G = Y - 0.344136 U - 0.714136 V
//	B = Y + 1.772 U
//
// The tables hold the products in whole numbers with 16 bits after the point, so that a colour
// is a sum of two or three and a cut to 0 … 255. Tables are twice as fast here as products and
// comparisons.
type yuv struct {
	y              [256]int32 // with 1/2, to round, and bias, to keep every sum positive
	bu, gu, gv, rv [256]int32
	cut            [1024]byte // cut[bias+v] is v, or the end of 0 … 255 that is nearer
}

const bias = 320 // sums are in -277 … 534

// fullRange is for 0 … 255 in all three, as in JPEG.
func fullRange() *yuv { return newYUV(0, 65536, 116130, 22553, 46802, 91881) }

// limitedRange is for 16 … 235 in Y and 16 … 240 in Cb and Cr, as in video and WebP: the
// factors of full range times 255/219 and 255/224.
func limitedRange() *yuv { return newYUV(16, 76309, 132201, 25675, 53279, 104597) }

// newYUV takes the code of black and the factors times 1<<16.
func newYUV(black, y, bu, gu, gv, rv int32) *yuv {
	t := new(yuv)
	for i := range int32(256) {
		t.y[i] = (i-black)*y + 1<<15 + bias<<16
		t.bu[i], t.gu[i] = (i-128)*bu, -(i-128)*gu
		t.gv[i], t.rv[i] = -(i-128)*gv, (i-128)*rv
	}
	for i := range t.cut {
		t.cut[i] = byte(min(max(i-bias, 0), 255))
	}
	return t
}

// planes are the parts of one Y'CbCr picture. A chroma sample covers 1<<shiftX by 1<<shiftY
// pixels. Without cb and cr the picture is grey.
type planes struct {
	y, cb, cr        []byte // rows of the frame's width, and of that rounded up to whole samples
	yStride, cStride int
	shiftX, shiftY   uint
}

// fill writes p into the whole of dst. Chroma samples are repeated, not interpolated.
func (t *yuv) fill(dst *Frame, p *planes) {
	chroma := (dst.W-1)>>p.shiftX + 1
	for y := range dst.H {
		out := dst.Pix[y*dst.Stride:][:3*dst.W]
		luma := p.y[y*p.yStride:][:dst.W]
		if p.cb == nil {
			t.greyRow(out, luma)
			continue
		}
		first := (y >> p.shiftY) * p.cStride
		cb, cr := p.cb[first:][:chroma], p.cr[first:][:chroma]
		if p.shiftX == 1 {
			n := dst.W / 2
			t.pairs(out[:6*n], luma[:2*n], cb, cr)
			out, luma, cb, cr = out[6*n:], luma[2*n:], cb[n:], cr[n:] // the odd pixel
		}
		t.row(out, luma, cb, cr, p.shiftX)
	}
}

// pairs converts pixels that share a chroma sample two by two, the usual case.
func (t *yuv) pairs(out, luma, cb, cr []byte) {
	cr = cr[:len(cb)]
	for i := 0; len(luma) >= 2; i++ {
		b, g, r := t.bu[cb[i]], t.gu[cb[i]]+t.gv[cr[i]], t.rv[cr[i]]
		y, z, o := t.y[luma[0]], t.y[luma[1]], out[:6:6]
		o[0], o[1], o[2] = t.at(y+b), t.at(y+g), t.at(y+r)
		o[3], o[4], o[5] = t.at(z+b), t.at(z+g), t.at(z+r)
		luma, out = luma[2:], out[6:]
	}
}

// row converts a row that has one chroma sample for 1<<shift pixels.
func (t *yuv) row(out, luma, cb, cr []byte, shift uint) {
	for x, l := range luma {
		u, v := cb[x>>shift], cr[x>>shift]
		y, o := t.y[l], out[3*x:][:3:3]
		o[0], o[1], o[2] = t.at(y+t.bu[u]), t.at(y+t.gu[u]+t.gv[v]), t.at(y+t.rv[v])
	}
}

func (t *yuv) greyRow(out, luma []byte) {
	for x, l := range luma {
		v, o := t.at(t.y[l]), out[3*x:][:3:3]
		o[0], o[1], o[2] = v, v, v
	}
}

// at returns a sum as a colour.
func (t *yuv) at(sum int32) byte { return t.cut[uint32(sum)>>16&1023] }

// fillImage writes a decoded picture of dst's size into dst, alpha over black. t is for its
// Y'CbCr, if that is what it has.
func fillImage(dst *Frame, src image.Image, t *yuv) {
	switch src := src.(type) {
	case *image.YCbCr:
		fillYCbCr(dst, src, t)
	case *image.NYCbCrA:
		fillYCbCr(dst, &src.YCbCr, t)
		overBlack(dst, src)
	case *image.Gray:
		for y := range dst.H {
			out := dst.Pix[y*dst.Stride:][:3*dst.W]
			for x, v := range src.Pix[y*src.Stride:][:dst.W] {
				p := out[3*x:][:3:3]
				p[0], p[1], p[2] = v, v, v
			}
		}
	case *image.RGBA:
		for y := range dst.H {
			dropAlpha(dst.Pix[y*dst.Stride:][:3*dst.W], src.Pix[y*src.Stride:][:4*dst.W])
		}
	case *image.NRGBA:
		for y := range dst.H {
			multiplyAlpha(dst.Pix[y*dst.Stride:][:3*dst.W], src.Pix[y*src.Stride:][:4*dst.W])
		}
	default:
		fillAny(dst, src)
	}
}

// fillYCbCr needs an image that starts at (0, 0), as decoders make it.
func fillYCbCr(dst *Frame, src *image.YCbCr, t *yuv) {
	p := planes{y: src.Y, cb: src.Cb, cr: src.Cr, yStride: src.YStride, cStride: src.CStride}
	switch src.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		p.shiftX = 1
	case image.YCbCrSubsampleRatio420:
		p.shiftX, p.shiftY = 1, 1
	case image.YCbCrSubsampleRatio440:
		p.shiftY = 1
	case image.YCbCrSubsampleRatio411:
		p.shiftX = 2
	case image.YCbCrSubsampleRatio410:
		p.shiftX, p.shiftY = 2, 1
	}
	t.fill(dst, &p)
}

// overBlack multiplies the colours already in dst by the alpha of src.
func overBlack(dst *Frame, src *image.NYCbCrA) {
	for y := range dst.H {
		out := dst.Pix[y*dst.Stride:][:3*dst.W]
		for x, a := range src.A[y*src.AStride:][:dst.W] {
			if a != 255 {
				p := out[3*x:][:3:3]
				p[0], p[1], p[2] = scale(p[0], a), scale(p[1], a), scale(p[2], a)
			}
		}
	}
}

// dropAlpha turns a row of RGBA, already multiplied by alpha, into BGR.
func dropAlpha(out, rgba []byte) {
	for len(rgba) >= 4 {
		p, q := out[:3:3], rgba[:4:4]
		p[0], p[1], p[2] = q[2], q[1], q[0]
		out, rgba = out[3:], rgba[4:]
	}
}

// multiplyAlpha turns a row of RGBA, not multiplied by alpha, into BGR.
func multiplyAlpha(out, rgba []byte) {
	for len(rgba) >= 4 {
		p, q := out[:3:3], rgba[:4:4]
		p[0], p[1], p[2] = q[2], q[1], q[0]
		if a := q[3]; a != 255 {
			p[0], p[1], p[2] = scale(p[0], a), scale(p[1], a), scale(p[2], a)
		}
		out, rgba = out[3:], rgba[4:]
	}
}

// scale returns v*a/255, rounded.
func scale(v, a byte) byte {
	return byte((uint32(v)*uint32(a) + 127) / 255)
}

// fillAny converts any image, a band of rows at a time so that a large one needs little memory.
func fillAny(dst *Frame, src image.Image) {
	const band = 16
	origin := src.Bounds().Min
	rgba := image.NewRGBA(image.Rect(0, 0, dst.W, min(band, dst.H)))
	for y0 := 0; y0 < dst.H; y0 += band {
		draw.Draw(rgba, rgba.Rect, src, origin.Add(image.Pt(0, y0)), draw.Src)
		for y := y0; y < min(y0+band, dst.H); y++ {
			dropAlpha(dst.Pix[y*dst.Stride:][:3*dst.W], rgba.Pix[(y-y0)*rgba.Stride:][:4*dst.W])
		}
	}
}
