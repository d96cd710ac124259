package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// needsBrowser skips a test where there is no Chromium.
func needsBrowser(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	if _, err := exec.LookPath("chromium"); err != nil {
		t.Skip("no Chromium: apt-get install --no-install-recommends chromium")
	}
}

// The whole way, from the source to the page: two viewers read the times off the pictures.
func TestBenchLatency(t *testing.T) {
	needsBrowser(t)
	var r latencyReport
	out := succeed(t, "bench", "latency", "--source", "synthetic:demo?size=480x272&fps=15&frames=-1", "--seconds", "4", "--viewers", "2", "--json")
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if r.Seen < 1 || r.Unread > 20 || r.Median < 5 || r.Median > 5000 || r.First <= 0 || r.FPS < 1 {
		t.Errorf("%+v", r)
	}
}

// A click on the page lets the server follow what is there, and closing the page ends the viewer.
func TestServeInBrowser(t *testing.T) {
	needsBrowser(t)
	s := startServe(t, "synthetic:demo?size=480x272&fps=15&frames=-1", "-v")
	options := chromedp.DefaultExecAllocatorOptions[:]
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	browser, cancel := chromedp.NewContext(allocator)
	defer cancel()
	if err := chromedp.Do(browser); err != nil {
		t.Fatal(err)
	}
	tab, leave := chromedp.NewContext(browser, chromedp.WithNewWindow(true))
	defer leave()
	ctx, late := context.WithTimeout(tab, time.Minute)
	defer late()
	if err := chromedp.Do(tab, chromedp.Navigate(s.url)); err != nil {
		t.Fatal(err)
	}
	wait := func(condition string) {
		t.Helper()
		for {
			ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+condition+")"))
			if err != nil {
				t.Fatalf("%s: %v", condition, err)
			}
			if ok {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
	wait("document.body.dataset.state === 'live'")
	s.until("one viewer of the plain picture", func(st serveStatus) bool {
		return st.Viewers == 1 && st.Pictures[1].Watching == 1 && st.Pictures[1].Encoded > 3 && st.Pictures[0].Encoded == 0
	})
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => {
		const c = document.getElementById('canvas'), r = c.getBoundingClientRect();
		for (const type of ['pointerdown', 'pointerup', 'click'])
			c.dispatchEvent(new PointerEvent(type, {bubbles: true, clientX: r.x + r.width / 2, clientY: r.y + r.height / 2}));
		return true;
	})()`)); err != nil {
		t.Fatal(err)
	}
	s.until("something followed", func(st serveStatus) bool { return st.Following })
	leave()
	s.until("nobody there", func(st serveStatus) bool { return st.Viewers == 0 })
}
