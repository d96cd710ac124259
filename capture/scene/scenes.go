package scene

import "math"

// entry is a scene and the function that sets it up.
type entry struct {
	name  string
	build func(*stage)
}

func catalogue() []entry {
	return []entry{
		{"demo", demo},
		{"sprites", sprites},
		{"twotone", twotone},
		{"twins", twins},
		{"occlusion", occlusion},
		{"pan", pan},
		{"cut", cutScene},
		{"potato", potato},
		{"lock", lock},
		{"still", still},
	}
}

// Names returns the names of all scenes, the default first.
func Names() []string {
	var names []string
	for _, e := range catalogue() {
		names = append(names, e.name)
	}
	return names
}

// director returns what sets up a scene, nil for an unknown name.
func director(name string) func(*stage) {
	for _, e := range catalogue() {
		if e.name == name {
			return e.build
		}
	}
	return nil
}

// room adds a wall and a floor that meet at v = edge.
func (s *stage) room(edge float64, wall, floor uint32) {
	s.region(0, plane{-far, edge + 1}, land(wall).textured(22, 0.6, 0.6))
	s.region(0, newTerrain(edge, nil, nil), land(floor).textured(30, 0.35, 1.1))
}

// shadow darkens the ground below something w wide.
func (s *stage) shadow(node int, w float64) {
	s.decorate(s.rest(node, 0, 3), ellipse{w, w / 6}, 0x26301e, w/8, 90)
}

// course is how something crosses the picture: on the ground at v, to the right (side 1) or to the
// left (-1) in so many seconds, then again; phase says where it is at first.
type course struct {
	ground                        int // node
	v, size, side, seconds, phase float64
}

// cross returns a node that runs over a course, and what counts steps of so many units on it.
func (s *stage) cross(c course, step float64) (int, func(t float64) float64) {
	half := s.halfW + 140
	node := s.node(c.ground, func(t float64) affine {
		return move(c.side*half*lap(t, c.seconds, c.phase), c.v).mul(scale(c.side*c.size, c.size))
	})
	steps := math.Max(1, math.Round(2*half/(step*c.size))) // whole, for a loop without a seam
	s.shadow(node, 60)
	return node, func(t float64) float64 { return steps * (t/c.seconds + c.phase) }
}

// walker adds a person on a course.
func (s *stage) walker(l look, c course) {
	node, step := s.cross(c, 150)
	s.person(node, l, step)
}

// runner adds a dog on a course.
func (s *stage) runner(c course) {
	node, step := s.cross(c, 92)
	s.dog(node, s.pick(0xb88a5c, 0xc9a878, 0xd8cdb8), s.pick(0x6a4a38, 0x4a4444), step)
}

func demo(s *stage) {
	const loop = 8 // seconds
	camera := func(depth float64) int {
		return s.node(0, func(t float64) affine {
			return move(-depth*swing(t, 34, loop, 0), -depth*swing(t, 5, loop, 0.25))
		})
	}
	sky, hills, woods, ground := camera(0.1), camera(0.3), camera(0.55), camera(1)

	s.region(sky, plane{-far, 60}, faded(-170, 30, 0x7fb2d9, 0xe8eee6).textured(6, 0.2, 0.4))
	for i, v := range []float64{-140, -100} {
		x := float64(430*i - 250)
		s.cloud(s.node(sky, func(t float64) affine { return move(x+swing(t, 22, loop, 0.1), v) }), 1.1-0.2*float64(i))
	}
	s.balloon(s.node(sky, func(t float64) affine {
		return move(150+swing(t, 26, loop, 0), -112+swing(t, 8, loop/2, 0.2)).
			mul(turn(swing(t, 0.05, loop, 0.3))).mul(scale(0.85, 0.85))
	}), 0xd8734f, 0xf0dca8, 0x5f8fa8)

	s.region(hills, newTerrain(-16, []float64{9, 14, 8, 5}, []float64{1, 2.6, 0.5, 4}),
		faded(-50, 40, 0x8fb0b4, 0xa9c2b0).textured(12, 0.3, 0.6))
	s.region(woods, newTerrain(26, []float64{5, 4, 6, 5, 2, 3, 4}, []float64{0, 4, 1, 3, 5, 2, 6}),
		faded(5, 60, 0x6d9468, 0x88a878).textured(44, 0.5, 0.6))
	s.region(ground, newTerrain(52, []float64{2, 2}, []float64{2, 0}),
		faded(50, 190, 0x9dba72, 0x7fa35c).textured(30, 0.35, 1.1))
	s.region(s.rest(ground, 0, 128), box{far, 25, 0}, faded(-25, 25, 0xdcc9a2, 0xcdb68a).textured(26, 0.4, 1.2))

	trunk := s.rest(ground, -236, 84)
	s.shadow(trunk, 90)
	s.tree(trunk, 0x7a6250, 0x5f8a4e, 0x7aa35c, loop)
	back := s.node(ground, fixed(move(262, 70).mul(scale(0.72, 0.72))))
	s.shadow(back, 80)
	s.tree(back, 0x866c58, 0x7d9a52, 0x9ab268, loop)

	looks := wardrobe()
	i := int(s.seed % 5)
	s.walker(looks[(i+2)%5], course{ground, 92, 0.6, 1, loop, 0.8})
	s.walker(looks[(i+1)%5], course{ground, 124, 0.86, -1, loop, 0.12})
	s.walker(looks[i], course{ground, 146, 1, 1, loop, 0.4})
	s.runner(course{ground, 158, 0.95, 1, loop, 0.58})
}

// sprites leaves looks, sizes, paths and tempo to the seed.
func sprites(s *stage) {
	s.room(s.between(-10, 50), s.pick(0xb9b29c, 0xa4b3b0, 0xc2a994), s.pick(0x8d7b68, 0x76846c, 0x85808c))
	looks := wardrobe()
	s.rng.Shuffle(len(looks), func(i, j int) { looks[i], looks[j] = looks[j], looks[i] })
	half := s.halfW - 40
	wander := func(v float64) int {
		size, period, phase := s.between(0.8, 1.05), s.between(6, 10), s.rng.Float64()
		return s.node(0, func(t float64) affine {
			return move(swing(t, half, period, phase), v+swing(t, 6, period/2, phase)).mul(scale(size, size))
		})
	}
	doll := wander(s.between(80, 110))
	s.shadow(doll, 50)
	s.doll(doll, looks[0], s.between(0.9, 1.5), s.rng.Float64())
	s.walker(looks[1], course{0, s.between(120, 140), s.between(0.8, 1), s.side(), s.between(6, 10), s.rng.Float64()})
	s.walker(looks[2], course{0, s.between(140, 160), s.between(0.8, 1), s.side(), s.between(6, 10), s.rng.Float64()})
	s.runner(course{0, 166, s.between(0.8, 1), s.side(), s.between(5, 9), s.rng.Float64()})
}

// twotone has three objects of two parts with the colours AB, BC and CA: only the pair tells
// an object, no single colour does (paper, section 4).
func twotone(s *stage) {
	s.room(70, 0xa9a79f, 0x857d74)
	c := []uint32{0x9cc79a, 0xb08fc0, 0xdba06a} // pale green, mauve, orange
	for i, x := range []float64{-205, 0, 205} {
		a, b := c[i], c[(i+1)%3]
		phase := s.rng.Float64()
		o := s.object()
		node := s.node(0, func(t float64) affine {
			return move(x+swing(t, 46, 5, phase), swing(t, 40, 4, phase*2)).
				mul(turn(swing(t, 0.35, 6, phase)))
		})
		arm := s.node(node, func(t float64) affine { return move(0, -40).mul(turn(math.Pi + swing(t, 0.5, 3, phase))) })
		tip := s.part(o)
		s.add(tip, arm, capsule{66, 16, 16}, striped(math.Pi/2, 2, 132, a, b))
		s.add(tip, s.rest(arm, 0, 66), ellipse{24, 24}, halves(0, 0, a, b))
		body := []form{box{62, 52, 18}, ellipse{66, 54}, box{48, 58, 46}}[i]
		s.add(s.part(o), s.rest(node, 0, 10), body, halves([]float64{0, 0.8, math.Pi / 2}[i], 0, a, b))
	}
}

// twins has two figures alike in everything but where they are.
func twins(s *stage) {
	s.room(60, 0xb7b3a4, 0x7f8a78)
	l := wardrobe()[s.rng.IntN(5)]
	first := len(s.shapes)
	for i, side := range []float64{-1, 1} {
		node := s.node(0, func(t float64) affine { return move(side*swing(t, 190, 6, 0.25), 112+22*float64(i)) })
		s.shadow(node, 50)
		s.doll(node, l, 1.5, 0)
	}
	count := (len(s.shapes) - first) / 2 // the same texture too
	for i := range count {
		a, b := &s.shapes[first+i].paint, &s.shapes[first+count+i].paint
		b.tu, b.tv = a.tu, a.tv
	}
}

func occlusion(s *stage) {
	s.room(60, 0xb4a995, 0x7d8471)
	l := wardrobe()[s.rng.IntN(5)]
	node := s.node(0, func(t float64) affine { return move(swing(t, 215, 8, 0.25), 138).mul(scale(0.86, 0.86)) })
	s.shadow(node, 50)
	s.doll(node, l, 1.6, 0)
	o := s.object()
	foot, shaft := s.part(o), s.part(o)
	s.add(shaft, s.rest(0, 0, -20), box{106, 182, 4}, striped(0, 3, 71, 0x8f8577, 0x9d9384).textured(40, 0.9, 0.3))
	s.add(foot, s.rest(0, 0, 160), box{122, 20, 4}, solid(0x80766a))
}

func pan(s *stage) {
	world := s.node(0, func(t float64) affine { return move(-300*shuttle(t, 400./90, 0.25), 0) })
	s.region(world, plane{-far, 40}, faded(-180, 20, 0x9cc0d8, 0xdfe6de).textured(7, 0.2, 0.3))
	s.region(world, newTerrain(10, []float64{10, 8, 12, 6}, []float64{0, 1, 2, 3}), land(0x7f9a6c).textured(50, 0.6, 0.6))
	s.region(world, newTerrain(72, nil, nil), land(0x99947f).textured(30, 0.4, 1))
	for i := range 5 {
		size := s.between(0.8, 1.1)
		tree := s.node(world, fixed(move(float64(i-2)*270, s.between(84, 100)).mul(scale(size, size))))
		s.shadow(tree, 90)
		s.tree(tree, 0x7a6250, s.pick(0x62884e, 0x8a9a4c), s.pick(0x80a35e, 0xa8a858), math.Inf(1))
	}
	s.runner(course{0, 140, 1.2, s.side(), 6, s.between(0.3, 0.5)})
}

// cutScene cuts from a walker in a meadow to dolls in a room: nothing stays.
func cutScene(s *stage) {
	looks, i := wardrobe(), s.rng.IntN(5)
	s.region(0, plane{-far, 60}, faded(-170, 20, 0x86b4d6, 0xe6e8e0).textured(8, 0.2, 0.4))
	s.region(0, newTerrain(20, []float64{6, 8, 4}, []float64{1, 2, 3}), land(0x90b070).textured(36, 0.4, 1))
	s.tree(s.rest(0, -190, 80), 0x7a6250, 0x5f8a4e, 0x7aa35c, 5)
	s.walker(looks[i], course{0, 140, 1, 1, 7, 0.5})
	s.cut()
	s.room(76, 0xc4a79a, 0x6f6a72)
	for j, x := range []float64{-120, 120} {
		node := s.node(0, func(t float64) affine { return move(x+swing(t, 60, 5, 0), 130) })
		s.shadow(node, 50)
		s.doll(node, looks[(i+1+j)%5], 1.4, float64(j)/3)
	}
}

// potato tumbles once in 12 s at first and faster by one turn in 12 s every second, until it
// turns by a quarter of a circle each frame at the natural speed and 30 frames per second.
func potato(s *stage) {
	s.room(80, 0xb0b4ae, 0x8a8a80)
	amp, phase := make([]float64, 6), make([]float64, 6)
	for i := range amp {
		amp[i], phase[i] = s.between(0.03, 0.09), s.between(0, 2*math.Pi)
	}
	spin := func(t float64) float64 {
		const end = 89
		m := min(t, end)
		return 2 * math.Pi / 12 * (m + m*m/2 + (t-m)*(1+end))
	}
	node := s.node(0, func(t float64) affine {
		a := spin(t)
		return move(swing(t, 90, 8, 0), swing(t, 20, 5, 0)).mul(turn(a)).mul(scale(1, 0.86+0.14*math.Cos(a*0.7)))
	})
	o := s.object()
	body := s.part(o)
	for i, angle := range []float64{0.3, 2.2, 4.4} {
		knob := s.part(o)
		f := newBlob(s.between(30, 42), amp[:3], phase[i:i+3])
		s.add(knob, s.node(node, fixed(turn(angle+s.between(-0.3, 0.3)).mul(move(88, 0)))), f,
			halves(s.between(0, 6), 0, 0xa9845c, 0x8d6a4a).textured(60, 0.8, 0.8))
	}
	s.add(body, node, newBlob(92, amp, phase), halves(s.between(0, 6), 0, 0xc8a070, 0xb08a58).textured(70, 0.6, 0.6))
	s.add(body, s.rest(node, -28, 20), ellipse{20, 15}, solid(0x7d5c40))
}

// lockSide returns the side of the square of the lock scene, in pixels.
func lockSide(w, h int) float64 { return 120 * unitFor(w, h) }

// lockLimit returns the speed, in pixels per frame, at which the square crosses the picture at once.
func lockLimit(w, h int) float64 {
	side := lockSide(w, h)
	return min((float64(w)-side)/0.8, (float64(h)-side)/0.6)
}

// lock moves by exactly (±0.8, ±0.6) speed each frame: it turns back before a step that would
// take it out of the picture.
func lock(s *stage) {
	s.rate = 1 // the time is the frame number
	side := lockSide(s.w, s.h)
	bounce := func(size, step float64) func(t float64) float64 {
		steps := max(1, math.Floor((size-side)/step))
		start := math.Floor(s.between(0, 2*steps))
		return func(t float64) float64 {
			return side/2 + step*(steps-math.Abs(math.Mod(start+t, 2*steps)-steps))
		}
	}
	x, y := bounce(float64(s.w), 0.8*s.speed), bounce(float64(s.h), 0.6*s.speed)
	node := s.node(-1, func(t float64) affine { return move(x(t), y(t)).mul(scale(side/120, side/120)) })
	s.region(0, plane{-far, far}, land(0xa8b0a4).textured(40, 0.7, 0.7))
	s.region(s.rest(0, far, 0), box{far, far, 0}, land(0x7d8894).textured(40, 0.7, 0.7))
	p := s.part(s.object())
	s.add(p, node, box{60, 60, 0}, land(0xc47a52).textured(70, 0.8, 0.8))
}

// still is a park in which time stands.
func still(s *stage) {
	demo(s)
	s.rate = 0
}
