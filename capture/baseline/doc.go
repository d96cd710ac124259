// Package baseline divides videos into regions and masks by what OpenCV offers: what one would
// use instead of islands, and what they are measured against.
//
// A [Segmenter] stands for a level of islands: [SLIC] and [SEEDS] merge superpixels until as many
// regions are left as there are islands, [KMeans] finds as many clusters of colour, position and
// motion. A [Masker] stands for what is salient: [MOG2] subtracts the background. A [Follower]
// stands for the tracking of one thing from its mask on the first frame: [Carry] moves the mask by
// the optical flow, [GrabCut] also finds its border anew.
//
//	slic := baseline.SLIC()
//	defer slic.Close()
//	for each frame f with the evidence ev of a front end {
//		ids := make([]uint16, f.W*f.H)
//		if err := slic.Segment(ids, f, ev, len(level.Islands)); err != nil { … }
//	}
//
// All work on the frame's own pixels, which puts their borders at a finer scale than a grid of
// locations can; motion is the front end's optical flow, scaled to the frame. Of the evidence they
// read the flow alone.
//
// # Ids
//
// Neither superpixels nor clusters know those of the frame before. The same rule gives all of them
// ids that last: the ids of the frame before go to where the flow takes their pixels, and a region
// that overlaps the pixels of an id by an intersection over union of 0.3 or more takes it, the best
// pair first. Other regions get new ids.
//
// # Units and colour
//
// Frames are 8-bit BGR. Labels and masks have one value for each pixel of the frame, row-major.
// Colour differences are in steps of CIE Lab, of which one is just visible.
//
// # Concurrency
//
// The methods of one value belong to one goroutine. Results do not depend on the number of
// threads, and the same frames give the same results.
package baseline
