//go:build cgo

package libav

import (
	"path/filepath"
	"syscall"
	"testing"

	"glomstream/capture"
)

// TestWriteReadsNoFurther has pictures whose last byte is followed by memory that nobody may touch.
func TestWriteReadsNoFurther(t *testing.T) {
	page := syscall.Getpagesize()
	for _, size := range [][2]int{{768, 576}, {640, 360}, {641, 361}, {17, 9}, {2, 2}} {
		w, h := size[0], size[1]
		n := 3 * w * h
		room := (n + page - 1) / page * page
		mem, err := syscall.Mmap(-1, 0, room+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mprotect(mem[room:], syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
		rec, err := Create(filepath.Join(t.TempDir(), "x.mkv"), Options{W: w, H: h, FPS: 25})
		if err != nil {
			t.Fatal(err)
		}
		f := capture.Frame{W: w, H: h, Stride: 3 * w, Pix: mem[room-n : room : room]}
		if err := rec.Write(&f); err != nil {
			t.Errorf("%dx%d: %v", w, h, err)
		}
		if err := rec.Close(); err != nil {
			t.Errorf("%dx%d: %v", w, h, err)
		}
		if err := syscall.Munmap(mem); err != nil {
			t.Fatal(err)
		}
	}
}
