package stream

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"
)

// wire keeps what a track writes, and is the context that it is bound to.
type wire struct {
	packets []rtp.Packet
	codec   string
}

func (w *wire) WriteRTP(h *rtp.Header, payload []byte) (int, error) {
	w.packets = append(w.packets, rtp.Packet{Header: h.Clone(), Payload: slices.Clone(payload)})
	return len(payload), nil
}
func (w *wire) Write(b []byte) (int, error) { return len(b), nil }
func (w *wire) CodecParameters() []webrtc.RTPCodecParameters {
	return []webrtc.RTPCodecParameters{{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: w.codec}, PayloadType: 96}}
}

func (w *wire) HeaderExtensions() []webrtc.RTPHeaderExtensionParameter {
	return []webrtc.RTPHeaderExtensionParameter{{URI: absCaptureTimeURI, ID: 3}, {URI: playoutDelayURI, ID: 4}}
}
func (w *wire) SSRC() webrtc.SSRC                    { return 1234 }
func (w *wire) WriteStream() webrtc.TrackLocalWriter { return w }
func (w *wire) ID() string                           { return "x" }
func (w *wire) RTCPReader() interceptor.RTCPReader   { return nil }

// vp9Frame makes the header of a VP9 frame of 640x360, and something behind it.
func vp9Frame(key bool, size int) []byte {
	header := []byte{0x86, 0}
	if key {
		// Marker, profile 0, key frame, shown; sync code; colour space 0, full range 0; width and height
		// less one in 16 bits each, four bits late.
		w, h := 639, 359
		header = []byte{0x82, 0x49, 0x83, 0x42, byte(w >> 12), byte(w >> 4), byte(w<<4) | byte(h>>12), byte(h >> 4), byte(h << 4)}
	}
	return append(header, bytes.Repeat([]byte{0x55}, size-len(header))...)
}

// parsed is a payload without its descriptor.
type parsed struct {
	picture      uint16
	payload      []byte
	first, final bool
}

func parseVP8(t *testing.T, b []byte) parsed {
	t.Helper()
	var p codecs.VP8Packet
	payload, err := p.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return parsed{p.PictureID, payload, p.S == 1, false}
}

func parseVP9(t *testing.T, b []byte) parsed {
	t.Helper()
	var p codecs.VP9Packet
	payload, err := p.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return parsed{p.PictureID, payload, p.B, p.E}
}

func TestTrack(t *testing.T) {
	tests := []struct {
		codec string
		frame func(key bool, size int) []byte
		parse func(*testing.T, []byte) parsed
	}{
		{VP8, func(_ bool, size int) []byte { return bytes.Repeat([]byte{0x55}, size) }, parseVP8},
		{VP9, vp9Frame, parseVP9},
	}
	for _, tt := range tests {
		t.Run(tt.codec, func(t *testing.T) {
			cfg, err := Config{Codec: tt.codec}.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			pic, w, tr := newPicture(0, "x", &cfg), &wire{codec: tt.codec}, newTrack(&cfg)
			if _, err := tr.Bind(w); err != nil {
				t.Fatal(err)
			}
			tr.pictureID, tr.sequence = 0x7ffe, 0xfffe // about to wrap
			captured := time.Unix(1_700_000_000, 0)
			for i, size := range []int{3000, 100, payloadSize, 5000} {
				data := tt.frame(i == 0, size)
				from := len(w.packets)
				payloads := pic.payloader.Payload(payloadSize, data)
				if _, err := tr.write(&sharedFrame{payloads: payloads, timestamp: uint32(i), captured: captured}); err != nil {
					t.Fatal(err)
				}
				var got []byte
				packets := w.packets[from:]
				for j, p := range packets {
					d := tt.parse(t, p.Payload)
					if want := uint16(0x7ffe+i) & 0x7fff; d.picture != want {
						t.Errorf("frame %d packet %d: picture id %d, want %d", i, j, d.picture, want)
					}
					if want := uint16(0xfffe + from + j); p.SequenceNumber != want {
						t.Errorf("frame %d packet %d: sequence number %d, want %d", i, j, p.SequenceNumber, want)
					}
					last := j == len(packets)-1
					if p.Marker != last || d.first != (j == 0) || tt.codec == VP9 && d.final != last {
						t.Errorf("frame %d packet %d of %d: marker %v, first %v, final %v", i, j, len(packets), p.Marker, d.first, d.final)
					}
					if p.Timestamp != uint32(i) || p.SSRC != 1234 || p.PayloadType != 96 {
						t.Errorf("frame %d packet %d: header %v", i, j, p.Header)
					}
					if n := p.MarshalSize(); n > 1190 { // 10 more by SRTP
						t.Errorf("frame %d packet %d has %d bytes", i, j, n)
					}
					if has := p.GetExtension(3) != nil; has != (j == 0) {
						t.Errorf("frame %d packet %d: capture time %v", i, j, has)
					}
					got = append(got, d.payload...)
				}
				if !bytes.Equal(got, data) {
					t.Errorf("frame %d: %d bytes came out, want the %d that went in", i, len(got), len(data))
				}
			}
			var at rtp.AbsCaptureTimeExtension
			if err := at.Unmarshal(w.packets[0].GetExtension(3)); err != nil {
				t.Fatal(err)
			}
			if d := at.CaptureTime().Sub(captured).Abs(); d > time.Millisecond {
				t.Errorf("capture time is %s off", d)
			}
			var delay rtp.PlayoutDelayExtension
			if err := delay.Unmarshal(w.packets[0].GetExtension(4)); err != nil {
				t.Fatal(err)
			}
			if delay.MinDelay != 0 || delay.MaxDelay != 20 {
				t.Errorf("playout delay %+v, want 0 to 20 times 10 ms", delay)
			}
		})
	}
}

func TestNoVP9(t *testing.T) {
	cfg, err := Config{Codec: VP9}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	p, v := newPicture(0, "x", &cfg), testViewer()
	p.add(v)
	p.write(&Frame{Data: []byte("not VP9"), Key: true})
	p.write(&Frame{Key: true})
	if n := len(v.queue); n != 0 {
		t.Errorf("%d frames wait, want none", n)
	}
	p.write(&Frame{Data: vp9Frame(true, 100), Key: true})
	if n := len(v.queue); n != 1 {
		t.Errorf("%d frames wait, want one", n)
	}
}
