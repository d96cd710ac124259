package vpx

import (
	"math"
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	const (
		ms     = time.Millisecond
		lowest = time.Duration(math.MinInt64)
		most   = time.Duration(math.MaxInt64)
	)
	tests := []struct {
		name string
		pts  []time.Duration
		now  time.Duration // after the last of them
	}{
		{"one", []time.Duration{7 * time.Hour}, 0},
		{"even", []time.Duration{0, 40 * ms, 80 * ms}, 80 * ms},
		{"uneven", []time.Duration{0, 1, 90 * ms}, 90 * ms},
		{"equal", []time.Duration{5, 5, 5}, 80 * ms},
		{"backward", []time.Duration{5 * ms, 0}, 40 * ms},
		{"a pause", []time.Duration{0, time.Hour}, longestGap},
		{"wild", []time.Duration{lowest, most}, longestGap},
		{"wild backward", []time.Duration{most, lowest}, 40 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, told := clock{interval: 40 * ms}, time.Duration(-1)
			for _, pts := range tt.pts {
				c.see(pts)
				at := c.tell(true)
				if at < told+time.Microsecond && told >= 0 {
					t.Errorf("libvpx is told %v after %v", at, told)
				}
				told = at
			}
			if off := c.now - tt.now; off.Abs() > 3*ms { // the mean interval moves a little
				t.Errorf("now %v, want %v", c.now, tt.now)
			}
		})
	}
}

// TestClockKeepsUp checks that both times stay together when a source's rate changes, and part by
// longestLag when frames are left out.
func TestClockKeepsUp(t *testing.T) {
	var c clock
	c.interval = time.Second / 30
	var pts time.Duration
	step := func(n int, by time.Duration, every int, room bool) {
		for i := range n {
			c.see(pts)
			if i%every == 0 {
				c.tell(room)
			}
			pts += by
		}
	}
	step(300, time.Second/5, 1, true)
	if lag := c.now - c.even; lag.Abs() > 250*time.Millisecond {
		t.Errorf("at 5 frames a second it is %v late", lag)
	}
	step(600, time.Second/60, 1, true)
	if lag := c.now - c.even; lag.Abs() > 20*time.Millisecond {
		t.Errorf("at 60 frames a second it is %v late", lag)
	}
	step(600, time.Second/60, 3, false)
	if lag := c.now - c.even; lag < longestLag || lag > longestLag+time.Second/20 {
		t.Errorf("with two of three frames left out it is %v late, want %v", lag, longestLag)
	}
	step(600, time.Second/60, 1, true)
	if lag := c.now - c.even; lag.Abs() > 20*time.Millisecond {
		t.Errorf("when none are left out any more it is still %v late", lag)
	}
}

func TestBucket(t *testing.T) {
	b := bucket{rate: 80_000} // 10 kB a second
	if b.full(0) || !b.room() {
		t.Error("it is full from the start")
	}
	b.add(7_001)
	if !b.full(0) || b.room() {
		t.Error("700 ms of data do not fill it")
	}
	if b.full(time.Millisecond) {
		t.Error("it is full although a packet was sent")
	}
	if b.full(time.Hour); b.level != -behind {
		t.Errorf("an hour leaves room for %v, want %v", -b.level, behind)
	}
	b.add(9_001)
	if !b.full(time.Hour) {
		t.Error("900 ms of data do not fill an empty one")
	}
	b.rate *= 2
	if !b.full(time.Hour) || b.full(time.Hour+time.Millisecond) {
		t.Error("another rate changes how full it is")
	}
}

func TestOrder(t *testing.T) {
	want := [][]int{{0, 0, 0, 0}, {0, 1, 0, 1}, {0, 2, 1, 2}}
	for layers := 1; layers <= 3; layers++ {
		o := order{layers: layers}
		for start := range 4 { // a key frame at any place begins the order anew
			for i := range 8 + start {
				layer, golden := o.next(i == 0)
				if layer != want[layers-1][i%4] || golden != (layers == 3 && i%4 == 3) {
					t.Errorf("%d layers: frame %d is of layer %d, golden %v", layers, i, layer, golden)
				}
			}
		}
	}
}

func TestDefaults(t *testing.T) {
	c, err := Config{W: 640, H: 360}.withDefaults()
	want := Config{Codec: VP8, W: 640, H: 360, Bitrate: 1_500_000, FPS: 30, Layers: 1, KeyEvery: 10 * time.Second}
	if err != nil || c != want {
		t.Errorf("%+v, %v, want %+v", c, err, want)
	}
	if _, err := (Config{W: 2, H: 2, FPS: math.NaN()}).withDefaults(); err == nil {
		t.Error("no error for NaN frames per second")
	}
}
