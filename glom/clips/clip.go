package clips

// Cell is the side of a location in pixels: the sides of a clip are multiples of it.
const Cell = 8

// The levels that have labels, as indices of Clip.Labels.
const (
	Part = iota
	Object
	Scene
	Levels
)

// Clip is T frames of one scene at the working size.
type Clip struct {
	T, H, W int              // H and W are multiples of Cell
	Pix     []byte           // (T, H, W, 3) uint8 BGR
	Flow    []float32        // (T, H, W, 2) dx, dy in pixels since the frame before; zero in frame 0, which has none
	Labels  [Levels][]uint16 // (T, H, W) ids of parts, objects and scenes from 1, 0 unknown; nil if nothing is known
	Source  string           // the photo or video that it stems from; equal for clips of one scene
	spare   [Levels][]uint16 // memory for Labels while they are nil
}

// Source makes clips. It is safe for concurrent use.
type Source interface {
	// Clip writes clip n into dst, whose memory it uses again. What it writes depends on the
	// seed of the Source and on n alone.
	Clip(dst *Clip, n uint64) error
}

// Reshape makes c T frames of H by W pixels, with memory for labels or without labels. Memory
// that is large enough is kept, with what was in it. It panics if a side is not a positive
// multiple of Cell, or T not positive.
func (c *Clip) Reshape(t, h, w int, labelled bool) {
	if t <= 0 || h <= 0 || w <= 0 || h%Cell != 0 || w%Cell != 0 {
		panic("clips: T must be positive, H and W positive multiples of 8")
	}
	c.T, c.H, c.W = t, h, w
	n := t * h * w
	c.Pix = grow(c.Pix, 3*n)
	c.Flow = grow(c.Flow, 2*n)
	for l := range c.Labels {
		if c.Labels[l] != nil {
			c.spare[l] = c.Labels[l]
		}
		c.Labels[l] = nil
		if labelled {
			c.Labels[l] = grow(c.spare[l], n)
		}
	}
}

// grow returns s with length n, in new memory only if it does not fit.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
