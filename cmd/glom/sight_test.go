package main

import (
	"math"
	"slices"
	"testing"

	"glomstream/capture/opencv"
	"glomstream/glom/clips"
	"glomstream/glom/compose"
)

// TestComposedFlowIsLikeDIS compares the flow of composed clips, and the exact one, with what DIS
// finds in their pictures: the same amount of error as DIS, and nearer to it than the exact flow is.
func TestComposedFlowIsLikeDIS(t *testing.T) {
	cfg := compose.Config{T: 2, H: 96, W: 160, Seed: 1}
	seen, err := compose.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	cfg.ExactFlow = true
	exact, err := compose.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := opencv.NewFlow()
	if err != nil {
		t.Fatal(err)
	}
	defer flow.Close()

	n := cfg.H * cfg.W
	dis, grey := make([]float32, 2*n), make([]byte, 2*n)
	var a, b clips.Clip
	var near, far flowErrors
	for k := range uint64(300) {
		if err := seen.Clip(&a, k); err != nil {
			t.Fatal(err)
		}
		if err := exact.Clip(&b, k); err != nil {
			t.Fatal(err)
		}
		if slices.Equal(a.Flow, b.Flow) {
			continue // most clips have the exact flow
		}
		for i := range grey {
			p := a.Pix[3*i:]
			grey[i] = byte((29*int(p[0]) + 150*int(p[1]) + 77*int(p[2])) >> 8)
		}
		if err := flow.Calc(dis, grey[:n], grey[n:], cfg.W, cfg.H); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			e := &far
			if nearBorder(&b, i, 6) {
				e = &near
			}
			e.add(a.Flow[2*(n+i):], b.Flow[2*(n+i):], dis[2*i:])
		}
	}
	near.log(t, "near borders")
	far.log(t, "elsewhere")
	if near.n < 10000 || far.n < 100000 {
		t.Fatalf("%v places near borders and %v others: too few", near.n, far.n)
	}
	if r := near.seen / near.dis; r < 0.6 || r > 1.5 {
		t.Errorf("near borders the error is %.2f times that of DIS, want about 1", r)
	}
	if r := far.seen / far.dis; r < 0.4 || r > 1.6 {
		t.Errorf("away from borders the error is %.2f times that of DIS, want about 1", r)
	}
	if near.apart > 0.8*near.dis {
		t.Errorf("near borders it is %.2f from DIS, the exact flow %.2f: want it nearer", near.apart/near.n, near.dis/near.n)
	}
}

// flowErrors sums how far flows are apart, in pixels.
type flowErrors struct{ n, seen, dis, apart float64 }

func (e *flowErrors) add(seen, exact, dis []float32) {
	distance := func(p, q []float32) float64 { return math.Hypot(float64(p[0]-q[0]), float64(p[1]-q[1])) }
	e.n++
	e.seen += distance(seen, exact)
	e.dis += distance(dis, exact)
	e.apart += distance(seen, dis)
}

func (e *flowErrors) log(t *testing.T, where string) {
	t.Helper()
	t.Logf("%s: off by %.2f pixels, DIS by %.2f, apart from each other %.2f", where, e.seen/e.n, e.dis/e.n, e.apart/e.n)
}

// nearBorder reports whether the motion of frame 1 changes by more than a pixel within r pixels of pixel i.
func nearBorder(c *clips.Clip, i, r int) bool {
	n := c.H * c.W
	x, y := i%c.W, i/c.W
	for _, o := range [...][2]int{{r, 0}, {-r, 0}, {0, r}, {0, -r}} {
		u, v := x+o[0], y+o[1]
		if u < 0 || v < 0 || u >= c.W || v >= c.H {
			continue
		}
		p, q := c.Flow[2*(n+i):], c.Flow[2*(n+v*c.W+u):]
		if math.Hypot(float64(p[0]-q[0]), float64(p[1]-q[1])) > 1 {
			return true
		}
	}
	return false
}
