package follow

import (
	"math"
	"math/rand/v2"
	"slices"

	"glomstream/glom/islands"
)

// world is a scene whose vectors and motion are known: discs over a ground, each with a look of
// its own and noise on top.
type world struct {
	rows, cols, dim int
	looks           [][]float32 // (1+discs, D); 0 is the ground
	noise           float64
	rng             *rand.Rand
	discs           []disc
	x               []float32 // (N, D)
	flow            []float32 // (8 rows, 8 cols, 2)
	truth           []uint8   // (8 rows, 8 cols)
	level           islands.Level
	reader          *islands.Reader
}

// disc is a thing that moves in a straight line. Later ones are in front.
type disc struct{ x, y, dx, dy, radius float64 } // locations

func newWorld(seed uint64, noise float64, discs ...disc) *world {
	w := &world{noise: noise, rng: rand.New(rand.NewPCG(seed, 1)), discs: discs, reader: islands.NewReader(islands.Config{})}
	w.resize(16, 24, 16)
	return w
}

// resize gives the world another grid, and everything in it another look.
func (w *world) resize(rows, cols, dim int) {
	w.rows, w.cols, w.dim = rows, cols, dim
	w.looks = nil
	for range 1 + len(w.discs) {
		v := make([]float32, dim)
		for k := range v {
			v[k] = float32(w.rng.NormFloat64())
		}
		unit(v)
		w.looks = append(w.looks, v)
	}
	n := rows * cols
	w.x, w.flow, w.truth = make([]float32, n*dim), make([]float32, 2*64*n), make([]uint8, 64*n)
}

// at returns the disc in front at a point in locations, 0 for the ground, n+1 for disc n.
func (w *world) at(x, y float64) int {
	for k, d := range slices.Backward(w.discs) {
		if math.Hypot(x-d.x, y-d.y) < d.radius {
			return k + 1
		}
	}
	return 0
}

// paint makes the frame of now.
func (w *world) paint() *Frame {
	for i := range w.rows * w.cols {
		x, y := float64(i%w.cols)+0.5, float64(i/w.cols)+0.5
		v := w.x[i*w.dim:][:w.dim]
		copy(v, w.looks[w.at(x, y)])
		for k := range v {
			v[k] += float32(w.noise * w.rng.NormFloat64() / math.Sqrt(float64(w.dim)))
		}
		unit(v)
	}
	for i := range w.truth {
		x, y := (float64(i%(8*w.cols))+0.5)/8, (float64(i/(8*w.cols))+0.5)/8
		k := w.at(x, y)
		w.truth[i] = uint8(k)
		w.flow[2*i], w.flow[2*i+1] = 0, 0
		if k > 0 {
			w.flow[2*i], w.flow[2*i+1] = float32(8*w.discs[k-1].dx), float32(8*w.discs[k-1].dy)
		}
	}
	w.reader.Read(&w.level, nil, w.x, nil, w.rows, w.cols, w.dim)
	return &Frame{
		Rows: w.rows, Cols: w.cols, Vectors: [][]float32{w.x},
		Islands: &w.level, Flow: w.flow, W: 8 * w.cols, H: 8 * w.rows,
	}
}

// move goes on to the next frame.
func (w *world) move() {
	for k := range w.discs {
		w.discs[k].x += w.discs[k].dx
		w.discs[k].y += w.discs[k].dy
	}
}

// picture is what guides the borders: each thing in a grey of its own.
func (w *world) picture() []byte {
	pix := make([]byte, 3*len(w.truth))
	for i, k := range w.truth {
		pix[3*i], pix[3*i+1], pix[3*i+2] = 60*k, 60*k, 60*k
	}
	return pix
}

// overlap returns the intersection over union of the pixels of a and b that have the value v; 1
// if there are none.
func overlap(a, b []uint8, v uint8) float64 {
	var both, any int
	for i := range a {
		if a[i] == v && b[i] == v {
			both++
		}
		if a[i] == v || b[i] == v {
			any++
		}
	}
	if any == 0 {
		return 1
	}
	return float64(both) / float64(any)
}
