package stream

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

// Header extensions beside the one for transport-wide congestion control, which an interceptor writes.
const (
	absCaptureTimeURI = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
	playoutDelayURI   = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
)

// track writes the RTP packets of one viewer: sequence numbers and picture ids without gaps, whatever
// was dropped before, since a decoder takes a missing picture id for a lost frame. It is the
// webrtc.TrackLocal of one connection.
type track struct {
	vp9     bool
	playout []byte        // value of the extension
	bound   chan struct{} // closed when the way to the viewer is known
	once    sync.Once

	out            webrtc.TrackLocalWriter
	ssrc           uint32
	payloadType    uint8
	captureID      uint8 // of the extensions; 0: not negotiated
	playoutID      uint8
	sequence       uint16
	pictureID      uint16 // 15 bits
	playoutPending int    // packets that still carry the playout delay
	buf            [payloadSize]byte
}

// The playout delay goes with the packets of the first frames, lest it gets lost (the viewer keeps it).
const playoutRepeats = 50

func newTrack(cfg *Config) *track {
	t := &track{
		vp9: cfg.Codec == VP9, bound: make(chan struct{}), playoutPending: playoutRepeats,
		sequence: uint16(rand.Uint32()), pictureID: uint16(rand.Uint32()) & 0x7fff,
	}
	// In steps of 10 ms, at most 40.95 s.
	delay := rtp.PlayoutDelayExtension{MaxDelay: uint16(min(cfg.PlayoutDelay/(10*time.Millisecond), 0xfff))}
	t.playout, _ = delay.Marshal() // the values are in range
	return t
}

func (t *track) ID() string                { return "video" }
func (t *track) RID() string               { return "" }
func (t *track) StreamID() string          { return "glomstream" }
func (t *track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeVideo }

// Bind is called once, when the connection stands.
func (t *track) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	all := ctx.CodecParameters()
	if len(all) == 0 {
		return webrtc.RTPCodecParameters{}, errors.New("no codec in common")
	}
	t.once.Do(func() {
		t.out, t.ssrc, t.payloadType = ctx.WriteStream(), uint32(ctx.SSRC()), uint8(all[0].PayloadType)
		for _, e := range ctx.HeaderExtensions() {
			switch e.URI {
			case absCaptureTimeURI:
				t.captureID = uint8(e.ID)
			case playoutDelayURI:
				t.playoutID = uint8(e.ID)
			}
		}
		close(t.bound)
	})
	return all[0], nil
}

// Unbind is called when the connection ends.
func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }

// write sends the packets of f and returns the bytes of their payloads.
func (t *track) write(f *sharedFrame) (n int, err error) {
	for i, payload := range f.payloads {
		h := rtp.Header{
			Version: 2, PayloadType: t.payloadType, SSRC: t.ssrc, SequenceNumber: t.sequence,
			Timestamp: f.timestamp, Marker: i == len(f.payloads)-1,
		}
		if err := t.extend(&h, f, i == 0); err != nil {
			return n, err
		}
		b := t.buf[:copy(t.buf[:], payload)]
		t.number(b)
		if _, err := t.out.WriteRTP(&h, b); err != nil {
			return n, err
		}
		t.sequence++
		n += len(b)
	}
	t.pictureID = (t.pictureID + 1) & 0x7fff
	return n, nil
}

// extend adds the header extensions.
func (t *track) extend(h *rtp.Header, f *sharedFrame, first bool) error {
	if first && t.captureID != 0 && !f.captured.IsZero() {
		value, err := rtp.NewAbsCaptureTimeExtension(f.captured).Marshal()
		if err != nil {
			return err
		}
		if err := h.SetExtension(t.captureID, value); err != nil {
			return err
		}
	}
	if t.playoutID != 0 && t.playoutPending > 0 {
		t.playoutPending--
		return h.SetExtension(t.playoutID, t.playout)
	}
	return nil
}

// number writes the picture id into the payload descriptor, where the payloaders leave 15 bits for it:
// bytes 2 and 3 for VP8 (RFC 7741, section 4.2), 1 and 2 for VP9 (RFC 9628, section 4.2).
func (t *track) number(payload []byte) {
	at := 2
	if t.vp9 {
		at = 1
	}
	if len(payload) > at+1 {
		payload[at], payload[at+1] = 0x80|byte(t.pictureID>>8), byte(t.pictureID)
	}
}
