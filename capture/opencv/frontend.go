package opencv

import (
	"errors"
	"fmt"
	"math"

	"glomstream/capture"
	"glomstream/capture/descriptor"
)

// stride is the side of a location in working pixels.
const stride = 8

// minGrid is the least number of rows and of columns.
const minGrid = 4

// FrontEndConfig says how evidence is made. Zero fields have the stated default.
type FrontEndConfig struct {
	// Net is an ONNX file. Its input is (1, 5, H, W): R, G, B in 0..1 and the motion against the
	// camera, dx and dy, as conv.Input has it, 0 where there is no flow; or (1, 3, H, W) without flow. Its output is
	// (1, D, H/8, W/8). Default: the fixed descriptor of package descriptor.
	Net string
	// ONNX, if not nil, is the content of such a file, and Net only its name in errors.
	ONNX []byte
	// Dim is the length D of a vector, default 64, or what the net gives.
	Dim int
	// Locations is the most that a grid has, default 900; at least 16.
	Locations int
	// Threads, if not 0, is passed to SetThreads.
	Threads int
}

// FrontEnd turns frames into evidence: a working picture of 8x8 pixels for each location, its
// optical flow since the frame before, and one unit vector per location. Make one with
// NewFrontEnd.
type FrontEnd struct {
	dim, locations int
	name           string // of the net, "" for none
	net            *convNet
	fixed          *descriptor.Descriptor
	flow           *Flow

	gray, before []byte // (H, W), of this frame and of the one before
	w, h         int    // of before; 0 if there is none
	srcW, srcH   int    // of the frame before
}

// NewFrontEnd returns a front end. It loads and tries the net; an error names the file.
func NewFrontEnd(cfg FrontEndConfig) (*FrontEnd, error) {
	if cfg.Locations == 0 {
		cfg.Locations = 900
	}
	if cfg.Locations < minGrid*minGrid || cfg.Dim < 0 || cfg.Threads < 0 {
		return nil, fmt.Errorf("front end: Locations %d must be at least %d, Dim %d and Threads %d not negative",
			cfg.Locations, minGrid*minGrid, cfg.Dim, cfg.Threads)
	}
	if cfg.Threads > 0 {
		SetThreads(cfg.Threads)
	}
	e := &FrontEnd{dim: cfg.Dim, locations: cfg.Locations, name: cfg.Net}
	var err error
	if e.flow, err = NewFlow(); err != nil {
		return nil, err
	}
	if cfg.Net == "" && cfg.ONNX == nil {
		err = e.describe()
	} else {
		err = e.load(cfg.ONNX)
	}
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

func (e *FrontEnd) describe() (err error) {
	if e.dim == 0 {
		e.dim = 64
	}
	e.fixed, err = descriptor.New(e.dim)
	return err
}

func (e *FrontEnd) load(onnx []byte) (err error) {
	rows, cols := e.Grid(640, 360)
	if onnx == nil {
		e.net, err = openNet(e.name, rows, cols)
	} else {
		e.net, err = readNet(onnx, rows, cols)
	}
	if err != nil {
		return fmt.Errorf("load net %q: %w", e.name, err)
	}
	if e.dim != 0 && e.dim != e.net.dim {
		return fmt.Errorf("load net %q: its vectors have length %d, not %d", e.name, e.net.dim, e.dim)
	}
	e.dim = e.net.dim
	return nil
}

// Dim returns the length of the vectors.
func (e *FrontEnd) Dim() int { return e.dim }

// Grid returns the rows and columns of locations for pictures of w by h pixels: as many as
// Locations allows with nearly the shape of the picture, at least 4 each. 640x360 gives 22x40.
// It panics if w or h is not positive.
func (e *FrontEnd) Grid(w, h int) (rows, cols int) {
	if w <= 0 || h <= 0 {
		panic("opencv: picture without pixels")
	}
	// Upright and lying pictures get the same grid, turned.
	long, short := bestGrid(float64(max(w, h))/float64(min(w, h)), e.locations)
	if w >= h {
		return short, long
	}
	return long, short
}

// bestGrid weighs being off the aspect ratio (by its logarithm) against locations not used.
func bestGrid(aspect float64, locations int) (long, short int) {
	best := math.Inf(1)
	for s := minGrid; s*s <= locations; s++ {
		exact := int(math.Min(float64(s)*aspect, float64(locations/s)))
		for l := max(s, exact); l <= min(exact+1, locations/s); l++ {
			cost := math.Abs(math.Log(float64(l)/float64(s)/aspect)) + 1 - float64(l*s)/float64(locations)
			if cost < best {
				best, long, short = cost, l, s
			}
		}
	}
	return long, short
}

// Evidence fills ev from f, using again the slices that ev has. There is flow if the call
// before had a frame of the same size and Reset was not called since. f is only read.
func (e *FrontEnd) Evidence(ev *capture.Evidence, f *capture.Frame) error {
	if f.W <= 0 || f.H <= 0 {
		return errors.New("front end: the frame has no pixels")
	}
	ev.Rows, ev.Cols = e.Grid(f.W, f.H)
	ev.Dim = e.dim
	ev.W, ev.H = stride*ev.Cols, stride*ev.Rows
	ev.Pix = grow(ev.Pix, 3*ev.W*ev.H)
	ev.X = grow(ev.X, ev.Rows*ev.Cols*ev.Dim)
	if err := resize(ev.Pix, ev.W, ev.H, f.Pix, f.W, f.H, f.Stride); err != nil {
		return fmt.Errorf("front end: resize %dx%d pixels: %w", f.W, f.H, err)
	}
	if err := e.move(ev, f.W, f.H); err != nil {
		e.Reset()
		return fmt.Errorf("front end: %w", err)
	}
	return e.embed(ev)
}

// move computes the flow of ev.Pix since the picture before, and keeps ev.Pix for the next.
func (e *FrontEnd) move(ev *capture.Evidence, srcW, srcH int) error {
	e.gray = grow(e.gray, ev.W*ev.H)
	if err := gray(e.gray, ev.Pix, ev.W, ev.H); err != nil {
		return err
	}
	if e.w == ev.W && e.h == ev.H && e.srcW == srcW && e.srcH == srcH {
		ev.Flow = grow(ev.Flow, 2*ev.W*ev.H)
		if err := e.flow.Calc(ev.Flow, e.before, e.gray, ev.W, ev.H); err != nil {
			return err
		}
	} else {
		ev.Flow = nil
	}
	e.gray, e.before = e.before, e.gray
	e.w, e.h, e.srcW, e.srcH = ev.W, ev.H, srcW, srcH
	return nil
}

func (e *FrontEnd) embed(ev *capture.Evidence) error {
	if e.net == nil {
		e.fixed.Describe(ev.X, ev.Rows, ev.Cols, ev.Pix, ev.Flow)
		return nil
	}
	if err := e.net.run(ev.X, ev.Rows, ev.Cols, ev.Pix, ev.Flow); err != nil {
		return fmt.Errorf("run net %q: %w", e.name, err)
	}
	return nil
}

// Reset forgets the frame before, as after a cut or a seek.
func (e *FrontEnd) Reset() { e.w, e.h = 0, 0 }

// Close frees the front end. It may be called twice.
func (e *FrontEnd) Close() error {
	if e.net != nil {
		e.net.close()
	}
	if e.flow != nil {
		return e.flow.Close()
	}
	return nil
}

// grow returns s with length n, in new memory only if it does not fit.
func grow[T byte | float32](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
