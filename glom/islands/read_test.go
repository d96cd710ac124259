package islands

import (
	"image"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"glomstream/glom"
)

// adjustedRand is the adjusted Rand index of two labellings: 1 if they are the same up to names,
// about 0 if they have nothing to do with each other.
func adjustedRand(a, b []uint16) float64 {
	inBoth, inA, inB := map[[2]uint16]float64{}, map[uint16]float64{}, map[uint16]float64{}
	for i := range a {
		inBoth[[2]uint16{a[i], b[i]}]++
		inA[a[i]]++
		inB[b[i]]++
	}
	pairs := func(n float64) float64 { return n * (n - 1) / 2 }
	var both, as, bs float64
	for _, n := range inBoth {
		both += pairs(n)
	}
	for _, n := range inA {
		as += pairs(n)
	}
	for _, n := range inB {
		bs += pairs(n)
	}
	chance := as * bs / pairs(float64(len(a)))
	if as == bs && as == chance {
		return 1 // one island in both
	}
	return (both - chance) / ((as+bs)/2 - chance)
}

// noisyField divides a grid into the k cells of a Voronoi diagram and gives every location a unit
// vector. Two of one region have a cosine of within, two of different regions one of between, on
// average.
func noisyField(rng *rand.Rand, rows, cols, dim, k int, within, between float64) (x []float32, truth []uint16) {
	random := func() []float32 {
		v := make([]float32, dim)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		normalise(v)
		return v
	}
	common := random()
	own, px, py := make([][]float32, k), make([]float64, k), make([]float64, k)
	for j := range own {
		own[j], px[j], py[j] = random(), rng.Float64()*float64(cols), rng.Float64()*float64(rows)
	}
	c, o, n := float32(math.Sqrt(between)), float32(math.Sqrt(within-between)), float32(math.Sqrt(1-within))
	for i := range rows * cols {
		near, best := 0, math.Inf(1)
		for j := range own {
			if d := math.Hypot(float64(i%cols)-px[j], float64(i/cols)-py[j]); d < best {
				near, best = j, d
			}
		}
		truth = append(truth, uint16(near+1))
		for d, noise := range random() {
			x = append(x, c*common[d]+o*own[near][d]+n*noise)
		}
	}
	unitRows(x, x, dim)
	return x, truth
}

// settled returns x after some attention-only settling steps.
func settled(x []float32, rows, cols, dim, steps int) []float32 {
	x = slices.Clone(x)
	var shift glom.MeanShift
	for range steps {
		att := slices.Clone(x)
		shift.Run(att, rows, cols, dim, 4, 10, 1)
		add(x, att)
		unitRows(x, x, dim)
	}
	return x
}

func TestReadFindsNoisyRegions(t *testing.T) {
	const rows, cols, dim = 24, 32, 64
	for _, steps := range []int{3, 6} {
		for seed := range uint64(4) {
			x, truth := noisyField(rand.New(rand.NewPCG(seed, 1)), rows, cols, dim, 7, .5, .16)
			var l Level
			NewReader(Config{}).Read(&l, nil, settled(x, rows, cols, dim, steps), nil, rows, cols, dim)
			if got := adjustedRand(l.ID, truth); got < 0.98 {
				t.Errorf("seed %d, %d settling steps: got ARI %.3f with %d islands, want 0.98", seed, steps, got, len(l.Islands))
			}
			checkLevel(t, &l)
		}
	}
}

// softField has two regions with a border that turns from one vector to the other over several
// locations.
func softField(rows, cols, dim, border int) []float32 {
	x := make([]float32, rows*cols*dim)
	for i := range rows * cols {
		t := (float64(i%cols) - float64(cols-1)/2) / float64(border+1)
		angle := (min(max(t, -0.5), 0.5) + 0.5) * 80 * math.Pi / 180
		x[i*dim], x[i*dim+1] = float32(math.Cos(angle)), float32(math.Sin(angle))
	}
	return x
}

func TestReadKeepsSoftBordersApart(t *testing.T) {
	const rows, cols, dim = 12, 24, 8
	for _, border := range []int{2, 4, 6, 8} {
		x := softField(rows, cols, dim, border)
		for i := 1; i < cols && border >= 6; i++ {
			if c := glom.Dot(x[(i-1)*dim:i*dim], x[i*dim:(i+1)*dim]); c <= 0.95 {
				t.Fatalf("cosine %v over the border: single linkage at 0.95 would not run across it", c)
			}
		}
		for _, steps := range []int{-1, 0} {
			var l Level
			NewReader(Config{Steps: steps}).Read(&l, nil, x, nil, rows, cols, dim)
			if len(l.Islands) != 2 {
				t.Errorf("border of %d, steps %d: got %d islands, want 2", border, steps, len(l.Islands))
				continue
			}
			if a := l.Islands[0].Area; a < rows*cols/3 || a > rows*cols*2/3 {
				t.Errorf("border of %d, steps %d: got areas %d and %d", border, steps, a, l.Islands[1].Area)
			}
		}
	}
}

func TestReadDescribes(t *testing.T) {
	a, b := []float32{0.8, 0.6, 0}, []float32{0.8, -0.6, 0}
	c := []float32{0, 0, 2} // its length does not count
	x := slices.Concat(a, b, c, a, b, c)
	var l Level
	NewReader(Config{Steps: -1, Link: 0.2, MinArea: 1, Rims: true}).Read(&l, nil, x, []float32{0, 1, .5, .5, 0, 1}, 2, 3, 3)
	want := []Island{
		{
			ID: 1, Area: 4, Box: image.Rect(0, 0, 2, 2), X: 0.5, Y: 0.5,
			Norm: 0.8, Spread: 0.6, Agreement: 0.375, Vector: []float32{1, 0, 0},
		},
		{
			ID: 2, Area: 2, Box: image.Rect(2, 0, 3, 2), X: 2, Y: 0.5,
			Norm: 1, Agreement: 0.75, Vector: []float32{0, 0, 1},
		},
	}
	for k := range l.Islands { // a mean of float32
		s := &l.Islands[k]
		s.Norm, s.Spread = math.Round(s.Norm*1e6)/1e6, math.Round(s.Spread*1e3)/1e3
	}
	if !reflect.DeepEqual(l.Islands, want) {
		t.Errorf("got  %+v\nwant %+v", l.Islands, want)
	}
	if want := []uint16{1, 1, 2, 1, 1, 2}; !slices.Equal(l.ID, want) {
		t.Errorf("got ids %v, want %v", l.ID, want)
	}
}

// TestReadMeasures compares norm and spread with their definitions, in float64.
func TestReadMeasures(t *testing.T) {
	const rows, cols, dim = 9, 14, 16
	x, _ := noisyField(rand.New(rand.NewPCG(5, 1)), rows, cols, dim, 4, .8, .1)
	for d := range dim {
		x[20*dim+d] = 0 // unknown
	}
	var l Level
	NewReader(Config{Steps: -1}).Read(&l, nil, x, nil, rows, cols, dim)
	for _, s := range l.Islands {
		mean := make([]float64, dim)
		var norm, square float64
		for i, id := range l.ID {
			for d := 0; d < dim && id == s.ID; d++ {
				mean[d] += float64(x[i*dim+d]) / float64(s.Area)
			}
		}
		for _, m := range mean {
			norm += m * m
		}
		for i, id := range l.ID {
			for d := 0; d < dim && id == s.ID; d++ {
				square += math.Pow(float64(x[i*dim+d])-mean[d], 2) / float64(s.Area)
			}
		}
		if math.Abs(s.Norm-math.Sqrt(norm)) > 1e-6 || math.Abs(s.Spread-math.Sqrt(square)) > 1e-6 {
			t.Errorf("island %d: got norm %v, spread %v, want %v, %v", s.ID, s.Norm, s.Spread, math.Sqrt(norm), math.Sqrt(square))
		}
	}
}

func TestReadTakesWhatHasNoDirection(t *testing.T) {
	const rows, cols, dim = 9, 11, 8
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	clean := softField(rows, cols, dim, 0)
	for _, c := range []struct {
		name    string
		value   float32
		every   int
		islands int
	}{
		{"all zero", 0, 1, 1},
		{"all NaN", nan, 1, 1},
		{"some zero", 0, 7, 2},
		{"some NaN", nan, 7, 2},
		{"some infinite", inf, 7, 2},
		{"some huge", math.MaxFloat32, 7, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := slices.Clone(clean)
			for o := 0; o < len(x); o += c.every * dim {
				for d := range dim {
					x[o+d] = c.value
				}
			}
			var l, again Level
			r := NewReader(Config{})
			r.Read(&l, nil, x, nil, rows, cols, dim)
			r.Read(&again, nil, x, nil, rows, cols, dim)
			if len(l.Islands) != c.islands {
				t.Errorf("got %d islands, want %d", len(l.Islands), c.islands)
			}
			if !reflect.DeepEqual(l, again) {
				t.Error("a second call gives another result")
			}
			checkLevel(t, &l)
			for _, s := range l.Islands {
				if !(s.Norm >= 0 && s.Norm <= 1 && s.Spread >= 0 && s.Spread <= 1) {
					t.Errorf("island %d: got norm %v, spread %v", s.ID, s.Norm, s.Spread)
				}
				for _, v := range s.Vector {
					if !(v >= -1.001 && v <= 1.001) {
						t.Errorf("island %d: got vector %v", s.ID, s.Vector)
						break
					}
				}
			}
		})
	}
}

// TestReadIDsSuffice has more locations than ids, and nothing to merge.
func TestReadIDsSuffice(t *testing.T) {
	const side, dim = 256, 2
	x := make([]float32, side*side*dim)
	for i := range side * side {
		angle := 2.5 * float64(i%side+2*(i/side)) // neighbours point well apart
		x[i*dim], x[i*dim+1] = float32(math.Cos(angle)), float32(math.Sin(angle))
	}
	var l Level
	NewReader(Config{Steps: -1, Link: 0.9999, MinArea: 1, Rims: true}).Read(&l, nil, x, nil, side, side, dim)
	if len(l.Islands) < 10000 || len(l.Islands) > maxID {
		t.Errorf("got %d islands", len(l.Islands))
	}
	checkLevel(t, &l)
}

func TestReadReusesLevel(t *testing.T) {
	r := NewReader(Config{})
	var l Level
	for _, size := range [][2]int{{12, 20}, {1, 1}, {1, 7}, {5, 1}, {12, 20}} {
		rows, cols := size[0], size[1]
		x, _ := noisyField(rand.New(rand.NewPCG(3, 1)), rows, cols, 16, 3, .9, .1)
		var fresh Level
		r.Read(&l, nil, x, nil, rows, cols, 16)
		NewReader(Config{}).Read(&fresh, nil, x, nil, rows, cols, 16)
		if !slices.Equal(l.ID, fresh.ID) || !reflect.DeepEqual(l.Islands, fresh.Islands) {
			t.Errorf("%dx%d: what was read before shows", rows, cols)
		}
	}
}

func TestReadAllocates(t *testing.T) {
	x, _ := noisyField(rand.New(rand.NewPCG(1, 1)), 22, 40, 64, 30, .7, .16)
	r := NewReader(Config{})
	var l Level
	above := voronoiLevel(rand.New(rand.NewPCG(1, 2)), 22, 40, 6)
	for _, above := range []*Level{nil, above} {
		if got := testing.AllocsPerRun(5, func() { r.Read(&l, above, x, nil, 22, 40, 64) }); got != 0 {
			t.Errorf("got %v allocations, want 0", got)
		}
	}
}

// TestReadWithin reads levels under others that they have nothing to do with: every island is connected and lies
// in one of those above.
func TestReadWithin(t *testing.T) {
	r := NewReader(Config{}) // one for all: what was before must not show
	for _, size := range [][2]int{{22, 40}, {1, 9}, {7, 1}, {1, 1}, {12, 17}} {
		rows, cols := size[0], size[1]
		for seed := range uint64(5) {
			x, _ := noisyField(rand.New(rand.NewPCG(seed, 1)), rows, cols, 16, 5, .8, .2)
			var free, above, l, under Level
			r.Read(&free, nil, x, nil, rows, cols, 16)
			other, _ := noisyField(rand.New(rand.NewPCG(seed, 2)), rows, cols, 16, 4, .9, .1)
			r.Read(&above, nil, other, nil, rows, cols, 16)
			r.Read(&l, &above, x, nil, rows, cols, 16)
			checkLevel(t, &l)
			in := map[uint16]uint16{}
			for i, id := range l.ID {
				if in[id] == 0 {
					in[id] = above.ID[i]
				}
				if in[id] != above.ID[i] {
					t.Fatalf("%dx%d seed %d: island %d lies in %d and in %d", rows, cols, seed, id, in[id], above.ID[i])
				}
			}
			// Under what is one everywhere, or has the same borders already, nothing changes.
			one := Level{Rows: rows, Cols: cols, ID: slices.Repeat([]uint16{7}, rows*cols)}
			for _, above := range []*Level{&one, &free} {
				r.Read(&under, above, x, nil, rows, cols, 16)
				if !slices.Equal(under.ID, free.ID) {
					t.Errorf("%dx%d seed %d: an island above changes what it holds", rows, cols, seed)
				}
			}
		}
	}
}

// vectors returns those of the islands of l, location by location.
func vectors(l *Level) []float32 {
	var x []float32
	for _, id := range l.ID {
		x = append(x, l.Islands[id-1].Vector...)
	}
	return x
}

// TestNestingOfVectors has vectors that go on beyond the islands above, and ids that are not in the
// order in which they were read.
func TestNestingOfVectors(t *testing.T) {
	type node struct {
		at      int // the location of its upper left corner
		nesting float64
	}
	for _, c := range []struct {
		name         string
		below, above *Level
		want         []node
		level        float64
	}{
		{
			"a tree by themselves", draw("aabbbbcc", "aabbbbcc"), draw("xxxxxxyy", "xxxxxxyy"),
			[]node{{0, 1}, {2, 1}, {6, 1}},
			1,
		},
		{
			"across a border", draw("aaaaaabb", "aaaaaabb"), draw("xxxxyyyy", "xxxxyyyy"),
			[]node{{0, 8. / 12}, {4, 4. / 12}, {6, 1}},
			(8*8./12 + 4*4./12 + 4) / 16,
		},
		{
			"through another", draw("aaaaaabb", "aaaaaabb"), draw("xxyyxxzz", "xxyyxxzz"),
			[]node{{0, 8. / 12}, {2, 4. / 12}, {4, 8. / 12}, {6, 1}},
			(8*8./12 + 4*4./12 + 4) / 16,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			levels := []Level{{}, *c.above}
			NewReader(Config{Steps: -1}).Read(&levels[0], c.above, vectors(c.below), nil, 2, 8, 27)
			var m Tracker
			m.Track(draw("bbccccaa", "bbccccaa"), nil)
			m.Track(&levels[0], nil)
			new(Linker).Link(levels)
			if len(levels[0].Islands) != len(c.want) {
				t.Fatalf("got %d islands, want %d", len(levels[0].Islands), len(c.want))
			}
			for _, n := range c.want {
				for _, s := range levels[0].Islands {
					if s.ID == levels[0].ID[n.at] && math.Abs(s.Nesting-n.nesting) > 1e-12 {
						t.Errorf("location %d: got nesting %v, want %v", n.at, s.Nesting, n.nesting)
					}
				}
			}
			if got := levels[0].Nesting; math.Abs(got-c.level) > 1e-12 {
				t.Errorf("got %v for the level, want %v", got, c.level)
			}
		})
	}
}

func TestReadPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"x too short":         func() { NewReader(Config{}).Read(new(Level), nil, make([]float32, 7), nil, 2, 2, 2) },
		"agreement too short": func() { NewReader(Config{}).Read(new(Level), nil, make([]float32, 8), []float32{1}, 2, 2, 2) },
		"another grid above":  func() { NewReader(Config{}).Read(new(Level), draw("abc", "abc"), make([]float32, 8), nil, 2, 2, 2) },
		"no rows":             func() { NewReader(Config{}).Read(new(Level), nil, nil, nil, 0, 2, 2) },
		"track":               func() { new(Tracker).Track(&Level{Rows: 1, Cols: 2}, nil) },
		"labels":              func() { new(Upsampler).Labels(make([]uint16, 4), 2, 2, draw("ab"), make([]byte, 11), 6) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

// TestRims has a square, a ground, and around the square a rim that is like neither: it goes to
// the one that is more like it, here the square. A bar of one location beside is a rim too.
func TestRims(t *testing.T) {
	picture := []string{
		"..........",
		".rrrr.....",
		".rssr...b.",
		".rssr...b.",
		".rrrr...b.",
		"........b.",
	}
	vectors := map[byte][]float32{'.': {1, 0, 0}, 's': {0, 1, 0}, 'r': {0.1, 0.5, 0.86}, 'b': {0, 0, 1}}
	rows, cols := len(picture), len(picture[0])
	var x []float32
	for _, line := range picture {
		for i := range len(line) {
			x = append(x, vectors[line[i]]...)
		}
	}
	var l Level
	NewReader(Config{Steps: -1, Rims: true}).Read(&l, nil, x, nil, rows, cols, 3)
	if len(l.Islands) != 4 {
		t.Errorf("with rims: %d islands, want 4", len(l.Islands))
	}
	NewReader(Config{Steps: -1}).Read(&l, nil, x, nil, rows, cols, 3)
	checkLevel(t, &l)
	if len(l.Islands) != 2 || l.Islands[1].Area != 16 || l.ID[2*cols+8] != 1 {
		t.Errorf("without rims: %+v, want the ground and a square of 16 locations", l.Islands)
	}
	// A line has no two locations beside each other, and is left as it is.
	NewReader(Config{Steps: -1, MinArea: 1}).Read(&l, nil, x[:3*cols], nil, 1, cols, 3)
	if len(l.Islands) != 1 {
		t.Errorf("a row of one vector: %d islands", len(l.Islands))
	}
}
