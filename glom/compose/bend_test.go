package compose

import (
	"math"
	"testing"

	"glomstream/glom/clips"
	"glomstream/glom/internal/dice"
)

// landscapes calls f for the bent backgrounds among n that are thrown for clips of six frames.
func landscapes(t *testing.T, n int, f func(w *worker, l *layer)) {
	t.Helper()
	bent := 0
	for i := range n {
		w := &worker{Composer: &Composer{cfg: Config{T: 6, H: 176, W: 320}}, Dice: dice.New(9, uint64(i)), dst: new(clips.Clip)}
		w.dst.Reshape(6, 176, 320, true)
		w.film()
		w.paintedBackground()
		if l := &w.layers[0]; l.bend.on {
			bent++
			f(w, l)
		}
	}
	if bent < n/3 {
		t.Errorf("%d of %d backgrounds are bent, want a third at least", bent, n)
	}
}

// TestBendMotion follows points by the motion to the frame before: they must show the same texel
// there.
func TestBendMotion(t *testing.T) {
	worst, sum, n := 0.0, 0.0, 0
	landscapes(t, 60, func(w *worker, l *layer) {
		for f := 1; f < w.cfg.T; f++ {
			w.drift(l, f)
			now, then := l.to[f].inverse(), l.to[f-1].inverse()
			scale := l.to[f].scale()
			for y := 4; y < w.cfg.H; y += 11 {
				for x := 4; x < w.cfg.W; x += 13 {
					dx, dy := w.mesh.motion(x, y)
					px, py := float64(x)+0.5, float64(y)+0.5
					u, v := l.bend.texel(&now, px, py, w.tau(f))
					pu, pv := l.bend.texel(&then, px-float64(dx)/one, py-float64(dy)/one, w.tau(f-1))
					off := scale * math.Hypot(u-pu, v-pv)
					worst, sum, n = max(worst, off), sum+off, n+1
				}
			}
		}
	})
	t.Logf("points miss by %.4f pixels in the mean, %.2f at most", sum/float64(n), worst)
	if sum > 0.05*float64(n) || worst > 2 {
		t.Errorf("points miss by %.4f pixels in the mean, %.2f at most; want 0.05 and 2", sum/float64(n), worst)
	}
}

// TestBendFoldsNothing looks for places where neighbours on the screen show texels in reverse.
func TestBendFoldsNothing(t *testing.T) {
	folds, n := 0, 0
	landscapes(t, 60, func(w *worker, l *layer) {
		for f := range w.cfg.T {
			back := l.to[f].inverse()
			w.lay(l, &back, w.tau(f))
			want := back.a*back.d-back.b*back.c > 0 // false: mirrored
			m := &w.mesh
			for i := range m.u {
				if i%m.w == m.w-1 || i+m.w >= len(m.u) {
					continue
				}
				a, b := float64(m.u[i+1]-m.u[i]), float64(m.u[i+m.w]-m.u[i])
				c, d := float64(m.v[i+1]-m.v[i]), float64(m.v[i+m.w]-m.v[i])
				n++
				if (a*d-b*c > 0) != want {
					folds++
				}
			}
		}
	})
	t.Logf("%d of %d squares are folded", folds, n)
	if folds*1000 > n {
		t.Errorf("%d of %d squares are folded, want at most one in a thousand", folds, n)
	}
}

// TestBendDepth checks what depth means: a place of depth 1 stays on the screen, one of depth 0
// goes with the plane.
func TestBendDepth(t *testing.T) {
	plane := shift(30, 7)
	back, rest := plane.inverse(), shift(0, 0)
	for _, tt := range []struct{ ground, u, v float64 }{
		{0, 70, 13},
		{2, 100, 20}, // above row 50: half of the ground's depth, 1
		{-2, 40, 6},  // -1: twice as fast
	} {
		b := bend{on: true, rest: rest, ground: tt.ground, row: 50, reach: 10}
		if u, v := b.texel(&back, 100, 20, 0); math.Abs(u-tt.u) > 1e-9 || math.Abs(v-tt.v) > 1e-9 {
			t.Errorf("ground %v: (100, 20) shows texel (%v, %v), want (%v, %v)", tt.ground, u, v, tt.u, tt.v)
		}
	}
}
