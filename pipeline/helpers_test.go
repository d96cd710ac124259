package pipeline

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"

	"glomstream/capture"
	"glomstream/glom"
	"glomstream/glom/islands"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBoom = errors.New("boom")

// clip is a source of squares that move over a ramp, 96x64 unless size says otherwise.
type clip struct {
	frames int
	cut    int                    // from this frame on the scene is another one; 0: never
	anew   int                    // every so many frames, the first among them, the source says that it began again; 0: never
	every  time.Duration          // between frames, 0 for a file
	size   func(i int) (w, h int) // nil for 96x64
	room   [2]int                 // size of the largest frame, so that the pool can use every buffer again
	before func(i int) error      // called before frame i is made
	next   int
	start  time.Time
	pool   *capture.Pool
	lent   map[*byte]bool // every buffer that was ever handed out
}

func newClip(frames int) *clip {
	return &clip{frames: frames, pool: capture.NewPool(64), lent: map[*byte]bool{}}
}

func (c *clip) Info() capture.Info { return capture.Info{Name: "clip", Frames: c.frames} }

func (c *clip) Close() error { return nil }

func (c *clip) Next(ctx context.Context) (capture.Frame, error) {
	i := c.next
	if c.before != nil {
		if err := c.before(i); err != nil {
			return capture.Frame{}, err
		}
	}
	if i == c.frames {
		return capture.Frame{}, io.EOF
	}
	if c.start.IsZero() {
		c.start = time.Now()
	}
	pts := time.Duration(i) * c.every
	select {
	case <-time.After(time.Until(c.start.Add(pts))):
	case <-ctx.Done():
		return capture.Frame{}, context.Cause(ctx)
	}
	c.next++
	w, h := 96, 64
	if c.size != nil {
		w, h = c.size(i)
	}
	f := c.pool.Frame(max(w, c.room[0]), max(h, c.room[1]))
	c.lent[&f.Pix[0]] = true
	f.W, f.H, f.Stride, f.Pix = w, h, 3*w, f.Pix[:3*w*h]
	f.Seq, f.PTS, f.Captured = uint64(i), pts, time.Now()
	f.Anew = c.anew > 0 && i%c.anew == 0
	paint(&f, i)
	if c.cut > 0 && i >= c.cut {
		paintStripes(&f)
	}
	return f, nil
}

// paint draws picture i: three squares that move at their own speeds.
func paint(f *capture.Frame, i int) {
	for y := range f.H {
		row := f.Pix[y*f.Stride:]
		for x := range f.W {
			row[3*x], row[3*x+1], row[3*x+2] = byte(60+x*40/f.W), 70, byte(60+y*40/f.H)
		}
	}
	side := f.H / 3
	for k, colour := range [][3]byte{{230, 30, 30}, {30, 230, 30}, {30, 60, 240}} {
		x0, y0 := (k*f.W/3+i*(k+1))%(f.W-side), (k*f.H/4+i*(2-k)+f.H)%(f.H-side)
		for y := y0; y < y0+side; y++ {
			for x := x0; x < x0+side; x++ {
				copy(f.Pix[y*f.Stride+3*x:], colour[:])
			}
		}
	}
}

// paintStripes puts slanted stripes over the upper three quarters of the picture.
func paintStripes(f *capture.Frame) {
	for y := range f.H * 3 / 4 {
		row := f.Pix[y*f.Stride:]
		for x := range f.W {
			v := byte(30 + (x+2*y)/9%2*190)
			row[3*x], row[3*x+1], row[3*x+2] = v, v, byte(x)
		}
	}
}

// checkReleased takes as many buffers out of the pool as there were handed out: all must be back.
func (c *clip) checkReleased(t *testing.T) {
	t.Helper()
	for range len(c.lent) {
		f := c.pool.Frame(1, 1)
		if !c.lent[&f.Pix[0]] {
			t.Errorf("%d of the source's frames were not released", len(c.lent))
			return
		}
		delete(c.lent, &f.Pix[0])
	}
}

// blocks is a front end of means over square blocks. Its evidence and its flow depend on the frame before,
// so frames out of order would show. The flow is not that of the clip's squares.
type blocks struct {
	side, dim int
	picture   bool // give the frame as the working picture, so that cuts are looked for
	before    func(f *capture.Frame) error
	spoil     func(seq uint64) bool // frames that get a NaN
	last      []float32             // means of the frame before
	resets    int
	calls     int
}

func (b *blocks) Grid(w, h int) (rows, cols int) {
	return (h + b.side - 1) / b.side, (w + b.side - 1) / b.side
}

func (b *blocks) Reset() {
	b.resets++
	b.last = nil
}

func (b *blocks) Evidence(ev *capture.Evidence, f *capture.Frame) error {
	b.calls++
	if b.before != nil {
		if err := b.before(f); err != nil {
			return err
		}
	}
	ev.Rows, ev.Cols = b.Grid(f.W, f.H)
	ev.Dim, ev.W, ev.H = b.dim, f.W, f.H
	n := ev.Rows * ev.Cols
	ev.X, ev.Pix, ev.Flow = resize(ev.X, n*b.dim), resize(ev.Pix, 3*f.W*f.H), resize(ev.Flow, 2*f.W*f.H)
	clear(ev.X)
	clear(ev.Flow)
	if !b.picture {
		ev.Pix = nil
	}
	for y := range f.H * min(1, len(ev.Pix)) {
		copy(ev.Pix[3*y*f.W:][:3*f.W], f.Pix[y*f.Stride:])
	}
	fresh := b.last == nil
	b.last = resize(b.last, n)
	for i := range n {
		mean := b.mean(f, i%ev.Cols, i/ev.Cols)
		grey := (mean[0] + mean[1] + mean[2]) / 3
		if fresh {
			b.last[i] = grey
		}
		change := grey - b.last[i]
		b.last[i] = grey
		ev.Flow[2*(i/ev.Cols*b.side*f.W+i%ev.Cols*b.side)] = change // of one pixel of the block
		unit(ev.X[i*b.dim:][:b.dim], []float32{mean[0] - 110, mean[1] - 110, mean[2] - 110, 30, change})
	}
	if b.spoil != nil && b.spoil(f.Seq) {
		ev.X[0] = float32(math.NaN())
	}
	return nil
}

// mean returns the mean colour of block (bx, by).
func (b *blocks) mean(f *capture.Frame, bx, by int) (m [3]float32) {
	n := float32(0)
	for y := by * b.side; y < min(f.H, (by+1)*b.side); y++ {
		for x := bx * b.side; x < min(f.W, (bx+1)*b.side); x++ {
			for k := range m {
				m[k] += float32(f.Pix[y*f.Stride+3*x+k])
			}
			n++
		}
	}
	for k := range m {
		m[k] /= n
	}
	return m
}

func unit(dst, v []float32) {
	sum := 0.0
	for _, a := range v {
		sum += float64(a * a)
	}
	for i, a := range v {
		dst[i] = a / float32(math.Sqrt(sum))
	}
}

// resize returns s with length n; what it holds is kept or zero.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// newModel returns a small model whose nets are not the identity.
func newModel(t testing.TB) *glom.Model {
	t.Helper()
	m, err := glom.New(glom.Config{Levels: 3, Dim: 16, Hidden: 16, Octaves: 2})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, nets := range [][]glom.Net{m.Params.BU, m.Params.TD} {
		for _, n := range nets {
			for i := range n.W2 {
				n.W2[i] = float32(0.02 * rng.NormFloat64())
			}
		}
	}
	m.Changed()
	return m
}

// newConfig returns a run of the clip without canvas or sinks, and with little mean shift, which
// is slow under the race detector.
func newConfig(t testing.TB, c *clip) (Config, *blocks) {
	t.Helper()
	fe := &blocks{side: 8, dim: 16}
	return Config{Source: c, FrontEnd: fe, Model: newModel(t), Islands: []islands.Config{{Steps: 2}, {Steps: 2, Link: 0.95}}, Pixels: []int{1}}, fe
}

// sink is a Sink that calls a function.
type sink func(r *Result) error

func (s sink) Write(r *Result) error { return s(r) }

// numbers returns a sink that appends the number of each frame to seqs.
func numbers(seqs *[]uint64) Sink {
	return sink(func(r *Result) error {
		*seqs = append(*seqs, r.Frame.Seq)
		return nil
	})
}

// checkSeqs checks that the frames 0 to n-1 were written, in order.
func checkSeqs(t *testing.T, seqs []uint64, n int) {
	t.Helper()
	if len(seqs) != n {
		t.Errorf("wrote %d frames, want %d", len(seqs), n)
	}
	for i, seq := range seqs {
		if seq != uint64(i) {
			t.Errorf("frame %d was written as number %d", seq, i)
			return
		}
	}
}
