// Package capture defines what a picture is for the rest of the program, and reads pictures
// that need nothing but Go: folders of image files, and YUV4MPEG2 from a pipe. Webcams, video
// files and network streams are read by the packages below it, which link C libraries.
//
// # Model
//
// A [Source] gives [Frame] values one after the other. ParseSpec says what kind of source the
// user's words name, and the caller opens the backend of that kind; a backend is never guessed
// by a library, because libraries guess programs and network addresses too:
//
//	spec, err := capture.ParseSpec("frames/img_%05d.png")
//	if err != nil { … }
//	src, err := capture.OpenImages(spec, 25)
//	if err != nil { … }
//	defer src.Close()
//	for {
//		f, err := src.Next(ctx)
//		if err == io.EOF { break }
//		if err != nil { … }
//		… f.Pix …
//		f.Release()
//	}
//
// # Units and colour
//
// Sizes are pixels, times are [time.Duration] from the start of the source, rates are frames
// per second. Pixels are 8-bit BGR, row-major, rows Stride bytes apart. Transparent pictures
// are laid over black. Frames are at most 16384 pixels wide or high and 64 Mi pixels in all;
// a larger one is refused before memory is taken for it.
//
// A source that states no rate between 1 and 240 counts as [DefaultFPS].
//
// # Errors
//
// An error is one line, names the source as [Spec.Name] does, and wraps its cause:
// fs.ErrNotExist, fs.ErrPermission, io.ErrUnexpectedEOF.
//
// # Concurrency
//
// A Source belongs to one goroutine. A Frame has one owner at a time; whoever sends it gives it
// away. A [Pool] may be shared by all.
package capture
