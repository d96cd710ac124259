package salient

import (
	"math"
	"math/rand/v2"
	"slices"

	"glomstream/glom/camera"
	"glomstream/glom/islands"
)

// world is a textured ground under a moving camera with square things on it, of which vectors and
// flow are known. A location is 8 pixels wide.
type world struct {
	rows, cols, dim int
	camera          camera.Motion
	things          []thing
	looks           [][]float32 // (1+things, D)
	rng             *rand.Rand
	x               []float32
	flow            []float32
	pix             []byte
	truth           []uint8 // (8 rows, 8 cols) 255 where a thing is that moves
	level           islands.Level
	reader          *islands.Reader
}

// thing is a square about x, y. It moves by dx, dy against the ground.
type thing struct{ x, y, dx, dy, half float64 }

func newWorld(things ...thing) *world {
	w := &world{things: things, rng: rand.New(rand.NewPCG(4, 4)), reader: islands.NewReader(islands.Config{})}
	w.resize(18, 32, 16)
	return w
}

// resize gives the world another grid, and everything in it another look.
func (w *world) resize(rows, cols, dim int) {
	w.rows, w.cols, w.dim = rows, cols, dim
	w.looks = nil
	for range 1 + len(w.things) {
		v := make([]float32, dim)
		var sum float64
		for k := range v {
			v[k] = float32(w.rng.NormFloat64())
			sum += float64(v[k] * v[k])
		}
		for k := range v {
			v[k] /= float32(math.Sqrt(sum))
		}
		w.looks = append(w.looks, v)
	}
	n := rows * cols
	w.x, w.flow, w.pix, w.truth = make([]float32, n*dim), make([]float32, 128*n), make([]byte, 192*n), make([]uint8, 64*n)
}

func (w *world) at(x, y float64) int {
	for k, t := range slices.Backward(w.things) {
		if math.Abs(x-t.x) < t.half && math.Abs(y-t.y) < t.half {
			return k + 1
		}
	}
	return 0
}

// next moves everything and makes the frame.
func (w *world) next() *Frame {
	for k := range w.things {
		t := &w.things[k]
		u, v := w.camera.At(int(t.y), int(t.x), w.rows, w.cols)
		t.x += t.dx + float64(u)
		t.y += t.dy + float64(v)
	}
	for i := range w.rows * w.cols {
		copy(w.x[i*w.dim:][:w.dim], w.looks[w.at(float64(i%w.cols)+0.5, float64(i/w.cols)+0.5)])
	}
	wide := 8 * w.cols
	for i := range w.truth {
		x, y := i%wide, i/wide
		k := w.at((float64(x)+0.5)/8, (float64(y)+0.5)/8)
		u, v := w.camera.At(y/8, x/8, w.rows, w.cols)
		w.truth[i] = 0
		if k > 0 {
			t := w.things[k-1]
			u, v = u+float32(t.dx), v+float32(t.dy)
			if t.dx != 0 || t.dy != 0 {
				w.truth[i] = 255
			}
		}
		w.flow[2*i] = 8 * (u + 0.02*float32(w.rng.NormFloat64()))
		w.flow[2*i+1] = 8 * (v + 0.02*float32(w.rng.NormFloat64()))
		shade := byte(70*k + 12*w.rng.IntN(4)) // texture
		w.pix[3*i], w.pix[3*i+1], w.pix[3*i+2] = shade, shade, shade
	}
	w.reader.Read(&w.level, nil, w.x, nil, w.rows, w.cols, w.dim)
	return &Frame{Rows: w.rows, Cols: w.cols, Dim: w.dim, Vectors: w.x, Islands: &w.level, Pix: w.pix, Flow: w.flow, W: wide, H: 8 * w.rows}
}

// mask returns what f says of the world.
func (w *world) mask(f *Finder) []uint8 {
	dst := make([]uint8, len(w.truth))
	f.Mask(dst, 8*w.cols, 8*w.rows, w.pix, 3*8*w.cols)
	return dst
}

// overlap returns the intersection over union of what is not 0; 1 if nothing is.
func overlap(a, b []uint8) float64 {
	var both, some int
	for i := range a {
		if a[i] > 0 && b[i] > 0 {
			both++
		}
		if a[i] > 0 || b[i] > 0 {
			some++
		}
	}
	if some == 0 {
		return 1
	}
	return float64(both) / float64(some)
}
