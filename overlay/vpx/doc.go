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
// The rate control goes by the times that [capture.Frame.PTS] states, evened out over some frames. Times
// that do not rise count as one frame, gaps of over half a second as half a second; a Packet
// has the time of its frame unchanged. Where even the coarsest pictures are too large for the bitrate,
// frames are left out once what was sent is 0.7 seconds ahead of it.
//
// # Temporal layers
//
// With two or three layers a viewer with a slow line is sent half or a quarter of the frames of the
// same stream: everything of a higher layer may be left out. Layer 0 is every second or fourth
// frame and has 60 or 40 % of the bits; of three, layers 0 and 1 together have 60 %. Whoever left
// layers out may take them up again at any frame of layer 0: what is decoded then is the same, to the
// bit, as if nothing had been left out. Three layers cost about 1 dB.
//
// # Colour
//
// Frames are BGR, the stream has BT.601 with 16 … 235, chroma at half the size, the mean of 2x2
// pixels, which is what browsers take for granted.
//
// # Building without it
//
// Without cgo, or with the build tag novpx, the package has the same API, and New and NewDecoder
// say that libvpx is missing.
//
// # Concurrency
//
// An Encoder may be used by several goroutines; one call waits for the other. All memory of
// libvpx belongs to the Encoder and is freed by Close; nothing of Go's is kept in C.
package vpx
