package stream

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestEstimate(t *testing.T) {
	limits := observation{min: 150e3, max: 2500e3}
	tests := []struct {
		name      string
		o         observation
		sentRatio float64 // of the estimate, that is sent
		seconds   float64
		low, high float64
	}{
		{"nothing known, all sent", observation{}, 1, 30, 2500e3, 2500e3},
		{"slow growth", observation{}, 1, 1, 1500e3 * 1.07, 1500e3 * 1.09},
		{"little sent: no growth", observation{}, 0.1, 30, 1500e3, 1500e3},
		{"congestion: falls fast", observation{congestion: 400e3}, 1, 2, 400e3, 405e3},
		{"congestion far below the floor", observation{congestion: 10e3}, 1, 5, 150e3, 151e3},
		{"congestion control without bounds", observation{congestion: 100e6}, 1, 60, 2500e3, 2500e3},
		{"half lost", observation{lost: 0.5}, 1, 5, 150e3, 500e3},
		{"one in 20 lost: stays", observation{lost: 0.05}, 1, 5, 1500e3, 2500e3},
		{"idle", observation{}, 0, 60, 1500e3, 1500e3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e estimate
			now := time.Unix(0, 0)
			o := tt.o
			o.min, o.max = limits.min, limits.max
			e.update(now, o)
			for range int(tt.seconds / ratePeriod.Seconds()) {
				now = now.Add(ratePeriod)
				o.sent = tt.sentRatio * e.rate
				e.update(now, o)
				if e.rate < o.min || e.rate > o.max {
					t.Fatalf("rate %.0f is out of bounds", e.rate)
				}
			}
			if e.rate < tt.low*0.999 || e.rate > tt.high*1.001 {
				t.Errorf("rate %.0f, want %.0f to %.0f", e.rate, tt.low, tt.high)
			}
		})
	}
}

func TestPercentile(t *testing.T) {
	many := make([]float64, 32)
	for i := range many {
		many[i] = float64(31 - i)
	}
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{[]float64{5}, 5}, {[]float64{9, 2, 4}, 2}, {many, 6}} {
		if got := percentile(tt.values, ratePercent); got != tt.want {
			t.Errorf("percentile of %v: %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestLayerFor(t *testing.T) {
	for rate, want := range map[float64]int{0: 0, 600: 0, 700: 1, 890: 1, 900: 2, 5000: 2} {
		if got := layerFor(rate, 1000); got != want {
			t.Errorf("%v of 1000: layer %d, want %d", rate, got, want)
		}
	}
}

func TestMeter(t *testing.T) {
	var m meter
	now, bytes, got := time.Unix(0, 0), uint64(0), 0.0
	for range 50 {
		now, bytes = now.Add(200*time.Millisecond), bytes+25_000
		got = m.rate(now, bytes)
	}
	if got < 0.99e6 || got > 1.01e6 {
		t.Errorf("rate %.0f, want 1 Mbit/s", got)
	}
}

func TestAskKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		cfg := Config{KeyFrame: func(int) { at = append(at, time.Since(start)) }}
		p := newPicture(0, "x", &cfg)
		stop := make(chan struct{})
		go p.askKeys(stop)
		for range 100 { // five seconds of wishes
			p.wantKey()
			time.Sleep(50 * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		p.wantKey()
		synctest.Wait()
		close(stop)
		synctest.Wait()
		want := []time.Duration{0}
		for d := keyPeriod; d <= 5*time.Second; d += keyPeriod {
			want = append(want, d) // the last wish is not lost
		}
		if want = append(want, 10*time.Second); !slices.Equal(at, want) {
			t.Errorf("asked at %v, want %v", at, want)
		}
	})
}

// TestPush checks what goes into a viewer's queue.
func TestPush(t *testing.T) {
	type step struct {
		key, paused bool
		layer, want int // of the frame; what the rate allows
	}
	k, d := step{key: true, want: 2}, step{want: 2}
	tests := []struct {
		name  string
		steps []step
		sent  []int // indices into steps
	}{
		{"waits for a key frame", []step{d, d, k, d}, []int{2, 3}},
		{"paused", []step{k, {paused: true, want: 2}, {key: true, paused: true, want: 2}, d, k, d}, []int{0, 4, 5}},
		{
			"layers down at once, up at a key frame",
			[]step{k, {layer: 2, want: 2}, {layer: 2, want: 1}, {layer: 1, want: 1}, {layer: 1, want: 0}, {want: 0}, {layer: 1, want: 2}, {want: 2}, {key: true, want: 2}, {layer: 2, want: 2}},
			[]int{0, 1, 3, 5, 7, 8, 9},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := testViewer()
			var got []int
			for i, s := range tt.steps {
				v.SetPaused(s.paused)
				v.wantLayer.Store(int64(s.want))
				v.push(&sharedFrame{key: s.key, layer: s.layer, timestamp: uint32(i)})
				for len(v.queue) > 0 {
					got = append(got, int((<-v.queue).timestamp))
				}
			}
			if !slices.Equal(got, tt.sent) {
				t.Errorf("sent %v, want %v", got, tt.sent)
			}
		})
	}
	t.Run("overflow", func(t *testing.T) {
		v := testViewer()
		v.push(&sharedFrame{key: true})
		for i := range 2 * queueLen {
			v.push(&sharedFrame{timestamp: uint32(i)})
		}
		if n := len(v.queue); n != 0 {
			t.Errorf("%d frames wait, want none", n)
		}
		if n := v.Stats().Dropped; n != 2*queueLen+1 {
			t.Errorf("%d dropped, want %d", n, 2*queueLen+1)
		}
		if len(v.pic.keys) != 1 {
			t.Error("no key frame was asked for")
		}
		v.push(&sharedFrame{key: true})
		v.push(&sharedFrame{})
		if n := len(v.queue); n != 2 {
			t.Errorf("%d frames wait after a key frame, want 2", n)
		}
	})
	t.Run("overflow by a key frame", func(t *testing.T) {
		v := testViewer()
		for i := range queueLen + 1 {
			v.push(&sharedFrame{key: true, timestamp: uint32(i)})
		}
		if f := <-v.queue; f.timestamp != queueLen || len(v.queue) != 0 {
			t.Errorf("frame %d is the first of %d, want %d of 1", f.timestamp, len(v.queue)+1, queueLen)
		}
	})
}

// TestAdd checks that who comes just after a key frame begins with it, and who comes later does not.
func TestAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := testViewer()
		p := first.pic
		write := func(key bool) {
			p.write(&Frame{Data: []byte{1}, Key: key, Timestamp: uint32(time.Now().UnixMilli())})
		}
		start := uint32(time.Now().UnixMilli())
		begins := func(want ...uint32) {
			t.Helper()
			v := testViewer()
			if begun := p.add(v); begun != (len(want) > 0) {
				t.Errorf("begun %v, want frames of %v ms", begun, want)
			}
			p.remove(v)
			var got []uint32
			for len(v.queue) > 0 {
				got = append(got, (<-v.queue).timestamp-start)
			}
			if !slices.Equal(got, want) {
				t.Errorf("it begins with the frames of %v ms, want %v", got, want)
			}
		}
		write(true) // which nobody sees
		begins()
		p.add(first)
		begins()
		write(true)
		begins(0)
		time.Sleep(100 * time.Millisecond)
		write(false)
		begins(0, 100)
		time.Sleep(101 * time.Millisecond)
		begins()
		write(false)
		begins()
		write(true)
		write(false)
		begins(201, 201)
		p.remove(first)
		write(false) // which nobody sees
		p.add(first)
		write(false)
		begins()
		write(true)
		for range queueLen { // more than a queue holds
			write(false)
		}
		begins()
	})
}

// testViewer is one without a connection.
func testViewer() *Viewer {
	s := &Server{}
	cfg := Config{KeyFrame: func(int) {}}
	v := &Viewer{s: s, pic: newPicture(0, "x", &cfg), queue: make(chan *sharedFrame, queueLen), layer: maxLayer, keyLimit: newKeyLimit()}
	v.needKey.Store(true)
	return v
}
