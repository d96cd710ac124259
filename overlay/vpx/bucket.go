package vpx

import "time"

// How far, in time, what was sent may run ahead of the bitrate, and how far it may count as behind,
// which a frame after it may use up. libvpx lets the two differ by 600 ms at most (encode.c), unless
// even the coarsest picture is too large.
const (
	ahead  = 700 * time.Millisecond
	behind = 200 * time.Millisecond
)

// bucket finds the frames that have to be left out because even the coarsest picture is too large
// for the bitrate. libvpx could do so itself, but where a frame of a higher VP8 layer is left out, version
// 1.12 goes on with an old state of the entropy coder, and every picture from there on is broken.
type bucket struct {
	rate  float64       // bit/s
	level time.Duration // that it takes, at the rate, to send what is in it; negative if there is room
	at    time.Duration
}

// full tells whether the frame at a time, which must not go back, should be left out.
func (b *bucket) full(at time.Duration) bool {
	b.level = max(-behind, b.level-(at-b.at))
	b.at = at
	return b.level > ahead
}

// room tells whether less was sent than the bitrate allows for.
func (b *bucket) room() bool { return b.level <= 0 }

// add puts a packet of n bytes in.
func (b *bucket) add(n int) { b.level += time.Duration(8 * float64(n) / b.rate * float64(time.Second)) }
