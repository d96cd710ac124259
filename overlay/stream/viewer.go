package stream

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/interceptor/pkg/cc"
	"github.com/pion/webrtc/v3"
	"golang.org/x/time/rate"
)

// queueLen is how many frames may wait for a viewer: one second.
const queueLen = 30

// Viewer is one WHEP session.
type Viewer struct {
	id, role string
	outgoing bool   // the session of a Publication
	number   uint64 // order of arrival
	s        *Server
	pic      *picture
	created  time.Time
	stall    time.Duration // after so long without an answer the session ends
	peer     *webrtc.PeerConnection
	sender   *webrtc.RTPSender
	track    *track
	bwe      cc.BandwidthEstimator
	channels channels

	signal signalling // ICE session, see patch.go

	connected atomic.Bool
	paused    atomic.Bool
	needKey   atomic.Bool   // frames are dropped until a key frame comes
	joined    chan struct{} // closed when Config.Joined has returned
	done      chan struct{} // closed when the session ends
	once      sync.Once
	keyLimit  *rate.Limiter // key frames that this viewer may cost the others
	queue     chan *sharedFrame

	layer     int          // highest temporal layer sent now; the picture's mutex is held
	wantLayer atomic.Int64 // what the bit rate allows

	unanswered atomic.Int64  // when frames began to be sent without an answer, in nanoseconds since created; 0: answered
	sending    atomic.Int64  // when the present frame began to be sent, likewise; 0: none is
	highest    uint32        // sequence number in the last report; owned by readRTCP
	loss       atomic.Uint32 // fraction of packets in the last report, in 1/256
	feedback   atomic.Bool   // transport-wide feedback has come
	meter      meter         // of what is sent; owned by Server.watch
	estimate   estimate      // of the bit rate; owned by Server.watch
	rate       atomic.Int64
	stats      viewerCounters
}

// ID is unguessable and unique.
func (v *Viewer) ID() string { return v.id }

// Role is what Config.Role said when the viewer came.
func (v *Viewer) Role() string { return v.role }

// Picture is the index in Config.Pictures.
func (v *Viewer) Picture() int { return v.pic.index }

// Done is closed when the viewer has gone.
func (v *Viewer) Done() <-chan struct{} { return v.done }

// Paused reports what SetPaused has set.
func (v *Viewer) Paused() bool { return v.paused.Load() }

// SetPaused stops the frames to this viewer, or lets them go on from the next key frame.
func (v *Viewer) SetPaused(on bool) {
	if v.paused.Swap(on) && !on {
		v.needKey.Store(true)
		v.pic.wantKey()
	}
}

// Close ends the session.
func (v *Viewer) Close() { v.end("closed") }

// ViewerStats is how one viewer fares.
type ViewerStats struct {
	Sent      uint64        `json:"sent"`    // frames
	Dropped   uint64        `json:"dropped"` // as in Stats
	Thinned   uint64        `json:"thinned"`
	Packets   uint64        `json:"packets"`
	Bytes     uint64        `json:"bytes"`
	Bitrate   int           `json:"bitrate"`      // estimate of what the way to it can carry
	Loss      float64       `json:"loss"`         // fraction of packets, from its last report
	Layer     int           `json:"layer"`        // highest temporal layer that it gets
	Connected time.Duration `json:"connected_ns"` // since it asked for a session
	Paused    bool          `json:"paused"`
}

type viewerCounters struct{ sent, dropped, thinned, packets, bytes atomic.Uint64 }

// Stats returns how the viewer fares.
func (v *Viewer) Stats() ViewerStats {
	return ViewerStats{
		Sent: v.stats.sent.Load(), Dropped: v.stats.dropped.Load(), Thinned: v.stats.thinned.Load(),
		Packets: v.stats.packets.Load(), Bytes: v.stats.bytes.Load(), Bitrate: int(v.rate.Load()),
		Loss: float64(v.loss.Load()) / 256, Layer: int(v.wantLayer.Load()), Connected: time.Since(v.created),
		Paused: v.Paused(),
	}
}

// newID returns a random UUID (RFC 9562, version 4).
func newID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, as of Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:])
}

// push queues f, or drops it if the viewer does not want or cannot take it; the picture's mutex is held.
func (v *Viewer) push(f *sharedFrame) {
	if v.paused.Load() {
		return
	}
	if v.needKey.Load() {
		if !f.key {
			v.drop()
			return
		}
		v.needKey.Store(false)
	}
	if want := int(v.wantLayer.Load()); f.key || want < v.layer {
		v.layer = want // frames of a higher layer may refer to ones that were left out: up only at key frames
	}
	if f.layer > v.layer {
		v.stats.thinned.Add(1)
		v.s.counters.thinned.Add(1)
		return
	}
	select {
	case v.queue <- f:
	default:
		v.flush()
		if f.key {
			v.queue <- f // nobody else sends, so there is room now
			return
		}
		v.drop()
		v.lost()
	}
}

// flush drops what waits in the queue.
func (v *Viewer) flush() {
	for {
		select {
		case <-v.queue:
			v.drop()
		default:
			return
		}
	}
}

func (v *Viewer) drop() {
	v.stats.dropped.Add(1)
	v.s.counters.dropped.Add(1)
}

// newKeyLimit rations what one viewer may ask for: one in two seconds, as a PLI that is ignored is sent again.
func newKeyLimit() *rate.Limiter { return rate.NewLimiter(rate.Every(4*keyPeriod), 4) }

// lost makes the viewer go on at the next key frame. It asks for one only now and then, so that a
// viewer that cannot be helped does not spoil the picture for the others.
func (v *Viewer) lost() {
	v.needKey.Store(true)
	if v.keyLimit.Allow() {
		v.pic.wantKey()
	}
}

// silent returns for how long frames have been sent to v without a report that any arrived. What else
// comes from a viewer does not count: one that does not read its TCP connection can still write.
func (v *Viewer) silent(now time.Time) time.Duration {
	return max(v.since(&v.unanswered, now), v.since(&v.sending, now))
}

// since returns how long ago a time is, 0 if it is not set.
func (v *Viewer) since(at *atomic.Int64, now time.Time) time.Duration {
	if since := at.Load(); since != 0 {
		return now.Sub(v.created) - time.Duration(since)
	}
	return 0
}

// heard notes that packets arrived.
func (v *Viewer) heard() { v.unanswered.Store(0) }

// sendLoop writes the frames of the queue until the session ends.
func (v *Viewer) sendLoop() {
	select {
	case <-v.track.bound:
	case <-v.done:
		return
	}
	for {
		select {
		case f := <-v.queue:
			v.send(f)
		case <-v.done:
			return
		}
	}
}

func (v *Viewer) send(f *sharedFrame) {
	v.sending.Store(max(1, int64(time.Since(v.created))))
	n, err := v.track.write(f)
	v.sending.Store(0)
	v.unanswered.CompareAndSwap(0, int64(time.Since(v.created)))
	if err != nil { // the connection is about to close; pion drops packets that it cannot send without a word
		v.drop()
		v.lost()
		return
	}
	v.stats.sent.Add(1)
	v.stats.packets.Add(uint64(len(f.payloads)))
	v.stats.bytes.Add(uint64(n))
	v.s.counters.sent.Add(1)
	v.s.counters.packets.Add(uint64(len(f.payloads)))
	v.s.counters.bytes.Add(uint64(n))
}
