// Package islands reads the islands of agreement out of the embeddings of one level: the nodes of
// GLOM's parse tree, as regions of the grid and as labels of pixels.
//
// Three steps, each a type that keeps its own memory, so that no frame allocates:
//
//	reader := islands.NewReader(islands.Config{})
//	var tracker islands.Tracker     // one per level
//	var upsampler islands.Upsampler
//	for each frame {
//		reader.Read(&level, state.Level(3), state.Agreement(3), rows, cols, dim)
//		tracker.Track(&level, motion)                           // ids as in the frames before
//		upsampler.Labels(labels, w, h, &level, pixels, stride)  // an id per pixel
//	}
//
// A [Reader] lets the vectors run to plateaus by mean shift, takes the plateaus as regions and
// merges the two most similar neighbours until none are similar enough. Similarity is that of the
// mean vectors: across a soft border neighbours are all alike, but the regions are not.
//
// Arrays are row-major. Ids are from 1 to 65535. Positions on the grid are in locations, pixels
// are BGR bytes. Each type is for one goroutine at a time; results depend on the input alone.
package islands
