// Package cut finds the places where a video jumps from one scene to another.
//
// A Detector sees the frames in order and decides at each one, from that frame and the one before
// alone, whether there is a cut between them:
//
//	var d cut.Detector
//	for each frame {
//		if d.Cut(pix, flow, w, h) {
//			// nothing that is known of the frame before helps with this one
//		}
//	}
//
// It asks whether the frame before, moved by the optical flow, has the structure of this one, block
// by block, whatever its brightness; and whether the colours are still there, wherever they went.
// So neither a moving camera nor a change of exposure is a cut.
//
// A Detector is used by one goroutine at a time.
package cut
