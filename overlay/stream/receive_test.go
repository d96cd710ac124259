package stream

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

// Whatever the order of packets within some frames, each complete frame is told of once, with what is
// in it; those that miss a packet are not, and a key frame is wanted.
func TestAssembler(t *testing.T) {
	for _, codec := range []string{VP8, VP9} {
		cfg, err := Config{Codec: codec}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		pic, w, tr := newPicture(0, "x", &cfg), &wire{codec: codec}, newTrack(&cfg)
		if _, err := tr.Bind(w); err != nil {
			t.Fatal(err)
		}
		dice := rand.New(rand.NewPCG(3, 5))
		const frames = 200
		captured := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		var want []Received
		for i := range frames {
			key := i%50 == 0
			data := make([]byte, 10+dice.IntN(6000))
			if data[0] = 1; key {
				data[0] = 0 // RFC 6386, section 9.1: 0 is a key frame
			}
			if codec == VP9 {
				data = vp9Frame(key, len(data)+10)
			}
			payloads := pic.payloader.Payload(payloadSize, data)
			at := captured.Add(time.Duration(i) * time.Millisecond)
			if _, err := tr.write(&sharedFrame{payloads: payloads, timestamp: uint32(1<<32 - 90 + i), captured: at}); err != nil {
				t.Fatal(err)
			}
			want = append(want, Received{Timestamp: uint32(1<<32 - 90 + i), Key: key, Packets: len(payloads), Bytes: len(data), Captured: at})
		}
		packets := w.packets
		incomplete := 70 // at first; one of which something is left
		for want[incomplete].Packets == 1 {
			incomplete++
		}
		for i := 0; i+20 < len(packets); i += 10 { // overlapping windows
			dice.Shuffle(20, func(a, b int) { packets[i+a], packets[i+b] = packets[i+b], packets[i+a] })
		}
		packets = slices.DeleteFunc(packets, func(p rtp.Packet) bool { return p.Timestamp == want[incomplete].Timestamp && p.Marker })
		a, got, wished := assembler{vp9: codec == VP9, captureID: 3}, map[uint32]Received{}, false
		for i := range packets {
			f, ok := a.add(&packets[i], captured)
			if ok {
				if _, again := got[f.Timestamp]; again {
					t.Errorf("%s: frame %d is told of twice", codec, f.Timestamp)
				}
				got[f.Timestamp] = f
			}
			wished = wished || len(got) > 1 && a.needsKey
		}
		for i, r := range want {
			g, ok := got[r.Timestamp]
			if ok != (i != incomplete) {
				t.Errorf("%s: frame %d: complete %v", codec, i, ok)
				continue
			}
			if d := g.Captured.Sub(r.Captured).Abs(); ok && d > time.Microsecond {
				t.Errorf("%s: frame %d was captured %v off", codec, i, d)
			}
			g.Captured, g.Arrived, g.Missed, r.Arrived = r.Captured, time.Time{}, 0, time.Time{}
			if ok && g != r {
				t.Errorf("%s: frame %d: %+v, want %+v", codec, i, g, r)
			}
		}
		if a.missed != 1 || !wished || a.needsKey {
			t.Errorf("%s: %d missed, want 1; a key frame was wanted: %v, is at the end: %v", codec, a.missed, wished, a.needsKey)
		}
	}
}

func TestReceive(t *testing.T) {
	src, key := keySource(3000)
	s, url := serve(t, Config{KeyFrame: key, Pictures: []string{"plain", "other"}})
	src.run(t, s, 20*time.Millisecond)
	ctx, cancel := context.WithCancelCause(t.Context())
	var mu sync.Mutex
	var got []Received
	var messages atomic.Int64
	ended := make(chan error, 1)
	go func() {
		ended <- Receive(ctx, ReceiveConfig{
			URL: url + "?picture=plain", Data: true,
			Frame:   func(f Received) { mu.Lock(); got = append(got, f); mu.Unlock() },
			Message: func([]byte) { messages.Add(1) },
		})
	}()
	until(t, "30 frames and a message", func() bool {
		for _, v := range s.Viewers(nil) {
			v.Meta([]byte("something"))
		}
		mu.Lock()
		defer mu.Unlock()
		return len(got) >= 30 && messages.Load() > 0
	})
	enough := errors.New("enough")
	cancel(enough)
	if err := await(t, ended, "ended"); !errors.Is(err, enough) {
		t.Errorf("ended with %v", err)
	}
	n := len(got) // nobody adds to it now
	for i, f := range got {
		if f.Bytes != 3000 || f.Packets != 3 || f.Missed != 0 || f.Arrived.Before(f.Captured) || f.Captured.IsZero() {
			t.Errorf("frame %d: %+v", i, f)
		}
		if i > 0 && f.Timestamp != got[i-1].Timestamp+3000 {
			t.Errorf("frame %d came after %d", f.Timestamp/3000, got[i-1].Timestamp/3000)
		}
	}
	if n != len(got) || s.Stats().Sessions != 0 {
		t.Errorf("%d frames after the end, %d sessions are left", len(got)-n, s.Stats().Sessions)
	}

	err := Receive(t.Context(), ReceiveConfig{URL: url + "?picture=nosuch", Frame: func(Received) {}})
	if err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("no such picture: %v", err)
	}
	go func() { ended <- Receive(t.Context(), ReceiveConfig{URL: url, Data: true, Frame: func(Received) {}}) }()
	until(t, "a viewer with its channels", func() bool {
		all := s.Viewers(nil)
		return len(all) == 1 && all[0].channels.control.ReadyState() == webrtc.DataChannelStateOpen
	})
	s.Viewers(nil)[0].Close()
	if err := await(t, ended, "ended"); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("sent away: %v", err)
	}
}
