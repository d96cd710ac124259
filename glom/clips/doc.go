// Package clips holds what the model learns from: short clips of moving pictures, with the islands
// where they are known, and the file that keeps the pictures they are made of.
//
// # Model
//
// A [Clip] is T pictures of one scene at the working size, with the motion that a front end would
// have found in them. A [Source] makes clip n as a function of its seed and n alone, so that a
// training run can be repeated, resumed and spread over goroutines:
//
//	store, err := clips.Open("store.clips")
//	if err != nil { … }
//	defer store.Close()
//	real, err := clips.NewReal(store, clips.RealConfig{T: 6, H: 176, W: 320, Seed: 1})
//	if err != nil { … }
//	var c clips.Clip
//	for n := range uint64(1000) {
//		if err := real.Clip(&c, n); err != nil { … }
//		… c.Pix, c.Flow …
//	}
//
// [Real] cuts clips out of videos, which have no labels. Package compose makes scenes with known
// islands out of photos. [Mix] draws from both.
//
// # Units
//
// Pixels are 8-bit BGR, row-major. Flow is in pixels since the frame before: what is at p now was
// at p - flow(p). Labels are island ids from 1; 0 is unknown, not background.
//
// # Concurrency
//
// A Source and a [Store] are safe for concurrent use; a Clip belongs to one goroutine.
package clips
