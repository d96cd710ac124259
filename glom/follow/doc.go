// Package follow follows regions of a first frame through a video by what their locations look
// like, in the vectors of the model, and by where the optical flow takes them.
//
//	follower := follow.New(follow.Config{})
//	follower.Start(&first, seed, w, h)                // seed: a grey value per pixel, 0 for no region
//	for each frame after it {
//		follower.Step(&frame)
//		follower.Mask(mask, w, h, pixels, stride) // the grey value of the region at each pixel
//	}
//
// # How
//
// It is a Bayesian filter over labels: the regions, and the rest. Each cell, a quarter of a location,
// holds a share for each label. In every frame
//
//   - the shares move along the flow; where there is none, as after a cut, places tell nothing;
//   - they are multiplied by the likelihood of what the location looks like now: the softmax of the
//     cosines between its joined vectors and what is most alike in the memory of each label. A memory has
//     two parts: the looks of the first frame that has flow, which are never forgotten, and recent looks, which follow
//     what is surely the label's. The rest has a memory too, so that looks which a region
//     shares with the ground tell nothing;
//   - a region of which less than half is in sight may come back anywhere by its looks;
//   - if Config.Vote says so, islands pull their locations together.
//
// The label with the largest share wins, and the masks' borders follow the edges of the picture.
//
// Everything is causal and depends on the frames alone. Arrays are row-major; N locations, D the
// length of a vector. A Follower is for one goroutine at a time.
package follow
