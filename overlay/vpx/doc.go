// Package vpx compresses pictures to VP8 or VP9 with libvpx (Debian: libvpx-dev), for viewers
// who watch live, and is the only package that links it.
//
//	enc, err := vpx.New(vpx.Config{W: 640, H: 360})
//	if err != nil { … }
//	defer enc.Close()
//	var p vpx.Packet
//	for each frame f {
//		err := enc.Encode(&p, &f, false)
//		if err != nil { … }
//		… p.Data …
//	}
//
// # Time
//
// The rate control sees the frames at the times that [capture.Frame.PTS] states, so a source that
// stutters gets the bits it has time for. Times that do not rise, and gaps of over half a second,
// count as one frame or as half a second; a Packet has the time of its frame unchanged.
//
// # Temporal layers
//
// With two or three layers a viewer with a slow line is sent half or a quarter of the frames of the
// same stream: everything of a higher layer may be left out. Layer 0 is every second or fourth
// frame and has 60 or 40 % of the bits; of three, layers 0 and 1 together have 60 %. Whoever left
// layers out may take them up again from any frame of layer 0 on, up to the next of which
// frames of higher layers refer only to it and to each other (VP8).
//
// # Colour
//
// Frames are BGR, the stream has BT.601 with 16 … 235, chroma at half the size, the mean of 2x2
// pixels, which is what browsers take for granted.
//
// # Building without it
//
// Without cgo, or with the build tag novpx, the package has the same API, and [New] and
// [NewDecoder] say that libvpx is missing.
//
// # Concurrency
//
// An Encoder may be used by several goroutines; one call waits for the other. All memory of
// libvpx belongs to the Encoder and is freed by Close; nothing of Go's is kept in C.
package vpx
