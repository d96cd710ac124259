// Package compose makes short clips of moving scenes whose islands are known, to learn from.
//
// # Model
//
// A scene is a background and up to four objects in front of it, seen by a camera that pans,
// zooms, turns and shakes. The background is a photo, with its own objects filled in or left
// where they are, or one to four painted stripes. It may have depth, so that what is far moves
// less with the camera than what is near, and swell in itself as water and leaves do. An object
// is cut out of a photo, a person in parts or a thing whole, or it is put together of one to
// five blobs and boxes that swing about their joints. Objects drift, turn, grow, swell and cover
// each other; some are twins, some have the background's own texture. In one scene of eight nothing
// moves, and most objects are those of photos. Light, blur and noise are the same over a clip or nearly.
//
//	c, err := compose.New(compose.Config{T: 6, H: 176, W: 320, Seed: 1, Store: store})
//	if err != nil { … }
//	var clip clips.Clip
//	err = c.Clip(&clip, 0)
//
// # Labels
//
// The ids of a clip's objects and parts start at 1 and are the same in all its frames. The
// background is one object of one part; a painted one has one for each stripe. An object is what
// moves as one. What a photo shows in front of its background and rests there is therefore an object
// only in a clip in which nothing moves, and else has parts, but its object is 0, unknown. Where the
// parts of an object are not known, its part is 0, and where it is not known what there is, both
// are. The whole clip is one scene, 1.
//
// # Flow
//
// The exact motion is known, but a front end only estimates it. The flow of three clips in ten
// therefore imitates the faults of DIS (where all had them, the model learned to do without flow): it
// is computed on a grid of 4 pixels, spreads over borders, comes from around where there is no
// texture, and is a guess where something has come into view. [clips.Measured] has all its faults.
//
// # Concurrency
//
// A Composer is safe for concurrent use. Clip n depends on the seed, the photos and n alone, to
// the bit and on every machine: pixels are computed in whole numbers, and products of real
// numbers are rounded before they are added, so that no compiler may fuse them.
package compose
