package stream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
)

// ReceiveConfig says what to watch.
type ReceiveConfig struct {
	URL  string // of the WHEP endpoint, as in "http://127.0.0.1:8080/whep?picture=plain"
	Data bool   // open the data channels too, as the page does
	// Client is used for the requests; default: one with a limit of 10 s.
	Client *http.Client
	// Frame is called with each frame of which all packets have come.
	Frame func(Received)
	// Message is called with each message about a frame; default: they are thrown away.
	Message func([]byte)
}

// Received is a frame that has come. It is not decoded.
type Received struct {
	Timestamp      uint32    // RTP
	Key            bool      // can be decoded without an earlier frame
	Packets, Bytes int       // Bytes of the codec
	Captured       time.Time // by the server's clock; zero: not told
	Arrived        time.Time // when the last of its packets came
	Missed         int       // frames since the start of which packets are missing for good
}

// Receive watches a picture as a player does, but shows nothing: it takes the packets, asks again for
// lost ones, reports, and tells which frames are complete. It is for measuring servers. It returns when
// ctx ends, with its cause, or when the connection is lost, after it has said farewell.
func Receive(ctx context.Context, c ReceiveConfig) error {
	if c.Client == nil {
		c.Client = newHTTPClient()
	}
	if c.Message == nil {
		c.Message = func([]byte) {}
	}
	peer, err := newReceiver(c.URL)
	if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	r := &receiver{ReceiveConfig: c, peer: peer, lost: make(chan struct{})}
	peer.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateFailed || s == webrtc.PeerConnectionStateClosed {
			r.over()
		}
	})
	e := &endpoint{url: c.URL, client: c.Client}
	location, err := r.begin(ctx, e)
	if err == nil {
		select {
		case <-r.lost:
			err = errors.New("the connection was lost")
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	_ = e.end(ctx, location) // who does not hear it will notice
	_ = peer.GracefulClose() // the server may have been faster
	r.wait()
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("receive: %w", err)
}

// receiver is one session.
type receiver struct {
	ReceiveConfig
	peer *webrtc.PeerConnection
	once sync.Once
	lost chan struct{} // closed when the connection ends

	mu      sync.Mutex
	ended   bool
	readers sync.WaitGroup
}

func (r *receiver) over() { r.once.Do(func() { close(r.lost) }) }

// wait waits until Frame is called no more. The connection is closed.
func (r *receiver) wait() {
	r.mu.Lock()
	r.ended = true
	r.mu.Unlock()
	r.readers.Wait()
}

// newReceiver makes a connection, on loopback if that is where the endpoint is.
func newReceiver(endpoint string) (*webrtc.PeerConnection, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	m, registry := &webrtc.MediaEngine{}, &interceptor.Registry{}
	if err := errors.Join(m.RegisterDefaultCodecs(), webrtc.RegisterDefaultInterceptors(m, registry)); err != nil {
		return nil, err
	}
	extension := webrtc.RTPHeaderExtensionCapability{URI: absCaptureTimeURI}
	if err := m.RegisterHeaderExtension(extension, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	e := webrtc.SettingEngine{}
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetSRTPReplayProtectionWindow(1024) // as browsers have: what is sent again may be late
	if loopback := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback(); loopback {
		e.SetIncludeLoopbackCandidate(true)
		e.SetIPFilter(net.IP.IsLoopback)
	}
	api := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(e))
	return api.NewPeerConnection(webrtc.Configuration{})
}

// begin makes the session.
func (r *receiver) begin(ctx context.Context, e *endpoint) (location string, err error) {
	direction := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
	if _, err := r.peer.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, direction); err != nil {
		return "", err
	}
	if r.Data {
		_, meta, err := makeChannels(r.peer)
		if err != nil {
			return "", err
		}
		meta.OnMessage(func(m webrtc.DataChannelMessage) { r.Message(m.Data) })
		r.peer.SCTP().OnClose(func(error) { r.over() })
	}
	r.peer.OnTrack(func(track *webrtc.TrackRemote, t *webrtc.RTPReceiver) {
		r.mu.Lock()
		ended := r.ended
		if !ended {
			r.readers.Add(1)
		}
		r.mu.Unlock()
		if !ended {
			defer r.readers.Done()
			r.read(track, t)
		}
	})
	return e.negotiate(ctx, r.peer)
}

// read puts the packets of a track together until the connection ends.
func (r *receiver) read(track *webrtc.TrackRemote, t *webrtc.RTPReceiver) {
	a := assembler{vp9: track.Codec().MimeType == webrtc.MimeTypeVP9}
	for _, e := range t.GetParameters().HeaderExtensions {
		if e.URI == absCaptureTimeURI {
			a.captureID = uint8(e.ID)
		}
	}
	var asked time.Time
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		f, ok := a.add(p, time.Now())
		if a.needsKey && time.Since(asked) > time.Second {
			asked = time.Now()
			_ = r.peer.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}}) // it may be about to close
		}
		if ok {
			r.Frame(f)
		}
	}
}
