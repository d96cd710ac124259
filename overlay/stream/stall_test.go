package stream

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lossy is a socket that loses what arrives, or all.
type lossy struct {
	net.PacketConn
	deaf    atomic.Bool  // nothing arrives and nothing is sent
	percent atomic.Int64 // of the long packets that get lost
	dice    *rand.Rand
}

func newLossy(t testing.TB) *lossy {
	t.Helper()
	return &lossy{PacketConn: listenUDP(t), dice: rand.New(rand.NewPCG(1, 1))}
}

func (l *lossy) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, addr, err := l.PacketConn.ReadFrom(b)
		switch {
		case err != nil:
			return n, addr, err
		case l.deaf.Load():
		case n > 200 && l.dice.Int64N(100) < l.percent.Load():
		default:
			return n, addr, nil
		}
	}
}

func (l *lossy) WriteTo(b []byte, addr net.Addr) (int, error) {
	if l.deaf.Load() {
		return len(b), nil
	}
	return l.PacketConn.WriteTo(b, addr)
}

// TestStalledViewers checks that those who see nothing any more neither delay the others nor cost
// them frames, and are closed in time.
func TestStalledViewers(t *testing.T) {
	src, key := keySource(6000)
	var mu sync.Mutex
	left := map[string]bool{}
	s, url := serve(t, Config{
		TCP: "127.0.0.1:0", KeyFrame: key, StallTimeout: 4 * time.Second,
		Left: func(v *Viewer) { mu.Lock(); left[v.ID()] = true; mu.Unlock() },
	})
	src.run(t, s, 66*time.Millisecond)

	deaf := newLossy(t)
	udp := dial(t, url, clientOptions{conn: deaf})
	_, tcpAddr := s.Addr()
	proxy := newTCPProxy(t, tcpAddr)
	tcp := dial(t, url, clientOptions{tcp: true, answer: proxy.redirect})
	good := []*client{dial(t, url, clientOptions{}), dial(t, url, clientOptions{}), dial(t, url, clientOptions{tcp: true, answer: onlyTCP})}
	all := append([]*client{udp, tcp}, good...)
	var first received
	for _, c := range all {
		first = c.awaitFrame("is a key frame", received.key)
	}
	first = good[2].awaitFrame("comes when all watch", func(f received) bool { return f.number() > first.number() })

	stalled := time.Now()
	deaf.deaf.Store(true)
	proxy.stop.Store(true)
	ids := map[string]bool{}
	for _, c := range []*client{udp, tcp} {
		_, id, _ := strings.Cut(c.location, sessionPath)
		ids[id] = true
	}
	until(t, "stalled ones closed", func() bool {
		mu.Lock()
		defer mu.Unlock()
		n := 0
		for id := range ids {
			if left[id] {
				n++
			}
		}
		return n == len(ids)
	})
	t.Logf("both were closed %s after they stalled", time.Since(stalled).Round(time.Millisecond))
	if n := s.Stats().Viewers; n != len(good) {
		t.Errorf("%d viewers, want %d", n, len(good))
	}
	src.mu.Lock()
	last := src.number
	src.mu.Unlock()
	for i, c := range good {
		c.awaitFrame(fmt.Sprintf("is number %d", last), func(f received) bool { return f.number() >= last })
		frames := c.got()
		if d := c.viewer(s).Stats().Dropped; d > uint64(first.number()) {
			t.Errorf("viewer %d: %d frames dropped", i, d)
		}
		checkComplete(t, frames, first.number(), last)
		worst := time.Duration(0)
		for j := 1; j < len(frames); j++ {
			if frames[j].number() > first.number() {
				worst = max(worst, frames[j].at.Sub(frames[j-1].at))
			}
		}
		t.Logf("viewer %d: longest time between two frames %s", i, worst.Round(time.Millisecond))
		if worst > 1500*time.Millisecond {
			t.Errorf("viewer %d: nothing for %s", i, worst)
		}
	}
}

// onlyTCP leaves only the candidates on TCP.
func onlyTCP(answer string) string {
	var b strings.Builder
	for line := range strings.Lines(answer) {
		if !strings.HasPrefix(line, "a=candidate") || strings.Contains(line, " tcp ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// tcpProxy stands before the TCP port of the server and can stop to read from it, so that the window
// closes.
type tcpProxy struct {
	l        net.Listener
	upstream string
	stop     atomic.Bool
	wg       sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
}

func newTCPProxy(t *testing.T, upstream string) *tcpProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tcpProxy{l: l, upstream: upstream}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wg.Wait()
	})
	return p
}

func (p *tcpProxy) accept() {
	for {
		down, err := p.l.Accept()
		if err != nil {
			return
		}
		up, err := net.Dial("tcp", p.upstream)
		if err != nil {
			down.Close()
			continue
		}
		_ = up.(*net.TCPConn).SetReadBuffer(16 << 10)
		p.mu.Lock()
		p.conns = append(p.conns, down, up)
		p.mu.Unlock()
		p.wg.Go(func() { _, _ = io.Copy(up, down) }) // what the viewer sends still arrives
		p.wg.Go(func() {
			b := make([]byte, 4096)
			for {
				n, err := up.Read(b)
				if err != nil {
					return
				}
				if p.stop.Load() {
					return // reads no more, and does not close
				}
				if _, err := down.Write(b[:n]); err != nil {
					return
				}
			}
		})
	}
}

// redirect makes an answer point at the proxy.
func (p *tcpProxy) redirect(answer string) string {
	_, from, _ := net.SplitHostPort(p.upstream)
	_, to, _ := net.SplitHostPort(p.l.Addr().String())
	return strings.ReplaceAll(onlyTCP(answer), " 127.0.0.1 "+from+" ", " 127.0.0.1 "+to+" ")
}

// TestSharedWrite checks that 32 viewers, eight of which stall, all get the frames of one Write.
func TestSharedWrite(t *testing.T) {
	viewers, deaf := 32, 8
	if testing.Short() {
		viewers, deaf = 12, 3
	}
	src, key := keySource(5000)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 100*time.Millisecond)
	var good []*client
	var ears []*lossy
	for i := range viewers {
		l := newLossy(t)
		c := post(t, url, clientOptions{conn: l})
		if i%4 == 0 {
			ears = append(ears, l)
		} else {
			good = append(good, c)
		}
	}
	until(t, "all there", func() bool { return s.Watching(0) == viewers })
	for _, c := range good {
		c.awaitFrame("is a key frame", received.key)
	}
	if len(ears) != deaf || s.Watching(0) != viewers {
		t.Fatalf("%d will be deaf of %d viewers, want %d of %d", len(ears), s.Watching(0), deaf, viewers)
	}
	for _, l := range ears {
		l.deaf.Store(true)
	}
	src.mu.Lock()
	from := src.number
	src.mu.Unlock()
	for _, c := range good {
		c.awaitFrame("is two seconds later", func(f received) bool { return f.number() >= from+20 })
		checkComplete(t, c.got(), from, from+20)
	}
	if st := s.Stats(); st.KeyFrames > st.Written/2 {
		t.Errorf("%d frames written, %d key frames", st.Written, st.KeyFrames)
	}
}

// TestLoss checks that lost packets come again, so that one in 20 does not freeze the picture for a second,
// and that the bit rate follows within five when many are lost. Another program may keep the processors to
// itself for that long, so it is tried three times.
func TestLoss(t *testing.T) {
	tests := []struct {
		percent int64
		falls   bool
	}{{5, false}, {20, true}, {50, true}}
	if testing.Short() {
		tests = tests[:1]
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d percent", tt.percent), func(t *testing.T) {
			oneOf(t, 3, func() error {
				if tt.falls {
					return fallsWithin(t, tt.percent, 5*time.Second)
				}
				return freezesFor(t, tt.percent, time.Second)
			})
		})
	}
}

// oneOf tries something that depends on time until it works, and fails if it never does.
func oneOf(t *testing.T, tries int, try func() error) {
	t.Helper()
	for i := 1; ; i++ {
		err := try()
		switch {
		case err == nil:
			return
		case i == tries:
			t.Fatalf("try %d: %v", i, err)
		}
		t.Logf("try %d: %v", i, err)
	}
}

// lossyViewer is one who watches a stream of 1.5 Mbit/s through a socket that begins to lose packets.
func lossyViewer(t *testing.T, percent int64) (*Server, *client) {
	t.Helper()
	src, key := keySource(6250)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 33*time.Millisecond)
	l := newLossy(t)
	c := dial(t, url, clientOptions{conn: l, skip: 300 * time.Millisecond})
	c.awaitFrame("is a key frame", received.key)
	l.percent.Store(percent)
	return s, c
}

func fallsWithin(t *testing.T, percent int64, limit time.Duration) error {
	t.Helper()
	s, _ := lossyViewer(t, percent)
	begin := time.Now()
	until(t, "a lower bit rate", func() bool { return s.Target(0) < startBitrate*8/10 })
	if d := time.Since(begin); d > limit {
		return fmt.Errorf("the bit rate fell after %s, want within %s", d, limit)
	}
	return nil
}

func freezesFor(t *testing.T, percent int64, limit time.Duration) error {
	t.Helper()
	_, c := lossyViewer(t, percent)
	from := len(c.got())
	time.Sleep(3 * time.Second)
	longest, frames := time.Duration(0), c.got()[from-1:]
	for i := 1; i < len(frames); i++ {
		longest = max(longest, frames[i].at.Sub(frames[i-1].at))
	}
	if longest > limit || len(frames) < 60 {
		return fmt.Errorf("longest pause %s of %d frames in 3 s, want at most %s of 60 or more", longest, len(frames), limit)
	}
	return nil
}
