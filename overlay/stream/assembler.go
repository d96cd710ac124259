package stream

import (
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// assembler finds out which frames are complete, whatever the order of their packets. The zero value
// is for VP8.
type assembler struct {
	vp9       bool
	captureID uint8 // of the header extension with the time of capture; 0: there is none

	parts    []part // frames of which packets are missing, the oldest one first
	begun    int    // frames of which a packet came
	any      bool   // a frame was complete
	missed   int
	needsKey bool // what comes cannot be decoded until a key frame comes
}

// maxWait is how many frames may begin after one that waits for packets, which are sent again: a second
// or two.
const maxWait = 32

// part is what has come of a frame.
type part struct {
	Received
	number     int    // in the order in which they began
	from, to   uint16 // sequence numbers
	begun, end bool   // the first and the last packet are there
}

// add takes a packet, each only once, as SRTP has it, and returns the frame that it completes.
func (a *assembler) add(p *rtp.Packet, now time.Time) (f Received, ok bool) {
	start, key, size, err := a.parse(p.Payload)
	if err != nil {
		return f, false
	}
	i := a.find(p)
	q := &a.parts[i]
	if int16(p.SequenceNumber-q.from) < 0 {
		q.from = p.SequenceNumber
	}
	if int16(p.SequenceNumber-q.to) > 0 {
		q.to = p.SequenceNumber
	}
	q.Packets++
	q.Bytes += size
	q.Arrived = now
	q.begun, q.end = q.begun || start, q.end || p.Marker
	q.Key = q.Key || start && key
	if b := p.GetExtension(a.captureID); a.captureID != 0 && b != nil {
		var e rtp.AbsCaptureTimeExtension
		if e.Unmarshal(b) == nil {
			q.Captured = e.CaptureTime()
		}
	}
	if !q.begun || !q.end || q.Packets != int(q.to-q.from)+1 {
		return f, false
	}
	f = q.Received
	a.parts = append(a.parts[:i], a.parts[i+1:]...)
	a.needsKey = !f.Key && (a.needsKey || !a.any)
	a.any, f.Missed = true, a.missed
	return f, true
}

// find returns the index of the frame of a packet, which may be a new one.
func (a *assembler) find(p *rtp.Packet) int {
	for i := range a.parts {
		if a.parts[i].Timestamp == p.Timestamp {
			return i
		}
	}
	a.begun++
	if len(a.parts) > 0 && a.begun-a.parts[0].number > maxWait {
		a.parts = append(a.parts[:0], a.parts[1:]...)
		a.missed++
		a.needsKey = true
	}
	a.parts = append(a.parts, part{Received: Received{Timestamp: p.Timestamp}, number: a.begun, from: p.SequenceNumber, to: p.SequenceNumber})
	return len(a.parts) - 1
}

// parse reads the payload descriptor: whether a frame begins with this packet, whether that is a key
// frame, and the bytes of the codec in it.
func (a *assembler) parse(payload []byte) (start, key bool, size int, err error) {
	if a.vp9 {
		var p codecs.VP9Packet
		b, err := p.Unmarshal(payload)
		return p.B, !p.P, len(b), err
	}
	var p codecs.VP8Packet
	b, err := p.Unmarshal(payload)
	start = p.S == 1 && p.PID == 0
	return start, start && len(b) > 0 && b[0]&1 == 0, len(b), err // RFC 7741, section 4.3
}
