package islands

import (
	"image"
	"math"

	"glomstream/glom"
)

// Config says how finely a Reader divides the grid. A zero field means its default.
type Config struct {
	// Beta is the inverse temperature of the mean shift. Default 20.
	Beta float64
	// Steps is the largest number of mean shift steps; they end earlier once nothing moves.
	// Default 12; negative means none.
	Steps int
	// Link is the cosine between the mean vectors of two regions above which they are one
	// island, up to 1. Default 0.7. A smaller Link makes fewer and larger islands.
	Link float64
	// MinArea is the smallest island in locations; smaller ones go to the most similar
	// neighbour. Default 4.
	MinArea int
	// Rims keeps islands that are nowhere two locations wide both ways. Most are no things but
	// the mixed locations along a border, so by default they go to the most similar neighbour.
	Rims bool
}

func (c Config) withDefaults() Config {
	if c.Beta == 0 {
		c.Beta = 20
	}
	if c.Steps == 0 {
		c.Steps = 12
	}
	if c.Link == 0 {
		c.Link = 0.7
	}
	if c.MinArea == 0 {
		c.MinArea = 4
	}
	return c
}

// Island is one connected region of nearly identical vectors: a node of the parse tree.
type Island struct {
	ID        uint16          // from 1
	Area      int             // locations
	Box       image.Rectangle // locations, Max exclusive
	X, Y      float64         // centroid in locations, the middle of location (0, 0) being 0, 0
	Norm      float64         // length of the mean of its unit vectors, 0 to 1: the mean cosine to Vector
	Spread    float64         // root mean square distance of its unit vectors to their mean, 0 to 1
	Agreement float64         // mean agreement of its locations, 0 to 1; 0 where none was given
	Vector    []float32       // (D) unit mean of its vectors; zero if they cancel out

	Age int // frames since it came into view, set by a Tracker

	// What Linker.Link adds.
	Parent     uint16          // id of the island one level up that covers most of it; 0 at the top
	Nesting    float64         // do its vectors end with its parent? 0 to 1, see Linker.Link; 0 at the top
	Confidence float64         // 0 to 1, see Linker.Link
	Outline    [][]image.Point // closed rings along the borders of locations, the exterior first, see Linker.Link

	// Islands with the same number, from 1, would be one if the level had been read without one
	// above; 0 if it was.
	alike int32
}

// Level is the division of one level of a state into islands.
type Level struct {
	Rows, Cols int
	ID         []uint16 // (N) island of each location, row-major
	Islands    []Island // sorted by ID
	Events     []Event  // what a Tracker saw happen since the frame before, by ID; empty without one

	// What Linker.Link adds.
	Nesting   float64 // mean over all locations; 0 at the top
	Agreement float64 // mean over all locations

	vectors []float32 // (len(Islands), D) behind Island.Vector
	outline outline   // behind Island.Outline
}

const (
	radius  = 2     // of the mean shift's window, in locations
	plateau = 0.999 // cosine to the mean of a piece from which on a location belongs to its plateau
	maxID   = math.MaxUint16
)

// Reader finds islands. It keeps its scratch memory from call to call, so use it from one
// goroutine at a time.
type Reader struct {
	cfg         Config
	unit, shift []float32 // (N, D) the vectors as given; after the mean shift
	modes       glom.MeanShift
	regions     regions
	number      []int32 // (N) number of the region whose root is that location, from 1; 0 for none
}

// NewReader returns a Reader that works by cfg.
func NewReader(cfg Config) *Reader { return &Reader{cfg: cfg.withDefaults()} }

// Read divides one level into islands and overwrites dst, whose memory it uses again. x is
// (rows*cols, dim), best of unit vectors; agreement is (rows*cols) or nil. Neither is kept.
// Ids go from 1 in the order in which a scan of the grid meets the islands. A vector that is zero
// or not finite counts as unknown and takes the island around it.
//
// Each island lies within one of above, the level over dst of the same frame, whose islands are
// connected. Levels that are read from the top down are therefore a tree: a part is what is alike at
// its level and belongs to one whole. Where above is nil, islands are found in the whole grid.
//
// Read panics on a shape that does not fit and on more than 65536 locations.
func (r *Reader) Read(dst, above *Level, x, agreement []float32, rows, cols, dim int) {
	n := rows * cols
	if rows < 1 || cols < 1 || dim < 1 || n > 1<<16 || len(x) != n*dim || agreement != nil && len(agreement) != n ||
		above != nil && (above.Rows != rows || above.Cols != cols) {
		panic("islands: Read: shapes do not fit")
	}
	var wholes []uint16
	if above != nil {
		wholes = above.ID
	}
	r.unit = resize(r.unit, n*dim)
	r.shift = resize(r.shift, n*dim)
	unitRows(r.unit, x, dim)
	copy(r.shift, r.unit)
	r.modes.Run(r.shift, rows, cols, dim, radius, r.cfg.Beta, r.cfg.Steps)

	minArea := r.cfg.MinArea
	if n > maxID {
		minArea = max(minArea, 2) // or the ids might not suffice
	}
	g := &r.regions
	g.reset(r.shift, wholes, rows, cols, dim)
	g.growPlateaus(plateau)
	g.connect(true)
	g.link(float32(r.cfg.Link))
	g.absorb(int32(minArea))
	if !r.cfg.Rims {
		g.absorbRims()
	}
	r.describe(dst, agreement, rows, cols, dim)
	if above != nil {
		r.goBeyond(dst)
	}
}

// goBeyond numbers the islands that would be about one if nothing were above: it goes on merging,
// across.
func (r *Reader) goBeyond(dst *Level) {
	r.regions.connect(false)
	r.regions.link(float32(r.cfg.Link))
	for i, id := range dst.ID {
		dst.Islands[id-1].alike = r.number[r.regions.find(int32(i))] // each root that is left was one
	}
}

// describe writes the regions into dst.
func (r *Reader) describe(dst *Level, agreement []float32, rows, cols, dim int) {
	n := rows * cols
	dst.Rows, dst.Cols = rows, cols
	dst.ID = resize(dst.ID, n)
	dst.Islands, dst.Events = dst.Islands[:0], dst.Events[:0]
	r.number = resize(r.number, n)
	clear(r.number)
	for i := range n {
		root := r.regions.find(int32(i))
		if r.number[root] == 0 {
			at := image.Rect(i%cols, i/cols, i%cols+1, i/cols+1)
			dst.Islands = append(dst.Islands, Island{ID: uint16(len(dst.Islands) + 1), Box: at})
			r.number[root] = int32(len(dst.Islands))
		}
		dst.ID[i] = uint16(r.number[root])
	}
	dst.vectors = resize(dst.vectors, len(dst.Islands)*dim)
	clear(dst.vectors)
	for k := range dst.Islands {
		dst.Islands[k].Vector = dst.vectors[k*dim : k*dim+dim : k*dim+dim]
	}
	for i, id := range dst.ID {
		s := &dst.Islands[id-1]
		x, y := i%cols, i/cols
		s.Area++
		s.X += float64(x)
		s.Y += float64(y)
		s.Box.Min.X, s.Box.Max.X = min(s.Box.Min.X, x), max(s.Box.Max.X, x+1)
		s.Box.Max.Y = y + 1
		if agreement != nil {
			s.Agreement += float64(agreement[i])
		}
		v := r.unit[i*dim : i*dim+dim]
		s.Spread += float64(glom.Dot(v, v)) // 1, or 0 if it is unknown
		add(s.Vector, v)
	}
	for k := range dst.Islands {
		s := &dst.Islands[k]
		area := float64(s.Area)
		s.X /= area
		s.Y /= area
		s.Agreement /= area
		// With the mean m of unit vectors v, the mean of v·m/|m| is |m|, and the mean of |v-m|² is
		// that of |v|² less |m|².
		s.Norm = min(normalise(s.Vector)/area, 1)
		s.Spread = math.Sqrt(max(s.Spread/area-s.Norm*s.Norm, 0))
	}
}
