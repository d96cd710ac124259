package scene

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestForms checks each outline: its inside lies within its bounds, and near it the distance
// grows by one unit per unit.
func TestForms(t *testing.T) {
	skyline := newTerrain(10, []float64{5, 3}, []float64{1, 2})
	for name, f := range map[string]form{
		"circle":  ellipse{20, 20},
		"ellipse": ellipse{30, 18},
		"capsule": capsule{45, 16, 12},
		"box":     box{30, 20, 6},
		"square":  box{20, 20, 0},
		"blob":    newBlob(40, []float64{0.05, 0.05, 0.04}, []float64{1, 2, 3}),
		"terrain": skyline,
	} {
		r := rand.New(rand.NewPCG(1, 2))
		u0, v0, u1, v1 := f.bounds()
		inside, checked := 0, 0
		for range 20000 {
			u, v := 200*r.Float64()-100, 200*r.Float64()-100
			d := f.dist(u, v)
			if d <= 0 {
				inside++
				if u < u0 || u > u1 || v < v0 || v > v1 {
					t.Fatalf("%s: (%v, %v) is inside but out of bounds", name, u, v)
				}
			}
			if math.Abs(d) < 1 {
				const h = 1e-3
				g := math.Hypot(f.dist(u+h, v)-d, f.dist(u, v+h)-d) / h
				checked++
				if g < 0.75 || g > 1.35 {
					t.Errorf("%s: slope %.2f at (%.2f, %.2f)", name, g, u, v)
				}
			}
		}
		if inside < 100 || checked < 50 {
			t.Errorf("%s: only %d points inside and %d near the outline", name, inside, checked)
		}
	}
}

func TestAffine(t *testing.T) {
	m := move(3, -4).mul(turn(0.7)).mul(scale(2, -0.5))
	x, y := m.mul(m.inverse()).apply(5, 6)
	if math.Abs(x-5) > 1e-12 || math.Abs(y-6) > 1e-12 {
		t.Errorf("m after its inverse maps (5, 6) to (%v, %v)", x, y)
	}
	before, now := move(1, 2).mul(turn(0.1)), move(4, 1).mul(turn(0.3))
	bx, by := before.apply(7, -3)
	nx, ny := now.apply(7, -3)
	dx, dy := motion(before, now).apply(nx, ny)
	if math.Abs(dx-(nx-bx)) > 1e-12 || math.Abs(dy-(ny-by)) > 1e-12 {
		t.Errorf("motion (%v, %v), want (%v, %v)", dx, dy, nx-bx, ny-by)
	}
}

func TestDiamond(t *testing.T) {
	for a := 0.0; a < 4; a += 1.0 / 64 {
		u, v := undiamond(a)
		if got := diamond(3*u, 3*v); math.Abs(got-a) > 1e-12 || math.Abs(math.Abs(u)+math.Abs(v)-1) > 1e-12 {
			t.Errorf("diamond(undiamond(%v)) = %v", a, got)
		}
	}
}

// TestPaintPatches checks which patch a point belongs to, and that tones mix at the border only.
func TestPaintPatches(t *testing.T) {
	stripes := striped(0, 3, 10, 0x000000, 0xffffff)
	for _, tt := range []struct {
		p     paint
		u, v  float64
		patch int
		tone  int32
	}{
		{stripes, -30, 0, 0, 0},
		{stripes, -5.5, 9, 0, 0},
		{stripes, 0, -7, 1, 255},
		{stripes, 99, 0, 2, 0},
		{halves(math.Pi/2, 4, 0x000000, 0xffffff), 50, 3, 0, 0},
		{halves(math.Pi/2, 4, 0x000000, 0xffffff), 50, 5, 1, 255},
		{spotted(3, 0, 5, 0x000000, 0xffffff), 7, 0, 1, 255},
		{spotted(3, 0, 5, 0x000000, 0xffffff), -3, 0, 0, 0},
		{faded(0, 10, 0x000000, 0xffffff), 1, 5, 0, 127},
		{faded(0, 10, 0x000000, 0xffffff), 1, 50, 0, 255},
	} {
		patch, c := tt.p.at(tt.u, tt.v, 1)
		if patch != tt.patch || c[1] != tt.tone || patch >= tt.p.n {
			t.Errorf("at (%v, %v): patch %d tone %d, want %d and %d", tt.u, tt.v, patch, c[1], tt.patch, tt.tone)
		}
	}
	if _, c := stripes.at(-5, 0, 1); c[0] < 120 || c[0] > 135 {
		t.Errorf("on a border the tone is %d, want about 127", c[0])
	}
}

// TestTexture checks that the noise uses its range and is smooth between texels.
func TestTexture(t *testing.T) {
	tex := newTexture(4)
	var sum, square float64
	for _, v := range tex {
		sum, square = sum+float64(v), square+float64(v)*float64(v)
	}
	if mean, sd := sum/65536, math.Sqrt(square/65536); math.Abs(mean) > 12 || sd < 20 || sd > 70 {
		t.Errorf("texture has mean %.1f and deviation %.1f", mean, sd)
	}
	if a, b := tex.at(300.25, 17), tex.at(300.25-256, 17+256); a != b {
		t.Errorf("texture does not repeat: %d and %d", a, b)
	}
	for i := range 1000 {
		u := 20 + float64(i)/256
		if d := tex.at(u, 40.5) - tex.at(u+1.0/256, 40.5); d < -2 || d > 2 {
			t.Errorf("texture jumps by %d at %v", d, u)
		}
	}
}
