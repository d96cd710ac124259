package vpx

import "time"

// longestGap is what a longer gap between two frames counts as.
const longestGap = 500 * time.Millisecond

// clock makes two times of what a source says about its frames: one that rises, and one that runs
// evenly. libvpx gives a frame the bits of the time since the one before, with three
// layers up to four times as many; after a pause, or where frames come in bursts, that would be
// huge frames and starved ones. So it is told intervals that are smoothed over eight frames. In the
// long run both times are the same.
type clock struct {
	interval time.Duration // smoothed, between two frames that are encoded

	started bool
	last    time.Duration // time of the frame before, as the source says
	now     time.Duration // without jumps
	told    time.Duration // now, when libvpx got a frame last
	even    time.Duration // what libvpx was told then
	key     time.Duration // now, at the last key frame
}

// see takes the time of the next frame.
func (c *clock) see(pts time.Duration) {
	if !c.started {
		c.started, c.last = true, pts
		return
	}
	step := c.interval
	if pts > c.last {
		// The difference of two wild times may not fit.
		if step = pts - c.last; step < 0 || step > longestGap {
			step = longestGap
		}
	}
	c.now += step
	c.last = pts
}

// tell returns what libvpx is told about the frame of the last see.
func (c *clock) tell() time.Duration {
	if c.now > c.told {
		c.interval += (c.now - c.told - c.interval) / 8
		c.even += max(c.interval, time.Millisecond)
		c.told = c.now
	}
	return c.even
}
