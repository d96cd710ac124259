package stream

import (
	"sync/atomic"

	"github.com/pion/webrtc/v3"
	"golang.org/x/time/rate"
)

// Limits of the data channels.
const (
	metaBuffer      = 256 << 10 // bytes that may wait in the meta channel; metadata must not be late
	controlBuffer   = 1 << 20   // bytes that may wait in the control channel
	controlSize     = 4 << 10   // of a message from a viewer, bytes
	controlRate     = 20        // messages a second
	ignoredLimit    = 1000      // messages that are ignored before the session is ended
	foreignChannels = 4         // channels that a viewer may try to open before the session is ended
)

// channels are the data channels of a viewer. Both sides know them beforehand (negotiated):
// id 0 "control", ordered and reliable; id 1 "meta", unordered and never sent again.
type channels struct {
	control, meta *webrtc.DataChannel // nil if the viewer did not ask for any
	limit         *rate.Limiter
	ignored       atomic.Int64
	foreign       atomic.Int64
}

func newControlLimit() *rate.Limiter { return rate.NewLimiter(controlRate, controlRate) }

// openChannels makes the channels; it is called before the answer.
func (v *Viewer) openChannels() error {
	c := &v.channels
	c.limit = newControlLimit()
	var err error
	if c.control, c.meta, err = makeChannels(v.peer); err != nil {
		return err
	}
	c.control.OnMessage(func(m webrtc.DataChannelMessage) { v.receive(m) })
	c.meta.OnMessage(func(webrtc.DataChannelMessage) { v.ignore() })
	// A message that is too long for pion to read, 64 KiB, ends its channel.
	broken := func(error) {
		v.ignore()
		v.end("breaks a data channel")
	}
	c.control.OnError(broken)
	c.meta.OnError(broken)
	// When the other side closes its connection, DTLS and with it SCTP end. pion tells of no other sign.
	v.peer.SCTP().OnClose(func(error) { v.end("said farewell") })
	v.peer.OnDataChannel(func(d *webrtc.DataChannel) {
		v.ignore()
		if c.foreign.Add(1) > foreignChannels {
			v.end("opens data channels")
			return
		}
		d.OnOpen(func() { d.Close() })
	})
	return nil
}

// makeChannels makes the two channels at one end of a connection.
func makeChannels(peer *webrtc.PeerConnection) (control, meta *webrtc.DataChannel, err error) {
	negotiated, ordered, unordered, never := true, true, false, uint16(0)
	ids := [2]uint16{0, 1}
	control, err = peer.CreateDataChannel("control", &webrtc.DataChannelInit{
		Negotiated: &negotiated, ID: &ids[0], Ordered: &ordered,
	})
	if err != nil {
		return nil, nil, err
	}
	meta, err = peer.CreateDataChannel("meta", &webrtc.DataChannelInit{
		Negotiated: &negotiated, ID: &ids[1], Ordered: &unordered, MaxRetransmits: &never,
	})
	return control, meta, err
}

// receive passes a message on to Config.Control, if it is within the limits.
func (v *Viewer) receive(m webrtc.DataChannelMessage) {
	if !m.IsString || len(m.Data) > controlSize || !v.channels.limit.Allow() {
		v.ignore()
		return
	}
	select { // Joined comes before anything else
	case <-v.joined:
		v.s.cfg.Control(v, m.Data)
	case <-v.done:
	}
}

func (v *Viewer) ignore() {
	v.s.counters.ignored.Add(1)
	if v.channels.ignored.Add(1) == ignoredLimit {
		v.end("floods the data channels")
	}
}

// Meta sends msg on the channel for metadata. It reports false if the message was dropped: there is
// no such channel (yet), or 256 KiB wait there already.
func (v *Viewer) Meta(msg []byte) bool {
	if !write(v.channels.meta, metaBuffer, msg, false) {
		v.s.counters.metaDropped.Add(1)
		return false
	}
	return true
}

// Send sends the text msg on the control channel, which loses nothing. It reports false if the
// message was not sent: there is no such channel (yet), or the viewer has not taken a megabyte.
func (v *Viewer) Send(msg []byte) bool { return write(v.channels.control, controlBuffer, msg, true) }

// HasChannels reports whether the viewer asked for data channels; a foreign player does not.
func (v *Viewer) HasChannels() bool { return v.channels.meta != nil }

// channelsMissing reports whether the viewer asked for data channels, but they never came to be.
func (v *Viewer) channelsMissing() bool {
	return v.HasChannels() && v.peer.SCTP().State() == webrtc.SCTPTransportStateConnecting
}

func write(d *webrtc.DataChannel, limit uint64, msg []byte, text bool) bool {
	if d == nil || d.ReadyState() != webrtc.DataChannelStateOpen || d.BufferedAmount()+uint64(len(msg)) > limit {
		return false
	}
	if text {
		return d.SendText(string(msg)) == nil
	}
	return d.Send(msg) == nil
}
