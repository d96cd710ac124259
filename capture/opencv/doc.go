// Package opencv is the only package of this module that touches OpenCV: webcams, video files
// and network streams, optical flow, and the front end that turns frames into evidence.
//
// # Model
//
// [Video] is a capture.Source. The backend is chosen by the kind of source and never by
// OpenCV, which would hand a name that it does not know to GStreamer as a pipeline:
//
//	spec, err := capture.ParseSpec("rtsp://camera/1")
//	if err != nil { … }
//	video, err := opencv.OpenVideo(ctx, spec, opencv.VideoOptions{})
//	if err != nil { … }
//	defer video.Close()
//	front, err := opencv.NewFrontEnd(opencv.FrontEndConfig{})
//	if err != nil { … }
//	defer front.Close()
//	var ev capture.Evidence
//	for {
//		f, err := video.Next(ctx)
//		if err == io.EOF { break }
//		if err != nil { … }
//		if err := front.Evidence(&ev, &f); err != nil { … }
//		… ev.X …
//		f.Release()
//	}
//
// All of OpenCV that can throw is called through a C++ shim that catches, because GoCV v0.31
// lets exceptions abort the process. Reasons come back as one-line errors. OpenCV's own
// messages are silenced unless OPENCV_LOG_LEVEL or OPENCV_FFMPEG_LOGLEVEL is set.
//
// # Units and colour
//
// Pictures are 8-bit BGR, row-major. Flow is (H, W, 2) float32, dx then dy in pixels since the
// frame before, at the place where the content is now: what is at p was at p - flow(p).
// Evidence is (N, D) float32, one unit vector per location. Nets get RGB in 0..1.
//
// # Concurrency
//
// A Video decodes in a goroutine of its own, one frame ahead; its methods belong to one
// goroutine. So do those of a FrontEnd and of a Flow. SetThreads acts on the whole process.
package opencv
