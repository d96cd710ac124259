package page_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

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
	for name, want := range map[string]string{
		"Frames": `^\d+ /s$`, "Bit rate": `^[\d.]+ [kM]bit/s$`, "Packets lost": `^\d+ \([\d.]+ %\)$`, "Round trip": `^[\d.]+ ms$`,
		"Frames dropped": `^\d+$`, "Freezes": `^\d+$`, "Path": `^udp, `,
	} {
		p.until(fmt.Sprintf("RegExp(String.raw`%s`).test([...document.querySelectorAll('#stats div')].find((d) => d.firstChild.textContent === '%s')?.lastChild.textContent)", want, name))
	}

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
