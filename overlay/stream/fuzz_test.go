package stream

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"
)

// browserOffer is what Chromium 140 offers to receive video and data channels, shortened.
const browserOffer = "v=0\r\no=- 4962303333179871722 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
	"a=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n" +
	"m=video 9 UDP/TLS/RTP/SAVPF 96 97 98 102\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n" +
	"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\n" +
	"a=fingerprint:sha-256 0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B\r\n" +
	"a=setup:actpass\r\na=mid:0\r\na=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n" +
	"a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\na=recvonly\r\na=rtcp-mux\r\na=rtcp-rsize\r\n" +
	"a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\n" +
	"a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:98 VP9/90000\r\na=fmtp:98 profile-id=0\r\n" +
	"a=rtpmap:102 H264/90000\r\na=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n" +
	"a=candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host generation 0\r\n" +
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n" +
	"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\na=ice-options:trickle\r\n" +
	"a=fingerprint:sha-256 0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B:0B\r\n" +
	"a=setup:actpass\r\na=mid:1\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n"

// FuzzOffer gives offers to the whole server, pion included.
func FuzzOffer(f *testing.F) {
	s, err := New(Config{MaxViewers: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(f.Context()); err != nil && f.Context().Err() == nil {
			f.Error(err)
		}
	})
	f.Add(browserOffer)
	f.Add(strings.Replace(browserOffer, "VP8", "H264", 1))
	f.Add(strings.Replace(browserOffer, "m=video", "m=audio", 1))
	f.Add(strings.Replace(browserOffer, "a=recvonly", "a=sendrecv\r\na=simulcast:recv 1;2\r\na=rid:1 recv", 1))
	f.Add(strings.Replace(browserOffer, "a=setup:actpass", "a=setup:active", 2))
	f.Add(strings.Replace(browserOffer, "candidate:1467250027 1 udp 2122260223 192.168.0.196 46243 typ host", "candidate:1 1 tcp 1 x.local 9 typ host tcptype active", 1))
	f.Fuzz(func(t *testing.T, body string) {
		o, p := parseOffer(body, VP8)
		if (o == nil) == (p == nil) {
			t.Fatalf("offer %v, problem %v: want one of them", o, p)
		}
		if o == nil {
			return
		}
		v, answer, p := s.open(t.Context(), o, RoleViewer, 0)
		if p != nil {
			return
		}
		if !strings.Contains(answer, "a=sendonly") {
			t.Errorf("the answer sends nothing:\n%s", answer)
		}
		v.end("fuzzed")
	})
}

func FuzzFrag(f *testing.F) {
	f.Add("a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n" +
		"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id 1\r\na=end-of-candidates\r\n")
	f.Add("a=candidate:1 2 tcp 1 ::1 9 typ relay raddr 1.1.1.1 rport 1\na=end-of-candidates")
	f.Add(browserOffer)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := parseFrag(body)
		if err != nil {
			return
		}
		if got.ufrag == "" {
			return
		}
		again, err := parseFrag(got.format("0", "video"))
		if err != nil {
			t.Fatalf("%+v cannot be read again: %v", got, err)
		}
		if again.ufrag != got.ufrag || again.pwd != got.pwd || len(again.candidates) != len(got.candidates) || again.end != got.end {
			t.Errorf("%+v became %+v", got, again)
		}
	})
}

// FuzzControl gives messages of a channel to a viewer.
func FuzzControl(f *testing.F) {
	f.Add([]byte(`{"type":"set","level":2}`), true)
	f.Add([]byte(strings.Repeat("x", controlSize+1)), true)
	f.Add([]byte{0}, false)
	f.Fuzz(func(t *testing.T, msg []byte, text bool) {
		calls := 0
		v := testViewer()
		v.s.cfg.Control = func(_ *Viewer, got []byte) {
			calls++
			if len(got) > controlSize {
				t.Errorf("%d bytes came through", len(got))
			}
		}
		v.joined, v.done = make(chan struct{}), make(chan struct{})
		close(v.joined)
		v.channels.limit = newControlLimit()
		for range 3 * controlRate {
			v.receive(webrtc.DataChannelMessage{IsString: text, Data: msg})
		}
		if want := text && len(msg) <= controlSize; (calls > 0) != want || calls > 2*controlRate {
			t.Errorf("%d of %d messages came through, want some: %v", calls, 3*controlRate, want)
		}
	})
}

// FuzzPath gives paths and headers to the handler.
func FuzzPath(f *testing.F) {
	s, err := New(Config{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close(f.Context()) })
	f.Add("PATCH", "/whep/s/x", "*", typeFrag, "a=mid:0")
	f.Add("POST", "/whep?picture=overlay", "", typeSDP, "v=0")
	f.Fuzz(func(t *testing.T, method, path, match, kind, body string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://localhost/", strings.NewReader(body))
		if err != nil {
			return
		}
		r.URL.Path = path
		r.Header.Set("If-Match", match)
		r.Header.Set("Content-Type", kind)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code == http.StatusInternalServerError || w.Code == http.StatusCreated && !strings.Contains(body, "ice-ufrag") {
			t.Errorf("status %d", w.Code)
		}
	})
}

// FuzzPacket sends datagrams to the port of the viewers, as a stranger and as one whose session is
// half open. Nothing may break, and the one who watches goes on to see.
func FuzzPacket(f *testing.F) {
	s, conn, send, check := packetTarget(f)
	_ = s
	for _, p := range nastyPackets() {
		f.Add(p)
	}
	n := 0
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) > 1400 {
			return
		}
		send(conn, p)
		if n++; n%500 == 0 {
			check(t)
		}
	})
}

// TestNastyPackets sends every kind of broken packet there is a seed for.
func TestNastyPackets(t *testing.T) {
	_, conn, send, check := packetTarget(t)
	for _, p := range nastyPackets() {
		for n := range len(p) + 1 {
			send(conn, p[:n])
		}
	}
	check(t)
}

// packetTarget makes a server with a viewer who sees, and a socket to send from. check tells
// whether the viewer still sees.
func packetTarget(t testing.TB) (*Server, net.Conn, func(net.Conn, []byte), func(testing.TB)) {
	t.Helper()
	src, key := keySource(1000)
	s, url := serve(t, Config{KeyFrame: key})
	src.run(t, s, 10*time.Millisecond)
	c := dial(t, url, clientOptions{channels: true})
	c.awaitFrame("is a key frame", received.key)
	udp, _ := s.Addr()
	conn, err := net.Dial("udp", udp)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	send := func(conn net.Conn, p []byte) {
		if len(p) == 0 {
			return
		}
		if _, err := conn.Write(p); err != nil {
			t.Fatal(err)
		}
	}
	return s, conn, send, func(t testing.TB) {
		t.Helper()
		n := len(c.got())
		until(t, "a frame after the packets", func() bool { return len(c.got()) > n })
	}
}

// nastyPackets are STUN, DTLS, RTP and RTCP packets with something wrong.
func nastyPackets() [][]byte {
	stun := func(class byte, attributes ...byte) []byte {
		h := []byte{class >> 4, class&0xf | 1, 0, byte(len(attributes)), 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
		return append(h, attributes...)
	}
	user := []byte{0, 6, 0, 9, 'a', 'b', 'c', 'd', ':', 'e', 'f', 'g', 'h', 0, 0, 0}
	return [][]byte{
		stun(0), stun(0, user...), stun(0, 0, 6, 0, 0), stun(0, 0, 6, 0, 1, ':', 0, 0, 0), stun(0, 0, 6, 0xff, 0xff, 'a'),
		stun(0, 0, 0x20, 0, 0), stun(0, 0, 0x20, 0, 1, 0, 0, 0, 0), stun(0x10, 0, 0x20, 0, 4, 0, 1, 2, 3), stun(0x11, 0, 9, 0, 4, 0, 0, 4, 0),
		{22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 1, 0, 0, 1, 0}, // DTLS ClientHello, cut off
		{22, 254, 253, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255},
		{20, 254, 253, 0, 0},
		{63, 0, 0, 0}, // other DTLS
		{0x80, 96, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4},
		{0xbf, 96, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4, 0xbe, 0xde, 255, 255}, // RTP
		{0x81, 206, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8},
		{0x8f, 205, 0, 200, 1, 2, 3, 4},
		{0x81, 201, 255, 255}, // RTCP
		{128},
		{0},
		{255, 255, 255},
		[]byte("GET / HTTP/1.1\r\n\r\n"),
	}
}
