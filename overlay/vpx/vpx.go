package vpx

import (
	"fmt"
	"math"
	"time"

	"glomstream/capture"
)

// Codec is the format of a stream.
type Codec string

// What New can make. All browsers know VP8; VP9 needs fewer bits for the same picture.
const (
	VP8 Codec = "vp8"
	VP9 Codec = "vp9"
)

// Config of an Encoder. W and H are needed; the rest may be zero.
type Config struct {
	Codec    Codec         // default VP8
	W, H     int           // of the frames, 2 to 16383; an odd last row or column is left out
	Bitrate  int           // bit/s, default 1,500,000
	FPS      float64       // expected frames per second, default 30
	Layers   int           // temporal layers, 1 to 3, default 1
	KeyEvery time.Duration // longest time between key frames, default 10 s
}

// Packet is one compressed frame.
type Packet struct {
	Data  []byte        // empty if the rate control left the frame out; reused by the next Encode with this Packet
	Key   bool          // needs no other packet before it
	Layer int           // temporal layer, 0 for all if there is but one
	W, H  int           // of the compressed picture
	PTS   time.Duration // of the frame
}

const (
	maxSide    = 1<<14 - 1 // VP8 has 14 bits
	maxPixels  = 64 << 20  // as package capture
	minBitrate = 1_000
	maxBitrate = 100_000_000
)

func (c Config) withDefaults() (Config, error) {
	if c.Codec == "" {
		c.Codec = VP8
	}
	if c.Bitrate == 0 {
		c.Bitrate = 1_500_000
	}
	if c.FPS == 0 {
		c.FPS = 30
	}
	if c.Layers == 0 {
		c.Layers = 1
	}
	if c.KeyEvery == 0 {
		c.KeyEvery = 10 * time.Second
	}
	switch {
	case c.Codec != VP8 && c.Codec != VP9:
		return c, fmt.Errorf("codec %q is neither %q nor %q", c.Codec, VP8, VP9)
	case c.W < 2 || c.H < 2 || c.W > maxSide || c.H > maxSide || c.W*c.H > maxPixels:
		return c, fmt.Errorf("a picture of %dx%d cannot be encoded (2 to %d each, 64 Mi pixels in all)", c.W, c.H, maxSide)
	case !(c.FPS >= 0.1 && c.FPS <= 1000) || math.IsNaN(c.FPS):
		return c, fmt.Errorf("%v frames per second are not between 0.1 and 1000", c.FPS)
	case c.Layers < 1 || c.Layers > 3:
		return c, fmt.Errorf("%d temporal layers are not 1, 2 or 3", c.Layers)
	case c.KeyEvery < 0:
		return c, fmt.Errorf("a key frame every %v is not possible", c.KeyEvery)
	}
	return c, checkBitrate(c.Bitrate)
}

func checkBitrate(bps int) error {
	if bps < minBitrate || bps > maxBitrate {
		return fmt.Errorf("%d bit/s are not between %d and %d", bps, minBitrate, maxBitrate)
	}
	return nil
}

// checkFrame says what is wrong with a frame for an encoder of w x h.
func checkFrame(f *capture.Frame, w, h int) error {
	switch {
	case f == nil:
		return fmt.Errorf("there is no frame")
	case f.W != w || f.H != h:
		return fmt.Errorf("frame %d is %dx%d, the encoder was made for %dx%d: make a new one", f.Seq, f.W, f.H, w, h)
	case f.Stride < 3*w || len(f.Pix) < 3*w || (len(f.Pix)-3*w)/f.Stride < h-1:
		return fmt.Errorf("frame %d has fewer pixels than %dx%d", f.Seq, w, h)
	}
	return nil
}

// shares are the parts of the bitrate, in %, of each layer with those below it.
func shares(layers int) []int {
	return [][]int{{100}, {60, 100}, {40, 60, 100}}[layers-1]
}
