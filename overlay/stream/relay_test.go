package stream

import (
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// weather is what a relay does to packets. The zero value lets them through as they are.
type weather struct {
	delay, jitter        time.Duration // each packet takes delay, and up to jitter more by chance: so they overtake each other
	lose, double, linger float64       // shares of the packets that are lost, come twice, and come late by lateness
	rate                 float64       // bytes a second that the line carries; 0: any
	queue                time.Duration // that a packet may wait for the line before it is dropped
}

const lateness = 80 * time.Millisecond // longer than the usual jitter: such packets come after later ones

// relay stands between a viewer and the UDP port of the server, and spoils what goes through, both ways,
// with dice of its own. It ends with the test.
type relay struct {
	down, up *net.UDPConn // towards the viewer and the server
	weather  atomic.Pointer[weather]
	passed   atomic.Int64 // packets that came through, in both directions
	spoiled  atomic.Int64 // that were lost, doubled or late
	viewer   atomic.Pointer[net.UDPAddr]
	wg       sync.WaitGroup // loops, and packets that are on their way
}

func newRelay(t testing.TB, server string, seed uint64) *relay {
	t.Helper()
	addr, err := net.ResolveUDPAddr("udp4", server)
	if err != nil {
		t.Fatal(err)
	}
	up, err := net.DialUDP("udp4", nil, addr)
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{down: listenUDP(t), up: up}
	r.weather.Store(&weather{})
	r.wg.Go(func() {
		r.carry(rand.New(rand.NewPCG(seed, 0)), r.up.Read, func(b []byte) {
			if to := r.viewer.Load(); to != nil {
				_, _ = r.down.WriteToUDP(b, to) // the viewer may be gone
			}
		})
	})
	r.wg.Go(func() {
		receive := func(b []byte) (int, error) {
			n, from, err := r.down.ReadFromUDP(b)
			if err == nil {
				r.viewer.Store(from)
			}
			return n, err
		}
		r.carry(rand.New(rand.NewPCG(seed, 1)), receive, func(b []byte) { _, _ = r.up.Write(b) })
	})
	t.Cleanup(func() {
		r.down.Close()
		r.up.Close()
		r.wg.Wait()
	})
	return r
}

// carry takes packets in one direction until the sockets are closed.
func (r *relay) carry(dice *rand.Rand, receive func([]byte) (int, error), send func([]byte)) {
	out := &line{relay: r, send: send}
	var free time.Time // when it has sent what it was given
	for {
		b := make([]byte, 1500)
		n, err := receive(b)
		if err != nil {
			if strings.Contains(err.Error(), "refused") {
				continue // by a server that has gone, as ICMP told
			}
			return
		}
		w, now := r.weather.Load(), time.Now()
		// Always the same number of throws, so that the same packets meet the same fate.
		lost, double, late, jitter := dice.Float64() < w.lose, dice.Float64() < w.double, dice.Float64() < w.linger, dice.Float64()
		due := now
		if w.rate > 0 {
			if free.Before(now) {
				free = now
			}
			if free.Sub(now) > w.queue {
				lost = true
			} else {
				free = free.Add(time.Duration(float64(n) / w.rate * float64(time.Second)))
				due = free
			}
		}
		if lost || double || late {
			r.spoiled.Add(1)
		}
		if lost {
			continue
		}
		due = due.Add(w.delay + time.Duration(jitter*float64(w.jitter)))
		if late {
			due = due.Add(lateness)
		}
		out.deliver(b[:n], due)
		if double {
			out.deliver(b[:n], due.Add(time.Millisecond))
		}
	}
}

// line holds the packets that are on their way in one direction, those that are due first in front.
type line struct {
	relay *relay
	send  func([]byte)
	mu    sync.Mutex
	queue []onTheWay
}

type onTheWay struct {
	due  time.Time
	data []byte
}

// deliver sends a packet when it is due, after all that are due before it or came before it.
func (l *line) deliver(b []byte, due time.Time) {
	l.relay.passed.Add(1)
	l.mu.Lock()
	at := len(l.queue)
	for at > 0 && l.queue[at-1].due.After(due) {
		at--
	}
	l.queue = slices.Insert(l.queue, at, onTheWay{due, b})
	l.mu.Unlock()
	l.relay.wg.Add(1)
	time.AfterFunc(time.Until(due), func() {
		defer l.relay.wg.Done()
		l.mu.Lock()
		defer l.mu.Unlock()
		for now := time.Now(); len(l.queue) > 0 && !l.queue[0].due.After(now); l.queue = l.queue[1:] {
			l.send(l.queue[0].data)
		}
	})
}

// through returns the options of a viewer whose packets go through r and no other way.
func (r *relay) through(server string) clientOptions {
	_, from, _ := net.SplitHostPort(server)
	_, to, _ := net.SplitHostPort(r.down.LocalAddr().String())
	return clientOptions{
		skip: 300 * time.Millisecond,
		offer: func(sdp string) string {
			var b strings.Builder
			for line := range strings.Lines(sdp) {
				if !strings.HasPrefix(line, "a=candidate") { // the server shall not find the viewer by itself
					b.WriteString(line)
				}
			}
			return b.String()
		},
		answer: func(sdp string) string {
			return strings.ReplaceAll(sdp, " 127.0.0.1 "+from+" ", " 127.0.0.1 "+to+" ")
		},
	}
}

// checkIntact checks that frames are as they were sent, whatever happened to their packets, and in order.
func checkIntact(t *testing.T, frames []received) {
	t.Helper()
	for i, f := range frames {
		want := frame(f.number(), f.key(), len(f.data))
		if string(f.data) != string(want.Data) || f.timestamp != want.Timestamp {
			t.Fatalf("frame %d came out changed", f.number())
		}
		if i > 0 && f.number() <= frames[i-1].number() {
			t.Fatalf("frame %d came after %d", f.number(), frames[i-1].number())
		}
	}
}

// TestBadNetworks checks that a viewer behind a network that delays, mixes up, doubles and loses
// packets, from the first handshake on, sees whole frames in their order and goes on seeing them, and that
// one beside it, whose network is good, gets every frame.
func TestBadNetworks(t *testing.T) {
	for _, tt := range []struct {
		name    string
		weather weather
	}{
		{"far away", weather{delay: 100 * time.Millisecond}},
		{"jitter", weather{delay: 10 * time.Millisecond, jitter: 60 * time.Millisecond}},
		{"much jitter", weather{jitter: 200 * time.Millisecond}},
		{"order", weather{delay: 5 * time.Millisecond, linger: 0.1}},
		{"twice", weather{double: 0.3}},
		{"loss", weather{lose: 0.05}},
		{"all of it", weather{delay: 30 * time.Millisecond, jitter: 40 * time.Millisecond, linger: 0.03, double: 0.05, lose: 0.05}},
	} {
		if testing.Short() && tt.name != "all of it" {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			src, key := keySource(4000)
			s, url := serve(t, Config{KeyFrame: key})
			src.run(t, s, 33*time.Millisecond)
			good := dial(t, url, clientOptions{})
			first := good.awaitFrame("is a key frame", received.key).number()

			udp, _ := s.Addr()
			r := newRelay(t, udp, 7)
			r.weather.Store(&tt.weather)
			bad := dial(t, url, r.through(udp))
			from := bad.awaitFrame("is a key frame", received.key).number()
			last := bad.awaitFrame("is 60 later", func(f received) bool { return f.number() >= from+60 }).number()
			checkIntact(t, bad.got())
			t.Logf("%d of %d frames; %d packets came through, %d were spoiled", len(bad.got()), last-from+1, r.passed.Load(), r.spoiled.Load())
			if len(bad.got()) < 20 {
				t.Errorf("%d of %d frames came through", len(bad.got()), last-from+1)
			}
			if w := tt.weather; w.lose+w.double+w.linger > 0 && r.spoiled.Load() < 5 {
				t.Errorf("%d packets were spoiled: the test shows little", r.spoiled.Load())
			}

			good.awaitFrame("is as late", func(f received) bool { return f.number() >= last })
			checkComplete(t, good.got(), first, last)
			if st := good.viewer(s).Stats(); st.Dropped > uint64(first) {
				t.Errorf("%d frames were dropped for the viewer with the good network", st.Dropped)
			}
		})
	}
}

// TestOutage checks that a viewer who asks for a key frame over and over, after a network that let nothing
// through, gets one, and that all together are no more than the throttle lets through; the other
// viewer misses nothing.
func TestOutage(t *testing.T) {
	var mu sync.Mutex
	var asked []time.Time
	src, key := keySource(4000)
	s, url := serve(t, Config{KeyFrame: func(p int) {
		mu.Lock()
		asked = append(asked, time.Now())
		mu.Unlock()
		key(p)
	}})
	src.run(t, s, 33*time.Millisecond)
	good := dial(t, url, clientOptions{})
	first := good.awaitFrame("is a key frame", received.key).number()
	udp, _ := s.Addr()
	r := newRelay(t, udp, 11)
	bad := dial(t, url, r.through(udp))
	bad.awaitFrame("is a key frame", received.key)
	rounds := 3
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		r.weather.Store(&weather{lose: 1})
		time.Sleep(1200 * time.Millisecond) // more than the server keeps to send again
		got := bad.got()
		before := got[len(got)-1].number()
		r.weather.Store(&weather{double: 0.5, delay: 20 * time.Millisecond, jitter: 20 * time.Millisecond})
		back := bad.awaitFrame("is a key frame after the outage", func(f received) bool { return f.key() && f.number() > before+20 })
		bad.awaitFrame("follows it", func(f received) bool { return f.number() > back.number()+5 })
	}
	checkIntact(t, bad.got())
	last := bad.got()[len(bad.got())-1].number()
	good.awaitFrame("is as late", func(f received) bool { return f.number() >= last })
	checkComplete(t, good.got(), first, last)
	mu.Lock()
	defer mu.Unlock()
	for i := 1; i < len(asked); i++ {
		if d := asked[i].Sub(asked[i-1]); d < keyPeriod {
			t.Errorf("two key frames were asked for within %v", d)
		}
	}
	if st := s.Stats(); st.Lost < uint64(rounds) {
		t.Errorf("%d requests for key frames in %d outages", st.Lost, rounds)
	}
	t.Logf("%d key frames were asked for, %d requests came", len(asked), s.Stats().Lost)
}

// TestCap checks that the bit rate falls when the line of the only viewer becomes narrow, stays near
// what the line carries, and rises again when the line is wide.
func TestCap(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	src, key := keySource(6250) // 1.5 Mbit/s at 30 frames a second
	var bps atomic.Int64
	bps.Store(startBitrate)
	s, url := serve(t, Config{KeyFrame: key, Bitrate: func(_, b int) {
		bps.Store(int64(b))
		src.size.Store(int64(b / 8 / 30)) // an encoder that obeys
		t.Logf("bit rate %d", b)
	}})
	src.run(t, s, 33*time.Millisecond)
	udp, _ := s.Addr()
	r := newRelay(t, udp, 13)
	c := dial(t, url, r.through(udp))
	c.awaitFrame("is a key frame", received.key)
	r.weather.Store(&weather{rate: 300_000 / 8, queue: 300 * time.Millisecond})
	start := time.Now()
	until(t, "a bit rate that fits", func() bool { return bps.Load() < 350_000 })
	d := time.Since(start)
	t.Logf("below 350 kbit/s after %s", d.Round(time.Millisecond))
	if d > 5*time.Second {
		t.Errorf("it took %s, want at most 5 s", d)
	}
	time.Sleep(4 * time.Second)
	low := bps.Load()
	if low > 400_000 {
		t.Errorf("bit rate %d later on, want at most about 300 kbit/s", low)
	}
	n := len(c.got())
	time.Sleep(time.Second)
	n = len(c.got()) - n
	t.Logf("then %d frames in a second at %d bit/s", n, bps.Load())
	if n < 5 {
		t.Errorf("%d frames in a second, want about 30", n)
	}
	checkIntact(t, c.got())
	r.weather.Store(&weather{})
	low, start = bps.Load(), time.Now()
	for bps.Load() <= low*3/2 {
		// Seven seconds; a busy machine delays packets as a narrow line does.
		if time.Since(start) > time.Minute {
			t.Fatalf("the bit rate is %d a minute after the line became wide, it was %d", bps.Load(), low)
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Logf("from %d to %d within %s", low, bps.Load(), time.Since(start).Round(time.Millisecond))
}
