// Package descriptor describes the locations of a picture by fixed features: what the front end
// gives as evidence when there is no trained network.
//
// Each location is a cell of 8 by 8 pixels and looks at its neighbours too, so its field of view
// is larger than its stride (GLOM paper, section 3.5). The features are the mean colour in CIE
// Lab, the strength and direction of the gradients at two scales, and the motion of the cell
// against the camera's. A fixed projection turns them into a unit vector: two cells that look
// alike and move alike have a cosine near 1, different ones a cosine near 0.
//
//	d, err := descriptor.New(64)
//	d.Describe(x, 22, 40, pix, flow) // x (880, 64), pix (176, 320, 3) BGR, flow (176, 320, 2)
//
// A Descriptor keeps scratch space and is used by one goroutine at a time.
package descriptor
