package compose

import (
	"errors"
	"fmt"

	"glomstream/glom/clips"
	"glomstream/glom/internal/dice"
)

// Config says what clips are made. T, H and W are needed; the zero values of the other fields
// are good defaults.
type Config struct {
	T, H, W   int          // frames and size of a clip, the sides multiples of clips.Cell
	Seed      uint64       // which clips
	Store     *clips.Store // photos for backgrounds, objects and textures; nil: all is painted
	ExactFlow bool         // give the motion as it is instead of as a front end sees it
}

// maxSide bounds a clip: places are whole numbers of 24 bits behind the point.
const maxSide = 4096

// Composer makes clips. It implements clips.Source. Make one with New.
type Composer struct {
	cfg     Config
	persons []int // photos whose parts are known
	things  []int // photos whose objects are known, but not their parts
	scenes  []int // photos that may be backgrounds
	free    chan *worker
}

// New returns a Composer that takes its photos from cfg.Store, which stays the caller's.
func New(cfg Config) (*Composer, error) {
	if cfg.T < 1 || cfg.H < 1 || cfg.W < 1 || cfg.H%clips.Cell != 0 || cfg.W%clips.Cell != 0 {
		return nil, fmt.Errorf("compose %d frames of %dx%d pixels: T must be positive, the sides positive multiples of %d",
			cfg.T, cfg.W, cfg.H, clips.Cell)
	}
	if cfg.T > 1024 || cfg.H > maxSide || cfg.W > maxSide {
		return nil, fmt.Errorf("compose %d frames of %dx%d pixels: at most 1024 of %dx%d", cfg.T, cfg.W, cfg.H, maxSide, maxSide)
	}
	c := &Composer{cfg: cfg, free: make(chan *worker, 64)}
	if cfg.Store == nil {
		return c, nil
	}
	var plain []int
	for i := range cfg.Store.Photos() {
		switch objects, parts := cfg.Store.Labelled(i); {
		case parts:
			c.persons = append(c.persons, i)
		case objects:
			c.things = append(c.things, i)
		default:
			plain = append(plain, i)
		}
	}
	// A photo without labels may show anything. It is a background only where there are no
	// better ones.
	c.scenes = append(append(c.scenes, c.persons...), c.things...)
	if len(c.scenes) == 0 {
		c.scenes = plain
	}
	if len(c.scenes) == 0 {
		return nil, errors.New("compose: the clip store holds no photos: prepare one from a folder of pictures")
	}
	return c, nil
}

// Clip implements clips.Source. The clip's Source is the name of the background photo.
func (c *Composer) Clip(dst *clips.Clip, n uint64) error {
	var w *worker
	select {
	case w = <-c.free:
	default:
		w = new(worker)
	}
	err := w.compose(c, dst, n)
	w.dst = nil
	select {
	case c.free <- w:
	default:
	}
	return err
}

// worker is the memory in which one clip at a time is made.
type worker struct {
	*Composer
	dice.Dice
	dst *clips.Clip

	frozen  bool     // nothing moves
	camera  []affine // (T), world to screen
	layers  []layer  // back to front
	rasters []*raster
	used    int    // rasters of this clip
	photos  []int  // of this clip, the background's first
	objects uint16 // ids given
	parts   uint16

	bodies []body
	hole   []bool // of a row of a photo

	owner []uint8   // (T, H, W) index of the layer that a pixel shows
	blend [2][]byte // (H, W, 3) pictures of the time in which the shutter is open
	noise [4096]int16
	steps [256]fixed // of the layers, how they move
	mesh  mesh
	sight sight
}

// label is what a texel of a layer is.
type label struct{ part, object uint16 }

// layer is one thing that moves as a whole.
type layer struct {
	tex   *raster
	to    []affine   // (T) texture to screen
	ids   [256]label // of the texture's ids
	whole bool       // it fills the screen, mirrored beyond its edges
	edge  bool       // it is not known what lies beyond its edges
	bend  bend
}

func (w *worker) compose(c *Composer, dst *clips.Clip, n uint64) error {
	w.Composer, w.Dice, w.dst = c, dice.New(c.cfg.Seed, n), dst
	w.layers, w.photos, w.used = w.layers[:0], w.photos[:0], 0
	w.objects, w.parts = 0, 0
	dst.Reshape(c.cfg.T, c.cfg.H, c.cfg.W, true)
	w.frozen = w.Chance(0.12)
	w.film()
	if err := w.background(); err != nil {
		return err
	}
	if err := w.cast(); err != nil {
		return err
	}
	w.render()
	w.finish()
	w.move()
	return nil
}

// layer returns a new layer in old memory.
func (w *worker) layer(tex *raster) *layer {
	if len(w.layers) < cap(w.layers) {
		w.layers = w.layers[:len(w.layers)+1]
	} else {
		w.layers = append(w.layers, layer{})
	}
	l := &w.layers[len(w.layers)-1]
	if cap(l.to) < w.cfg.T {
		l.to = make([]affine, w.cfg.T)
	}
	l.tex, l.to, l.whole, l.edge, l.bend = tex, l.to[:w.cfg.T], false, false, bend{}
	clear(l.ids[:])
	return l
}

// tau returns the time of frame t from the middle of the clip, in frames.
func (w *worker) tau(t int) float64 { return float64(t) - float64(w.cfg.T-1)/2 }

func (w *worker) object() uint16 { w.objects++; return w.objects }

func (w *worker) part() uint16 { w.parts++; return w.parts }

// grow returns s with length n, in new memory only if it does not fit.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
