package glom

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"glomstream/glom/internal/vec"
)

// approx reports the first element in which got and want differ by more than tol.
func approx(t *testing.T, what string, got []float32, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, g := range got {
		if !(math.Abs(float64(g)-want[i]) <= tol) {
			t.Fatalf("%s[%d] = %v, want %v ± %v", what, i, g, want[i], tol)
		}
	}
}

// randomUnits returns (n, D) unit vectors.
func randomUnits(rng *rand.Rand, n, D int) []float32 {
	v := make([]float32, n*D)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	vec.UnitRows(v, nil, n, D)
	return v
}

// trained returns a model whose nets do something.
func trained(t testing.TB, c Config) *Model {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for i, v := range m.Params.All {
		m.Params.All[i] = v + float32(0.1*rng.NormFloat64())
	}
	m.Changed()
	return m
}

// slowState and slowStep are the equations of Step, written out in float64.
type slowState struct {
	rows, cols, L, D int
	x                [][]float64 // (L) of (N, D)
	agree            [][]float64 // (L) of (N)
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i := range v {
		w[i] = float64(v[i])
	}
	return w
}

func slowUnit(v []float64) ([]float64, float64) {
	var s float64
	for _, a := range v {
		s += a * a
	}
	s = math.Sqrt(s)
	u := make([]float64, len(v))
	for i, a := range v {
		u[i] = a / s
	}
	return u, s
}

func slowNet(n Net, in []float64, D int) []float64 {
	H, I := len(n.B1), len(in)
	y := append([]float64(nil), in[:D]...)
	for d := range D {
		y[d] += float64(n.B2[d])
	}
	for h := range H {
		v := float64(n.B1[h])
		for k := range I {
			v += float64(n.W1[h*I+k]) * in[k]
		}
		g := 0.5 * v * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(v+0.044715*v*v*v)))
		for d := range D {
			y[d] += float64(n.W2[d*H+h]) * g
		}
	}
	u, _ := slowUnit(y)
	return u
}

func slowStep(m *Model, s *slowState, evidence []float32, first bool, steps int) {
	c := m.cfg
	N, D, L := s.rows*s.cols, s.D, s.L
	ev := widen(evidence)
	at := func(x []float64, i int) []float64 { return x[i*D : i*D+D] }
	if first {
		s.x[0] = ev
		for l := 1; l < L; l++ {
			s.x[l] = make([]float64, N*D)
			for i := range N {
				copy(at(s.x[l], i), slowNet(m.Params.BU[l-1], at(s.x[l-1], i), D))
			}
		}
	}
	pos := widen(positionCode[float32](s.rows, s.cols, c.Octaves))
	P := c.positionDim()
	next := make([][]float64, L)
	for l := range L {
		step := uint64(0)
		if c.Attention == Resampled {
			step = uint64(steps)
		}
		offsets := sampleOffsets(nil, c, l, s.rows, s.cols, step)
		next[l] = make([]float64, N*D)
		s.agree[l] = make([]float64, N)
		wBU, wTD, wPrev, wAtt := m.mixing(l)
		for i := range N {
			bu := at(ev, i)
			if l > 0 {
				below := next[l-1]
				if c.Order == Sync {
					below = s.x[l-1]
				}
				bu = slowNet(m.Params.BU[l-1], at(below, i), D)
			}
			td := make([]float64, D)
			if l < L-1 {
				in := append(append([]float64(nil), at(s.x[l+1], i)...), pos[i*P:i*P+P]...)
				td = slowNet(m.Params.TD[l], in, D)
			}
			q := bu
			if c.Query == QueryState {
				q = at(s.x[l], i)
			}
			ri, ci := i/s.cols, i%s.cols
			allowed := map[int]bool{}
			if c.Attention != Dense {
				for _, o := range offsets {
					r, k := ri+int(o.row), ci+int(o.col)
					if r >= 0 && r < s.rows && k >= 0 && k < s.cols {
						allowed[r*s.cols+k] = true
					}
				}
			}
			att := make([]float64, D)
			var sum float64
			for j := range N {
				logit := 0.0
				for d := range D {
					logit += q[d] * at(s.x[l], j)[d]
				}
				logit *= c.Beta[l]
				if c.Attention == Dense {
					dr, dc := float64(ri-j/s.cols), float64(ci-j%s.cols)
					logit -= (dr*dr + dc*dc) / (2 * c.Sigma[l] * c.Sigma[l])
				} else if !allowed[j] {
					continue
				}
				e := math.Exp(logit - c.Beta[l])
				sum += e
				for d := range D {
					att[d] += e * at(s.x[l], j)[d]
				}
			}
			v := make([]float64, D)
			for d := range D {
				v[d] = float64(wBU)*bu[d] + float64(wTD)*td[d] + float64(wPrev)*at(s.x[l], i)[d] + float64(wAtt)*att[d]/sum
			}
			u, length := slowUnit(v)
			copy(at(next[l], i), u)
			s.agree[l][i] = length
		}
	}
	s.x = next
}

func TestStep(t *testing.T) {
	const tol = 3e-5 // float32 rounding through three steps and five levels
	const rows, cols = 7, 9
	for _, base := range []Config{{}, {Order: Sync, Query: QueryState}, {Query: QueryState}, {Order: Sync}} {
		for _, att := range []Attention{Dense, Sampled, Resampled} {
			for _, untrained := range []bool{false, true} {
				c := base
				c.Attention, c.Dim, c.Hidden, c.Seed = att, 16, 24, 3
				t.Run(fmt.Sprintf("order=%s,query=%s,att=%s,untrained=%v", c.Order, c.Query, att, untrained), func(t *testing.T) {
					m := trained(t, c)
					if untrained {
						m, _ = New(c)
					}
					s, err := m.NewState(rows, cols)
					if err != nil {
						t.Fatal(err)
					}
					slow := &slowState{rows: rows, cols: cols, L: 5, D: 16, x: make([][]float64, 5), agree: make([][]float64, 5)}
					rng := rand.New(rand.NewPCG(1, 9))
					for step := range 3 {
						ev := randomUnits(rng, rows*cols, 16)
						m.Step(s, ev)
						slowStep(m, slow, ev, step == 0, step)
						for l := range 5 {
							approx(t, fmt.Sprintf("step %d, level %d", step, l), s.Level(l), slow.x[l], tol)
							approx(t, fmt.Sprintf("step %d, agreement %d", step, l), s.Agreement(l), slow.agree[l], tol)
						}
					}
				})
			}
		}
	}
}

func TestStepDoesNotDependOnGoroutines(t *testing.T) {
	for _, att := range []Attention{Dense, Sampled} {
		m := trained(t, Config{Attention: att})
		var want []float32
		for _, procs := range []int{1, 2, 5} {
			old := runtime.GOMAXPROCS(procs)
			s, err := m.NewState(22, 40)
			if err != nil {
				t.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(5, 5))
			for range 3 {
				m.Step(s, randomUnits(rng, 880, 64))
			}
			runtime.GOMAXPROCS(old)
			if want == nil {
				want = s.x
			}
			for i := range want {
				if s.x[i] != want[i] {
					t.Fatalf("%s: GOMAXPROCS=%d changes x[%d]: %v, want %v", att, procs, i, s.x[i], want[i])
				}
			}
		}
	}
}

// A step that is recorded, or taken by one goroutine, is the same step.
func TestStepTape(t *testing.T) {
	for _, c := range gradientConfigs() {
		c.Dim, c.Hidden = 16, 24
		m := trained(t, c)
		plain, _ := m.NewState(12, 20)
		taped, err := m.NewSerialState(12, 20)
		if err != nil {
			t.Fatal(err)
		}
		tape := NewTape()
		rng := rand.New(rand.NewPCG(5, 5))
		for step := range 5 {
			if step == 3 {
				tape.Rewind()
			}
			ev := randomUnits(rng, 240, 16)
			m.Step(plain, ev)
			m.StepTape(taped, ev, tape)
			for l := range c.Levels {
				approx(t, fmt.Sprintf("%s: step %d, level %d", c.name(), step, l), taped.Level(l), widen(plain.Level(l)), 0)
				approx(t, c.name()+": tape", tape.Level(tape.Len()-1, l), widen(plain.Level(l)), 0)
				approx(t, c.name()+": agreement", taped.Agreement(l), widen(plain.Agreement(l)), 0)
			}
		}
		if tape.Len() != 2 {
			t.Errorf("the tape has %d steps, want the 2 since it was rewound", tape.Len())
		}
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	m, err := New(Config{}) // identity nets and sampled attention: none of blas32's own allocations
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.NewState(22, 40)
	if err != nil {
		t.Fatal(err)
	}
	ev := randomUnits(rand.New(rand.NewPCG(1, 1)), 880, 64)
	if a := testing.AllocsPerRun(10, func() { m.Step(s, ev) }); a != 0 {
		t.Errorf("Step allocates %v times, want 0", a)
	}
}

// Permuting the columns of the grid must permute the result when neither position nor distance
// enters: then no location is special.
func TestStepIsEquivariant(t *testing.T) {
	const n, D = 24, 16
	c := Config{Dim: D, Hidden: 16, Attention: Dense, Sigma: []float64{1e6, 1e6, 1e6, 1e6, 1e6}}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 3))
	ev := randomUnits(rng, n, D)
	perm := rng.Perm(n)
	shuffled := make([]float32, len(ev))
	for i, p := range perm {
		copy(shuffled[i*D:i*D+D], ev[p*D:p*D+D])
	}
	a, _ := m.NewState(1, n)
	b, _ := m.NewState(1, n)
	for range 4 {
		m.Step(a, ev)
		m.Step(b, shuffled)
	}
	for l := range 5 {
		want := make([]float64, n*D)
		for i, p := range perm {
			copy(want[i*D:i*D+D], widen(a.Level(l)[p*D:p*D+D]))
		}
		approx(t, fmt.Sprintf("level %d", l), b.Level(l), want, 1e-5)
	}
}

// On a still picture the state comes to rest.
func TestStepSettles(t *testing.T) {
	m := trained(t, Config{Attention: Dense})
	s, err := m.NewState(12, 16)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(4, 4))
	regions := randomUnits(rng, 3, 64)
	ev := make([]float32, 12*16*64)
	for i := range 12 * 16 {
		copy(ev[i*64:i*64+64], regions[i%16/6*64:][:64])
	}
	for range 80 {
		m.Step(s, ev)
	}
	before := append([]float32(nil), s.x...)
	m.Step(s, ev)
	approx(t, "one more step", s.x, widen(before), 1e-4)
}

func TestResetForgets(t *testing.T) {
	m := trained(t, Config{})
	rng := rand.New(rand.NewPCG(8, 8))
	a, _ := m.NewState(8, 8)
	b, _ := m.NewState(8, 8)
	for range 3 {
		m.Step(a, randomUnits(rng, 64, 64))
	}
	a.Reset()
	ev := randomUnits(rng, 64, 64)
	m.Step(a, ev)
	m.Step(b, ev)
	approx(t, "x", a.x, widen(b.x), 0)
}

func TestNonFinite(t *testing.T) {
	for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(1))} {
		m := trained(t, Config{})
		s, _ := m.NewState(4, 4)
		ev := randomUnits(rand.New(rand.NewPCG(1, 2)), 16, 64)
		ev[5*64+3] = bad
		m.Step(s, ev)
		if s.NonFinite == 0 {
			t.Errorf("evidence %v: not counted", bad)
		}
		for i, v := range s.x {
			if v != v || math.IsInf(float64(v), 0) {
				t.Fatalf("evidence %v: x[%d] = %v", bad, i, v)
			}
		}
	}
}

func TestSampleOffsets(t *testing.T) {
	c := Config{}.withDefaults()
	for l := range c.Levels {
		o := sampleOffsets(nil, c, l, 22, 40, 0)
		if len(o) != c.Samples || o[0] != (offset{}) {
			t.Fatalf("level %d: %d offsets, first %v", l, len(o), o[0])
		}
		seen := map[offset]bool{}
		for _, v := range o {
			if seen[v] {
				t.Errorf("level %d: %v twice", l, v)
			}
			seen[v] = true
		}
	}
	if o := sampleOffsets(nil, c, 4, 1, 2, 0); len(o) > 3 {
		t.Errorf("a grid of 1 by 2 has %d offsets", len(o))
	}
	// The spread of many draws is that of the gaussian, up to rounding and the ban on doubles.
	var sum float64
	var n int
	for step := range 200 {
		for _, v := range sampleOffsets(nil, c, 2, 1000, 1000, uint64(step))[1:] {
			sum += float64(v.row)*float64(v.row) + float64(v.col)*float64(v.col)
			n += 2
		}
	}
	if got := math.Sqrt(sum / float64(n)); math.Abs(got-c.Sigma[2]) > 0.1*c.Sigma[2] {
		t.Errorf("standard deviation of the offsets is %.2f, want about %v", got, c.Sigma[2])
	}
}

func TestMeanShift(t *testing.T) {
	const rows, cols, D, radius, beta, steps = 7, 9, 16, 2, 3.0, 3
	x := randomUnits(rand.New(rand.NewPCG(1, 1)), rows*cols, D)
	want := widen(x)
	for range steps {
		next := make([]float64, 0, len(x))
		for i := range rows * cols {
			v := make([]float64, D)
			for j := range rows * cols {
				if max(i/cols-j/cols, j/cols-i/cols, i%cols-j%cols, j%cols-i%cols) > radius {
					continue
				}
				var s float64
				for d := range D {
					s += want[i*D+d] * want[j*D+d]
				}
				for d := range D {
					v[d] += math.Exp(beta*s) * want[j*D+d]
				}
			}
			u, _ := slowUnit(v)
			next = append(next, u...)
		}
		want = next
	}
	var m MeanShift
	if n := m.Run(x, rows, cols, D, radius, beta, steps); n != steps {
		t.Errorf("Run took %d steps, want %d", n, steps)
	}
	approx(t, "mean shift", x, want, 1e-4)
}

// Noisy regions become plateaus, and Run stops once they are.
func TestMeanShiftArrives(t *testing.T) {
	const rows, cols, D = 12, 16, 32
	rng := rand.New(rand.NewPCG(6, 1))
	regions := randomUnits(rng, 2, D)
	x := make([]float32, rows*cols*D)
	for i := range rows * cols {
		for d := range D {
			x[i*D+d] = regions[i%cols/8*D+d] + float32(0.05*rng.NormFloat64())
		}
	}
	vec.UnitRows(x, nil, rows*cols, D)
	var m MeanShift
	if n := m.Run(x, rows, cols, D, 3, 30, 50); n >= 50 {
		t.Fatalf("not at rest after %d steps", n)
	}
	for i := range rows * cols {
		j := i/cols*cols + i%cols/8*8 // the first of its region in the row
		if c := Dot(x[i*D:i*D+D], x[j*D:j*D+D]); c < 0.995 {
			t.Fatalf("cosine of locations %d and %d of one region is %v", i, j, c)
		}
	}
	if a := testing.AllocsPerRun(3, func() { m.Run(x, rows, cols, D, 3, 30, 12) }); a != 0 {
		t.Errorf("Run allocates %v times, want 0", a)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, c := range []Config{
		{}, {Attention: Dense}, {Hidden: 256, Attention: Dense}, {Hidden: 256}, {Attention: Resampled},
	} {
		for _, nets := range []bool{false, true} {
			b.Run(fmt.Sprintf("att=%s,H=%d,nets=%v", c.withDefaults().Attention, c.withDefaults().Hidden, nets), func(b *testing.B) {
				m, _ := New(c)
				if nets {
					m = trained(b, c)
				}
				s, err := m.NewState(30, 30)
				if err != nil {
					b.Fatal(err)
				}
				ev := randomUnits(rand.New(rand.NewPCG(1, 1)), 900, 64)
				for b.Loop() {
					m.Step(s, ev)
				}
			})
		}
	}
}
