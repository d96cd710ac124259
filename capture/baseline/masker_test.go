package baseline

import (
	"testing"

	"glomstream/capture"
)

func TestMOG2(t *testing.T) {
	const w, h = 80, 60
	m, err := MOG2()
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	square := func(i int) ([]bool, *capture.Frame) {
		in := make([]bool, w*h)
		f := paint(w, h, func(x, y int) [3]byte {
			if i >= 0 && x >= 3*i && x < 3*i+20 && y >= 20 && y < 40 {
				in[y*w+x] = true
				return [3]byte{40, 90, 220}
			}
			return [3]byte{byte(60 + 20*(x/5%2)), byte(80 + 20*(y/5%2)), 90}
		})
		return in, f
	}
	got := make([]bool, w*h)
	mask := func(i int) []bool {
		want, f := square(i)
		if err := m.Mask(got, f, nil); err != nil {
			t.Fatal(err)
		}
		return want
	}
	for range 60 {
		mask(-1)
	}
	for i := range 20 {
		if want := mask(i); iou(got, want) < 0.95 {
			t.Errorf("frame %d: intersection over union is %.3f", i, iou(got, want))
		}
	}
	m.Reset()
	mask(20)
	for i, in := range got {
		if in {
			t.Fatalf("pixel %d is foreground on the first frame after Reset", i)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}
