package stream

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/rtp"
)

// stuck is a way to a viewer that lets nothing through until it is closed.
type stuck chan struct{}

func (s stuck) WriteRTP(*rtp.Header, []byte) (int, error) { <-s; return 0, nil }
func (s stuck) Write(b []byte) (int, error)               { return len(b), nil }

// A frame that cannot be handed to the network shows as such, costs that viewer its place in the end,
// and goes when it goes.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{opened: time.Now()}
		cfg, err := Config{}.withDefaults()
		if err != nil {
			t.Fatal(err)
		}
		p := newPicture(0, "x", &cfg)
		s.pictures = []*picture{p}
		hung := make(stuck)
		v := testViewer()
		v.s, v.pic, v.created, v.track = s, p, time.Now(), newTrack(&cfg)
		v.track.out = hung
		p.add(v)
		look := func() { s.looked.Store(int64(time.Since(s.opened))) }

		if d := s.Busy(); d != 0 {
			t.Errorf("%v while nothing is sent", d)
		}
		over := make(chan struct{})
		go func() {
			v.send(&sharedFrame{payloads: [][]byte{{0x90, 0x80, 0, 0, 1}}})
			close(over)
		}()
		time.Sleep(12 * time.Second)
		look()
		if d := s.Busy().Round(time.Millisecond); d != 12*time.Second {
			t.Errorf("busy for %v with a frame that hangs for 12 s", d)
		}
		if d := v.silent(time.Now()).Round(time.Millisecond); d != 12*time.Second {
			t.Errorf("silent for %v: the viewer would never be closed", d)
		}
		close(hung)
		<-over
		if d := s.Busy(); d != 0 {
			t.Errorf("busy for %v after it was sent", d)
		}
		time.Sleep(11 * time.Second) // nobody looks after the viewers
		if d := s.Busy(); d != 11*time.Second {
			t.Errorf("busy for %v, 11 s after the last look", d)
		}
	})
}
