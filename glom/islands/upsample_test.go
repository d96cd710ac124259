package islands

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// voronoiLevel returns a Level of k islands with straight borders.
func voronoiLevel(rng *rand.Rand, rows, cols, k int) *Level {
	_, truth := noisyField(rng, rows, cols, 2, k, .9, .1)
	l := &Level{Rows: rows, Cols: cols, ID: truth}
	return l
}

// picture returns a picture (h, w) in which each island has its colour, with a wavy border, and noise.
func picture(rng *rand.Rand, w, h int, l *Level, noise float64) []byte {
	colours := make([][3]float64, 1<<16)
	for _, id := range l.ID {
		if colours[id] == [3]float64{} {
			colours[id] = [3]float64{40 + 170*rng.Float64(), 40 + 170*rng.Float64(), 40 + 170*rng.Float64()}
		}
	}
	pix := make([]byte, 0, 3*w*h)
	for y := range h {
		for x := range w {
			u := float64(x)*float64(l.Cols)/float64(w) + 0.3*math.Sin(float64(y)/9)
			v := float64(y)*float64(l.Rows)/float64(h) + 0.3*math.Sin(float64(x)/7)
			r, c := min(max(int(v), 0), l.Rows-1), min(max(int(u), 0), l.Cols-1)
			for _, a := range colours[l.ID[r*l.Cols+c]] {
				pix = append(pix, byte(min(max(a+noise*rng.NormFloat64(), 0), 255)))
			}
		}
	}
	return pix
}

// slowLabels is the Upsampler's formula, in float64, for every pixel.
func slowLabels(w, h int, l *Level, pix []byte) []uint16 {
	g := guide{pix, w, h, 3 * w, 1}
	spline := func(d float64) float64 {
		switch d = math.Abs(d); {
		case d < 0.5:
			return 0.75 - d*d
		case d < 1.5:
			return (1.5 - d) * (1.5 - d) / 2
		}
		return 0
	}
	labels := make([]uint16, w*h)
	for i := range labels {
		v, u := (float64(i/w)+0.5)*float64(l.Rows)/float64(h), (float64(i%w)+0.5)*float64(l.Cols)/float64(w)
		p := g.smooth(i%w, i/w)
		score := map[uint16]float64{}
		model := slowColours(g, l, int(v), int(u))
		for r := max(0, int(v)-1); r <= min(l.Rows-1, int(v)+1); r++ {
			for c := max(0, int(u)-1); c <= min(l.Cols-1, int(u)+1); c++ {
				m := model[l.ID[r*l.Cols+c]]
				d2 := float64((p.b-m.b)*(p.b-m.b) + (p.g-m.g)*(p.g-m.g) + (p.r-m.r)*(p.r-m.r))
				score[l.ID[r*l.Cols+c]] += spline(v-float64(r)-0.5) * spline(u-float64(c)-0.5) *
					(math.Exp(-d2/(2*colourSigma*colourSigma)) + outlier)
			}
		}
		top := -1.0
		for label, s := range score {
			if s > top || s == top && label == l.ID[int(v)*l.Cols+int(u)] {
				labels[i], top = label, s
			}
		}
	}
	return labels
}

// slowColours is the mean colour of each label among the 3x3 locations around (row, col), where the
// location itself stands for those outside the grid.
func slowColours(g guide, l *Level, row, col int) map[uint16]colour {
	sum, n := map[uint16]colour{}, map[uint16]int32{}
	for r := row - 1; r <= row+1; r++ {
		for c := col - 1; c <= col+1; c++ {
			y, x := r, c
			if y < 0 || x < 0 || y >= l.Rows || x >= l.Cols {
				y, x = row, col
			}
			id, m := l.ID[y*l.Cols+x], g.mean(y, x, l.Rows, l.Cols)
			s := sum[id]
			sum[id] = colour{s.b + m.b, s.g + m.g, s.r + m.r}
			n[id]++
		}
	}
	for id, s := range sum {
		sum[id] = colour{s.b / n[id], s.g / n[id], s.r / n[id]}
	}
	return sum
}

func TestLabelsAgreeWithFormula(t *testing.T) {
	for _, c := range []struct {
		w, h, rows, cols, islands int
		noise, want               float64
	}{
		{640, 360, 22, 40, 30, 12, 0.998},
		{641, 359, 22, 40, 60, 25, 0.994},
		{200, 150, 22, 40, 30, 12, 0.994},
		{320, 180, 5, 7, 5, 12, 0.996},
		{30, 20, 22, 40, 30, 12, 0.97}, // fewer pixels than locations, tidied
	} {
		t.Run(fmt.Sprintf("%dx%d", c.w, c.h), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			l := voronoiLevel(rng, c.rows, c.cols, c.islands)
			pix := picture(rng, c.w, c.h, l, c.noise)
			got, want := make([]uint16, c.w*c.h), slowLabels(c.w, c.h, l, pix)
			new(Upsampler).Labels(got, c.w, c.h, l, pix, 3*c.w)
			if share := same(got, want); share < c.want {
				t.Errorf("%.2f %% of the pixels are as the formula has them, want %.2f %%", 100*share, 100*c.want)
			}
		})
	}
}

func same(a, b []uint16) float64 {
	n := 0
	for i := range a {
		if a[i] == b[i] {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// TestLabelsAreNear checks, for many sizes, that every pixel has a label of the 3x3 locations
// around it.
func TestLabelsAreNear(t *testing.T) {
	var u Upsampler
	for _, size := range [][4]int{
		{1, 1, 22, 40},
		{1, 50, 22, 40},
		{50, 1, 3, 2},
		{3, 2, 1, 1},
		{39, 21, 22, 40},
		{40, 22, 22, 40},
		{101, 67, 9, 16},
		{643, 361, 22, 40},
		{1920, 1080, 22, 40},
		{1081, 1917, 40, 22},
		{700, 500, 100, 3},
	} {
		w, h, rows, cols := size[0], size[1], size[2], size[3]
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(2, 1))
			l := &Level{Rows: rows, Cols: cols}
			for range rows * cols { // as many different labels around a pixel as can be
				l.ID = append(l.ID, uint16(1+rng.IntN(1<<16-1)))
			}
			stride := 3*w + 5
			pix := make([]byte, h*stride)
			for i := range pix {
				pix[i] = byte(rng.Uint32())
			}
			dst := make([]uint16, w*h)
			u.Labels(dst, w, h, l, pix, stride)
			for i, label := range dst {
				if !near(l, label, (2*(i/w)+1)*rows/(2*h), (2*(i%w)+1)*cols/(2*w)) {
					t.Fatalf("pixel %d, %d has label %d, which is not around it", i%w, i/w, label)
				}
			}
		})
	}
}

func near(l *Level, label uint16, row, col int) bool {
	for r := max(0, row-1); r <= min(l.Rows-1, row+1); r++ {
		for c := max(0, col-1); c <= min(l.Cols-1, col+1); c++ {
			if l.ID[r*l.Cols+c] == label {
				return true
			}
		}
	}
	return false
}

// TestLabelsFollowEdges has pictures of two colours; the locations know the edge only to 16 pixels.
func TestLabelsFollowEdges(t *testing.T) {
	const w, h, rows, cols = 640, 360, 22, 40
	for _, c := range []struct {
		name string
		edge func(x, y float64) float64 // signed distance in pixels
	}{
		{"circle", func(x, y float64) float64 { return math.Hypot(x-310, y-170) - 111 }},
		{"diagonal", func(x, y float64) float64 { return (x - 1.6*y - 10) / math.Hypot(1, 1.6) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 1))
			l := &Level{Rows: rows, Cols: cols}
			for i := range rows * cols {
				side := c.edge((float64(i%cols)+0.5)*w/cols, (float64(i/cols)+0.5)*h/rows) < 0
				l.ID = append(l.ID, map[bool]uint16{false: 1, true: 2}[side])
			}
			var pix []byte
			for i := range w * h {
				base := 90.0
				if c.edge(float64(i%w)+0.5, float64(i/w)+0.5) < 0 {
					base = 150
				}
				for range 3 {
					pix = append(pix, byte(base+20*rng.NormFloat64()))
				}
			}
			dst := make([]uint16, w*h)
			new(Upsampler).Labels(dst, w, h, l, pix, 3*w)
			var sum float64
			n := 0
			for i := range w*h - 1 {
				if i%w < w-1 && dst[i] != dst[i+1] {
					sum += math.Abs(c.edge(float64(i%w)+1, float64(i/w)+0.5))
					n++
				}
				if i < w*h-w && dst[i] != dst[i+w] {
					sum += math.Abs(c.edge(float64(i%w)+0.5, float64(i/w)+1))
					n++
				}
			}
			if n < 300 || sum/float64(n) >= 1.5 {
				t.Errorf("border of %d pixels is %.2f pixels off on average, want 1.5", n, sum/float64(n))
			}
			if got := pieces(dst, w, h); got > 4 {
				t.Errorf("got %d connected pieces of 2 islands, want 4 at most", got)
			}
		})
	}
}

// pieces counts the 4-connected pieces of equal labels.
func pieces(labels []uint16, w, h int) int {
	seen := make([]bool, w*h)
	n := 0
	var todo []int
	for i := range labels {
		if seen[i] {
			continue
		}
		n++
		seen[i] = true
		for todo = append(todo[:0], i); len(todo) > 0; {
			p := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, d := range [][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
				x, y := p%w+d[0], p/w+d[1]
				if q := y*w + x; x >= 0 && x < w && y >= 0 && y < h && !seen[q] && labels[q] == labels[p] {
					seen[q] = true
					todo = append(todo, q)
				}
			}
		}
	}
	return n
}

// TestLabelsOfFlatPicture: without edges, borders are where the locations have them, rounded.
func TestLabelsOfFlatPicture(t *testing.T) {
	const w, h, rows, cols = 640, 360, 22, 40
	l := voronoiLevel(rand.New(rand.NewPCG(5, 1)), rows, cols, 12)
	pix := make([]byte, 3*w*h)
	for i := range pix {
		pix[i] = 128
	}
	got, blocks := make([]uint16, w*h), make([]uint16, w*h)
	new(Upsampler).Labels(got, w, h, l, pix, 3*w)
	for i := range blocks {
		blocks[i] = l.ID[(2*(i/w)+1)*rows/(2*h)*cols+i%w*cols/w]
	}
	if share := same(got, blocks); share < 0.96 || share == 1 {
		t.Errorf("%.2f %% of the pixels have the label of their location, want over 96 %%, not all", 100*share)
	}
	if got, want := pieces(got, w, h), pieces(l.ID, cols, rows); got != want {
		t.Errorf("got %d connected pieces, want %d as on the grid", got, want)
	}
}

func TestLabelsAllocate(t *testing.T) {
	const w, h = 333, 200
	rng := rand.New(rand.NewPCG(1, 1))
	l := voronoiLevel(rng, 22, 40, 30)
	pix := picture(rng, w, h, l, 12)
	dst := make([]uint16, w*h)
	var u Upsampler
	u.Labels(dst, w, h, l, pix, 3*w)
	if got := testing.AllocsPerRun(5, func() { u.Labels(dst, w, h, l, pix, 3*w) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
