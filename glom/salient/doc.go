// Package salient finds the things of a video that move by themselves, while the camera may move
// too, without being told what they look like.
//
//	finder := salient.New(salient.Config{})
//	for each frame {
//		finder.Step(&salient.Frame{…})              // what the model and the flow know
//		finder.Mask(mask, w, h, pixels, stride)    // 255 where something moves by itself
//	}
//
// # How
//
//   - The motion of the locations is explained by a camera before a flat scene (package camera), by
//     robust least squares in which locations with texture count more: elsewhere the optical flow
//     only repeats its neighbourhood.
//   - What that leaves over is evidence. It is compared with the median over the picture, so that water,
//     parallax and bad flow, which are everywhere, count little.
//   - Evidence is remembered. It travels along the flow to the location that looks most like
//     the one where it was, grows fast and fades slowly, so that what stops stays salient for a while.
//   - A location without texture takes the evidence of those around it that look alike.
//   - Islands vote: for their locations, and through a memory of the looks of the islands of the last frames, for
//     whatever looks like them. Islands that lie along the border of the picture are ground
//     rather than things and count less.
//   - What is well over the rest of the picture is salient. There may be several such things, or none.
//
// Everything is causal and depends on the frames alone. Arrays are row-major; positions and motion
// are in locations, pixels are BGR bytes. A Finder is for one goroutine at a time.
package salient
