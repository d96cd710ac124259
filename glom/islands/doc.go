// Package islands reads the islands of agreement out of the embeddings of one level: the nodes of
// GLOM's parse tree, as regions of the grid and as labels of pixels.
//
// Three steps, each a type that keeps its own memory, so that no frame allocates:
//
//	reader := islands.NewReader(islands.Config{})
//	var tracker islands.Tracker // one per level
//	var upsampler islands.Upsampler
//	for each frame {
//		reader.Read(&level, state.Level(3), state.Agreement(3), rows, cols, dim)
//		motion = islands.Motion(motion, flow, w, h, rows, cols)
//		tracker.Track(&level, motion)                           // ids as in the frames before
//		upsampler.Labels(labels, w, h, &level, pixels, stride)  // an id per pixel
//	}
//
// A [Reader] lets the vectors run to plateaus by mean shift, takes the plateaus as regions and
// merges the two most similar neighbours until none are similar enough. Similarity is that of the
// mean vectors: across a soft border neighbours are all alike, but the regions are not.
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
