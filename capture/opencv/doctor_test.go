package opencv

import (
	"context"
	"slices"
	"strings"
	"testing"
)

func TestInspect(t *testing.T) {
	r := Inspect(context.Background())
	if !strings.HasPrefix(r.OpenCV, "4.") || r.GoCV == "" || !r.FFmpeg || r.Threads < 1 {
		t.Errorf("got OpenCV %q, GoCV %q, FFmpeg %v, %d threads", r.OpenCV, r.GoCV, r.FFmpeg, r.Threads)
	}
	if !slices.ContainsFunc(r.VideoIO, func(s string) bool { return strings.HasPrefix(s, "avcodec: YES") }) {
		t.Errorf("no avcodec among %q", r.VideoIO)
	}
	if len(r.Decoders) != 7 {
		t.Errorf("got %d decoders, want 7", len(r.Decoders))
	}
	for _, d := range r.Decoders {
		if d.Err != nil {
			t.Errorf("%s: %v", d.Codec, d.Err)
		}
	}
	if r.FlowErr != nil || r.Flow <= 0 {
		t.Errorf("got flow in %v, error %v", r.Flow, r.FlowErr)
	}
}

func TestInspectStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := Inspect(ctx); len(r.Decoders) != 0 || len(r.Cameras) != 0 {
		t.Errorf("got %d decoders and %d cameras with a context that has ended", len(r.Decoders), len(r.Cameras))
	}
}
