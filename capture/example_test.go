package capture_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"glomstream/capture"
)

// Two frames of 2 x 1 grey pixels, as ffmpeg -pix_fmt gray -f yuv4mpegpipe writes them.
func Example() {
	ctx := context.Background()
	pipe := strings.NewReader("YUV4MPEG2 W2 H1 F10:1 Cmono\nFRAME\n\x10\xebFRAME\n\x7e\x7e")
	src, err := capture.NewY4M(ctx, pipe, "-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()
	for {
		f, err := src.Next(ctx)
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(f.Seq, f.PTS, f.W, f.H, f.Pix)
		f.Release()
	}
	// Output:
	// 0 0s 2 1 [0 0 0 255 255 255]
	// 1 100ms 2 1 [128 128 128 128 128 128]
}

func ExampleParseSpec() {
	for _, s := range []string{"0", "-", "synthetic:twins?seed=3", "rtsp://me:secret@camera/1", "pipe:0"} {
		spec, err := capture.ParseSpec(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(spec.Kind, spec.Name())
	}
	// Output:
	// webcam 0
	// y4m -
	// synthetic synthetic:twins?seed=3
	// stream rtsp://xxxxx@camera/1
	// open "pipe:…": this scheme is not accepted, only rtsp, rtsps, http, https and synthetic are
}
