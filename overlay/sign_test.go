package overlay

import (
	"slices"
	"testing"

	"glomstream/capture"
)

// A sign changes the rows of its band, everywhere, and no others; it has amber in it where it fits.
func TestSign(t *testing.T) {
	d, err := New(Config{NoHUD: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		w, h int
		text string
		fits bool
	}{{320, 180, "no new picture for 3 s", true}, {100, 90, "no new picture for a long time, as it seems", false}, {9, 3, "x", false}, {1, 1, "", false}} {
		f := capture.NewPool(1).Frame(tt.w, tt.h)
		for i := range f.Pix {
			f.Pix[i] = 200
		}
		old := slices.Clone(f.Pix)
		d.Sign(&f, tt.text)
		changed, amber := 0, false
		for y := range tt.h {
			row := f.Pix[y*f.Stride:][:3*tt.w]
			if !slices.Equal(row, old[y*f.Stride:][:3*tt.w]) {
				changed++
				if slices.Contains(row, 200) {
					t.Errorf("%dx%d: row %d is changed in part", tt.w, tt.h, y)
				}
			}
			for x := range tt.w {
				amber = amber || row[3*x+2] == 0xFF && row[3*x] < 0x60
			}
		}
		if changed == 0 || tt.h > 10 && changed > tt.h/3 {
			t.Errorf("%dx%d: %d rows changed", tt.w, tt.h, changed)
		}
		if amber != tt.fits {
			t.Errorf("%dx%d: text drawn: %v, want %v", tt.w, tt.h, amber, tt.fits)
		}
	}
}
