package stream

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestFramesArrive(t *testing.T) {
	src, key := keySource(20_000)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 10*time.Millisecond)
	c := dial(t, url, clientOptions{})
	start := time.Now()
	first := c.awaitFrame("is a key frame", received.key)
	t.Logf("first key frame %s after the connection", first.at.Sub(start))
	c.awaitFrame("is the 30th", func(f received) bool { return f.number() >= first.number()+30 })
	src.end()

	frames := c.got()
	if !frames[0].key() {
		t.Error("the first frame is not a key frame")
	}
	for i, f := range frames {
		if want := first.number() + i; f.number() != want {
			t.Fatalf("frame %d has number %d, want %d", i, f.number(), want)
		}
		if f.timestamp != uint32(3000*f.number()) {
			t.Fatalf("frame %d has time stamp %d, want %d", i, f.timestamp, 3000*f.number())
		}
		if len(f.data) != src.size {
			t.Fatalf("frame %d has %d bytes, want %d", i, len(f.data), src.size)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.packets); i++ {
		if got, want := c.packets[i].SequenceNumber, c.packets[i-1].SequenceNumber+1; got != want {
			t.Fatalf("packet %d has sequence number %d, want %d", i, got, want)
		}
	}
	for i := 1; i < len(c.pictures); i++ {
		if got, want := c.pictures[i], (c.pictures[i-1]+1)&0x7fff; got != want {
			t.Fatalf("frame %d has picture id %d, want %d", i, got, want)
		}
	}
	for _, uri := range []string{absCaptureTimeURI, playoutDelayURI, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"} {
		if c.extension[uri] == 0 {
			t.Errorf("no packet has the extension %s: %v", uri, c.extension)
		}
	}
}

func TestKeyFrameOnPLI(t *testing.T) {
	src, key := keySource(1000)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 10*time.Millisecond)
	c := dial(t, url, clientOptions{})
	first := c.awaitFrame("is a key frame", received.key)
	for _, tt := range []struct {
		name   string
		packet rtcp.Packet
	}{
		{"PLI", &rtcp.PictureLossIndication{MediaSSRC: c.mediaSSRC()}},
		{"FIR", &rtcp.FullIntraRequest{MediaSSRC: c.mediaSSRC(), FIR: []rtcp.FIREntry{{SSRC: c.mediaSSRC()}}}},
	} {
		c.send(tt.packet)
		first = c.awaitFrame("is a key frame after "+tt.name, func(f received) bool { return f.key() && f.number() > first.number() })
	}
}

func TestPLIFlood(t *testing.T) {
	src, key := keySource(1000)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 5*time.Millisecond)
	var clients []*client
	for range 3 {
		c := dial(t, url, clientOptions{})
		c.awaitFrame("is a key frame", received.key)
		clients = append(clients, c)
	}
	begin := time.Now()
	for time.Since(begin) < 2*time.Second {
		for _, c := range clients {
			c.send(&rtcp.PictureLossIndication{MediaSSRC: c.mediaSSRC()})
		}
		time.Sleep(2 * time.Millisecond)
	}
	keys := src.keyTimes()
	for i := 1; i < len(keys); i++ {
		if d := keys[i].Sub(keys[i-1]); d < keyPeriod-50*time.Millisecond {
			t.Errorf("two key frames within %s", d)
		}
	}
	if st := s.Stats(); st.Lost < 100 {
		t.Errorf("only %d PLIs came through: the flood was none", st.Lost)
	}
	// The wishes of each are rationed too: four at once, then one in two seconds.
	n := 0
	for _, k := range keys {
		if k.After(begin) {
			n++
		}
	}
	if n > 5 {
		t.Errorf("%d key frames in 2 s, want at most 5", n)
	}
}
