package stream

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

func TestFramesArrive(t *testing.T) {
	const size = 20_000
	src, key := keySource(size)
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
		if len(f.data) != size {
			t.Fatalf("frame %d has %d bytes, want %d", i, len(f.data), size)
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

// TestJoinTogether checks that who comes when a key frame was sent just now, so that the next one is half a second
// away, does not wait for that.
func TestJoinTogether(t *testing.T) {
	oneOf(t, 3, func() error {
		src, key := keySource(1000)
		s, url := serve(t, Config{KeyFrame: key})
		src.run(t, s, 10*time.Millisecond)
		var all []*client
		for i := range 4 {
			c := dial(t, url, clientOptions{})
			start := time.Now()
			first := c.awaitFrame("is a key frame", received.key)
			if d := first.at.Sub(start); d > 400*time.Millisecond {
				return fmt.Errorf("viewer %d had its first frame after %v", i, d)
			}
			all = append(all, c)
		}
		for _, c := range all {
			from := c.got()[0].number()
			last := c.awaitFrame("is later", func(f received) bool { return f.number() >= from+100 }).number()
			checkComplete(t, c.got(), from, last)
		}
		return nil
	})
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

// TestMalformedRTCP sends what is no RTCP over a connection that is, to the stream's own reader.
func TestMalformedRTCP(t *testing.T) {
	src, key := keySource(1000)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 10*time.Millisecond)
	c := dial(t, url, clientOptions{})
	c.awaitFrame("is a key frame", received.key)
	ssrc := binary.BigEndian.AppendUint32(nil, c.mediaSSRC())
	for _, p := range [][]byte{
		{0x81, 201, 0, 1, 0, 0, 0, 0},                               // a report that is not there
		{0x9f, 201, 0, 7, 0, 0, 0, 0},                               // 31 of them
		{0x8f, 205, 0, 5, 0, 0, 0, 0},                               // feedback on congestion, cut off
		{0x8f, 205, 0, 5, 1, 2, 3, 4, 0, 0, 0xff, 0xff, 0, 0, 0, 0}, // of 65535 packets
		{0x81, 205, 0, 2, 0, 0, 0, 0},                               // NACK of nothing
		{0x84, 206, 0, 2, 0, 0, 0, 0},                               // FIR of nothing
		{0x8f, 206, 0, 3, 0, 0, 0, 0, 'R', 'E', 'M', 'B'},
		{0x80, 0xff, 0, 0},
		{0x80, 200, 0xff, 0xff},
	} {
		for _, at := range []int{8, 4} { // where the SSRC of the stream may be looked for
			raw := rtcp.RawPacket(append([]byte(nil), p...))
			for len(raw) < at+4 {
				raw = append(raw, 0)
			}
			copy(raw[at:], ssrc)
			for range 20 {
				c.send(&raw)
			}
		}
	}
	n := len(c.got())
	until(t, "more frames", func() bool { return len(c.got()) > n+20 })
	t.Logf("%d packets were malformed", s.Stats().Malformed)
	c.send(&rtcp.PictureLossIndication{MediaSSRC: c.mediaSSRC()})
	until(t, "a PLI", func() bool { return s.Stats().Lost > 0 })
}

// TestPLIFlood checks that viewers cannot make a stream of key frames: all together get two a second,
// and one alone, after the first ones, one in two seconds.
func TestPLIFlood(t *testing.T) {
	for _, viewers := range []int{1, 3} {
		src, key := keySource(1000)
		s, url := serve(t, Config{KeyFrame: key})
		src.run(t, s, 5*time.Millisecond)
		var clients []*client
		for range viewers {
			c := dial(t, url, clientOptions{})
			c.awaitFrame("is a key frame", received.key)
			clients = append(clients, c)
		}
		begin, sent := time.Now(), uint8(0)
		for time.Since(begin) < 3*time.Second {
			for _, c := range clients {
				ssrc := c.mediaSSRC()
				c.send(&rtcp.PictureLossIndication{MediaSSRC: ssrc})
				sent++
				c.send(&rtcp.FullIntraRequest{MediaSSRC: ssrc, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: sent}}})
			}
			time.Sleep(2 * time.Millisecond)
		}
		keys, n := src.keyTimes(), 0
		for i := 1; i < len(keys); i++ {
			// The source answers late when the machine is busy, which brings two nearer together, but not more of them.
			if d := keys[i].Sub(keys[i-1]); d < keyPeriod/2 {
				t.Errorf("%d viewers: two key frames within %s", viewers, d)
			}
			if keys[i].After(begin) {
				n++
			}
		}
		if st := s.Stats(); st.Lost < 100 {
			t.Errorf("%d viewers: only %d PLIs and FIRs came through: the flood was none", viewers, st.Lost)
		}
		if most := int(time.Since(begin)/keyPeriod) + 1; n > most {
			t.Errorf("%d viewers: %d key frames, want at most %d", viewers, n, most)
		}
		if viewers == 1 && n > 4 {
			t.Errorf("%d key frames for one viewer, want at most 4", n)
		}
	}
}

// TestPictures checks that two pictures do not mix.
func TestPictures(t *testing.T) {
	keys := make(chan int, 100)
	s, url := serve(t, Config{Pictures: []string{"overlay", "plain"}, KeyFrame: func(p int) { keys <- p }})
	a, b := dial(t, url, clientOptions{}), dial(t, url, clientOptions{picture: "plain"})
	until(t, "one of each", func() bool { return s.Watching(0) == 1 && s.Watching(1) == 1 })
	if x, y := await(t, keys, "asked for a key frame"), await(t, keys, "asked for another"); x+y != 1 {
		t.Errorf("key frames of %d and %d were asked for, want 0 and 1", x, y)
	}
	for n := range 20 {
		s.Write(0, frame(n, n == 0, 100))
		s.Write(1, frame(1000+n, n == 0, 100))
	}
	a.awaitFrame("is the last", func(f received) bool { return f.number() == 19 })
	b.awaitFrame("is the last", func(f received) bool { return f.number() == 1019 })
	checkComplete(t, a.got(), 0, 19)
	checkComplete(t, b.got(), 1000, 1019)
	if len(a.got())+len(b.got()) != 40 {
		t.Errorf("%d and %d frames came, want 20 each", len(a.got()), len(b.got()))
	}
}

func TestPause(t *testing.T) {
	src, key := keySource(100)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 10*time.Millisecond)
	c := dial(t, url, clientOptions{})
	c.awaitFrame("is a key frame", received.key)
	v := s.Viewers(nil)[0]
	v.SetPaused(true)
	if n := s.Watching(0); n != 0 {
		t.Errorf("%d watch, want none", n)
	}
	time.Sleep(50 * time.Millisecond)
	n := len(c.got())
	time.Sleep(200 * time.Millisecond)
	if m := len(c.got()); m > n {
		t.Errorf("%d frames came in the pause", m-n)
	}
	v.SetPaused(false)
	until(t, "frames again", func() bool { return len(c.got()) > n })
	if !c.got()[n].key() {
		t.Error("the first frame after the pause is not a key frame")
	}
}

// TestLayers checks that a viewer with less gets fewer layers, without gaps in what it gets.
func TestLayers(t *testing.T) {
	s, url := serve(t, Config{})
	c := dial(t, url, clientOptions{})
	until(t, "a viewer", func() bool { return s.Watching(0) == 1 })
	v := s.Viewers(nil)[0]
	write := func(n int) {
		f := frame(n, n == 0, 100)
		f.Layer = []int{0, 2, 1, 2}[n%4]
		v.wantLayer.Store(1)
		s.Write(0, f)
	}
	for n := range 40 {
		write(n)
	}
	c.awaitFrame("is the last", func(f received) bool { return f.number() == 38 })
	for i, f := range c.got() {
		if f.number() != 2*i {
			t.Fatalf("frame %d is number %d, want %d", i, f.number(), 2*i)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := 1; i < len(c.pictures); i++ {
		if c.pictures[i] != (c.pictures[i-1]+1)&0x7fff {
			t.Fatalf("picture ids %v have a gap", c.pictures)
		}
	}
	until(t, "all sent", func() bool { return v.Stats().Sent == 20 })
	if st := v.Stats(); st.Thinned != 20 || st.Sent != 20 {
		t.Errorf("%d sent, %d thinned, want 20 each", st.Sent, st.Thinned)
	}
}
