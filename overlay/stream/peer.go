package stream

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/interceptor/pkg/gcc"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
)

// sctpBuffer bounds what a viewer can make the server hold of its messages.
const sctpBuffer = 128 << 10

// newViewer makes the connection of a viewer up to the point where an offer can be answered, or, to
// publish (outgoing), be made. It is not among the sessions yet.
func (s *Server) newViewer(role string, picture int, outgoing *PublishConfig) (*Viewer, error) {
	v := &Viewer{
		id: newID(), role: role, outgoing: outgoing != nil, number: s.arrivals.Add(1), s: s, pic: s.pictures[picture], created: time.Now(),
		stall: s.cfg.StallTimeout, track: newTrack(&s.cfg), joined: make(chan struct{}), done: make(chan struct{}),
		queue: make(chan *sharedFrame, queueLen), keyLimit: newKeyLimit(), layer: maxLayer,
	}
	v.wantLayer.Store(maxLayer)
	v.needKey.Store(true)
	v.signal.init()
	settings, config := webrtc.SettingEngine{LoggerFactory: s.log}, webrtc.Configuration{}
	if outgoing != nil {
		v.stall = min(v.stall, outgoing.StallTimeout)
		config.ICEServers = outgoing.ice
		outgoing.apply(&settings, s.cfg.Interfaces)
	} else {
		s.net.apply(&settings, s.cfg.PublicIPs)
	}
	api, err := s.newAPI(v, settings)
	if err != nil {
		return nil, err
	}
	if v.peer, err = api.NewPeerConnection(config); err != nil {
		return nil, err
	}
	direction := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	t, err := v.peer.AddTransceiverFromTrack(v.track, direction)
	if err != nil {
		return nil, errors.Join(err, v.peer.Close())
	}
	v.sender = t.Sender()
	return v, nil
}

// newAPI makes the settings of one connection: an API of its own for each, since that is how the
// estimator of a connection can be told from those of others.
func (s *Server) newAPI(v *Viewer, e webrtc.SettingEngine) (*webrtc.API, error) {
	m, err := newMediaEngine(s.cfg.Codec)
	if err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	estimator, err := cc.NewInterceptor(func() (cc.BandwidthEstimator, error) {
		start := min(max(startBitrate, s.cfg.MinBitrate), s.cfg.MaxBitrate)
		return gcc.NewSendSideBWE(gcc.SendSideBWEInitialBitrate(start), gcc.SendSideBWEMinBitrate(s.cfg.MinBitrate),
			gcc.SendSideBWEMaxBitrate(s.cfg.MaxBitrate), gcc.SendSideBWEPacer(gcc.NewNoOpPacer()),
			gcc.WithLoggerFactory(s.log))
	})
	if err != nil {
		return nil, err
	}
	estimator.OnNewPeerConnection(func(_ string, e cc.BandwidthEstimator) { v.bwe = e })
	responder, err := nack.NewResponderInterceptor()
	if err != nil {
		return nil, err
	}
	reports, err := report.NewSenderInterceptor()
	if err != nil {
		return nil, err
	}
	// The last one sees a packet first: retransmissions are counted and numbered by the ones before.
	registry.Add(estimator)
	if err := webrtc.ConfigureTWCCHeaderExtensionSender(m, registry); err != nil {
		return nil, err
	}
	registry.Add(responder)
	registry.Add(reports)

	e.SetSCTPMaxReceiveBufferSize(sctpBuffer)
	if err := e.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return nil, err
	}
	// pion's own steps are 5 s and 25 s.
	e.SetICETimeouts(v.stall/6, v.stall-v.stall/6, min(2*time.Second, v.stall/6))
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(e)), nil
}

// newMediaEngine knows exactly one codec.
func newMediaEngine(codec string) (*webrtc.MediaEngine, error) {
	params := webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000,
			RTCPFeedback: []webrtc.RTCPFeedback{
				{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}, {Type: "transport-cc"},
			},
		},
		PayloadType: 96,
	}
	if codec == VP9 {
		params.MimeType, params.SDPFmtpLine, params.PayloadType = webrtc.MimeTypeVP9, "profile-id=0", 98
	}
	m := &webrtc.MediaEngine{}
	if err := m.RegisterCodec(params, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	for _, uri := range []string{absCaptureTimeURI, playoutDelayURI} {
		extension := webrtc.RTPHeaderExtensionCapability{URI: uri}
		if err := m.RegisterHeaderExtension(extension, webrtc.RTPCodecTypeVideo); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// start runs the goroutines of an admitted viewer. It reports false if the session has ended already.
func (s *Server) start(v *Viewer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.sessions[v.id] != v {
		return false
	}
	s.wg.Go(v.readRTCP)
	s.wg.Go(v.sendLoop)
	v.peer.OnConnectionStateChange(v.stateChanged)
	return true
}

// stateChanged is called by pion in a goroutine of its own.
func (v *Viewer) stateChanged(state webrtc.PeerConnectionState) {
	v.s.cfg.Log.Debug("viewer", "id", v.id, "state", state.String())
	switch state {
	case webrtc.PeerConnectionStateConnected:
		v.join()
	case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
		v.end("connection " + state.String())
	}
}

// join makes a connected viewer one that watches.
func (v *Viewer) join() {
	v.s.mu.Lock()
	here := v.s.sessions[v.id] == v && !v.s.closed
	first := here && !v.connected.Swap(true)
	v.s.mu.Unlock()
	if !first {
		return
	}
	v.s.counters.joined.Add(1)
	v.s.cfg.Log.Info("viewer joined", "id", v.id, "role", v.role, "picture", v.pic.name, "after", time.Since(v.created))
	if !v.outgoing {
		v.s.cfg.Joined(v)
	}
	close(v.joined)
	begun := v.pic.add(v)
	select {
	case <-v.done: // it left in the meantime
		v.pic.remove(v)
	default:
		if !begun {
			v.pic.wantKey()
		}
	}
}

// end ends the session, whoever finds a reason first. It does not wait.
func (v *Viewer) end(reason string) {
	v.once.Do(func() {
		s := v.s
		s.mu.Lock()
		s.release(v)
		connected := v.connected.Load()
		s.mu.Unlock()
		close(v.done)
		v.pic.remove(v)
		s.cfg.Log.Info("viewer left", "id", v.id, "reason", reason, "after", time.Since(v.created))
		s.wg.Go(func() {
			v.closePeer()
			if connected && !v.outgoing {
				<-v.joined
				s.cfg.Left(v)
			}
		})
	})
}

// closePeer says farewell and waits for pion's goroutines, but not for ever.
func (v *Viewer) closePeer() {
	done := make(chan error, 1)
	go func() { done <- v.peer.GracefulClose() }()
	select {
	case err := <-done:
		if err != nil {
			v.s.cfg.Log.Debug("close viewer", "id", v.id, "err", err)
		}
	case <-time.After(v.s.cfg.CloseTimeout):
		v.s.cfg.Log.Warn("close viewer: still not done", "id", v.id, "after", v.s.cfg.CloseTimeout)
	}
}

// readRTCP reads what the viewer reports until the session ends. Without a reader, lost packets
// would not be sent again.
func (v *Viewer) readRTCP() {
	failures := 0
	for {
		packets, _, err := v.sender.ReadRTCP()
		switch {
		case err == nil:
			failures = 0
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrClosedPipe):
			return
		default:
			// Nonsense is counted; the reader goes on, unless there is nothing but nonsense.
			v.s.counters.malformed.Add(1)
			if failures++; failures > 1000 {
				v.end(fmt.Sprintf("malformed RTCP: %v", err))
				return
			}
			continue
		}
		for _, p := range packets {
			v.report(p)
		}
	}
}

func (v *Viewer) report(packet rtcp.Packet) {
	switch p := packet.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		v.s.counters.lost.Add(1)
		if v.keyLimit.Allow() {
			v.pic.wantKey()
		}
	case *rtcp.TransportLayerCC:
		v.feedback.Store(true)
		v.heard() // is sent about packets that arrived only
	case *rtcp.ReceiverReport:
		for _, r := range p.Reports {
			if r.SSRC == v.track.ssrc {
				v.loss.Store(uint32(r.FractionLost))
				if r.LastSequenceNumber != v.highest {
					v.highest = r.LastSequenceNumber
					v.heard()
				}
			}
		}
	}
}
