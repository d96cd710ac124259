// Package live shows results to those who watch, while they come: it is a pipeline.Sink that hands
// pictures to an encoder, to viewers, to a recorder and to whoever asks for a single one.
//
//	l, err := live.New(live.Config{Levels: 5, Draw: overlay.Config{Level: 3}})
//	server, err := l.Stream(stream.Config{MaxViewers: 8}) // WHEP; mount it at /whep
//	stats, err := pipeline.Run(ctx, pipeline.Config{…, Sinks: []pipeline.Sink{l}})
//	l.Close()
//
// # Two pictures
//
// There are two: Overlay has the islands drawn in, for players that know nothing of them; Plain is
// the frame as it came, whose islands go along as data (package meta), so that each viewer draws
// what it likes. Each is encoded once however many watch, and only while somebody watches or it is
// recorded. With nobody there, a frame costs one copy.
//
// # Never in the way
//
// Write copies what is needed and returns; a goroutine of its own draws and encodes. If that takes
// longer than the next frame, the newest one waits, and those that it replaced are counted. Only what is
// followed is computed within Write, since it must see every frame.
//
// # Time
//
// An RTP time stamp is the time of capture on the monotonic clock, in units of 1/90000 s from a
// random start. It is the same for both pictures and in the data, and rises from frame to frame.
//
// When no frame came for two seconds, the last one is shown once a second with a sign across it,
// to those who watch, in recordings and in single pictures, and the state says so.
//
// # Who may do what
//
// A viewer has a level of its own and may pause. What all see needs the role operator: following a
// thing, and snapshots on the server's disk. The last one to say something wins, and everybody is told
// what holds now.
package live
