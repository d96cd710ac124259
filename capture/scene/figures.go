package scene

import "math"

// look is how a person or a doll is dressed.
type look struct{ skin, hair, shirt, shirt2, trousers, shoes uint32 }

// wardrobe returns looks with soft colours that can be told apart.
func wardrobe() []look {
	return []look{
		{0xe3b48f, 0x4a3426, 0xc4574a, 0xe9d6b8, 0x4b6288, 0x4a3b35},
		{0xc98f68, 0x2b2422, 0xe0b04c, 0xf0e2c0, 0x5c7a5a, 0x6e4a3a},
		{0xf0c8a8, 0xa86a3a, 0x6d9fb5, 0xdfe8ea, 0x7a5a74, 0x3a3f4a},
		{0x8d5d42, 0x1f1a1a, 0x9a6fa8, 0xe4cfe0, 0x8a7a5c, 0xb05048},
		{0xe8bd98, 0xcaa25e, 0x6f9a63, 0xdfe3b4, 0x54525e, 0x8a6a4a},
	}
}

// limb adds a part of two pieces: upper hangs from node and turns by a, lower hangs from its end
// and turns by b more. It returns the part and the node at the end of the lower piece.
func (s *stage) limb(o object, node int, a, b func(t float64) float64, upper, lower capsule, pu, pl paint) (part, int) {
	p := s.part(o)
	joint := s.node(node, func(t float64) affine { return turn(a(t)) })
	bend := s.node(joint, func(t float64) affine { return move(0, upper.l).mul(turn(b(t))) })
	s.add(p, bend, lower, pl)
	s.add(p, joint, upper, pu)
	return p, s.rest(bend, 0, lower.l)
}

// personHeight is from the hips of a person to the ground, units.
const personHeight = 99

// person adds a walker seen from the side who faces right; node is on the ground between the
// feet, step counts walking cycles.
func (s *stage) person(node int, l look, step func(t float64) float64) {
	o := s.object()
	phase := func(t, shift float64) float64 { return 2 * math.Pi * (step(t) + shift) }
	hip := s.node(node, func(t float64) affine {
		sin := math.Sin(phase(t, 0))
		return move(0, 6*sin*sin-personHeight)
	})
	shoulder := s.rest(hip, 1, -66)
	leg := func(shift float64, cloth uint32) {
		thigh := func(t float64) float64 { return -0.42 * math.Sin(phase(t, shift)) }
		knee := func(t float64) float64 {
			c := 0.5 + 0.5*math.Cos(phase(t, shift)+0.4)
			return 0.08 + 0.8*c*c
		}
		p, foot := s.limb(o, hip, thigh, knee, capsule{45, 16, 12.5}, capsule{44, 12, 9.5},
			solid(cloth), halves(math.Pi/2, 26, cloth, l.skin))
		s.add(p, s.rest(foot, 7, 4), box{16, 8, 7}, solid(l.shoes))
	}
	arm := func(shift float64, sleeve uint32) {
		upper := func(t float64) float64 { return 0.45 * math.Sin(phase(t, shift)) }
		elbow := func(t float64) float64 { return -0.4 + 0.25*math.Sin(phase(t, shift)) }
		p, hand := s.limb(o, shoulder, upper, elbow, capsule{35, 12, 10.5}, capsule{31, 10, 8},
			halves(math.Pi/2, 20, sleeve, l.skin), solid(l.skin))
		s.add(p, s.rest(hand, 0, 3), ellipse{9, 10}, solid(l.skin))
	}
	shade := func(c uint32) uint32 { return c >> 2 & 0x3f3f3f * 3 } // the far side
	arm(0, shade(l.shirt))
	leg(0.5, shade(l.trousers))
	leg(0, l.trousers)

	torso := s.part(o)
	s.add(torso, s.rest(hip, 0, -36), box{25, 45, 20}, striped(math.Pi/2, 5, 20, l.shirt, l.shirt2))
	s.add(torso, s.rest(hip, 0, 0), box{24, 13, 12}, solid(l.trousers))
	s.head(o, s.node(hip, func(t float64) affine {
		return move(3, -88).mul(turn(swing(step(t), 0.05, 1, 0)))
	}), l, 1)
	arm(0.5, l.shirt)
}

// head adds a head that looks to the right (side 1) or ahead (side 0), with its chin at node.
func (s *stage) head(o object, node int, l look, side float64) {
	p := s.part(o)
	face := s.rest(node, 2*side, -20)
	s.add(p, s.rest(node, -4*side, -24), ellipse{29, 29}, solid(l.hair))
	s.add(p, face, ellipse{23, 26}, solid(l.skin))
	s.add(p, s.rest(node, -3*side, -42), box{25, 10, 10}, solid(l.hair))
	if side == 0 {
		s.decorate(s.rest(face, -9, 0), ellipse{3, 4}, 0x2a2426, 0, 256)
	}
	s.decorate(s.rest(face, 9+3*side, 0), ellipse{3, 4}, 0x2a2426, 0, 256)
	s.decorate(s.rest(face, 10*side, 13), box{6, 1.5, 1.5}, 0x8a4a44, 0, 200)
}

// doll adds a figure seen from the front, equal left and right, that waves its arms and legs in a
// period of so many seconds; node is between its feet.
func (s *stage) doll(node int, l look, period, phase float64) {
	o := s.object()
	hip := s.rest(node, 0, -62)
	for _, side := range []float64{-1, 1} {
		spread := func(base, size, phase float64) func(t float64) float64 {
			return func(t float64) float64 { return -side*base + swing(t, size, period, phase) }
		}
		p, foot := s.limb(o, s.rest(hip, 15*side, 0), spread(0.1, 0.3, phase), spread(0, 0.1, phase),
			capsule{28, 15, 13}, capsule{24, 13, 11}, solid(l.trousers), solid(l.trousers))
		s.add(p, s.rest(foot, 4*side, 4), box{16, 9, 8}, solid(l.shoes))
		s.limb(o, s.rest(hip, 27*side, -62), spread(0.7, 0.45, phase+0.25), spread(0.3, 0.3, phase+0.1),
			capsule{34, 13, 12}, capsule{34, 12, 10}, halves(math.Pi/2, 18, l.shirt, l.skin), solid(l.skin))
	}
	s.add(s.part(o), s.rest(hip, 0, -35), box{34, 42, 20}, striped(math.Pi/2, 4, 21, l.shirt, l.shirt2))
	s.head(o, s.rest(hip, 0, -76), l, 0)
}

// dog adds a dog that faces right; node is on the ground, step counts cycles.
func (s *stage) dog(node int, coat, patch uint32, step func(t float64) float64) {
	o := s.object()
	body := s.node(node, func(t float64) affine { return move(0, -58+swing(step(t), 2, 0.5, 0)) })
	leg := func(x, shift float64, c uint32) {
		swingLeg := func(t float64) float64 { return swing(step(t), -0.5, 1, shift) }
		knee := func(t float64) float64 { return 0.15 + swing(step(t), 0.3, 1, shift+0.3) }
		s.limb(o, s.rest(body, x, 8), swingLeg, knee, capsule{24, 11, 8}, capsule{22, 8, 7},
			solid(c), halves(math.Pi/2, 4, c, patch))
	}
	tail := s.node(body, func(t float64) affine {
		return move(-46, -8).mul(turn(math.Pi*0.8 + swing(step(t), 0.25, 0.5, 0)))
	})
	s.add(s.part(o), tail, capsule{36, 8, 5}, solid(coat))
	far := coat >> 2 & 0x3f3f3f * 3
	leg(-34, 0.5, far)
	leg(32, 0, far)
	p := s.part(o)
	s.add(p, body, box{52, 23, 22}, spotted(-12, -8, 18, coat, patch))
	leg(-36, 0, coat)
	leg(34, 0.5, coat)
	head := s.node(body, func(t float64) affine {
		return move(56, -26).mul(turn(swing(step(t), 0.08, 1, 0.2)))
	})
	p = s.part(o)
	s.add(p, s.rest(head, 19, 6), box{17, 10, 9}, solid(coat))
	s.add(p, head, ellipse{23, 21}, solid(coat))
	s.add(p, s.node(head, fixed(move(-10, -10).mul(turn(0.5)))), capsule{20, 9, 8}, solid(patch))
	s.decorate(s.rest(head, 34, 2), ellipse{5, 4}, 0x2a2426, 0, 256)
	s.decorate(s.rest(head, 8, -4), ellipse{3, 3.5}, 0x2a2426, 0, 256)
}

// tree adds a tree whose crown sways; node is on the ground.
func (s *stage) tree(node int, bark, leaf, leaf2 uint32, period float64) {
	o := s.object()
	s.add(s.part(o), s.node(node, fixed(move(0, 6).mul(turn(math.Pi)))), capsule{120, 17, 10},
		solid(bark).textured(50, 0.9, 0.25))
	crown := s.part(o)
	phase := 0.3 * float64(o)
	sway := s.node(node, func(t float64) affine {
		return turn(swing(t, 0.025, period, phase)).mul(move(0, -150))
	})
	for i, at := range [][3]float64{{-46, 14, 48}, {44, 18, 46}, {2, -26, 58}} {
		leaves := s.rest(sway, at[0], at[1])
		f := newBlob(at[2], []float64{0.03, 0.05, 0.04, 0.05}, []float64{at[0], 1, 2, float64(i)})
		p := spotted(-12, -14, at[2]*0.55, leaf, leaf2).textured(60, 0.8, 0.8)
		p.rim = 16
		s.add(crown, leaves, f, p)
	}
}

// cloud adds a cloud of three puffs.
func (s *stage) cloud(node int, size float64) {
	p := s.part(s.object())
	for _, at := range [][3]float64{{-34, 6, 24}, {34, 8, 22}, {0, 0, 33}} {
		puff := solid(0xf6f6f4).textured(10, 0.4, 0.6)
		puff.rim = 0
		s.add(p, s.rest(node, at[0]*size, at[1]*size), ellipse{at[2] * size * 1.3, at[2] * size * 0.8}, puff)
	}
}

// balloon adds a hot-air balloon; node is the middle of its envelope.
func (s *stage) balloon(node int, c ...uint32) {
	o := s.object()
	basket := s.part(o)
	for _, x := range []float64{-1, 1} {
		s.decorate(s.node(node, fixed(move(20*x, 42).mul(turn(0.3*x)))), capsule{44, 1.2, 1.2}, 0x6a5a4a, 0, 256)
	}
	s.add(basket, s.rest(node, 0, 88), box{13, 10, 3}, solid(0x9a7048).textured(60, 1.4, 0.6))
	envelope := s.part(o)
	s.add(envelope, s.rest(node, 0, 50), box{18, 10, 4}, solid(c[0]))
	s.add(envelope, node, ellipse{52, 56}, striped(0, 5, 24, c...))
}
