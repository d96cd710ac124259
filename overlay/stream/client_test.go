package stream

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // until a test gives up; the machine may be busy

// serve runs a Server behind HTTP until the test ends.
func serve(t testing.TB, cfg Config) (*Server, string) {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/whep", s)
	mux.Handle("/whep/", s)
	h := httptest.NewServer(mux)
	t.Cleanup(func() {
		h.Client().CloseIdleConnections()
		h.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s, h.URL + "/whep"
}

// request sends a request and returns the response with its body read.
func request(t testing.TB, method, url, body string, header ...string) (*reply, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(req) // does not follow redirects
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &reply{resp.Status, resp.StatusCode, resp.Header, resp.Request.URL}, string(got)
}

// reply is a response without its body.
type reply struct {
	Status     string
	StatusCode int
	Header     http.Header
	from       *url.URL
}

// Location returns the header as a full URL.
func (r *reply) Location() (*url.URL, error) { return r.from.Parse(r.Header.Get("Location")) }

// received is a frame as it came out of the client's packets.
type received struct {
	data      []byte
	timestamp uint32
	at        time.Time
}

// number returns the number that frame wrote into the data.
func (r received) number() int { return int(binary.BigEndian.Uint64(r.data)) }

// key reports whether frame made a key frame.
func (r received) key() bool { return r.data[8] == 1 }

// frame makes a frame that tells its number, and is not a picture of any codec.
func frame(number int, key bool, size int) *Frame {
	data := bytes.Repeat([]byte{byte(number)}, max(size, 9))
	binary.BigEndian.PutUint64(data, uint64(number))
	data[8] = 0
	if key {
		data[8] = 1
	}
	return &Frame{Data: data, Key: key, Timestamp: uint32(3000 * number), Captured: time.Now()}
}

// client is a WHEP player made of pion.
type client struct {
	t              testing.TB
	pc             *webrtc.PeerConnection
	location, etag string
	answer         string
	control, meta  *webrtc.DataChannel
	connected      chan struct{}
	opened         chan struct{} // the control channel is
	skip           time.Duration
	closed         chan struct{}

	mu        sync.Mutex
	frames    []received
	packets   []*rtp.Header
	pictures  []uint16 // picture ids, one a frame
	extension map[string]int
	ssrc      webrtc.SSRC
	mime      string        // of the track
	changed   chan struct{} // one token when frames came
}

// clientOptions change what a client does.
type clientOptions struct {
	picture  string
	channels bool
	conn     net.PacketConn      // its socket
	tcp      bool                // over TCP only
	answer   func(string) string // changes the answer
	offer    func(string) string // changes the offer
	codec    string
	answerer bool          // it makes no offer
	skip     time.Duration // until a missing packet is given up; default 5 s, as the machine may be busy
}

func newClient(t testing.TB, o clientOptions) *client {
	t.Helper()
	m, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := errors.Join(m.RegisterDefaultCodecs(), webrtc.RegisterDefaultInterceptors(m, registry)); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{absCaptureTimeURI, playoutDelayURI} {
		if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, webrtc.RTPCodecTypeVideo); err != nil {
			t.Fatal(err)
		}
	}
	e := webrtc.SettingEngine{}
	e.SetSRTPReplayProtectionWindow(1024) // as browsers have; with pion's 64 a packet that is sent again may count as a repeated one
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() && ip.To4() != nil })
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if o.tcp {
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4})
	} else {
		if o.conn == nil {
			o.conn = listenUDP(t)
		}
		mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: o.conn})
		t.Cleanup(func() { mux.Close() })
		e.SetICEUDPMux(mux)
		e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(e))
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{
		t: t, pc: pc, connected: make(chan struct{}), opened: make(chan struct{}), closed: make(chan struct{}),
		extension: map[string]int{}, changed: make(chan struct{}, 1),
	}
	t.Cleanup(c.close)
	c.skip = or(o.skip, 5*time.Second)
	if o.answerer {
		c.handle(o)
		return c
	}
	tr, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	if err != nil {
		t.Fatal(err)
	}
	mime := webrtc.MimeTypeVP8
	if o.codec == VP9 {
		mime = webrtc.MimeTypeVP9
	}
	for _, p := range tr.Receiver().GetParameters().Codecs {
		if p.MimeType == mime {
			if err := tr.SetCodecPreferences([]webrtc.RTPCodecParameters{p}); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if o.channels {
		if c.control, c.meta, err = makeChannels(pc); err != nil {
			t.Fatal(err)
		}
	}
	c.handle(o)
	return c
}

// handle sets the handlers.
func (c *client) handle(o clientOptions) {
	pc := c.pc
	if o.channels {
		c.control.OnOpen(func() { close(c.opened) })
	}
	var once, end sync.Once
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			once.Do(func() { close(c.connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			end.Do(func() { close(c.closed) })
		}
	})
	pc.SCTP().OnClose(func(error) { end.Do(func() { close(c.closed) }) })
	pc.OnTrack(func(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) { c.read(track, r) })
}

func listenUDP(t testing.TB) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// offer returns a full offer of the client.
func (c *client) offer() string {
	c.t.Helper()
	offer, err := c.pc.CreateOffer(nil)
	if err != nil {
		c.t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		c.t.Fatal(err)
	}
	<-gathered
	return c.pc.LocalDescription().SDP
}

// dial makes a session and waits until it is connected.
func dial(t testing.TB, url string, o clientOptions) *client {
	t.Helper()
	c := post(t, url, o)
	await(t, c.connected, "connected")
	if o.channels {
		await(t, c.opened, "open")
	}
	return c
}

// post makes a session.
func post(t testing.TB, url string, o clientOptions) *client {
	t.Helper()
	c := newClient(t, o)
	offer := c.offer()
	if o.offer != nil {
		offer = o.offer(offer)
	}
	if o.picture != "" {
		url += "?picture=" + o.picture
	}
	resp, body := request(t, http.MethodPost, url, offer, "Content-Type", typeSDP)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("POST: %s: %s", resp.Status, body)
	}
	location, err := resp.Location()
	if err != nil {
		t.Fatal(err)
	}
	c.location, c.etag, c.answer = location.String(), resp.Header.Get("ETag"), body
	if o.answer != nil {
		body = o.answer(body)
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: body}); err != nil {
		t.Fatal(err)
	}
	return c
}

// read puts packets together to frames.
func (c *client) read(track *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	ids := map[int]string{}
	for _, e := range r.GetParameters().HeaderExtensions {
		ids[e.ID] = e.URI
	}
	c.mu.Lock()
	c.ssrc, c.mime = track.SSRC(), track.Codec().MimeType
	c.mu.Unlock()
	var data []byte
	waiting := map[uint16]*rtp.Packet{} // out of order; lost packets come again
	var next uint16
	started := false
	var since time.Time // the first in waiting came
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if !started {
			next, started = p.SequenceNumber, true
		}
		if int16(p.SequenceNumber-next) >= 0 {
			waiting[p.SequenceNumber] = p
		}
		if len(waiting) == 1 {
			since = time.Now()
		}
		if len(waiting) > 0 && time.Since(since) > c.skip { // too long
			for waiting[next] == nil {
				next++
			}
			data = nil
			_ = c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
		}
		c.mu.Lock()
		for ; waiting[next] != nil; next++ {
			p := waiting[next]
			delete(waiting, next)
			var vp8 codecs.VP8Packet
			payload, err := vp8.Unmarshal(p.Payload)
			if err != nil {
				continue
			}
			if vp8.S == 1 {
				data = []byte{}
			}
			if data == nil {
				continue // the beginning is lost
			}
			data = append(data, payload...)
			for _, id := range p.GetExtensionIDs() {
				c.extension[ids[int(id)]]++
			}
			c.packets = append(c.packets, &p.Header)
			if !p.Marker || len(data) < 9 {
				continue
			}
			if len(c.frames) == 0 && c.mime == webrtc.MimeTypeVP8 && !(received{data: data}).key() {
				// The key frame before it was lost, without which a decoder can do nothing.
				_ = c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
				continue
			}
			c.frames = append(c.frames, received{data, p.Timestamp, time.Now()})
			c.pictures = append(c.pictures, vp8.PictureID)
			select {
			case c.changed <- struct{}{}:
			default:
			}
		}
		c.mu.Unlock()
	}
}

// viewer returns the server's side of c.
func (c *client) viewer(s *Server) *Viewer {
	c.t.Helper()
	_, id, _ := strings.Cut(c.location, sessionPath)
	v := s.find(id)
	if v == nil {
		c.t.Fatal("the session has ended")
	}
	return v
}

// got returns the frames that came up to now.
func (c *client) got() []received {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.frames)
}

// awaitFrame waits until a frame came for which ok holds.
func (c *client) awaitFrame(what string, ok func(received) bool) received {
	c.t.Helper()
	deadline := time.After(patience)
	for seen := 0; ; {
		all := c.got()
		for _, f := range all[seen:] {
			if ok(f) {
				return f
			}
		}
		seen = len(all)
		select {
		case <-c.changed:
		case <-deadline:
			c.t.Fatalf("no frame that %s among %d", what, seen)
		}
	}
}

// send sends RTCP to the server.
func (c *client) send(packets ...rtcp.Packet) {
	c.t.Helper()
	if err := c.pc.WriteRTCP(packets); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) mediaSSRC() uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return uint32(c.ssrc)
}

func (c *client) close() {
	if err := c.pc.GracefulClose(); err != nil {
		c.t.Logf("close client: %v", err) // pion's complaint that the server was faster
	}
}

// await waits until ch is closed or has something.
func await[T any](t testing.TB, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("not %s after %s", what, patience)
		panic("unreachable")
	}
}

// until polls for what has no channel.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not %s after %s", what, patience)
		}
	}
}

// source writes frames to picture 0 at a rate, key frames when they are asked for, until it is stopped.
type source struct {
	size   atomic.Int64 // of a frame in bytes, may change
	key    chan struct{}
	stop   chan struct{}
	done   chan struct{}
	mu     sync.Mutex
	number int
	keys   []time.Time
}

// keySource returns a Config.KeyFrame and what serves it.
func keySource(size int) (*source, func(int)) {
	src := &source{key: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	src.size.Store(int64(size))
	return src, func(int) {
		select {
		case src.key <- struct{}{}:
		default:
		}
	}
}

func (src *source) run(t testing.TB, s *Server, period time.Duration) {
	t.Helper()
	go func() {
		defer close(src.done)
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-src.stop:
				return
			}
			key := false
			select {
			case <-src.key:
				key = true
			default:
			}
			src.mu.Lock()
			n := src.number
			src.number++
			if key {
				src.keys = append(src.keys, time.Now())
			}
			src.mu.Unlock()
			s.Write(0, frame(n, key, int(src.size.Load())))
		}
	}()
	t.Cleanup(src.end)
}

func (src *source) end() {
	select {
	case <-src.stop:
	default:
		close(src.stop)
	}
	<-src.done
}

func (src *source) keyTimes() []time.Time {
	src.mu.Lock()
	defer src.mu.Unlock()
	return slices.Clone(src.keys)
}
