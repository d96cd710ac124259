package vpx

import "time"

const (
	longestGap = 500 * time.Millisecond // what a longer gap between two frames counts as
	longestLag = time.Second            // of the even time
)

// clock makes two times of what a source says about its frames: one that rises, and one that runs
// evenly. libvpx gives a frame the bits of the time since the one before, with three
// layers up to four times as many; after a pause, or where frames come in bursts, that would be
// huge frames and starved ones. So it is told the mean interval of the last sixteen frames or so, and up
// to a quarter more or less to keep up.
type clock struct {
	interval time.Duration // mean, between two frames

	started bool
	last    time.Duration // time of the frame before, as the source says
	now     time.Duration // without jumps
	even    time.Duration // what libvpx was told last
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
	c.last = pts
	c.now += step
	c.interval += (step - c.interval) / 16
}

// tell returns what libvpx is told about the frame of the last see. Frames in between were left out
// because libvpx had spent the bits of their time already: unless there is room in the bucket, it
// only gets those of that time that is more than longestLag.
func (c *clock) tell(room bool) time.Duration {
	if c.now == 0 {
		return 0 // the first frame
	}
	lag := c.now - c.even - c.interval
	step := c.interval + max(lag, -c.interval/4)
	if lag > 0 {
		step = c.interval
		if room {
			step += min(lag, c.interval/4)
		}
	}
	c.even += max(step, c.now-c.even-longestLag, time.Millisecond)
	return c.even
}
