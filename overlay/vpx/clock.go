package vpx

import "time"

// longestGap is what a longer gap between two frames counts as: the rate control gives a frame
// the bits of the time since the one before, and after a pause that would be one huge frame.
const longestGap = 500 * time.Millisecond

// clock makes the times that libvpx sees, which must rise, of the times of the frames, which are
// what a source says.
type clock struct {
	interval time.Duration // expected between two frames

	started bool
	last    time.Duration // time of the frame before
	at      time.Duration // what libvpx was told for it
	key     time.Duration // and for the last key frame
}

// next returns the time of a frame with the given pts.
func (c *clock) next(pts time.Duration) time.Duration {
	if c.started {
		// Compared before it is subtracted: the difference of two wild times may not fit.
		step := c.interval
		if pts > c.last {
			if step = pts - c.last; step < 0 || step > longestGap {
				step = longestGap
			}
			step = max(step, time.Millisecond)
		}
		c.at += step
	}
	c.started, c.last = true, pts
	return c.at
}

// keyed notes that the frame of the last next was a key frame.
func (c *clock) keyed() { c.key = c.at }

// sinceKey is how long ago, at the frame of the last next, the last key frame was.
func (c *clock) sinceKey() time.Duration { return c.at - c.key }
