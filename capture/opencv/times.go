package opencv

import (
	"math"
	"time"
)

// fallbackFPS is taken for a file that states neither times nor a frame rate.
const fallbackFPS = 25

// clock turns the time stamps that OpenCV reports into presentation times that always grow.
//
// OpenCV 4.6 reports the decoding time of the packet that brought a picture out, from the start
// of the track. That is its presentation time, with two exceptions: at the start it may be
// negative, and the last pictures, which come out when the decoder is drained, have none: 0.
type clock struct {
	live     bool
	interval time.Duration // between frames, for files without times
	// times returns the presentation times of a file after the given one, ascending, if known.
	times func(after time.Duration) []time.Duration

	n       int
	pts     time.Duration // of the frame before
	span    time.Duration // from the frame before that one to it
	stamp   time.Duration // as reported for the frame before
	at      time.Time     // when the frame before was read
	untimed bool          // the file states no times at all
	drained bool
	tail    []time.Duration // times of the frames that come out of a drained decoder
}

// next returns the presentation time of a frame with the given stamp, read at now.
func (c *clock) next(msec float64, now time.Time) time.Duration {
	stamp, ok := stampOf(msec)
	var pts time.Duration
	switch {
	case c.n == 0 && c.live:
	case c.n == 0:
		pts = max(stamp, 0)
	case c.live:
		pts = c.pts + c.step(stamp, ok, now)
	default:
		pts = c.recorded(stamp, ok && stamp != 0)
	}
	c.n++
	c.span = pts - c.pts
	c.pts, c.stamp, c.at = pts, stamp, now
	return pts
}

// recorded is the time of a file's second and later frames.
func (c *clock) recorded(stamp time.Duration, ok bool) time.Duration {
	if c.n == 1 && !ok {
		c.untimed = true
	}
	switch {
	case c.untimed:
		return time.Duration(c.n) * c.interval
	case !ok:
		return c.behind()
	case stamp > c.pts:
		return stamp
	}
	return c.pts + time.Millisecond
}

// behind is the time of a frame from the drained decoder: the next that is known, or as much
// later as the frame before was.
func (c *clock) behind() time.Duration {
	if !c.drained && c.times != nil {
		c.tail = c.times(c.pts)
	}
	c.drained = true
	for len(c.tail) > 0 {
		pts := c.tail[0]
		c.tail = c.tail[1:]
		if pts > c.pts {
			return pts
		}
	}
	return c.pts + max(c.span, time.Millisecond)
}

// step is the time since the frame before in a live source: as the stamps say, or as the wall
// clock says where they stand still or jump, as they do when a camera sets its clock.
func (c *clock) step(stamp time.Duration, ok bool, now time.Time) time.Duration {
	wall := max(now.Sub(c.at), time.Microsecond)
	step := stamp - c.stamp
	if !ok || step <= 0 || (step-wall).Abs() > 5*time.Second {
		return wall
	}
	return step
}

func stampOf(msec float64) (time.Duration, bool) {
	const year = 365 * 24 * 3600e3
	if math.IsNaN(msec) || math.Abs(msec) > 50*year {
		return 0, false
	}
	return time.Duration(math.Round(msec*1e3)) * time.Microsecond, true
}

// plausible clamps what a container states: fps to 1..240, else 0; frames to what fits a
// length of at most a year, else 0.
func plausible(s stated) (fps float64, frames int, length time.Duration) {
	if s.fps >= 1 && s.fps <= 240 {
		fps = s.fps
	}
	const year = 365 * 24 * 3600
	if fps == 0 || !(s.frames >= 1 && s.frames < year*fps) {
		return fps, 0, 0
	}
	return fps, int(s.frames), time.Duration(s.frames / fps * float64(time.Second))
}
