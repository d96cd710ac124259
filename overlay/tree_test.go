package overlay

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"glomstream/capture"
	"glomstream/glom/islands"
)

// growTree returns a tree over a random frame with as many islands at each level, the finest
// first. Islands are stripes of the picture of random widths, one location high.
func growTree(w, h int, counts ...int) *Tree {
	rng := rand.New(rand.NewPCG(1, uint64(w)))
	f := newFrame(w, h)
	t := &Tree{Frame: &f, Title: "a tree"}
	const cols = 200
	for _, n := range counts {
		l := islands.Level{Rows: 1, Cols: cols, ID: make([]uint16, cols)}
		from := 0
		for id := 1; id <= n; id++ {
			to := cols
			if id < n {
				to = from + 1 + rng.IntN(2*(cols-from)/(n-id+1)-1)
			}
			to = min(to, cols-(n-id))
			for i := from; i < to; i++ {
				l.ID[i] = uint16(id)
			}
			l.Islands = append(l.Islands, islands.Island{
				ID: uint16(id), Area: to - from, Box: image.Rect(from, 0, to, 1), X: float64(from+to-1) / 2,
				Norm: 1, Agreement: rng.Float64(), Age: rng.IntN(50),
			})
			from = to
		}
		labels := make([]uint16, w*h)
		for i := range labels {
			labels[i] = l.ID[i%w*cols/w]
		}
		t.Levels, t.Labels = append(t.Levels, l), append(t.Labels, labels)
	}
	new(islands.Linker).Link(t.Levels)
	return t
}

// TestTreeLayout checks that every row keeps its distances and that no lines cross.
func TestTreeLayout(t *testing.T) {
	for _, counts := range [][]int{{1}, {3, 1}, {51, 46, 40, 31, 13}, {120, 3, 90, 2}, {24, 24, 24}, {1, 5}, {30, 1, 30}} {
		tree := growTree(64, 48, counts...)
		p := layOut(tree)
		for l, row := range p.rows {
			if want := counts[l]; len(row) != want && (len(row) > want || want <= 28 && l+1 == len(counts)) {
				t.Errorf("%v: row %d has %d nodes", counts, l, len(row))
			}
			for i, n := range row {
				x, y := p.card(n)
				if side := p.cards[l]; side < leastCard || x < treeMargin+sideWidth+sideGap-1 || x+side > treeMargin+sideWidth+sideGap+p.width+1 ||
					i > 0 && n.x-row[i-1].x < float64(side+cardGap)-1e-9 {
					t.Fatalf("%v: level %d: card %d of %d at (%d, %d)", counts, l, i, side, x, y)
				}
				if (n.parent == nil) != (l+1 == len(counts)) {
					t.Fatalf("%v: level %d: parent %v", counts, l, n.parent)
				}
				if n.parent != nil && n.parent.ID != n.Parent {
					t.Errorf("%v: level %d: island %d hangs on %d", counts, l, n.ID, n.parent.ID)
				}
				if i > 0 && n.parent != nil && row[i-1].parent.x > n.parent.x {
					t.Errorf("%v: level %d: lines %d and %d cross", counts, l, i-1, i)
				}
				if i > 0 && n.parent == row[i-1].parent && n.X < row[i-1].X {
					t.Errorf("%v: level %d: brothers %d and %d are not as in the picture", counts, l, i-1, i)
				}
			}
		}
		if w, h := p.size(); w > 2600 || h > 2400 {
			t.Errorf("%v: %dx%d", counts, w, h)
		}
	}
}

// TestPick leaves out the smallest.
func TestPick(t *testing.T) {
	tree := growTree(64, 48, 40, 10)
	rows := pick(tree.Levels, 7)
	for l, row := range rows {
		if len(row) > 7 || len(row) == 0 {
			t.Fatalf("level %d: %d nodes", l, len(row))
		}
		least := row[len(row)-1].Area
		for _, s := range tree.Levels[l].Islands {
			shown := l == 1 || find(rows[1], s.Parent) != nil
			if find(row, s.ID) == nil && shown && s.Area > least {
				t.Errorf("level %d: island %d of area %d is left out, one of area %d is not", l, s.ID, s.Area, least)
			}
		}
	}
	for i := range tree.Levels[0].Islands { // not linked: nothing to hang on
		tree.Levels[0].Islands[i].Parent = 0
	}
	if rows := pick(tree.Levels, 7); len(rows[0]) != 0 || len(rows[1]) != 7 {
		t.Errorf("without parents: %d and %d nodes", len(rows[0]), len(rows[1]))
	}
}

// TestPlaceIsBest tries to move nodes from where they were placed: none of it is better.
func TestPlaceIsBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		n, width := 1+rng.IntN(9), 1000.0
		step := width / float64(n+rng.IntN(6))
		nodes := make([]*node, n)
		for i := range nodes {
			nodes[i] = &node{slot: rng.Float64()}
		}
		place(nodes, width, step)
		x := make([]float64, n)
		for i, n := range nodes {
			x[i] = n.x
		}
		far := func(x []float64) (sum float64) {
			for i, v := range x {
				sum += math.Pow(v-nodes[i].slot*width, 2)
				if v < step/2-1e-9 || v > width-step/2+1e-9 || i > 0 && v-x[i-1] < step-1e-9 {
					return math.Inf(1)
				}
			}
			return sum
		}
		best := far(x)
		if math.IsInf(best, 1) {
			t.Fatalf("places %v break the rules of width %v and step %v", x, width, step)
		}
		for range 300 {
			y := make([]float64, n)
			from, to, by := rng.IntN(n), rng.IntN(n), 20*rng.NormFloat64()
			for i := range y {
				y[i] = x[i]
				if i >= min(from, to) && i <= max(from, to) {
					y[i] += by
				}
			}
			if far(y) < best-1e-6 {
				t.Fatalf("places %v are worse than %v", x, y)
			}
		}
	}
}

// TestTreePaints looks at a picture of one colour with a left and a right island under one.
func TestTreePaints(t *testing.T) {
	tree := growTree(64, 64, 2, 1)
	for y := range 64 {
		for x := range 64 {
			copy(row(tree.Frame, y)[3*x:], []byte{200, 120, 40})
			tree.Labels[0][y*64+x] = uint16(1 + x/32)
		}
	}
	tree.Levels[0].Islands[0].Confidence, tree.Levels[0].Islands[1].Confidence = 0.5, 1
	d := newDrawer(t, Config{Levels: 2})
	got := d.Tree(tree)
	p := layOut(tree)
	if w, h := p.size(); got.W != w || got.H != h || got.Seq != tree.Frame.Seq {
		t.Errorf("a picture of %dx%d, want %dx%d", got.W, got.H, w, h)
	}
	grey := bgr{}
	for c := range grey {
		grey[c] = uint8((77*40 + 150*120 + 29*200) * dimming >> 16)
	}
	for i, n := range p.rows[0] { // the card is the whole picture: it is square
		x, y := p.card(n)
		side := p.cards[0]
		inside, outside := pixel(&got, x+side/4, y+side/2), pixel(&got, x+3*side/4, y+side/2)
		if i == 1 {
			inside, outside = outside, inside
		}
		if inside != (bgr{200, 120, 40}) || outside != grey {
			t.Errorf("card %d: got %v inside, %v outside, want %v outside", i, inside, outside, grey)
		}
		if got, want := pixel(&got, x+side/2-1+2*i, y+side/2), colourBGR(n.ID); got != want {
			t.Errorf("card %d: got outline %v, want %v", i, got, want)
		}
		first, last := pixel(&got, x+1, y+side+4), pixel(&got, x+side-2, y+side+4)
		if want := colourBGR(n.ID); first != want || (last == want) != (i == 1) {
			t.Errorf("card %d: got a bar from %v to %v", i, first, last)
		}
		if got := pixel(&got, x+side/2, y-1); got == (bgr{paper, paper, paper}) {
			t.Errorf("card %d: no line comes from above", i)
		}
	}
	again := d.Tree(tree)
	if !bytes.Equal(got.Pix, again.Pix) {
		t.Error("a second picture differs")
	}
}

// TestTreeLineWidth compares the lines of islands that are inside of their parents more and less.
func TestTreeLineWidth(t *testing.T) {
	tree := growTree(64, 64, 1, 1)
	d := newDrawer(t, Config{Levels: 2})
	last := 0
	for _, nesting := range []float64{0.3, 0.7, 1} {
		tree.Levels[0].Islands[0].Nesting = nesting
		got := d.Tree(tree)
		p := layOut(tree)
		x, y := p.card(p.rows[0][0])
		strength := 0
		for i := range p.cards[0] {
			strength += int(pixel(&got, x+i, y-rowGap/2)[2]) - paper
		}
		if strength <= last {
			t.Errorf("nesting %v: a line of strength %d after %d", nesting, strength, last)
		}
		last = strength
	}
}

func TestTreeOddSizes(t *testing.T) {
	d := newDrawer(t, Config{Levels: 3})
	for _, size := range [][2]int{{1, 1}, {1, 700}, {700, 1}, {3, 2}, {320, 180}} {
		tree := growTree(size[0], size[1], 30, 10, 1) // of which most have no pixel in a small frame
		got := d.Tree(tree)
		if got.W < 800 || got.H < 600 {
			t.Errorf("%v: %dx%d", size, got.W, got.H)
		}
	}
}

func TestTreePanics(t *testing.T) {
	d := newDrawer(t, Config{Levels: 2})
	for name, spoil := range map[string]func(*Tree){
		"levels":       func(tr *Tree) { tr.Levels = tr.Levels[:1] },
		"labels":       func(tr *Tree) { tr.Labels = tr.Labels[:1] },
		"short labels": func(tr *Tree) { tr.Labels[1] = tr.Labels[1][1:] },
		"no labels":    func(tr *Tree) { tr.Labels[1] = nil },
		"frame":        func(tr *Tree) { tr.Frame = &capture.Frame{} },
	} {
		t.Run(name, func(t *testing.T) {
			tree := growTree(16, 8, 4, 2)
			spoil(tree)
			defer func() {
				if text, ok := recover().(string); !ok || !strings.HasPrefix(text, "overlay: ") {
					t.Errorf("got %v, want a panic of the package", text)
				}
			}()
			d.Tree(tree)
		})
	}
}

func TestCountText(t *testing.T) {
	tree := growTree(16, 8, 4, 1)
	rows := pick(tree.Levels, 9)
	if got := string(countText(&tree.Levels[0], rows[0])); got != "4 islands" {
		t.Errorf("got %q", got)
	}
	if got := string(countText(&tree.Levels[1], rows[1])); got != "1 island" {
		t.Errorf("got %q", got)
	}
	if got := string(countText(&tree.Levels[0], rows[0][:2])); !strings.HasPrefix(got, "2 of 4 islands, ") {
		t.Errorf("got %q", got)
	}
}

func TestSquareAround(t *testing.T) {
	for _, c := range []struct {
		name string
		box  image.Rectangle
		w, h int
		want image.Rectangle
	}{
		{"in the middle", image.Rect(40, 40, 60, 56), 100, 100, image.Rect(37, 35, 64, 62)},
		{"in a corner", image.Rect(0, 90, 20, 100), 100, 100, image.Rect(0, 73, 27, 100)},
		{"wider than the picture is high", image.Rect(0, 0, 100, 40), 100, 40, image.Rect(0, -30, 100, 70)},
		{"tiny", image.Rect(5, 5, 6, 6), 1600, 900, image.Rect(0, 0, 100, 100)},
		{"one pixel", image.Rect(0, 0, 1, 1), 1, 1, image.Rect(0, 0, 1, 1)},
	} {
		if got := squareAround(c.box, c.w, c.h); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

func BenchmarkTree(b *testing.B) {
	d := newDrawer(b, Config{Levels: 5})
	tree := growTree(640, 360, 51, 46, 40, 31, 13)
	b.ReportAllocs()
	for b.Loop() {
		d.Tree(tree)
	}
}
