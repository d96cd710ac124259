package livekit_test

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
	"github.com/pion/ice/v4"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media/samplebuilder"
	"google.golang.org/protobuf/proto"
)

// viewer is a participant that subscribes to all tracks, as LiveKit's clients do: it takes the server's
// offers and answers them.
type viewer struct {
	conn   *websocket.Conn
	peer   *webrtc.PeerConnection
	joined time.Time

	mu      sync.Mutex
	early   []webrtc.ICECandidateInit // that came before the first offer
	left    map[string]livekit.DisconnectReason
	codec   string
	frames  []frame
	missing int // packets that never came
	err     error
}

// frame is one that has come, whole.
type frame struct {
	data      []byte
	timestamp uint32 // RTP
}

// join lets a viewer enter the room until the test ends.
func (s *sfu) join(t *testing.T, identity string) *viewer {
	t.Helper()
	e := webrtc.SettingEngine{}
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(net.IP.IsLoopback)
	peer, err := webrtc.NewAPI(webrtc.WithSettingEngine(e)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Authorization": {"Bearer " + s.token(t, identity, &auth.VideoGrant{RoomJoin: true, Room: room})}}
	conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+s.addr+"/rtc?protocol=15&auto_subscribe=1&sdk=go", header)
	if err != nil {
		t.Fatal(errors.Join(err, peer.Close()))
	}
	resp.Body.Close()
	v := &viewer{conn: conn, peer: peer, joined: time.Now(), left: map[string]livekit.DisconnectReason{}}
	peer.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { v.read(track) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		v.fail(v.listen())
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
		if err := peer.GracefulClose(); err != nil {
			t.Errorf("%s: close: %v", identity, err)
		}
	})
	return v
}

func (v *viewer) fail(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.err = errors.Join(v.err, err)
}

// listen does what the server says until the connection ends.
func (v *viewer) listen() error {
	for {
		_, data, err := v.conn.ReadMessage()
		if err != nil {
			return err
		}
		var r livekit.SignalResponse
		if err := proto.Unmarshal(data, &r); err != nil {
			return err
		}
		switch m := r.Message.(type) {
		case *livekit.SignalResponse_Offer:
			err = v.answer(m.Offer)
		case *livekit.SignalResponse_Trickle:
			err = v.trickle(m.Trickle)
		case *livekit.SignalResponse_Update:
			v.update(m.Update.Participants)
		}
		if err != nil {
			return err
		}
	}
}

func (v *viewer) answer(offer *livekit.SessionDescription) error {
	if err := v.peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer.Sdp}); err != nil {
		return err
	}
	for _, c := range v.early {
		if err := v.peer.AddICECandidate(c); err != nil {
			return err
		}
	}
	v.early = nil
	answer, err := v.peer.CreateAnswer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(v.peer)
	if err := v.peer.SetLocalDescription(answer); err != nil {
		return err
	}
	<-gathered
	data, err := proto.Marshal(&livekit.SignalRequest{Message: &livekit.SignalRequest_Answer{Answer: &livekit.SessionDescription{
		Type: "answer", Sdp: v.peer.LocalDescription().SDP, Id: offer.Id,
	}}})
	if err != nil {
		return err
	}
	return v.conn.WriteMessage(websocket.BinaryMessage, data)
}

func (v *viewer) trickle(r *livekit.TrickleRequest) error {
	if r.Target != livekit.SignalTarget_SUBSCRIBER {
		return nil
	}
	var c webrtc.ICECandidateInit
	if err := json.Unmarshal([]byte(r.CandidateInit), &c); err != nil {
		return err
	}
	if v.peer.RemoteDescription() == nil {
		v.early = append(v.early, c)
		return nil
	}
	return v.peer.AddICECandidate(c)
}

// update notes who has left, and why.
func (v *viewer) update(list []*livekit.ParticipantInfo) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, p := range list {
		if p.State == livekit.ParticipantInfo_DISCONNECTED {
			v.left[p.Identity] = p.DisconnectReason
		}
	}
}

// read puts the frames of a track together until it ends.
func (v *viewer) read(track *webrtc.TrackRemote) {
	v.mu.Lock()
	v.codec = track.Codec().MimeType
	v.mu.Unlock()
	b := samplebuilder.New(256, &codecs.VP8Packet{}, track.Codec().ClockRate)
	for {
		p, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		b.Push(p)
		for s := b.Pop(); s != nil; s = b.Pop() {
			v.mu.Lock()
			if len(v.frames) > 0 { // LiveKit begins with some of padding
				v.missing += int(s.PrevDroppedPackets)
			}
			v.frames = append(v.frames, frame{s.Data, s.PacketTimestamp})
			v.mu.Unlock()
		}
	}
}

// sawLeave tells whether a participant has left, and why.
func (v *viewer) sawLeave(identity string) (reason livekit.DisconnectReason, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	reason, ok = v.left[identity]
	return reason, ok
}

// watch waits until n more frames have come and returns all.
func (v *viewer) watch(t *testing.T, n int) []frame {
	t.Helper()
	v.mu.Lock()
	n += len(v.frames)
	v.mu.Unlock()
	var got []frame
	until(t, "frames come", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.err != nil {
			t.Fatalf("the viewer is lost: %v", v.err)
		}
		got = slices.Clone(v.frames)
		return len(got) >= n
	})
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.codec != webrtc.MimeTypeVP8 {
		t.Fatalf("a track of %s", v.codec)
	}
	if v.missing > 0 {
		t.Errorf("%d packets of %d frames are missing", v.missing, len(got))
	}
	return got
}

// isKey tells whether a VP8 frame can be decoded without an earlier one (RFC 6386, section 9.1).
func (f frame) isKey() bool { return f.data[0]&1 == 0 }

// ivf puts VP8 frames into a file for decoders; the first must be a key frame, which tells the size.
func ivf(frames []frame) []byte {
	size := frames[0].data[6:10] // width and height
	b := append([]byte("DKIF\x00\x00\x20\x00VP80"), size...)
	b = binary.LittleEndian.AppendUint32(b, 90_000) // ticks
	b = binary.LittleEndian.AppendUint32(b, 1)      // in so many seconds
	b = binary.LittleEndian.AppendUint32(b, uint32(len(frames)))
	b = append(b, 0, 0, 0, 0)
	for _, f := range frames {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(f.data)))
		b = binary.LittleEndian.AppendUint64(b, uint64(f.timestamp-frames[0].timestamp))
		b = append(b, f.data...)
	}
	return b
}
