package islands

import (
	"image"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestLinker(t *testing.T) {
	levels := []Level{
		*draw("aabbbc", "aabbbc"),
		*draw("aaabbb", "aaabbb"),
		*draw("aaaaaa", "aaaaaa"),
	}
	levels[0].Islands[0].Norm, levels[0].Islands[0].Agreement, levels[0].Islands[0].Age = 0.8, 0.5, 2
	new(Linker).Link(levels)
	type node struct {
		parent  uint16
		nesting float64
	}
	want := [][]node{
		{{1, 1}, {2, 2. / 3}, {2, 1}},
		{{1, 1}, {1, 1}},
		{{0, 0}},
	}
	for l := range levels {
		for k, s := range levels[l].Islands {
			if got := (node{s.Parent, s.Nesting}); got != want[l][k] {
				t.Errorf("level %d island %d: got %+v, want %+v", l, s.ID, got, want[l][k])
			}
		}
	}
	for l, want := range []float64{10. / 12, 1, 0} {
		if got := levels[l].Nesting; math.Abs(got-want) > 1e-12 {
			t.Errorf("level %d: got nesting %v, want %v", l, got, want)
		}
	}
	if got, want := levels[0].Islands[0].Confidence, 0.8*0.5*3/4; math.Abs(got-want) > 1e-12 {
		t.Errorf("got confidence %v, want %v", got, want)
	}
	if got, want := levels[0].Agreement, 0.5*4/12; math.Abs(got-want) > 1e-12 {
		t.Errorf("got agreement %v, want %v", got, want)
	}
}

// TestLinkerTie has an island half in one parent, half in the other: the smaller id wins,
// whichever comes first.
func TestLinkerTie(t *testing.T) {
	for _, above := range []*Level{draw("ab"), {Rows: 1, Cols: 2, ID: []uint16{2, 1}, Islands: []Island{{ID: 1, Area: 1}, {ID: 2, Area: 1}}}} {
		levels := []Level{*draw("aa"), *above}
		new(Linker).Link(levels)
		if s := levels[0].Islands[0]; s.Parent != 1 || s.Nesting != 0.5 {
			t.Errorf("got parent %d, nesting %v", s.Parent, s.Nesting)
		}
	}
}

// checkLinks compares a linked level with what the definitions say, slowly.
func checkLinks(t *testing.T, l, above *Level) {
	t.Helper()
	inside := 0.0
	for _, s := range l.Islands {
		shared := map[uint16]int{}
		for i, id := range l.ID {
			if id == s.ID {
				shared[above.ID[i]]++
			}
		}
		for _, p := range above.Islands {
			if n := shared[p.ID]; n > shared[s.Parent] || n == shared[s.Parent] && p.ID < s.Parent {
				t.Fatalf("island %d: got parent %d of %v", s.ID, s.Parent, shared)
			}
		}
		if got, want := s.Nesting, float64(shared[s.Parent])/float64(s.Area); got != want {
			t.Errorf("island %d: got nesting %v, want %v", s.ID, got, want)
		}
		inside += float64(shared[s.Parent])
		if !(s.Confidence >= 0 && s.Confidence <= 1) {
			t.Errorf("island %d: got confidence %v", s.ID, s.Confidence)
		}
	}
	if got, want := l.Nesting, inside/float64(len(l.ID)); math.Abs(got-want) > 1e-12 {
		t.Errorf("got nesting %v, want %v", got, want)
	}
}

// cells returns a level of up to n Voronoi cells, which may fall into pieces, with scattered
// locations of other cells.
func cells(rng *rand.Rand, rows, cols, n, scattered int) *Level {
	l := voronoiLevel(rng, rows, cols, n)
	for range scattered {
		l.ID[rng.IntN(len(l.ID))] = uint16(1 + rng.IntN(n))
	}
	area := make([]int, n+1)
	for _, id := range l.ID {
		area[id]++
	}
	for id, a := range area {
		if a > 0 {
			l.Islands = append(l.Islands, Island{ID: uint16(id), Area: a, Norm: rng.Float64(), Agreement: rng.Float64()})
		}
	}
	return l
}

func TestLinkerRandom(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var k Linker // one for all: what was before must not show
	for _, size := range [][2]int{{1, 1}, {1, 9}, {7, 1}, {12, 17}, {5, 5}, {22, 40}} {
		for range 20 {
			rows, cols := size[0], size[1]
			levels := []Level{*cells(rng, rows, cols, 20, rows*cols/3), *cells(rng, rows, cols, 6, 5), *cells(rng, rows, cols, 2, 0)}
			k.Link(levels)
			checkLinks(t, &levels[0], &levels[1])
			checkLinks(t, &levels[1], &levels[2])
			for l := range levels {
				checkOutlines(t, &levels[l])
			}
		}
	}
}

// TestLinkerOneLevel has a model without parts and wholes.
func TestLinkerOneLevel(t *testing.T) {
	levels := []Level{*draw("ab")}
	new(Linker).Link(levels)
	if s := levels[0].Islands[0]; s.Parent != 0 || s.Nesting != 0 || len(s.Outline) != 1 {
		t.Errorf("got %+v", s)
	}
	new(Linker).Link(nil)
}

func TestLinkerPanics(t *testing.T) {
	for name, levels := range map[string][]Level{
		"another grid": {*draw("aa"), *draw("aaa")},
		"turned grid":  {*draw("aa"), *draw("a", "a")},
		"short ids":    {{Rows: 1, Cols: 2, ID: []uint16{1}, Islands: []Island{{ID: 1, Area: 1}}}},
		"areas":        {{Rows: 1, Cols: 2, ID: []uint16{1, 1}, Islands: []Island{{ID: 1, Area: 1}}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			new(Linker).Link(levels)
		})
	}
}

// checkOutlines fills the rings of every island by the even-odd rule, checks that they are what
// Link promises, and compares them with the ids. The islands need not be connected.
func checkOutlines(t *testing.T, l *Level) {
	t.Helper()
	for _, s := range l.Islands {
		for r, ring := range s.Outline {
			if len(ring) < 4 || len(ring)%2 > 0 {
				t.Fatalf("island %d ring %d: got %v", s.ID, r, ring)
			}
			area := 0 // twice the signed area, above 0 if clockwise as y points down
			for i, p := range ring {
				q, o := ring[(i+1)%len(ring)], ring[(i+2)%len(ring)]
				area += p.X*q.Y - q.X*p.Y
				if (p.X == q.X) == (p.Y == q.Y) || (p.X == q.X) == (q.X == o.X) {
					t.Fatalf("island %d ring %d: no corner between %v, %v and %v", s.ID, r, p, q, o)
				}
			}
			if r == 0 && area <= 0 {
				t.Errorf("island %d: twice the area of its first ring is %d", s.ID, area)
			}
		}
		for i, id := range l.ID {
			if got := oddCrossings(s.Outline, i%l.Cols, i/l.Cols); got != (id == s.ID) {
				t.Fatalf("island %d: location %d inside the outline is %v", s.ID, i, got)
			}
		}
	}
}

// oddCrossings tells whether a ray from the middle of location (x, y) to the left meets an odd
// number of edges.
func oddCrossings(rings [][]image.Point, x, y int) bool {
	odd := false
	for _, ring := range rings {
		for i, p := range ring {
			q := ring[(i+1)%len(ring)]
			if p.X == q.X && p.X <= x && min(p.Y, q.Y) <= y && y < max(p.Y, q.Y) {
				odd = !odd
			}
		}
	}
	return odd
}

func TestOutline(t *testing.T) {
	for _, c := range []struct {
		name string
		l    *Level
		want [][]image.Point // of island 1
	}{
		{"one location", draw("a"), [][]image.Point{{{0, 0}, {1, 0}, {1, 1}, {0, 1}}}},
		{"a bar", draw("aaa", "bbb"), [][]image.Point{{{0, 0}, {3, 0}, {3, 1}, {0, 1}}}},
		{"an L", draw("ab", "aa"), [][]image.Point{{{0, 0}, {1, 0}, {1, 1}, {2, 1}, {2, 2}, {0, 2}}}},
		{
			"a ring", draw("aaa", "aba", "aaa"),
			[][]image.Point{{{0, 0}, {3, 0}, {3, 3}, {0, 3}}, {{1, 2}, {2, 2}, {2, 1}, {1, 1}}},
		},
		{
			"holes that touch at a corner are one ring", draw("aaaa", "abaa", "aaba", "aaaa"),
			[][]image.Point{
				{{0, 0}, {4, 0}, {4, 4}, {0, 4}},
				{{1, 2}, {2, 2}, {2, 3}, {3, 3}, {3, 2}, {2, 2}, {2, 1}, {1, 1}},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			levels := []Level{*c.l}
			new(Linker).Link(levels)
			if got := levels[0].Islands[0].Outline; !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
			checkOutlines(t, &levels[0])
		})
	}
}

// TestOutlineApart has an island of two pieces that touch at a corner, as a caller may make one.
func TestOutlineApart(t *testing.T) {
	levels := []Level{*draw("ab", "ba")}
	new(Linker).Link(levels)
	for _, s := range levels[0].Islands {
		if len(s.Outline) != 2 || len(s.Outline[0]) != 4 || len(s.Outline[1]) != 4 {
			t.Errorf("island %d: got %v", s.ID, s.Outline)
		}
	}
}

// fiveLevels are as many islands at each level as the demo scene has.
func fiveLevels() []Level {
	rng := rand.New(rand.NewPCG(1, 1))
	var levels []Level
	for _, n := range []int{51, 46, 40, 31, 13} {
		levels = append(levels, *cells(rng, 22, 40, n, 0))
	}
	return levels
}

func TestLinkerAllocates(t *testing.T) {
	levels := fiveLevels()
	var k Linker
	if got := testing.AllocsPerRun(5, func() { k.Link(levels) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func BenchmarkLinker(b *testing.B) {
	levels := fiveLevels()
	var k Linker
	b.ReportAllocs()
	for b.Loop() {
		k.Link(levels)
	}
}
