package stream

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/pion/webrtc/v3"
)

// inbox collects messages.
type inbox struct {
	mu   sync.Mutex
	msgs []string
}

func (b *inbox) add(msg []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.msgs = append(b.msgs, string(msg))
}

func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.msgs)
}

func TestChannels(t *testing.T) {
	var control, joined inbox
	s, url := serve(t, Config{
		Joined: func(v *Viewer) {
			time.Sleep(50 * time.Millisecond) // messages must wait
			joined.add([]byte(v.ID()))
		},
		Control: func(v *Viewer, msg []byte) {
			if !slices.Contains(joined.all(), v.ID()) {
				msg = append(msg, " before Joined"...)
			}
			control.add(msg)
		},
	})
	c := newClientWithInbox(t, url)
	for _, msg := range []string{"one", "two", strings.Repeat("x", controlSize)} {
		if err := c.control.SendText(msg); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "messages", func() bool { return len(control.all()) == 3 })
	if got := control.all(); !slices.Equal(got, []string{"one", "two", strings.Repeat("x", controlSize)}) {
		t.Errorf("control %.40q", got)
	}
	v := s.Viewers(nil)[0]
	if !v.HasChannels() {
		t.Error("HasChannels() = false")
	}
	for i := range 100 {
		if !v.Send(fmt.Appendf(nil, "state %d", i)) {
			t.Fatalf("message %d was not sent", i)
		}
	}
	until(t, "states", func() bool { return len(c.texts.all()) == 100 })
	for i, got := range c.texts.all() {
		if want := fmt.Sprintf("state %d", i); got != want {
			t.Fatalf("message %d is %q, want %q", i, got, want)
		}
	}
	until(t, "metadata sent", func() bool { return v.Meta(bytes.Repeat([]byte{7}, 16<<10)) })
	until(t, "metadata", func() bool { return len(c.metas.all()) > 0 })
	if got := c.metas.all()[0]; got != strings.Repeat("\a", 16<<10) {
		t.Errorf("metadata of %d bytes came", len(got))
	}
}

// chatty is a client that collects what comes over its channels.
type chatty struct {
	*client
	texts, metas inbox
}

func newClientWithInbox(t *testing.T, url string) *chatty {
	t.Helper()
	c := &chatty{client: dial(t, url, clientOptions{channels: true})}
	c.control.OnMessage(func(m webrtc.DataChannelMessage) {
		if m.IsString {
			c.texts.add(m.Data)
		}
	})
	c.meta.OnMessage(func(m webrtc.DataChannelMessage) {
		if !m.IsString {
			c.metas.add(m.Data)
		}
	})
	return c
}

func TestNoChannels(t *testing.T) {
	s, url := serve(t, Config{})
	dial(t, url, clientOptions{})
	until(t, "a viewer", func() bool { return s.Watching(0) == 1 })
	v := s.Viewers(nil)[0]
	if v.HasChannels() || v.Meta([]byte("x")) || v.Send([]byte("x")) {
		t.Error("a viewer without channels takes messages")
	}
}

// TestMetaOverflow checks that metadata for a viewer that takes none is dropped, not kept.
func TestMetaOverflow(t *testing.T) {
	s, url := serve(t, Config{})
	l := newLossy(t)
	dial(t, url, clientOptions{channels: true, conn: l})
	until(t, "a viewer", func() bool { return s.Watching(0) == 1 })
	v := s.Viewers(nil)[0]
	msg := make([]byte, 16<<10)
	until(t, "open", func() bool { return v.Meta(msg) })
	l.deaf.Store(true)
	sent := 0
	start := time.Now()
	for range 1000 {
		if v.Meta(msg) {
			sent++
		}
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s: Meta waits", d)
	}
	if buffered := v.channels.meta.BufferedAmount(); buffered > metaBuffer {
		t.Errorf("%d bytes wait, want at most %d", buffered, metaBuffer)
	}
	if sent == 1000 || s.Stats().MetaDropped < 500 {
		t.Errorf("%d of 1000 sent, %d dropped", sent, s.Stats().MetaDropped)
	}
}

// TestControlAbuse checks that what breaks the limits is ignored, or ends the session.
func TestControlAbuse(t *testing.T) {
	many := func(n int, msg string) func(*client) {
		return func(c *client) {
			for range n {
				if c.control.SendText(msg) != nil {
					return // closed by the server
				}
			}
		}
	}
	tests := []struct {
		name   string
		do     func(*client)
		closed bool // the session
		most   int  // messages that may come through
		least  uint64
	}{
		{"too long", many(1, strings.Repeat("x", controlSize+1)), false, 0, 1},
		{"longer than what is read", func(c *client) { c.sendLong(100 << 10) }, true, 0, 1},
		{"longer than any buffer", func(c *client) { c.sendLong(200 << 10) }, false, 0, 0},
		{"one megabyte", func(c *client) { c.sendLong(1 << 20) }, false, 0, 0},
		{"binary", func(c *client) { _ = c.control.Send([]byte("{}")) }, false, 0, 1},
		{"on the meta channel", func(c *client) { _ = c.meta.SendText("{}") }, false, 0, 1},
		{"a few too many", many(100, "{}"), false, controlRate + 10, 70},
		{"a flood", many(10_000, "{}"), true, controlRate + 40, 900},
		{"another channel", openForeign(1), false, 0, 1},
		{"many channels", openForeign(30), true, 0, foreignChannels},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var control inbox
			s, url := serve(t, Config{Control: func(_ *Viewer, msg []byte) { control.add(msg) }})
			c := dial(t, url, clientOptions{channels: true})
			until(t, "a viewer", func() bool { return s.Watching(0) == 1 })
			tt.do(c)
			if tt.closed {
				until(t, "closed", func() bool { return s.Stats().Sessions == 0 })
			} else {
				until(t, "ignored", func() bool { return s.Stats().Ignored >= tt.least })
				time.Sleep(100 * time.Millisecond)
				if s.Stats().Viewers != 1 {
					t.Error("the session was closed")
				}
			}
			if n := len(control.all()); n > tt.most {
				t.Errorf("%d messages came through, want at most %d", n, tt.most)
			}
			if n := s.Stats().Ignored; n < tt.least {
				t.Errorf("%d messages ignored, want at least %d", n, tt.least)
			}
		})
	}
}

// sendLong sends a message of n bytes, for which the limit at this end, 64 KiB, has to go.
func (c *client) sendLong(n int) {
	c.t.Helper()
	field := reflect.ValueOf(c.pc.SCTP()).Elem().FieldByName("sctpAssociation")
	association := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem()
	association.MethodByName("SetMaxMessageSize").Call([]reflect.Value{reflect.ValueOf(uint32(n))})
	if err := c.control.SendText(strings.Repeat("x", n)); err != nil {
		c.t.Errorf("%d bytes: %v", n, err)
	}
	until(c.t, "sent as far as the server takes it", func() bool {
		select {
		case <-c.closed:
			return true
		default:
			return c.control.BufferedAmount() <= uint64(max(0, n-sctpBuffer+16<<10))
		}
	})
}

func openForeign(n int) func(*client) {
	return func(c *client) {
		for i := range n {
			if _, err := c.pc.CreateDataChannel(fmt.Sprintf("x%d", i), nil); err != nil {
				return
			}
		}
	}
}
