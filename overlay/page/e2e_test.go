package page_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

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

// own returns those of the last drawings of n that show the islands of their own message: one whose
// message is late shows those of its neighbour for a moment. It fails if there is none.
func (p *tab) own(n int) []drawn {
	p.t.Helper()
	list := slices.DeleteFunc(p.watch(n)[n/2:], func(d drawn) bool { return !d.Exact })
	if len(list) == 0 {
		p.t.Fatalf("none of %d pictures has the islands of its own message", n)
	}
	return list
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
