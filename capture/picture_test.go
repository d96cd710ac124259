package capture

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
)

// WebP pictures of RGB 200, 50, 20, made with libwebp: there is no encoder in Go.
const (
	webpLossy    = "UklGRj4AAABXRUJQVlA4IDIAAADQAQCdASoEAAIAAMASJaACdLoB+AADsAD+9hNf/uQD2QD2QD+E//9krfZ5f2St/2PIAA=="                                                 // 4 x 2
	webpAlpha    = "UklGRmIAAABXRUJQVlA4WAoAAAAQAAAAAwAAAQAAQUxQSAkAAAAAf39/f39/f38AVlA4IDIAAADQAQCdASoEAAIAAMASJaACdLoB+AADsAD+9hNf/uQD2QD2QD+E//9krfZ5f2St/2PIAA==" // the same at alpha 127
	webpLossless = "UklGRh4AAABXRUJQVlA4TBEAAAAvBIAAEAdQmSKXon+BiOh/AAA="                                                                                             // 5 x 3 at alpha 127
)

func webpBytes(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pngBytes(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noise returns a picture of any kind with random pixels.
func noise[T any](m T, pix []byte) T {
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range pix {
		pix[i] = byte(rng.Uint32())
	}
	return m
}

// decode is openPicture and frame in one.
func decode(t *testing.T, data []byte) Frame {
	t.Helper()
	p, err := openPicture(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	f, err := p.frame(NewPool(2))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// wantPixels compares a frame with what the colours of an image say, over black.
func wantPixels(t *testing.T, f Frame, m image.Image, tol int) {
	t.Helper()
	b := m.Bounds()
	if f.W != b.Dx() || f.H != b.Dy() || f.Stride < 3*f.W || f.Stride*(f.H-1)+3*f.W > len(f.Pix) {
		t.Fatalf("got %d x %d, stride %d, %d bytes, want %v", f.W, f.H, f.Stride, len(f.Pix), b)
	}
	for y := range f.H {
		for x := range f.W {
			r, g, bl, _ := m.At(b.Min.X+x, b.Min.Y+y).RGBA()
			for i, v := range [3]uint32{bl, g, r} {
				got := int(f.Pix[y*f.Stride+3*x+i])
				if diff := got - int(v>>8); diff < -tol || diff > tol {
					t.Fatalf("pixel (%d, %d) channel %d: got %d, want %d within %d", x, y, i, got, v>>8, tol)
				}
			}
		}
	}
}

// Every kind of image that PNG can hold, at sizes down to 1 x 1, through a real file.
func TestPNGKinds(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {7, 5}, {1, 4096}, {33, 17}} {
		rect := image.Rect(0, 0, size[0], size[1])
		gray, gray16 := image.NewGray(rect), image.NewGray16(rect)
		nrgba, nrgba64, rgba64 := image.NewNRGBA(rect), image.NewNRGBA64(rect), image.NewRGBA64(rect)
		paletted := image.NewPaletted(rect, color.Palette{color.NRGBA{9, 200, 30, 255}, color.NRGBA{255, 128, 0, 77}, color.Transparent})
		noise(paletted, paletted.Pix)
		for i := range paletted.Pix {
			paletted.Pix[i] %= 3
		}
		opaque := noise(image.NewRGBA64(rect), nil)
		for i := range opaque.Pix {
			opaque.Pix[i] = byte(i*i) | byte(255*(i/6&i/2&1))
			if i%8 > 5 {
				opaque.Pix[i] = 255
			}
		}
		for _, m := range []image.Image{
			noise(gray, gray.Pix), noise(gray16, gray16.Pix), noise(nrgba, nrgba.Pix), noise(nrgba64, nrgba64.Pix), rgba64, paletted, opaque,
		} {
			t.Run(fmt.Sprintf("%T %v", m, rect.Max), func(t *testing.T) {
				// Our alpha rounds, that of image/color cuts off: 1 apart.
				wantPixels(t, decode(t, pngBytes(t, m)), m, 1)
			})
		}
	}
}

func TestGreyAndOpaqueAreExact(t *testing.T) {
	gray, rgba := image.NewGray(image.Rect(0, 0, 19, 3)), image.NewRGBA(image.Rect(0, 0, 19, 3))
	noise(rgba, rgba.Pix)
	for i := 3; i < len(rgba.Pix); i += 4 {
		rgba.Pix[i] = 255
	}
	for _, m := range []image.Image{noise(gray, gray.Pix), rgba} {
		wantPixels(t, decode(t, pngBytes(t, m)), m, 0)
		var b bytes.Buffer
		if err := bmp.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		wantPixels(t, decode(t, b.Bytes()), m, 0)
	}
}

// JPEG pixels must be those that image/jpeg states, for colour and grey.
func TestJPEG(t *testing.T) {
	rgba, gray := image.NewRGBA(image.Rect(0, 0, 21, 13)), image.NewGray(image.Rect(0, 0, 21, 13))
	for _, m := range []image.Image{noise(rgba, rgba.Pix), noise(gray, gray.Pix)} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, m, nil); err != nil {
			t.Fatal(err)
		}
		want, err := jpeg.Decode(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		wantPixels(t, decode(t, b.Bytes()), want, 1)
	}
}

// WebP is in limited range: taken for full range, 200, 50, 20 would come out near 188, 59, 33.
func TestWebP(t *testing.T) {
	for _, c := range []struct {
		name, data string
		w, h       int
		want       color.RGBA
		tol        int
	}{
		{"lossy", webpLossy, 4, 2, color.RGBA{200, 50, 20, 255}, 4},
		{"alpha", webpAlpha, 4, 2, color.RGBA{100, 25, 10, 255}, 2},
		{"lossless", webpLossless, 5, 3, color.RGBA{100, 25, 10, 255}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := image.NewRGBA(image.Rect(0, 0, c.w, c.h))
			for i := range c.w * c.h {
				m.SetRGBA(i%c.w, i/c.w, c.want)
			}
			wantPixels(t, decode(t, webpBytes(t, c.data)), m, c.tol)
		})
	}
}

// cmykJPEG is a JPEG of 8 x 8 pixels of one colour, as Photoshop writes CMYK: inverted.
func cmykJPEG(c, m, y, k byte) []byte {
	segment := func(marker byte, data ...byte) []byte {
		return append([]byte{0xff, marker, 0, byte(len(data) + 2)}, data...)
	}
	ones := bytes.Repeat([]byte{1}, 64)
	b := []byte{0xff, 0xd8}
	b = append(b, segment(0xee, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)...)
	b = append(b, segment(0xdb, append([]byte{0}, ones...)...)...) // quantiser 1
	b = append(b, segment(0xc0, 8, 0, 8, 0, 8, 4, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0)...)
	// DC: twelve codes of 4 bits, one for each count of bits. AC: the code 0 for end of block.
	b = append(b, segment(0xc4, 0x00, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)...)
	b = append(b, segment(0xc4, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)...)
	b = append(b, segment(0xda, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0)...)
	var bits strings.Builder
	for _, v := range []byte{c, m, y, k} {
		dc := 8 * (255 - int(v) - 128)
		n := len(fmt.Sprintf("%b", max(dc, -dc)))
		if dc == 0 {
			n = 0
		} else if dc < 0 {
			dc += 1<<n - 1
		}
		fmt.Fprintf(&bits, "%04b", n)
		if n > 0 {
			fmt.Fprintf(&bits, "%0*b", n, dc)
		}
		bits.WriteString("0")
	}
	s := bits.String() + "1111111"
	for ; len(s) >= 8; s = s[8:] {
		v := byte(0)
		for _, bit := range s[:8] {
			v = v<<1 | byte(bit-'0')
		}
		if b = append(b, v); v == 0xff {
			b = append(b, 0)
		}
	}
	return append(b, 0xff, 0xd9)
}

func TestCMYK(t *testing.T) {
	for _, c := range [][4]byte{{0, 0, 0, 0}, {255, 0, 0, 0}, {10, 200, 77, 30}, {0, 0, 0, 255}, {128, 127, 126, 125}} {
		want := image.NewCMYK(image.Rect(0, 0, 8, 8))
		for i := range want.Pix {
			want.Pix[i] = c[i%4]
		}
		wantPixels(t, decode(t, cmykJPEG(c[0], c[1], c[2], c[3])), want, 0)
	}
}

// tiff is EXIF with nothing but an orientation.
func tiff(orientation byte, order binary.AppendByteOrder) []byte {
	b := []byte("II")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM")
	}
	b = order.AppendUint16(b, 42)
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 1) // one entry: tag, type SHORT, one value
	b = order.AppendUint16(b, 0x0112)
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(orientation))
	b = order.AppendUint16(b, 0)
	return order.AppendUint32(b, 0)
}

func pngChunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// withEXIF puts an orientation into a PNG, JPEG or lossy WebP.
func withEXIF(data []byte, exif []byte) []byte {
	switch {
	case data[0] == 0x89: // after the signature and IHDR
		return bytes.Join([][]byte{data[:33], pngChunk("eXIf", exif), data[33:]}, nil)
	case data[0] == 0xff:
		app1 := append([]byte("Exif\x00\x00"), exif...)
		return bytes.Join([][]byte{{0xff, 0xd8, 0xff, 0xe1, 0, byte(len(app1) + 2)}, app1, data[2:]}, nil)
	}
	chunk := func(name string, b []byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte(name), uint32(len(b))), b...)
	}
	body := bytes.Join([][]byte{
		[]byte("WEBP"), chunk("VP8X", []byte{1 << 3, 0, 0, 0, 3, 0, 0, 1, 0, 0}), data[12:], chunk("EXIF", exif),
	}, nil)
	return chunk("RIFF", body)
}

func TestOrientation(t *testing.T) {
	stored := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(stored.Pix, "abcdef") // abc over def
	data := pngBytes(t, stored)
	for o, want := range map[byte]string{
		0: "abc/def", // not a value: as it is
		1: "abc/def",
		2: "cba/fed",
		3: "fed/cba",
		4: "def/abc",
		5: "ad/be/cf",
		6: "da/eb/fc",
		7: "fc/eb/da",
		8: "cf/be/ad",
		9: "abc/def",
	} {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			f := decode(t, withEXIF(data, tiff(o, order)))
			var rows []string
			for y := range f.H {
				row := ""
				for x := range f.W {
					row += string(f.Pix[y*f.Stride+3*x])
				}
				rows = append(rows, row)
			}
			if got := strings.Join(rows, "/"); got != want {
				t.Errorf("orientation %d, %v: got %s, want %s", o, order, got, want)
			}
		}
	}
}

func TestOrientationOfEachFormat(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 2)), nil); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"jpeg": b.Bytes(), "webp": webpBytes(t, webpLossy)} {
		for o := range byte(9) {
			w, h := 4, 2
			if o >= 5 {
				w, h = 2, 4
			}
			if f := decode(t, withEXIF(data, tiff(o, binary.LittleEndian))); f.W != w || f.H != h {
				t.Errorf("%s, orientation %d: got %d x %d, want %d x %d", name, o, f.W, f.H, w, h)
			}
		}
	}
}

// Broken metadata must not spoil a picture that is whole.
func TestBrokenEXIF(t *testing.T) {
	data := pngBytes(t, image.NewGray(image.Rect(0, 0, 3, 2)))
	whole := tiff(6, binary.LittleEndian)
	for n := range len(whole) {
		f := decode(t, withEXIF(data, whole[:n]))
		if f.W*f.H != 6 {
			t.Errorf("EXIF of %d bytes: got %d x %d", n, f.W, f.H)
		}
	}
	bad := bytes.Clone(whole)
	bad[8], bad[9] = 0xff, 0xff // entries
	decode(t, withEXIF(data, bad))
}

// bombs are small files that state a size beyond the limits.
func bombs() map[string][]byte {
	ihdr := func(w, h uint32) []byte {
		b := binary.BigEndian.AppendUint32(nil, w)
		b = binary.BigEndian.AppendUint32(b, h)
		return append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", append(b, 8, 2, 0, 0, 0))...)
	}
	bmpHeader := make([]byte, 54)
	copy(bmpHeader, "BM")
	bmpHeader[10], bmpHeader[14], bmpHeader[26], bmpHeader[28] = 54, 40, 1, 24
	binary.LittleEndian.PutUint32(bmpHeader[18:], 60000)
	binary.LittleEndian.PutUint32(bmpHeader[22:], 60000)
	return map[string][]byte{
		"60000x60000.png":  ihdr(60000, 60000),
		"16385x1.png":      ihdr(16385, 1),
		"1x16385.png":      ihdr(1, 16385),
		"16384x16384.png":  ihdr(16384, 16384),
		"max.png":          ihdr(1<<31-1, 1<<31-1),
		"60000x60000.jpg":  {0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xea, 0x60, 0xea, 0x60, 1, 1, 0x11, 0, 0xff, 0xda, 0, 2},
		"60000x60000.bmp":  bmpHeader,
		"16384x16384.webp": []byte("RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\xff\x3f\x00\xff\x3f\x00"),
	}
}

func TestPictureBombs(t *testing.T) {
	for name, data := range bombs() {
		if _, err := openPicture(bytes.NewReader(data)); err == nil || name != "max.png" && !strings.Contains(err.Error(), "over the limit") {
			t.Errorf("%s: got %v, want that it is over the limit", name, err)
		}
	}
	// A small canvas around a large picture.
	data := withEXIF(webpBytes(t, webpLossy), nil)
	data[24] = 0 // its width less one
	p, err := openPicture(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if f, err := p.frame(NewPool(1)); err == nil {
		t.Errorf("got %d x %d, want an error", f.W, f.H)
	}
}

// A decoder whose picture is not as large as the header said must not be believed.
func TestPictureOfAnotherSize(t *testing.T) {
	p := &picture{orientation: upright, w: 3, h: 2, r: bytes.NewReader(nil)}
	p.codec.decode = func(io.Reader) (image.Image, error) { return image.NewGray(image.Rect(0, 0, 2, 3)), nil }
	if f, err := p.frame(NewPool(1)); err == nil || !strings.Contains(err.Error(), "3 x 2 by its header") {
		t.Errorf("got %d x %d, %v, want an error", f.W, f.H, err)
	}
}

func TestBrokenPictures(t *testing.T) {
	var j bytes.Buffer
	if err := jpeg.Encode(&j, image.NewGray(image.Rect(0, 0, 40, 30)), nil); err != nil {
		t.Fatal(err)
	}
	p := pngBytes(t, image.NewGray(image.Rect(0, 0, 40, 30)))
	flipped := bytes.Clone(p)
	flipped[45] ^= 0x10
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		data []byte
		want string
		is   error
	}{
		{"text.png", []byte("not a picture at all, but long enough to be one"), "not a JPEG, PNG, BMP or WebP", nil},
		{"short.png", []byte("x"), "not a JPEG, PNG, BMP or WebP", nil},
		{"really.gif.png", []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"), "not a JPEG, PNG, BMP or WebP", nil},
		{"empty.png", nil, "the file is empty", nil},
		{"cut.jpg", j.Bytes()[:j.Len()-20], "cut short", io.ErrUnexpectedEOF},
		{"cut.png", p[:45], "not enough pixel data", nil},
		{"signature.png", p[:8], "cut short", io.ErrUnexpectedEOF},
		{"flipped.png", flipped, "", nil},
		{"cut.webp", webpBytes(t, webpLossy)[:40], "", nil},
		{"moving.webp", []byte("RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02\x00\x00\x00\x04\x00\x00\x02\x00\x00"), "animated WebP", nil},
		{"none.bmp", append([]byte("BM"), make([]byte, 60)...), "", nil},
		{"bomb.png", bombs()["60000x60000.png"], "over the limit", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			if err := os.WriteFile(path, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			err := readPicture(path, func(p *picture) error {
				_, err := p.frame(NewPool(1))
				return err
			})
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one line with %q and the file", err, c.want)
			}
			if c.is != nil && !errors.Is(err, c.is) || errors.Is(err, io.EOF) {
				t.Errorf("%v wraps the wrong error", err)
			}
		})
	}
}

func FuzzPicture(f *testing.F) {
	m := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	f.Add(withEXIF(pngBytes(f, noise(m, m.Pix)), tiff(6, binary.BigEndian)))
	f.Add(cmykJPEG(1, 2, 3, 4))
	f.Add(withEXIF(cmykJPEG(1, 2, 3, 4), tiff(3, binary.LittleEndian)))
	f.Add(withEXIF(webpBytes(f, webpLossy), tiff(8, binary.LittleEndian)))
	for _, s := range []string{webpLossy, webpAlpha, webpLossless} {
		f.Add(webpBytes(f, s))
	}
	var b bytes.Buffer
	if err := bmp.Encode(&b, m); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	for _, data := range bombs() {
		f.Add(data)
	}
	pool := NewPool(2)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := openPicture(bytes.NewReader(data))
		if err != nil {
			return
		}
		if p.w*p.h > 1<<16 {
			t.Skip("larger than a fuzz run should be")
		}
		w, h := p.size()
		frame, err := p.frame(pool)
		if err != nil {
			if errors.Is(err, io.EOF) {
				t.Errorf("%v looks like the end of the source", err)
			}
			return
		}
		if frame.W != w || frame.H != h || len(frame.Pix) != 3*w*h {
			t.Errorf("got %d x %d, %d bytes, want %d x %d", frame.W, frame.H, len(frame.Pix), w, h)
		}
		frame.Release()
	})
}
