package page_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience is how long a test waits for what should come at once; the machine may be busy.
const patience = 30 * time.Second

// browser starts Chromium without a window, with more flags as pairs of name and value. A test without
// one is skipped.
func browser(t *testing.T, flags ...string) chromium {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium: apt-get install --no-install-recommends chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Flag("mute-audio", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.WindowSize(1280, 800),
	)
	for i := 0; i < len(flags); i += 2 {
		options = append(options, chromedp.Flag(flags[i], flags[i+1]))
	}
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return chromium{func() (context.Context, context.CancelFunc) {
		return chromedp.NewContext(ctx, chromedp.WithNewWindow(true))
	}}
}

// chromium is a running browser.
type chromium struct {
	window func() (context.Context, context.CancelFunc)
}

// tab is one page in a browser.
type tab struct {
	t      *testing.T
	within func() (context.Context, context.CancelFunc) // of the page, for as long as one may wait
}

// open opens a page in a window of its own, after what is to be done before. What the browser
// complains of fails the test when it ends, unless it has one of the texts in expected.
func (c chromium) open(t *testing.T, url string, before chromedp.Action[chromedp.Void], expected ...string) *tab {
	t.Helper()
	ctx, cancel := c.window()
	p := &tab{t, func() (context.Context, context.CancelFunc) { return context.WithTimeout(ctx, patience) }}
	messages := chromedp.Console(ctx)
	expected = append(expected, "willReadFrequently") // these tests do
	var wg sync.WaitGroup
	wg.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			known := slices.ContainsFunc(expected, func(e string) bool { return strings.Contains(m.String(), e) })
			if m.Type != chromedp.ConsoleDebug && !known {
				t.Errorf("the page: %s", m)
			}
		}
	})
	t.Cleanup(func() {
		cancel()
		wg.Wait()
	})
	if before != nil {
		p.do(before)
	}
	p.do(chromedp.Navigate(url))
	return p
}

// eval evaluates an expression, and waits if it is a promise.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%.200s: %v", expression, err)
	}
	return v
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// until waits until a condition is true.
func (p *tab) until(condition string) {
	p.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if eval[bool](p, "Boolean("+condition+")") {
			return
		}
	}
	p.t.Fatalf("never true: %s\n%s", condition,
		eval[string](p, "document.body.dataset.state + ': ' + document.body.innerText.slice(0, 1500)"))
}

func (p *tab) live() {
	p.t.Helper()
	p.until("document.body.dataset.state === 'live'")
}

func (p *tab) text(id string) string {
	p.t.Helper()
	return strings.TrimSpace(eval[string](p, "document.getElementById('"+id+"').textContent"))
}
