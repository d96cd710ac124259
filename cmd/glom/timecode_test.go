package main

import (
	"testing"

	"glomstream/capture"
)

// A code that is read back is the same, and one with a wrong bit, or two, is known as such.
func TestTimeCode(t *testing.T) {
	f := capture.NewPool(1).Frame(640, 360)
	for _, v := range []uint32{0, 1, 12345, 1<<codeBits - 1} {
		code := withCheck(v)
		drawCode(&f, code)
		got := uint32(0)
		for i := range codeBits + codeCheck {
			if f.Pix[(f.H-codeCell)*f.Stride+3*(i*codeCell+codeCell/2)] == 255 {
				got |= 1 << i
			}
		}
		if got != code || got&(1<<codeBits-1) != v {
			t.Errorf("%d reads as %d", v, got)
		}
		missed := 0
		for i := range codeBits + codeCheck {
			for j := range i + 1 {
				if bad := code ^ 1<<i ^ 1<<j&^(1<<i); withCheck(bad) == bad {
					missed++
				}
			}
		}
		if missed > 6 { // of 406
			t.Errorf("%d: %d codes with one or two wrong bits pass", v, missed)
		}
	}
}
