package page_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"glomstream/overlay/meta"
)

// touch touches a place of the window with one finger.
func touch(x, y float64) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for _, p := range []input.DispatchTouchEventParams{
			{Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: x, Y: y}}},
			{Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}},
		} {
			if _, err := cdp.Call(ctx, t, input.DispatchTouchEvent, p); err != nil {
				return chromedp.Void{}, err
			}
		}
		return chromedp.Void{}, nil
	}
}

// box returns left, top, width and height of an element in the window.
func (p *tab) box(selector string) (b [4]float64) {
	p.t.Helper()
	copy(b[:], eval[[]float64](p, "(() => { const b = document.querySelector('"+selector+"').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"))
	return b
}

// TestPhone uses the page with a finger, upright and on its side.
func TestPhone(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile, chromedp.EmulateTouch))
	p.live()
	p.watch(2)
	p.until("document.querySelectorAll('#tree [role=treeitem]').length === 10")

	if over := eval[int](p, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
		t.Errorf("%d pixels do not fit", over)
	}
	canvas := p.box("#canvas")
	if canvas[2] < 380 {
		t.Errorf("the picture is %.0f pixels wide", canvas[2])
	}
	small := eval[[]string](p, `[...document.querySelectorAll('button, summary, input[type=range], .segments span, .twist, .row')]
		.filter((e) => e.checkVisibility())
		.map((e) => [e, e.getBoundingClientRect()])
		.filter(([e, r]) => r.height < 30 || r.width < 30)
		.map(([e, r]) => (e.id || e.className || e.textContent) + ': ' + r.width + ' by ' + r.height)`)
	if len(small) > 0 {
		t.Errorf("too small for a finger: %q", small)
	}

	p.do(touch(canvas[0]+0.9*canvas[2], canvas[1]+0.7*canvas[3]))
	f.got(t, "follow 3", func(c meta.Command) bool {
		return c.Type == meta.Follow && *c.Level == 3 && *c.Island == 3
	})
	p.until("document.getElementById('island-name').textContent === 'object 3'")

	// A branch of the tree, away from the picture, which stays in sight.
	p.do(chromedp.ScrollIntoView(chromedp.CSS("#tree")))
	if c := p.box("#canvas"); c[1] < -1 || c[1]+c[3] > 844 {
		t.Errorf("with the tree in sight the picture is at %v", c)
	}
	first := "document.querySelector('#tree [role=treeitem]')"
	eval[bool](p, "("+first+".scrollIntoView(), true)")
	twist := p.box("#tree .twist")
	p.do(touch(twist[0]+twist[2]-3, twist[1]+twist[3]/2))
	p.until(first + ".getAttribute('aria-expanded') === 'false'")
	if got := p.text("island-name"); got != "object 3" {
		t.Errorf("opening a branch chose %q", got)
	}

	// What has the focus is seen.
	hidden := eval[[]string](p, `(async () => {
		const out = [];
		const bottom = () => document.getElementById('stage').getBoundingClientRect().bottom;
		for (const e of [...document.querySelectorAll('main button, main input:checked, main input[type=range], main summary, #tree [tabindex="0"]')].reverse()) {
			if (!e.checkVisibility() || e.disabled) continue;
			e.focus();
			await new Promise((done) => requestAnimationFrame(done));
			const r = (e.type === 'radio' ? e.nextSibling : e.firstElementChild?.classList.contains('row') ? e.firstElementChild : e).getBoundingClientRect();
			if (r.top < bottom() - 1 || r.bottom > innerHeight + 1) out.push(e.id || e.tagName);
		}
		return out;
	})()`)
	if len(hidden) > 0 {
		t.Errorf("the picture lies over what has the focus: %q", hidden)
	}

	p.do(chromedp.EmulateViewport(844, 390, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulateLandscape))
	eval[bool](p, "(scrollTo(0, 0), true)")
	p.until("innerWidth === 844 && document.getElementById('controls').getBoundingClientRect().left > document.getElementById('canvas').getBoundingClientRect().right")
	if c := p.box("#canvas"); c[2] < 450 || c[1]+c[3] > 391 {
		t.Errorf("on its side the picture is at %v", c)
	}
	if over := eval[int](p, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
		t.Errorf("on its side %d pixels do not fit", over)
	}
}

// TestReadOut gathers what a screen reader reads out by itself while somebody uses the keys.
func TestReadOut(t *testing.T) {
	b := browser(t)
	f := &fake{}
	f.start(t)
	p := b.open(t, f.url(), first(`globalThis.said = []; addEventListener('DOMContentLoaded', () => {
		for (const e of document.querySelectorAll('[role=status], [role=alert], [aria-live], output')) {
			new MutationObserver(() => said.push(e.textContent.trim())).observe(e, {childList: true, characterData: true, subtree: true});
		}
	})`))
	p.live()
	p.until("document.querySelector('#tree [role=treeitem] [role=treeitem]')")
	for _, tt := range []struct {
		key  string
		want []string
	}{
		{"v", []string{"View: outlines"}},
		{"s", []string{"Side by side"}},
		{"s", []string{"One picture"}},
		{"2", []string{"sub-part"}},
		{" ", []string{"Paused"}},
		{" ", []string{"Live"}},
		{"t", []string{"Parse tree closed"}},
		{"t", []string{"Parse tree open"}},
		{"n", []string{"Chosen: sub-part 1", "Following sub-part 1"}},
		{"\x1b", []string{"Nothing is chosen", "Nothing is followed"}},
		{"d", []string{"Saved as glom-"}},
	} {
		eval[bool](p, "(said.length = 0) === 0")
		p.do(chromedp.KeyEvent(tt.key))
		for _, w := range tt.want {
			p.until("said.some((s) => s.startsWith('" + w + "'))")
		}
		said := eval[[]string](p, "said")
		slices.Sort(said)
		if n := len(slices.Compact(slices.Clone(said))); n != len(said) || n > len(tt.want)+1 {
			t.Errorf("key %q: said %q", tt.key, said)
		}
	}

	// The item that has the focus keeps its name while the tree lives; the others' change.
	p.do(chromedp.KeyEvent("5"))
	p.do(chromedp.Focus(chromedp.CSS("#tree [role=treeitem]")))
	eval[bool](p, `(globalThis.renamed = [], new MutationObserver((all) => {
		for (const m of all) renamed.push(m.target === document.activeElement);
	}).observe(document.getElementById('tree'), {subtree: true, attributeFilter: ['aria-label']}), true)`)
	p.until("renamed.filter((own) => !own).length > 5")
	if eval[bool](p, "renamed.includes(true)") {
		t.Error("the item that has the focus is named anew, and read out, again and again")
	}

	// Keys of one letter can be turned off, also for the next visit.
	p.do(chromedp.KeyEvent("?"))
	p.until("document.getElementById('help-dialog').open")
	eval[bool](p, "(document.getElementById('keys').click(), document.getElementById('help-dialog').close(), true)")
	for range 2 {
		p.do(chromedp.KeyEvent("3"), chromedp.KeyEvent("v"), chromedp.KeyEvent("?"))
		if got := eval[string](p, "document.getElementById('level').value + document.querySelector('[name=view]:checked').value + document.getElementById('help-dialog').open"); got != "4outlinesfalse" {
			t.Errorf("with the keys turned off they do something: %s", got)
		}
		p.do(chromedp.Navigate(f.url()))
		p.live()
	}
	for _, n := range p.accessible() {
		if n.Role != nil && strings.Contains(string(n.Role.Value), "ideo") && !n.Ignored {
			t.Error("the video behind the picture is told of beside it")
		}
	}
}
