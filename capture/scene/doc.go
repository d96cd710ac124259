// Package scene makes videos of which everything is known: small worlds of moving, articulated,
// textured things, with the exact islands at every level and the exact motion of every pixel.
// A [Source] is a capture.Source, so the rest of the program cannot tell it from a camera.
//
//	cfg, err := scene.Parse("twins?seed=3&frames=100")
//	src, err := scene.New(cfg)
//	f, err := src.Next(ctx) // f.Truth.Levels[3] holds the object at each pixel
//
// # Scenes
//
//   - demo: a park: people, a dog, trees, a balloon; mild camera pan; loops after 8 s
//   - sprites: articulated figures whose looks and paths depend on the seed
//   - twotone: objects that share their colours pairwise, but no object shares both
//   - twins: two identical figures cross paths, one in front of the other
//   - occlusion: a figure walks behind a pillar, is hidden altogether and comes back
//   - pan: the camera pans over a world at rest in which only a dog runs
//   - cut: a hard cut to another world in the middle (every 120 frames if endless)
//   - potato: an irregular blob with knobs that tumbles ever faster
//   - lock: a textured square of one tone bounces over two regions at exactly Speed pixels per frame
//   - still: nothing moves and the sensor is free of noise, so that all frames are equal
//
// # Islands
//
// Truth.Levels has [Levels] levels. Each is a partition of the picture: every pixel has an id from 1.
//
//   - 0, patch: one tone of one shape: a stripe of a shirt, the sleeve or the skin of an arm
//   - 1, shape: one rigid piece: a forearm, a shoe, the snout of a dog
//   - 2, part: shapes that belong together: an arm, a leg, a head, the crown of a tree
//   - 3, object: the whole figure; the large regions (sky, hill, meadow, wall) are objects too
//   - 4, scene: everything in view; the world after a cut is another scene with another id
//
// An id names the same thing in all frames of a source, also after it was hidden or out of view, and
// the parent of an id never changes: each patch lies in one shape, each shape in one part, and so on.
// Ids of different levels are unrelated numbers. A pixel belongs to the thing in front at its centre,
// so an island that something covers in the middle may fall into several pieces. Shadows and eyes
// are decoration: they colour what they lie on and are no islands.
//
// # Flow
//
// Truth.Flow is the motion of the surface seen at the centre of each pixel, whether or not that
// point was in view before: what is at (x, y) now was at (x-dx, y-dy) in the frame before. It is
// the motion of the surface, so the flow under a moving shadow is that of the ground.
//
// # Units
//
// Scenes are laid out in units: at least 640 by 360 of them fit into the picture whatever its size,
// x to the right and y down from the centre, angles in radians, clockwise on the screen. Pixels are
// BGR bytes.
//
// # Determinism
//
// A frame depends on the Config and its number alone, not on how or when it is read, and is the
// same to the bit on every machine: poses are rounded to 2^-20 and the arithmetic after that is
// integer or keeps the compiler from fusing multiplications with additions.
//
// A Source is used by one goroutine; different Sources do not share anything.
package scene
