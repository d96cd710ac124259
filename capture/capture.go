package capture

import (
	"context"
	"time"
)

// Frame is one picture and when it belongs. A Frame has one owner: sending it to another
// goroutine gives it away, and the last owner calls Release.
type Frame struct {
	Seq      uint64        // 0, 1, 2, … as the source read them; a gap is a frame that was dropped
	PTS      time.Duration // presentation time from the start of the source, as the source states it
	Captured time.Time     // when the frame was read, with the monotonic clock
	W, H     int           // size in pixels
	Stride   int           // bytes from one row to the next, at least 3*W
	Pix      []byte        // (H, W, 3) uint8, BGR; row y starts at y*Stride
	Anew     bool          // the source began again: nothing of the frame before goes on in this one
	Truth    *Truth        // the exact islands, set by synthetic scenes only

	pool *Pool
}

// Truth is what a synthetic scene knows about one of its frames.
type Truth struct {
	Levels [][]uint16 // (L, H*W) island id at each pixel, level 0 first, ids from 1
	Flow   []float32  // (H*W, 2) motion dx, dy in pixels since the frame before; nil on a first frame or a cut
	Cut    bool       // the scene changed between the frame before and this one
}

// Info describes a source. Numbers that a container states are clamped to what is plausible;
// zero means unknown.
type Info struct {
	Name     string        // as the user gave it, without credentials
	W, H     int           // pixels
	FPS      float64       // frames per second, 1 to 240
	Frames   int           // frames in all
	Duration time.Duration // length in all
	Live     bool          // the source goes on whether it is read or not
}

// Expected returns how many frames the source is expected to have, 0 if that is unknown.
func (i Info) Expected() int {
	if i.Frames > 0 {
		return i.Frames
	}
	return int(i.Duration.Seconds()*i.FPS + 0.5)
}

// Source gives frames, one after the other. A Source is used by one goroutine.
type Source interface {
	// Next returns the next frame, which the caller then owns. After the last one it
	// returns io.EOF; any other error names the source.
	Next(ctx context.Context) (Frame, error)
	// Info may know more after the first Next than before.
	Info() Info
	// Close frees the source and may be called twice. Frames stay valid.
	Close() error
}

// Evidence is what a front end makes of one frame: the primary embedding of every location,
// and the picture and motion they were computed from.
type Evidence struct {
	Rows, Cols, Dim int
	X               []float32 // (Rows*Cols, Dim), unit vectors, row-major locations

	W, H int       // size of the working picture
	Pix  []byte    // (H, W, 3) uint8, BGR, the frame scaled to the working size
	Flow []float32 // (H, W, 2) motion dx, dy in working pixels since the frame before; nil if there is none
}
