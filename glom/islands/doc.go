// Package islands reads the islands of agreement out of the embeddings of one level: the nodes of
// GLOM's parse tree, as regions of the grid and as labels of pixels.
//
// Four steps, each a type that keeps its own memory, so that no frame allocates:
//
//	reader := islands.NewReader(islands.Config{})
//	var tracker [L]islands.Tracker  // one per level
//	var linker islands.Linker
//	var upsampler islands.Upsampler
//	for each frame {
//		motion = camera.Coarsen(motion, flow, w, h, rows, cols)
//		for each level, from the top down {
//			reader.Read(&levels[l], above, state.Level(l), state.Agreement(l), rows, cols, dim)
//			above = &levels[l]                                   // its islands hold those below
//			tracker[l].Track(&levels[l], motion)                 // ids as in the frames before
//		}
//		linker.Link(levels)                                      // parents, confidence, outlines
//		upsampler.Labels(labels, w, h, &levels[3], pix, stride)  // an id per pixel
//	}
//
// A [Reader] lets the vectors run to plateaus by mean shift, takes the plateaus as regions and
// merges the two most similar neighbours until none are similar enough. Similarity is that of the
// mean vectors: across a soft border neighbours are all alike, but the regions are not. No island
// reaches beyond one of the level above, so that a [Linker] makes them a tree.
//
// A [Tracker] gives an island the id that it had before, as far as place, vector and motion tell,
// also when it was out of sight or part of another island for a while, and says what happened:
//
//	for _, e := range level.Events {
//		fmt.Println(e.Kind, e.ID, e.Other) // "merge 7 3": island 7 went into island 3
//	}
//
// Arrays are row-major. Ids are from 1 to 65535. Positions on the grid are in locations, pixels
// are BGR bytes. Each type is for one goroutine at a time; results depend on the input alone.
package islands
