package live

import (
	"testing"
	"testing/synctest"
	"time"

	"glomstream/overlay/stream"
	"glomstream/pipeline"
)

// heavy is a server whose Write waits.
type heavy struct {
	*audience
	hold chan struct{}
}

func (h *heavy) Write(picture int, f *stream.Frame) {
	<-h.hold
	h.audience.Write(picture, f)
}

// An encoder or a server that hangs is told from one that has nothing to do.
func TestBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTheatre(t, Config{})
		expect := func(what string, encode, send time.Duration) {
			t.Helper()
			if e, s := h.Busy(); e != encode || s != send {
				t.Errorf("%s: encodes for %v, sends for %v, want %v and %v", what, e, s, encode, send)
			}
		}
		once := film{name: small, frames: 1, each: func(int, *pipeline.Result) { synctest.Wait() }}
		p := h.enter(&person{id: "a", picture: Plain})
		h.play(t, once)
		time.Sleep(time.Minute)
		expect("no frames", 0, 0)

		goOn := h.studio.hang()
		h.play(t, once)
		time.Sleep(12 * time.Second)
		expect("the encoder hangs", 12*time.Second, 0)
		goOn()
		synctest.Wait()
		expect("it goes on", 0, 0)

		slow := &heavy{h.audience, make(chan struct{})}
		h.room.open(slow, 3)
		h.play(t, once)
		time.Sleep(15 * time.Second)
		expect("the server hangs", 0, 15*time.Second)
		close(slow.hold)
		synctest.Wait()
		expect("it goes on", 0, 0)

		goOn = h.studio.hang() // who paused waits for nothing
		h.control(p, []byte(`{"type":"set","paused":true}`))
		h.play(t, once)
		time.Sleep(20 * time.Second)
		expect("paused", 0, 0)
		goOn()
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}
