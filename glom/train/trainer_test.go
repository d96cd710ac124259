package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"glomstream/glom"
	"glomstream/glom/clips"
	"glomstream/glom/conv"
	"glomstream/glom/internal/vec"
)

// boxes is a source of clips: boxes of two halves move over a textured ground.
type boxes struct {
	t, h, w int
	seed    uint64
	err     error // of clip 5
}

func (b boxes) Clip(c *clips.Clip, n uint64) error {
	if b.err != nil && n == 5 {
		return b.err
	}
	c.Reshape(b.t, b.h, b.w, true)
	c.Source = string(rune('a' + n%1000))
	rng := rand.New(rand.NewPCG(b.seed, n))
	colour := func() [3]int { return [3]int{rng.IntN(200), rng.IntN(200), rng.IntN(200)} }
	type box struct {
		x, y, dx, dy, w, h int
		colours            [2][3]int
	}
	ground, list := colour(), make([]box, 2)
	for i := range list {
		list[i] = box{
			x: rng.IntN(b.w / 2), y: rng.IntN(b.h / 2), dx: rng.IntN(9) - 4, dy: rng.IntN(5) - 2,
			w: b.w/4 + rng.IntN(b.w/4), h: b.h/4 + rng.IntN(b.h/4), colours: [2][3]int{colour(), colour()},
		}
	}
	for t := range b.t {
		for y := range b.h {
			for x := range b.w {
				p := (t*b.h+y)*b.w + x
				col, obj, part, fx, fy := ground, 1, 1, 0, 0
				for i, o := range list {
					u, v := x-o.x-t*o.dx, y-o.y-t*o.dy
					if u >= 0 && v >= 0 && u < o.w && v < o.h {
						half := 2 * u / o.w
						col, obj, part, fx, fy = o.colours[half], i+2, 2*i+half+2, o.dx, o.dy
					}
				}
				for k := range 3 {
					c.Pix[3*p+k] = byte(col[k] + rng.IntN(40))
				}
				if t == 0 {
					fx, fy = 0, 0
				}
				c.Flow[2*p], c.Flow[2*p+1] = float32(fx), float32(fy)
				c.Labels[clips.Part][p], c.Labels[clips.Object][p], c.Labels[clips.Scene][p] = uint16(part), uint16(obj), 1
			}
		}
	}
	return nil
}

// small is a configuration whose updates take little time.
func small() Config {
	return Config{
		Model:    glom.Config{Dim: 16, Hidden: 32, Samples: 9, Octaves: 3},
		FrontEnd: conv.Config{Widths: []int{8, 16, 16}, Dim: 16},
		Decoder:  16, Updates: 40, Clips: 4, Settle: 3,
	}
}

func fresh(t testing.TB, c Config) *Trainer {
	t.Helper()
	tr, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// equal tells whether two trainers are in the same state, bit for bit.
func equal(a, b *Trainer) bool {
	return a.step == b.step && slices.Equal(a.gather(nil), b.gather(nil)) && slices.Equal(a.m, b.m) &&
		slices.Equal(a.v, b.v) && slices.Equal(a.average, b.average)
}

func TestUpdateDoesNotDependOnProcessors(t *testing.T) {
	src := boxes{t: 3, h: 32, w: 48, seed: 1}
	var want *Trainer
	for _, procs := range []int{1, 2, 3} {
		old := runtime.GOMAXPROCS(procs)
		tr := fresh(t, small())
		for range 3 {
			if _, err := tr.Update(t.Context(), src); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GOMAXPROCS(old)
		if want == nil {
			want = tr
		}
		if !equal(tr, want) {
			t.Errorf("GOMAXPROCS=%d changes the result", procs)
		}
	}
}

func TestLearns(t *testing.T) {
	c := small()
	c.Rate, c.Updates = 3e-3, 60
	tr := fresh(t, c)
	src := boxes{t: 4, h: 48, w: 64, seed: 2}
	var first, last Report
	mean := func(r *Report, add Report) {
		if r.Losses == nil {
			r.Losses = map[string]float64{}
		}
		for k, v := range add.Losses {
			r.Losses[k] += v / 8
		}
	}
	for i := range c.Updates {
		r, err := tr.Update(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		if i >= 1 && i < 9 {
			mean(&first, r)
		}
		if i >= c.Updates-8 {
			mean(&last, r)
		}
	}
	for name, share := range map[string]float64{"reconstruction": 0.7, "hidden": 0.8, "object": 0.85, "part": 0.8, "affinity": 0.8, "scene": 0.9} {
		if !(last.Losses[name] < share*first.Losses[name]) {
			t.Errorf("%s went from %.4f to %.4f, want below %v of it", name, first.Losses[name], last.Losses[name], share)
		}
	}
	t.Logf("first %v\nlast %v", first.Losses, last.Losses)
}

// Each objective alone falls when it is trained for, on clips that were not seen before.
func TestEachObjectiveFalls(t *testing.T) {
	const few, many = 10, 40 // updates
	for k, tt := range []struct {
		losses  Losses
		updates int
		noise   float64 // on the weights, so that predictions are not perfect from the start
	}{
		{Losses{Reconstruction: 1}, few, 0},
		{Losses{Agreement: 1}, few, 0.1},
		{Losses{Part: 1}, many, 0},
		{Losses{Part: 0.01, Affinity: 100}, many, 0},
		{Losses{Object: 1}, many, 0},
		{Losses{Scene: 1}, many, 0},
		{Losses{Islands: 1}, many, 0},
		{Losses{Trajectory: 1}, many, 0},
		{Losses{Attention: 1}, many, 0},
		{Losses{Prediction: 1}, few, 0.1},
		{Losses{Features: 1}, few, 0.1},
		{Losses{Variance: 1}, few, 0},
		{Losses{Covariance: 1}, few, 0},
	} {
		c, losses := small(), tt.losses
		c.Rate, c.Updates, c.Losses = 3e-3, tt.updates, losses
		tr := fresh(t, c)
		rng := rand.New(rand.NewPCG(1, 9))
		for _, p := range tr.parts {
			for i := range p.w {
				p.w[i] += float32(tt.noise * rng.NormFloat64())
			}
		}
		tr.model.Changed()
		tr.front.Changed()
		src := boxes{t: 3, h: 32, w: 48, seed: 2}
		// The clips of update 1000, which are never trained on.
		held := func() (loss float64) {
			step := tr.step
			tr.step = 1000
			loss, _ = lossOf(t, tr, src)
			tr.step = step
			return loss
		}
		first := held()
		for range c.Updates {
			if _, err := tr.Update(t.Context(), src); err != nil {
				t.Fatal(err)
			}
		}
		last := held()
		t.Logf("%+v: from %.4f to %.4f", losses, first, last)
		if !(last < 0.97*first) || first == 0 {
			t.Errorf("objective %d, %+v: went from %.4f to %.4f", k, losses, first, last)
		}
	}
}

// No island lies in two parts, at no level up to theirs: labels of parts teach the levels below as well. Here
// nothing goes up from the lowest but in the first step, which is out of the windows with losses, so that what the
// front end learns, it learns from that one.
func TestPartsAtLevelsBelow(t *testing.T) {
	c := small()
	c.Losses, c.Model.Levels, c.Window, c.First = Losses{Part: 1}, 4, 1, 4
	c.Model.Mix = []glom.Mix{{BU: 1, TD: 0.1}, {TD: 0.1, Prev: 1}, {TD: 0.1, Prev: 1}, {Prev: 1}}
	tr := fresh(t, c)
	_, g := lossOf(t, tr, boxes{t: 3, h: 32, w: 48, seed: 2})
	if norm(g[tr.atFront:tr.atDecoder]) == 0 {
		t.Error("the lowest level learns nothing from the labels of parts")
	}
}

// lossOf returns the loss of an update and its gradient with respect to all weights.
func lossOf(t *testing.T, tr *Trainer, src clips.Source) (float64, []float32) {
	t.Helper()
	tr.model.Changed()
	tr.front.Changed()
	losses, err := tr.compute(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	var loss float64
	for _, l := range losses {
		loss += l
	}
	return loss, slices.Clone(tr.grad)
}

// The parts were checked in float64; this checks how they are put together. Along the gradient g
// the loss changes at the rate g·g. Objectives with constants in them, which change with
// the weights all the same, are left out.
func TestGradientOfUpdate(t *testing.T) {
	src := boxes{t: 4, h: 32, w: 48, seed: 3}
	for _, tt := range []struct {
		name   string
		losses Losses
	}{
		{"reconstruction", Losses{Reconstruction: 1}},
		{"object", Losses{Object: 1}},
		{"part", Losses{Part: 1}},
		{"affinity", Losses{Object: 0.1, Affinity: 3}},
		{"scene", Losses{Scene: 1}},
		{"agreement", Losses{Agreement: 1}},
		{"all", Losses{Reconstruction: 1, Agreement: 1, Object: 1, Part: 1, Affinity: 1, Scene: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := small()
			c.Losses, c.Clips, c.Both = tt.losses, 3, true
			tr := fresh(t, c)
			rng := rand.New(rand.NewPCG(1, 9))
			for _, p := range tr.parts {
				for i := range p.w {
					p.w[i] += float32(0.05 * rng.NormFloat64())
				}
			}
			_, g := lossOf(t, tr, src)
			// Each kind of weights on its own: the large gradients would hide the small ones.
			for _, r := range []struct {
				name     string
				from, to int
			}{{"model", 0, tr.atFront}, {"front end", tr.atFront, tr.atDecoder}, {"decoder", tr.atDecoder, len(g)}} {
				d := make([]float32, len(g))
				copy(d[r.from:r.to], g[r.from:r.to])
				length := norm(d)
				if length == 0 {
					continue
				}
				const h = 1e-3
				move := func(s float64) float64 {
					rest := d
					for _, p := range tr.parts {
						vec.Axpy(p.w, float32(s*h/length), rest[:len(p.w)])
						rest = rest[len(p.w):]
					}
					l, _ := lossOf(t, tr, src)
					return l
				}
				up := move(1)
				down := move(-2)
				move(1)
				if got := (up - down) / (2 * h); math.Abs(got/length-1) > 0.02 {
					t.Errorf("%s: the loss changes at %v along the gradient, want %v", r.name, got, length)
				}
			}
		})
	}
}

func TestSelfSupervisedUsesNoLabels(t *testing.T) {
	c := small()
	c.SelfSupervised = true
	with, without := fresh(t, c), fresh(t, c)
	src := boxes{t: 3, h: 32, w: 48, seed: 1}
	for range 2 {
		if _, err := with.Update(t.Context(), src); err != nil {
			t.Fatal(err)
		}
		if _, err := without.Update(t.Context(), unlabelled{src}); err != nil {
			t.Fatal(err)
		}
	}
	if !equal(with, without) {
		t.Error("labels change the result")
	}
}

// unlabelled takes the labels away.
type unlabelled struct{ clips.Source }

func (u unlabelled) Clip(c *clips.Clip, n uint64) error {
	if err := u.Source.Clip(c, n); err != nil {
		return err
	}
	c.Labels = [clips.Levels][]uint16{}
	return nil
}

// Gradients that end at a window are those of a run that begins there.
func TestWindow(t *testing.T) {
	c := small()
	c.Window = 2
	tr := fresh(t, c)
	if _, err := tr.Update(t.Context(), boxes{t: 5, h: 32, w: 48, seed: 1}); err != nil {
		t.Fatal(err)
	}
	whole := fresh(t, small())
	if _, err := whole.Update(t.Context(), boxes{t: 5, h: 32, w: 48, seed: 1}); err != nil {
		t.Fatal(err)
	}
	if slices.Equal(tr.grad, whole.grad) {
		t.Error("a window of 2 of 5 frames changes nothing")
	}
}

func TestUpdateErrors(t *testing.T) {
	boom := errors.New("boom")
	tr := fresh(t, small())
	src := boxes{t: 3, h: 32, w: 48, seed: 1, err: boom}
	if _, err := tr.Update(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	before := tr.gather(nil)
	_, err := tr.Update(t.Context(), src)
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "update 2: clip 5") {
		t.Errorf("got %v, want one that names update 2, clip 5 and the cause", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(boom)
	if _, err := tr.Update(ctx, boxes{t: 3, h: 32, w: 48}); !errors.Is(err, boom) {
		t.Errorf("cancelled: got %v, want the cause", err)
	}
	if tr.Step() != 1 || !slices.Equal(before, tr.gather(nil)) {
		t.Error("an update that failed has changed something")
	}
	tr.model.Params.All[0] = float32(math.NaN())
	if _, err := tr.Update(t.Context(), boxes{t: 3, h: 32, w: 48}); !errors.Is(err, ErrDiverged) {
		t.Errorf("weights that are not numbers: got %v, want %v", err, ErrDiverged)
	}
}

func TestConfigRefuses(t *testing.T) {
	for _, tt := range []struct {
		c    Config
		want string
	}{
		{Config{Clips: -1}, "clips -1"},
		{Config{Rate: math.NaN()}, "rate NaN"},
		{Config{Losses: Losses{Object: -1}}, "object -1"},
		{Config{Model: glom.Config{Dim: 12}}, "dim 12"},
		{Config{Model: glom.Config{Dim: 32}}, "vectors of 64"},
		{Config{FrontEnd: conv.Config{Channels: 2}}, "channels 2"},
	} {
		if _, err := New(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("New(%+v): %v, want %q", tt.c, err, tt.want)
		}
	}
}

func TestMajority(t *testing.T) {
	const rows, cols = 2, 3
	labels := make([]uint16, 64*rows*cols)
	set := func(r, c, n int, id uint16) { // the first n pixels of a location
		for k := range n {
			labels[(r*8+k/8)*8*cols+c*8+k%8] = id
		}
	}
	set(0, 0, 64, 5)
	set(0, 1, 48, 7)
	set(0, 2, 47, 9)
	set(1, 0, 30, 3)
	set(1, 1, 16, 2)
	got := make([]uint16, rows*cols)
	majority(got, labels, rows, cols)
	if want := []uint16{5, 7, 0, 0, 0, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPicks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	ids := make([]uint16, 300)
	for i := range ids {
		ids[i] = uint16(rng.IntN(5))
	}
	var p picks
	p.draw(rng, ids, 100)
	if len(p.at) != 100 {
		t.Fatalf("%d locations, want 100", len(p.at))
	}
	k := 0
	seen := map[int]bool{}
	var last uint16
	for _, m := range p.sizes {
		id := ids[p.at[k]]
		if id <= last {
			t.Errorf("island %d comes after %d", id, last)
		}
		last = id
		for range m {
			if ids[p.at[k]] != id || seen[p.at[k]] {
				t.Fatalf("location %d does not belong", p.at[k])
			}
			seen[p.at[k]] = true
			k++
		}
	}
	if p.draw(rng, make([]uint16, 10), 5); len(p.at) != 0 || len(p.sizes) != 0 {
		t.Error("unknown locations were picked")
	}
}

// What a model leaves out of its mix stays out in training, and does not shape anything.
func TestLeftOut(t *testing.T) {
	learn := func(mix glom.Mix) *glom.Model {
		c := small()
		c.Rate, c.Average, c.Losses = 0.02, 0.1, DefaultLosses()
		for range 5 {
			c.Model.Mix = append(c.Model.Mix, mix)
		}
		tr := fresh(t, c)
		for range 4 {
			if _, err := tr.Update(t.Context(), tiny6); err != nil {
				t.Fatal(err)
			}
		}
		m, _, err := tr.Averaged()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	// settled returns the embeddings after some steps of a model that attends differently.
	settled := func(m *glom.Model, beta float64) []float32 {
		c := m.Config()
		c.Beta, c.Seed = []float64{beta, beta, beta, beta, beta}, uint64(beta)
		m, err := m.With(c)
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.NewState(4, 6)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for range 3 {
			ev := make([]float32, 4*6*c.Dim)
			for i := range ev {
				ev[i] = float32(rng.NormFloat64())
			}
			vec.UnitRows(ev, nil, 4*6, c.Dim)
			m.Step(s, ev)
		}
		return slices.Concat(s.Level(0), s.Level(4))
	}
	for _, tt := range []struct {
		mix      glom.Mix
		att, net bool // attention matters, the top-down nets learn
	}{
		{glom.Mix{BU: 2, TD: 0.25, Prev: 0.1, Att: 2}, true, true},
		{glom.Mix{BU: 2, TD: 0.25, Prev: 0.1}, false, true},
		{glom.Mix{BU: 2, Prev: 0.1, Att: 2}, true, false},
	} {
		m := learn(tt.mix)
		if got := !slices.Equal(settled(m, 5), settled(m, 50)); got != tt.att {
			t.Errorf("%+v: attention matters: %v, want %v", tt.mix, got, tt.att)
		}
		if got := slices.ContainsFunc(m.Params.TD[2].W2, func(x float32) bool { return x != 0 }); got != tt.net {
			t.Errorf("%+v: the top-down nets have learned: %v, want %v", tt.mix, got, tt.net)
		}
	}
}
