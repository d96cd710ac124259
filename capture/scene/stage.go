package scene

import (
	"math"
	"math/rand/v2"
)

// shape is one rigid piece of a thing, or a decoration.
type shape struct {
	node  int
	form  form
	paint paint
	first uint16 // level-0 id of its first patch; 0: a decoration, which is no island
	scene uint16
	soft  float64 // width of the outline, units; 0: one pixel
	alpha int32   // opacity, 256 is opaque
}

// node is a joint: its pose in the frame of its parent at a time in seconds.
type node struct {
	parent int // of an earlier node, -1 for none
	at     func(t float64) affine
}

// object and part are handles to give to those who add parts and shapes.
type object uint16

type part struct {
	object object
	id     uint16
}

// stage is a world under construction, then the world. Shapes are added back to front.
type stage struct {
	w, h         int
	unit         float64 // pixels per unit
	halfW, halfH float64 // of the picture, units
	seed         uint64
	rng          *rand.Rand // for looks and paths
	rate         float64    // seconds per frame; speed is in it
	speed        float64
	half         int // frames from one scene to the next if there are two
	endless      bool

	nodes   []node
	shapes  []shape
	up      [Levels][]uint16 // id at each level of the level-0 island that is the index
	parts   uint16
	objects object
	scenes  uint16
	tex     *texture

	free []byte // (H, W) of the frame in work, what share of a pixel is not covered yet, of 255
}

// newStage returns an empty world whose node 0 has its origin in the centre of the picture.
func newStage(c Config) *stage {
	s := &stage{
		w: c.W, h: c.H, seed: c.Seed, rate: c.Speed / c.FPS, speed: c.Speed,
		half: max(1, c.Frames/2), endless: c.Frames < 0, scenes: 1,
		rng: rand.New(rand.NewPCG(c.Seed, 'L')), tex: newTexture(c.Seed),
		free: make([]byte, c.W*c.H),
	}
	s.unit = unitFor(c.W, c.H)
	s.halfW, s.halfH = float64(c.W)/2/s.unit, float64(c.H)/2/s.unit
	for l := range s.up {
		s.up[l] = []uint16{0}
	}
	s.node(-1, fixed(move(float64(c.W)/2, float64(c.H)/2).mul(scale(s.unit, s.unit))))
	return s
}

// unitFor returns the pixels per unit of a picture.
func unitFor(w, h int) float64 { return min(float64(w)/640, float64(h)/360) }

// fixed is a joint that does not move.
func fixed(m affine) func(float64) affine { return func(float64) affine { return m } }

// node adds a joint.
func (s *stage) node(parent int, at func(t float64) affine) int {
	s.nodes = append(s.nodes, node{parent, at})
	return len(s.nodes) - 1
}

// rest adds a joint that does not move against its parent.
func (s *stage) rest(parent int, x, y float64) int { return s.node(parent, fixed(move(x, y))) }

func (s *stage) object() object {
	s.objects++
	return s.objects
}

func (s *stage) part(o object) part {
	s.parts++
	return part{o, s.parts}
}

// add puts a shape in front of all others. Its texture differs from that of all others.
func (s *stage) add(p part, node int, f form, paint paint) {
	first := uint16(len(s.up[0]))
	id := uint16(len(s.shapes) + 1)
	for k := range paint.n {
		for l, id := range [Levels]uint16{first + uint16(k), id, p.id, uint16(p.object), s.scenes} {
			s.up[l] = append(s.up[l], id)
		}
	}
	paint.tu, paint.tv = float64(int(id)*97%256+256), float64(int(id)*57%256+256)
	s.shapes = append(s.shapes, shape{node: node, form: f, paint: paint, first: first, scene: s.scenes, alpha: 256})
}

// region adds an object of one part and one shape.
func (s *stage) region(node int, f form, paint paint) {
	s.add(s.part(s.object()), node, f, paint)
}

// decorate adds a shape that is no island: soft units of outline, alpha of 256 opaque.
func (s *stage) decorate(node int, f form, c uint32, soft float64, alpha int32) {
	p := solid(c)
	p.rim, p.grain = 0, 0
	s.shapes = append(s.shapes, shape{node: node, form: f, paint: p, scene: s.scenes, soft: soft, alpha: alpha})
}

// cut starts another world, which replaces what was added before in the middle of the video.
func (s *stage) cut() { s.scenes++ }

// current returns the scene of frame n.
func (s *stage) current(n int) uint16 {
	switch {
	case s.scenes == 1:
		return 1
	case s.endless:
		return uint16(1 + n/120%2)
	}
	return uint16(1 + min(n/s.half, 1))
}

// poses returns the pose of each node at frame n, in pixels.
func (s *stage) poses(n int) []affine {
	m := make([]affine, len(s.nodes))
	for i, nd := range s.nodes {
		m[i] = nd.at(float64(n) * s.rate)
		if nd.parent >= 0 {
			m[i] = m[nd.parent].mul(m[i])
		}
	}
	for i := range m {
		m[i] = m[i].rounded()
	}
	return m
}

// pick returns one of the colours by chance.
func (s *stage) pick(c ...uint32) uint32 { return c[s.rng.IntN(len(c))] }

// side returns -1 or 1 by chance.
func (s *stage) side() float64 { return float64(2*s.rng.IntN(2) - 1) }

// between returns a number by chance.
func (s *stage) between(lo, hi float64) float64 { return lo + (hi-lo)*s.rng.Float64() }

// swing is a sine of the given size and period in seconds.
func swing(t, size, period, phase float64) float64 {
	return size * math.Sin(2*math.Pi*(t/period+phase))
}

// lap is where something is that moves steadily from -1 to 1 in a period and starts again.
func lap(t, period, phase float64) float64 {
	x := t/period + phase
	return 2*(x-math.Floor(x)) - 1
}

// shuttle moves steadily from -1 to 1 and back in a period.
func shuttle(t, period, phase float64) float64 { return 1 - 2*math.Abs(lap(t, period, phase)) }
