// Package pipeline runs a video through the model: it reads frames, makes evidence of them,
// takes one settling step per frame, reads the islands out, draws them and writes the results.
//
//	stats, err := pipeline.Run(ctx, pipeline.Config{
//		Source:   src,             // a capture.Source
//		FrontEnd: frontEnd,        // evidence from frames
//		Model:    model,           // a *glom.Model
//		Pixels:   []int{3},        // island labels of level 3 at pixel size
//		Draw:     drawer,          // an *overlay.Drawer, or nil
//		Sinks:    []pipeline.Sink{recorder},
//	})
//
// # How frames overlap
//
// Each frame is carried from the source to the sinks by one goroutine of its own. A stage that
// must see the frames in order has a baton, which each frame hands to the next one when it leaves
// the stage: the front end with what it remembers of the frame before, the state that settles, the
// tracking of islands from frame to frame, and the sinks. A baton goes through a channel
// of capacity 1, and these channels are the only coupling between frames. The other stages need
// nothing from other frames:
//
//	frame t    read ─ front end ─ settle ─ read out ─ track ─ link ─ upsample ─ draw ─ write
//	                      │          │                  │                                │
//	frame t+1     read ─ front end ─ settle ─ read out ─ track ─ link ─ upsample ─ draw ─ write
//
// The front end of frame t+1 thus works while frame t settles, and frame t is read out and drawn
// while frame t+1 settles. The results are bit for bit those of one frame after the other.
//
// A frame needs a slot, which holds all of its scratch space and is used again: a running video
// allocates next to nothing. The slots form a ring of Config.InFlight, so no more frames than
// that are in flight.
//
// # Back-pressure
//
// Without Config.Latest the source is read when a slot is free: it waits, and no frame is lost.
// With Latest, meant for live sources, a goroutine of its own reads as fast as the source goes
// and keeps the newest frame only. Frames that a newer one replaced are released, counted
// (Result.Dropped, Stats.Dropped) and show as gaps in Frame.Seq. The other stages never drop.
//
// # Endings
//
// At the end of the source, when the context is done, and after an error, the frames that came
// before finish in order and are written, so that a recording ends well; then all goroutines have
// ended and all frames are released, and Run returns. The error is the one of the first frame
// that had one. A panic in a stage is not caught. A stage must not end its goroutine, as t.Fatal does:
// the frames after it would wait for ever.
//
// # Cuts
//
// At a scene cut, which package capture/cut finds in the working picture, the front end is reset and asked for the
// frame again, since optical flow across a cut means nothing; the state and the island ids start
// anew with Config.Burst settling steps, Result.Cut says so and Stats.Cuts counts it. Result.Unsettled says
// of every frame how much faster it changes than it can settle. A front end without a working picture
// (Evidence.Pix) has no cuts but those that the source tells (Frame.Anew).
//
// # Starting anew
//
// Embeddings that are not finite are replaced by zero vectors, the state is reset and
// Stats.Resets counts it: the next frame starts anew. When the size of the frames changes, the
// front end, the state and the island ids start anew too, and Stats.SizeChanges counts it; whether
// a sink accepts another size is for the sink to say.
package pipeline
