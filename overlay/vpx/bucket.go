package vpx

import "time"

// holds is how far, in time, what was sent may run ahead of the bitrate. It is the longest that a
// packet waits for a line that has just that bitrate.
const holds = 600 * time.Millisecond

// bucket finds the frames that have to be left out because even the coarsest picture is too large
// for the bitrate. libvpx could do so itself, but where a frame of a higher VP8 layer is left out, version
// 1.12 goes on with an old state of the entropy coder, and every picture from there on is broken.
type bucket struct {
	rate  float64 // bit/s
	level float64 // bits sent beyond the rate
	at    time.Duration
}

// full tells whether the frame at a time, which must not go back, should be left out.
func (b *bucket) full(at time.Duration) bool {
	b.level = max(0, b.level-b.rate*(at-b.at).Seconds())
	b.at = at
	return b.level > b.rate*holds.Seconds()
}

// add notes a packet of n bytes.
func (b *bucket) add(n int) { b.level += 8 * float64(n) }
