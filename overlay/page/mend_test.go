package page_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"glomstream/overlay/meta"
)

func TestReconnects(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), nil, "Failed to load resource", "net::ERR")
	p.live()
	p.do(chromedp.KeyEvent("2"))
	p.watch(3)
	f.stop()
	p.until("document.body.dataset.state === 'waiting'")
	time.Sleep(time.Second)
	f.start(t)
	p.live()
	for _, d := range p.own(10) {
		if d.Level != 1 || d.Bits != d.Seq {
			t.Errorf("after the server came back: level %d, picture %d with the islands of %d", d.Level, d.Bits, d.Seq)
		}
	}
}

// TestMends has the page connect anew for other reasons than a closed connection.
func TestMends(t *testing.T) {
	b := browser(t)
	t.Run("server does not answer", func(t *testing.T) {
		f := &fake{}
		f.start(t)
		p := b.open(t, f.url(), nil, "404") // the session may have ended before it is told to
		p.live()
		f.set(func() { f.frozen, f.mute = true, true })
		f.sessions(t, 2)
		f.set(func() { f.frozen, f.mute = false, false })
		p.live()
		p.watch(5)
	})
	t.Run("machine slept", func(t *testing.T) {
		f := &fake{}
		f.start(t)
		p := b.open(t, f.url(), nil, "404") // the session may have ended before it is told to
		p.live()
		eval[bool](p, "(() => { const now = Date.now; Date.now = () => now() + 20000; return true; })()")
		f.sessions(t, 2)
		p.live()
		p.watch(5)
	})
	t.Run("server is full", func(t *testing.T) {
		f := &fake{status: http.StatusServiceUnavailable}
		f.start(t)
		p := b.open(t, f.url(), nil, "503")
		p.until("document.getElementById('wait-text').textContent.startsWith('The test <b>refuses</b>. Trying again in')")
		f.sessions(t, 3)
		f.set(func() { f.status = 0 })
		p.live()
	})
}

func TestStale(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), nil)
	p.live()
	f.set(func() { f.frozen = true })
	p.until("document.body.dataset.state === 'stale' && !document.getElementById('stale').hidden")
	time.Sleep(5 * time.Second) // the server answers, so that the page has no reason to connect anew
	f.set(func() {
		if f.posts != 1 {
			t.Errorf("the page connected %d times", f.posts)
		}
		f.stalled = true
	})
	p.until("document.getElementById('stale').textContent.startsWith('The source gives')")
	f.set(func() { f.frozen = false })
	p.live()
	p.until("document.getElementById('stale').hidden")
}

// TestElsewhere opens the page by a name that is not this machine's, over plain http.
func TestElsewhere(t *testing.T) {
	b := browser(t, "host-resolver-rules", "MAP camera.test 127.0.0.1")
	f := &fake{}
	f.start(t)
	p := b.open(t, strings.Replace(f.url(), "127.0.0.1", "camera.test", 1), nil)
	p.live()
	p.watch(5)
	p.until("!isSecureContext && !document.getElementById('insecure').hidden")
	p.do(chromedp.Click(chromedp.CSS("#insecure-close")))
	p.until("document.getElementById('insecure').hidden")
	q := b.open(t, f.url(), nil)
	q.live()
	q.until("document.getElementById('insecure').hidden")
}

// TestLeaves checks that the server is told when a page goes.
func TestLeaves(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), nil)
	p.live()
	p.do(chromedp.Navigate("about:blank"))
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		f.mu.Lock()
		n := f.deletes
		f.mu.Unlock()
		if n == 1 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d sessions were ended, want 1", n)
		}
	}
}

func TestPause(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), nil)
	p.live()
	p.do(chromedp.KeyEvent(" "))
	f.got(t, "pause", func(c meta.Command) bool { return c.Paused != nil && *c.Paused })
	p.until("document.getElementById('status-text').textContent === 'Paused'")
	time.Sleep(3 * time.Second)
	if s := eval[string](p, "document.body.dataset.state"); s != "live" {
		t.Errorf("after a pause of 3 s the state is %s", s)
	}
	p.do(chromedp.KeyEvent(" "))
	p.live()
	for _, d := range p.own(10) {
		if d.Bits != d.Seq {
			t.Errorf("after the pause picture %d has the islands of %d", d.Bits, d.Seq)
		}
	}
}

// TestOutOfSight checks that a page that nobody sees lets the server rest.
func TestOutOfSight(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), first("const wait = setTimeout; globalThis.setTimeout = (f, ms) => wait(f, ms === 30000 ? 100 : ms)"))
	p.live()
	see := func(hidden bool) {
		eval[bool](p, fmt.Sprintf("Object.defineProperty(document, 'hidden', { value: %v, configurable: true }) && document.dispatchEvent(new Event('visibilitychange'))", hidden))
	}
	see(true)
	f.got(t, "pause", func(c meta.Command) bool { return c.Paused != nil && *c.Paused })
	f.set(func() { f.commands = nil })
	see(false)
	f.got(t, "go on", func(c meta.Command) bool { return c.Paused != nil && !*c.Paused })
	p.live()
	p.watch(5)
}

func TestToken(t *testing.T) {
	b := browser(t)
	f := &fake{token: "secret"}
	f.start(t)
	p := b.open(t, f.url(), nil, "401")
	p.until("document.getElementById('token-dialog').open")
	p.do(chromedp.KeyEvent(kb.Escape))
	p.until("!document.getElementById('token-dialog').open")
	p.do(chromedp.Click(chromedp.CSS("#canvas")))
	p.until("document.getElementById('token-dialog').open")
	p.do(chromedp.SendKeys(chromedp.CSS("#token"), "secret\r"))
	p.live()
	q := b.open(t, f.url()+"#token=secret", nil)
	q.live()
	if got := eval[string](q, "location.href"); got != f.url() {
		t.Errorf("the address is %s: it holds the token", got)
	}
}

func TestFallsBack(t *testing.T) {
	b := browser(t)
	for _, tt := range []struct {
		name   string
		noWHEP bool
		script string // run before those of the page
	}{
		{"no WHEP", true, ""},
		{"no WebRTC", false, "delete globalThis.RTCPeerConnection"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{noWHEP: tt.noWHEP, token: "secret"}
			f.start(t)
			p := b.open(t, f.url()+"#token=secret", first(tt.script), "Failed to load resource")
			p.until("document.body.dataset.state === 'fallback' && document.getElementById('canvas').width === 640")
			seen := map[int]bool{}
			for range 40 {
				seen[eval[int](p, "document.getElementById('canvas').getContext('2d').getImageData(199, 199, 1, 1).data[0]")] = true
				time.Sleep(50 * time.Millisecond)
			}
			if len(seen) < 4 {
				t.Errorf("the picture had %d brightnesses: it does not change", len(seen))
			}
			if !tt.noWHEP {
				return
			}
			f.set(func() { f.noWHEP = false })
			eval[bool](p, "dispatchEvent(new Event('online'))")
			p.live()
			p.watch(5)
		})
	}
}

// first runs a script before those of the page; none if it is empty.
func first(script string) chromedp.Action[chromedp.Void] {
	if script == "" {
		return nil
	}
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return chromedp.Void{}, err
	}
}
