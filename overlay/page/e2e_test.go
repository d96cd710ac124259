package page_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"glomstream/overlay"
	"glomstream/overlay/meta"
)

// watch is a script that gathers what is drawn in the next n pictures.
const watch = `new Promise((done) => {
	const canvas = document.getElementById('canvas');
	const context = canvas.getContext('2d');
	const out = [];
	const at = (x, y) => [...context.getImageData(x, y, 1, 1).data.slice(0, 3)];
	canvas.addEventListener('drawn', function drawn({detail}) {
		if (!detail.meta?.labels) return;
		let bits = 0;
		for (let i = 0; i < %[2]d; i++) if (at(i * %[3]d + %[3]d / 2, %[3]d / 2)[0] > 128) bits |= 1 << i;
		let border = 0; // of the first two islands, by colour
		const row = context.getImageData(0, 200, 64, 1).data;
		const same = (x, y) => Math.abs(row[4*x] - row[4*y]) + Math.abs(row[4*x+1] - row[4*y+1]) + Math.abs(row[4*x+2] - row[4*y+2]) < 24;
		while (border < 63 && same(border + 1, 2)) border++;
		out.push({timestamp: detail.timestamp, bits, seq: detail.meta.seq, level: detail.meta.level, exact: detail.exact, border: border + 1, at: at(600, 250), first: at(4, 250)});
		if (out.length < %[1]d) return;
		canvas.removeEventListener('drawn', drawn);
		done(out);
	});
})`

// drawn is one picture as the canvas shows it.
type drawn struct {
	Timestamp uint32
	Bits, Seq uint64
	Level     int
	Exact     bool
	Border    int
	At, First [3]int // colours in the last and the first island
}

func (p *tab) watch(n int) []drawn {
	p.t.Helper()
	return eval[[]drawn](p, fmt.Sprintf(watch, n, bits, bitSize))
}

// over is grey under the colour of an island.
func over(id uint16, opacity float64) [3]int {
	c := colourOf(id)
	for i := range c {
		c[i] = int(grey*(1-opacity) + float64(c[i])*opacity)
	}
	return c
}

func colourOf(id uint16) [3]int {
	c := overlay.Colour(id)
	return [3]int{int(c.R), int(c.G), int(c.B)}
}

func near(a, b [3]int, tolerance int) bool {
	for i := range a {
		if d := a[i] - b[i]; d < -tolerance || d > tolerance {
			return false
		}
	}
	return true
}

// TestIslandsFitPicture reads off the canvas, picture by picture, which frame it is and which frame's
// islands lie over it.
func TestIslandsFitPicture(t *testing.T) {
	b := browser(t)
	for _, tt := range []struct {
		name        string
		delay, lose bool
		script      string
	}{
		{"messages first", false, false, ""},
		{"messages late", true, false, ""},
		{"messages lost", false, true, ""},
		{"busy page", false, false, "setInterval(() => { for (const t = performance.now() + 30; performance.now() < t;); }, 40)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fake{delay: tt.delay, lose: tt.lose}
			f.start(t)
			p := b.open(t, f.url(), first(tt.script))
			p.live()
			p.watch(5)
			pictures, own := map[uint32]bool{}, map[uint32]bool{}
			for _, d := range p.watch(60) {
				pictures[d.Timestamp] = true
				if !near(d.At, over(3, 0.45), 12) || !near(d.First, over(1, 0.45), 12) {
					t.Errorf("frame %d: colours %v and %v, want %v and %v", d.Seq, d.At, d.First, over(3, 0.45), over(1, 0.45))
				}
				if !d.Exact {
					continue
				}
				own[d.Timestamp] = true
				if d.Bits != d.Seq&(1<<bits-1) {
					t.Errorf("picture %d has the islands of %d", d.Bits, d.Seq)
				}
				if want := border(d.Seq); d.Border < want-3 || d.Border > want+1 {
					t.Errorf("frame %d: the border is drawn at %d, want %d", d.Seq, d.Border, want)
				}
			}
			want := len(pictures) - 2
			if tt.lose {
				want = len(pictures)/2 - 5
			}
			if len(pictures) < 25 || len(own) < want {
				t.Errorf("%d of %d pictures had islands of their own, want %d of at least 25", len(own), len(pictures), want)
			}
		})
	}
}

func TestTwoViewers(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	one, two := b.open(t, f.url(), nil), b.open(t, f.url(), nil)
	one.live()
	two.live()
	one.do(chromedp.KeyEvent("3"))
	two.do(chromedp.KeyEvent("5"))
	one.until("document.getElementById('level-name').textContent === 'part'")
	two.until("document.getElementById('level-name').textContent === 'scene'")
	f.got(t, "level 2", func(c meta.Command) bool { return c.Type == meta.Set && c.Level != nil && *c.Level == 2 })
	f.got(t, "level 4", func(c meta.Command) bool { return c.Type == meta.Set && c.Level != nil && *c.Level == 4 })
	time.Sleep(500 * time.Millisecond)
	for _, d := range one.watch(5) {
		if d.Level != 2 || !near(d.At, over(5, 0.45), 12) {
			t.Errorf("first viewer: level %d, colour %v, want 2 and %v", d.Level, d.At, over(5, 0.45))
		}
	}
	for _, d := range two.watch(5) {
		if d.Level != 4 || !near(d.At, over(2, 0.45), 12) {
			t.Errorf("second viewer: level %d, colour %v, want 4 and %v", d.Level, d.At, over(2, 0.45))
		}
	}
}

func TestClickFollows(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), nil)
	p.live()
	p.watch(2)
	p.until("document.querySelectorAll('#tree [role=treeitem]').length === 10")
	// The right island of level 3, which has id 3.
	box := eval[[]float64](p, "(() => { const b = document.getElementById('canvas').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
	p.do(chromedp.MouseClickXY(box[0]+0.9*box[2], box[1]+0.7*box[3]))
	f.got(t, "follow 3", func(c meta.Command) bool {
		return c.Type == meta.Follow && *c.Level == 3 && *c.Island == 3
	})
	p.until("document.getElementById('island-name').textContent === 'object 3'")
	p.until("document.getElementById('chip-follow').textContent.startsWith('following object 3')")
	p.until("document.querySelector('#tree [aria-selected=true]')?.dataset.key === '3:3'")
	first := p.watch(10)
	for _, d := range first {
		if !near(d.At, over(3, 0.45), 12) {
			t.Errorf("frame %d: the chosen island is %v, want %v", d.Seq, d.At, over(3, 0.45))
		}
		if !near(d.First, over(1, 0.45*0.35), 12) {
			t.Errorf("frame %d: another island is %v, want it dimmed to %v", d.Seq, d.First, over(1, 0.45*0.35))
		}
	}
	if got := p.text("island-facts"); got == "" {
		t.Error("nothing is told of the island")
	}
	p.do(chromedp.KeyEvent("n")) // the first one after the last
	p.until("document.getElementById('island-name').textContent === 'object 1'")
	p.do(chromedp.KeyEvent(kb.Escape))
	f.got(t, "unfollow", func(c meta.Command) bool { return c.Type == meta.Unfollow })
	p.do(chromedp.KeyEvent("w"))
	f.got(t, "snapshot", func(c meta.Command) bool { return c.Type == meta.Snapshot })
	p.until("document.getElementById('toast').textContent === 'Written <b>now</b>' && getComputedStyle(document.getElementById('toast')).opacity === '1'")
	p.until("document.getElementById('island-some').hidden")
}

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
	for _, d := range p.watch(10)[5:] {
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

// TestAccessible reads the page as a screen reader does, on several widths.
func TestAccessible(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), nil)
	p.live()
	p.do(chromedp.KeyEvent("n"))
	p.until("document.querySelectorAll('#tree [role=treeitem]').length === 10 && !document.getElementById('island-some').hidden")
	named := map[string]int{}
	for _, n := range p.accessible() {
		if n.Ignored || n.Role == nil {
			continue
		}
		role := string(n.Role.Value)
		switch role = strings.Trim(role, `"`); role {
		case "button", "slider", "radio", "tree", "treeitem", "meter", "image", "video", "RootWebArea":
			if n.Name == nil || strings.Trim(string(n.Name.Value), `"`) == "" {
				t.Errorf("a %s has no name", role)
			}
			named[role]++
		}
	}
	if named["button"] < 7 || named["slider"] != 2 || named["radio"] != 4 || named["treeitem"] != 10 || named["meter"] != 2 {
		t.Errorf("found %v", named)
	}
	for _, width := range []int64{320, 390, 768, 900, 1280, 1920} {
		p.do(chromedp.EmulateViewport(width, 800))
		p.do(chromedp.KeyEvent("s")) // side by side, or back
		p.until("document.getElementById('canvas').getBoundingClientRect().width > 100")
		if over := eval[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); over > 0 {
			t.Errorf("%d pixels wide: %d pixels do not fit", width, over)
		}
	}
}

// accessible returns what screen readers are told.
func (p *tab) accessible() []*accessibility.Node {
	p.t.Helper()
	ctx, cancel := p.within()
	defer cancel()
	tree, err := chromedp.Run(ctx, func(ctx context.Context, t *chromedp.Target) (accessibility.GetFullAXTreeResult, error) {
		return cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return tree.Nodes
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

// TestSnapshot saves a picture and looks at it.
func TestSnapshot(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), first("HTMLAnchorElement.prototype.click = function () { globalThis.saved = this; }"))
	p.live()
	p.watch(3)
	p.do(chromedp.KeyEvent("d"))
	p.until("globalThis.saved")
	if name := eval[string](p, "saved.download"); !regexp.MustCompile(`^glom-\d{6}\.png$`).MatchString(name) {
		t.Errorf("the file is called %q", name)
	}
	got := eval[[]int](p, `new Promise((done) => {
		const image = new Image();
		image.onload = () => {
			const c = document.createElement('canvas');
			c.width = image.width;
			c.height = image.height;
			const g = c.getContext('2d');
			g.drawImage(image, 0, 0);
			done([c.width, c.height, ...g.getImageData(600, 250, 1, 1).data]);
		};
		image.src = saved.href;
	})`)
	if got[0] != sceneW || got[1] != sceneH || !near([3]int(got[2:5]), over(3, 0.45), 12) {
		t.Errorf("the picture is %dx%d with %v, want %dx%d with %v", got[0], got[1], got[2:], sceneW, sceneH, over(3, 0.45))
	}
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
	for _, d := range p.watch(10)[5:] {
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

func TestKeys(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), nil)
	p.live()
	for _, tt := range []struct{ key, want string }{
		{"1", "document.getElementById('level').value === '0'"},
		{"]", "document.getElementById('level').getAttribute('aria-valuetext') === '1, sub-part'"},
		{"[", "document.getElementById('level').value === '0'"},
		{"v", "document.querySelector('[name=view]:checked').value === 'outlines'"},
		{"v", "document.querySelector('[name=view]:checked').value === 'confidence'"},
		{"v", "document.querySelector('[name=view]:checked').value === 'none'"},
		{"v", "document.querySelector('[name=view]:checked').value === 'islands'"},
		{"+", "document.getElementById('opacity').value === '55'"},
		{"-", "document.getElementById('opacity').value === '45'"},
		{"s", "document.getElementById('panes').classList.contains('side-by-side')"},
		{"t", "!document.getElementById('tree-details').open"},
		{"t", "document.getElementById('tree-details').open"},
		{"i", "!document.getElementById('stats-details').open"},
		{"i", "document.getElementById('stats-details').open"},
		{"b", "document.getElementById('island-name').textContent === 'primary 17'"},
		{"?", "document.getElementById('help-dialog').open"},
		{kb.Escape, "!document.getElementById('help-dialog').open"},
		{kb.Escape, "document.getElementById('island-some').hidden"},
	} {
		p.do(chromedp.KeyEvent(tt.key))
		p.until(tt.want)
	}
	p.until("/^VP8 640×352$/.test([...document.querySelectorAll('#stats div')].find((d) => d.firstChild.textContent === 'Codec')?.lastChild.textContent)")
	p.until("/^\\d+(\\.\\d)? ms$/.test([...document.querySelectorAll('#stats div')].find((d) => d.firstChild.textContent === 'Latency')?.lastChild.textContent)")

	// The tree: into it, down, open, back.
	p.until("document.querySelector('#tree [role=treeitem] [role=treeitem]')")
	p.do(chromedp.Focus(chromedp.CSS("#tree [role=treeitem]")))
	key := "document.activeElement.dataset.key"
	p.until(key + " === '4:1'")
	for _, tt := range []struct{ key, want string }{
		{kb.ArrowDown, key + " === '3:1'"},
		{kb.ArrowUp, key + " === '4:1'"},
		{kb.ArrowLeft, "document.activeElement.getAttribute('aria-expanded') === 'false'"},
		{kb.ArrowRight, "document.activeElement.getAttribute('aria-expanded') === 'true'"},
		{"\r", "document.getElementById('island-name').textContent === 'scene 1'"},
	} {
		p.do(chromedp.KeyEvent(tt.key))
		p.until(tt.want)
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
