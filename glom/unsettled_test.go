package glom

import (
	"math"
	"math/rand/v2"
	"testing"

	"glomstream/glom/internal/vec"
)

// slowUnsettled is the formula of Unsettled in float64, without its shortcuts.
func slowUnsettled(x, before []float32, L, rows, cols, D int, motion []float32) (u []float64, worst float64) {
	N := rows * cols
	at := func(v float32, n int) int { return int(math.Round(max(0, min(float64(v), float64(n-1))))) }
	for l := range L {
		for i := range N {
			r0, c0 := at(float32(i/cols)-motion[2*i+1], rows), at(float32(i%cols)-motion[2*i], cols)
			least := math.Inf(1)
			for j := range N {
				if max(j/cols-r0, r0-j/cols) > 1 || max(j%cols-c0, c0-j%cols) > 1 {
					continue
				}
				cos := 0.0
				for k := range D {
					cos += float64(x[(l*N+i)*D+k]) * float64(before[(l*N+j)*D+k])
				}
				least = min(least, 1-cos)
			}
			u = append(u, max(0, min(1, (least-0.1)/0.3)))
		}
		for i := range N {
			if i/cols+4 > rows || i%cols+4 > cols {
				continue
			}
			sum := 0.0
			for k := range 16 {
				sum += u[l*N+i+k/4*cols+k%4]
			}
			worst = max(worst, sum/16)
		}
	}
	return u, worst
}

func TestUnsettledAgainstSlow(t *testing.T) {
	const rows, cols, L, D = 7, 9, 3, 16
	m := trained(t, Config{Levels: L, Dim: D, Hidden: 16})
	s, err := m.NewState(rows, cols)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(2, 2))
	motion := make([]float32, 2*rows*cols)
	u := make([]float32, L*rows*cols)
	between := 0
	evidence := randomUnits(rng, rows*cols, D)
	for range 6 {
		for i := range motion {
			motion[i] = float32(3 * rng.NormFloat64())
		}
		for i := range evidence { // so that some locations change little
			evidence[i] += float32(0.15 * rng.NormFloat64())
		}
		vec.UnitRows(evidence, nil, rows*cols, D)
		m.Step(s, evidence)
		got := s.Unsettled(u, motion)
		want, worst := slowUnsettled(s.x, s.next, L, rows, cols, D, motion)
		approx(t, "u", u, want, 1e-5)
		if math.Abs(got-worst) > 1e-5 {
			t.Errorf("got %v, want %v", got, worst)
		}
		for _, v := range want {
			if v > 0 && v < 1 {
				between++
			}
		}
	}
	if between < 50 {
		t.Errorf("only %d values lie between 0 and 1: the comparison shows little", between)
	}
}

// scenery returns evidence of patches of 4 by 4 locations of one vector each, from a world that
// has been moved by dx locations.
func scenery(seed uint64, rows, cols, D, dx int) []float32 {
	const side, wide = 4, 64
	world := randomUnits(rand.New(rand.NewPCG(seed, 1)), wide*wide, D)
	out := make([]float32, 0, rows*cols*D)
	for i := range rows * cols {
		k := (i/cols/side)*wide + (i%cols-dx+side*wide/2)/side
		out = append(out, world[k*D:][:D]...)
	}
	return out
}

func TestUnsettled(t *testing.T) {
	const rows, cols, D = 22, 40, 64
	m, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	u := make([]float32, 5*rows*cols)
	motion := func(dx float32) []float32 {
		v := make([]float32, 2*rows*cols)
		for i := range rows * cols {
			v[2*i] = dx
		}
		return v
	}
	object := func(side int) []float32 { // something new of that size
		ev := scenery(1, rows, cols, D, 0)
		for i := range side * side {
			copy(ev[((8+i/side)*cols+12+i%side)*D:][:D], scenery(9, rows, cols, D, 0))
		}
		return ev
	}
	for _, tt := range []struct {
		name     string
		evidence []float32
		motion   []float32
		steps    int
		min, max float64
		inside   bool // leave out the left side of the picture, where something new comes in
	}{
		{"still", scenery(1, rows, cols, D, 0), nil, 1, 0, 0, false},
		{"moves by a location", scenery(1, rows, cols, D, 1), nil, 1, 0, 0.01, true},
		{"moves by three locations", scenery(1, rows, cols, D, 3), nil, 1, 0.9, 1, true},
		{"moves by three locations as the flow says", scenery(1, rows, cols, D, 3), motion(3), 1, 0, 0.01, true},
		{"comes in as the flow says", scenery(1, rows, cols, D, 3), motion(3), 1, 0.7, 0.8, false}, // 3 of 4 columns
		{"another scene", scenery(2, rows, cols, D, 0), nil, 1, 0.9, 1, false},
		{"another scene, settled", scenery(2, rows, cols, D, 0), nil, 9, 0, 0.01, false},
		{"a new object of 4 by 4", object(4), nil, 1, 0.9, 1, false},
		{"a new object of 2 by 2", object(2), nil, 1, 0.1, 0.3, false},
		{"motion is not a number", scenery(1, rows, cols, D, 0), motion(float32(math.NaN())), 1, 0, 1, false},
		{"motion out of the picture", scenery(1, rows, cols, D, 0), motion(float32(math.Inf(-1))), 1, 0, 1, false},
	} {
		s, err := m.NewState(rows, cols)
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			m.Step(s, scenery(1, rows, cols, D, 0))
		}
		for range tt.steps {
			m.Step(s, tt.evidence)
		}
		got := s.Unsettled(u, tt.motion)
		if tt.inside {
			got = 0
			for i := range rows * cols {
				if i%cols >= 8 {
					got = max(got, float64(u[i]))
				}
			}
		}
		if !(got >= tt.min && got <= tt.max) {
			t.Errorf("%s: got %.3f, want %v to %v", tt.name, got, tt.min, tt.max)
		}
		for i, v := range u {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%s: u[%d] is %v", tt.name, i, v)
			}
		}
		s.Reset()
		if got := s.Unsettled(u, nil); got != 1 || u[0] != 1 || u[len(u)-1] != 1 {
			t.Errorf("%s: got %v without a step, want 1", tt.name, got)
		}
	}
}

// Embeddings that are not finite, which a step makes zero vectors, count as unsettled.
func TestUnsettledIsFinite(t *testing.T) {
	m, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewState(6, 6)
	if err != nil {
		t.Fatal(err)
	}
	ev := randomUnits(rand.New(rand.NewPCG(1, 1)), 36, 64)
	for i := range ev {
		ev[i] = float32(math.NaN())
	}
	u := make([]float32, 5*36)
	for range 2 {
		m.Step(s, ev)
		if got := s.Unsettled(u, nil); got != 1 {
			t.Errorf("got %v, want 1", got)
		}
	}
}

func TestUnsettledAllocatesNothing(t *testing.T) {
	s, u, motion := unsettledState(t)
	if a := testing.AllocsPerRun(10, func() { s.Unsettled(u, motion) }); a != 0 {
		t.Errorf("%v allocations, want 0", a)
	}
}

func unsettledState(t testing.TB) (*State, []float32, []float32) {
	t.Helper()
	m, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewState(22, 40)
	if err != nil {
		t.Fatal(err)
	}
	m.Step(s, scenery(1, 22, 40, 64, 0))
	m.Step(s, scenery(1, 22, 40, 64, 1))
	return s, make([]float32, 5*880), make([]float32, 2*880)
}

func BenchmarkUnsettled(b *testing.B) {
	s, u, motion := unsettledState(b)
	for b.Loop() {
		s.Unsettled(u, motion)
	}
}
