package page_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"reflect"
	"testing"
	"time"

	"glomstream/overlay/meta"
	"glomstream/overlay/page"
)

// scripts opens a page that only serves to try its modules.
func scripts(t *testing.T) *tab {
	t.Helper()
	b := browser(t)
	s := httptest.NewServer(page.Handler())
	t.Cleanup(s.Close)
	return b.open(t, s.URL+"/icon.svg", nil, "404") // there is no favicon.ico
}

// TestPageReadsMessages has the page read what package meta wrote.
func TestPageReadsMessages(t *testing.T) {
	p := scripts(t)
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		f := message(rnd.Uint64N(1<<53), rnd.Uint32(), time.UnixMicro(rnd.Int64N(1<<50)), rnd.IntN(5), rnd.IntN(2) > 0)
		f.Cut, f.Stale, f.Unsettled, f.Dropped = rnd.IntN(2) > 0, rnd.IntN(2) > 0, rnd.Float64(), rnd.IntN(1e6)
		f.Labels = noise(rnd)
		b, err := meta.Append(nil, &f)
		if err != nil {
			t.Fatal(err)
		}
		want, err := meta.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		got := eval[string](p, `(async () => {
			const { parse } = await import('/meta.js');
			const f = parse(Uint8Array.from(atob('`+base64.StdEncoding.EncodeToString(b)+`'), (c) => c.charCodeAt(0)).buffer);
			return JSON.stringify({ ...f, labels: { ...f.labels, id: [...f.labels.id] }, nodes: [...f.nodes] });
		})()`)
		if err := compare(got, &want); err != nil {
			t.Errorf("%v\n%.400s", err, got)
		}
	}
}

// noise returns labels of all kinds.
func noise(rnd *rand.Rand) meta.Labels {
	l := meta.Labels{Cols: 1 + rnd.IntN(80), Rows: 1 + rnd.IntN(40)}
	l.ID = make([]uint16, l.Cols*l.Rows)
	most := 1 << rnd.IntN(17)
	for i := range l.ID {
		switch n := rnd.IntN(10); {
		case n < 6 && i >= l.Cols:
			l.ID[i] = l.ID[i-l.Cols]
		case n < 9 && i > 0:
			l.ID[i] = l.ID[i-1]
		default:
			l.ID[i] = uint16(rnd.IntN(most))
		}
	}
	return l
}

// compare compares what the page read with what Go reads.
func compare(got string, want *meta.Frame) error {
	var g struct {
		Full, Cut, Stale, Reduced          bool
		Timestamp                          uint32
		Seq                                uint64
		Captured                           float64
		W, H, Levels, Level, Dropped, Step int
		Unsettled, FPS                     float64
		Labels                             struct {
			Cols, Rows int
			ID         []uint16
		}
		Nodes [][2]json.RawMessage
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		return err
	}
	for _, v := range [][2]any{
		{g.Full, want.Full},
		{g.Cut, want.Cut},
		{g.Stale, want.Stale},
		{g.Reduced, want.Reduced},
		{g.Timestamp, want.Timestamp},
		{g.Seq, want.Seq},
		{int64(g.Captured*1000 + 0.5), want.Captured.UnixMicro()},
		{g.W, want.W},
		{g.H, want.H},
		{g.Levels, want.Levels},
		{g.Level, want.Level},
		{g.Dropped, want.Dropped},
		{g.Unsettled, want.Unsettled},
		{g.FPS, want.FPS},
		{g.Labels.Cols, want.Labels.Cols},
		{g.Labels.Rows, want.Labels.Rows},
		{g.Labels.ID, want.Labels.ID},
		{len(g.Nodes), len(want.Nodes)},
	} {
		if !reflect.DeepEqual(v[0], v[1]) {
			return fmt.Errorf("the page reads %v, want %v", v[0], v[1])
		}
	}
	for i, n := range want.Nodes {
		var islands struct {
			Nesting, Agreement float64
			Islands            []struct {
				ID, Parent                     uint16
				Area, X, Y, W, H, CX, CY, Age  int
				Confidence, Agreement, Nesting float64
			}
		}
		if err := json.Unmarshal(g.Nodes[i][1], &islands); err != nil {
			return err
		}
		if string(g.Nodes[i][0]) != fmt.Sprint(n.Level) || islands.Nesting != n.Nesting || len(islands.Islands) != len(n.Islands) {
			return fmt.Errorf("level %s has %d islands, want %d of level %d", g.Nodes[i][0], len(islands.Islands), len(n.Islands), n.Level)
		}
		for k, s := range islands.Islands {
			w := n.Islands[k]
			same := meta.Island{
				ID: s.ID, Parent: s.Parent, Area: s.Area, X: s.CX, Y: s.CY, Box: w.Box,
				Confidence: s.Confidence, Agreement: s.Agreement, Nesting: s.Nesting, Age: s.Age,
			}
			if same != w || s.X != w.Box.Min.X || s.Y != w.Box.Min.Y || s.W != w.Box.Dx() || s.H != w.Box.Dy() {
				return fmt.Errorf("island %+v, want %+v", s, w)
			}
		}
	}
	return nil
}

// TestPageReadsRubbish has the page read broken messages: it must refuse them, and soon.
func TestPageReadsRubbish(t *testing.T) {
	p := scripts(t)
	f := message(7, 8, time.UnixMicro(9), 2, true)
	b, err := meta.Append(nil, &f)
	if err != nil {
		t.Fatal(err)
	}
	got := eval[[]int](p, `(async () => {
		const { parse } = await import('/meta.js');
		const good = Uint8Array.from(atob('`+base64.StdEncoding.EncodeToString(b)+`'), (c) => c.charCodeAt(0));
		let seed = 1;
		const random = (n) => { seed = (seed * 48271) % 2147483647; return seed % n; };
		let read = 0, refused = 0;
		const start = performance.now();
		for (let i = 0; i < 3000; i++) {
			const bad = good.slice(0, random(3) ? good.length : random(good.length));
			for (let k = random(8); k >= 0; k--) bad[random(bad.length)] = random(256);
			try { parse(bad.buffer); read++; } catch { refused++; }
		}
		return [read, refused, Math.round(performance.now() - start)];
	})()`)
	if got[0]+got[1] != 3000 || got[1] < 1000 || got[2] > 20000 {
		t.Errorf("%d read, %d refused, in %d ms", got[0], got[1], got[2])
	}
}

func TestPageColours(t *testing.T) {
	p := scripts(t)
	// Of Go's overlay.heatColours at 0, 64, 128, 200 and 255.
	want := "[[68,1,84],[59,82,138],[34,144,139],[113,206,86],[253,231,37]]"
	if got := eval[string](p, "import('/palette.js').then(({ heat }) => JSON.stringify([0, 64, 128, 200, 255].map((v) => heat(v / 255))))"); got != want {
		t.Errorf("heat map: got %s, want %s", got, want)
	}
	if got := eval[string](p, "import('/palette.js').then(({ heat }) => JSON.stringify([-1, NaN, 2].map(heat)))"); got != "[[68,1,84],[68,1,84],[253,231,37]]" {
		t.Errorf("heat map outside of 0 to 1: %s", got)
	}
	for id := range uint16(60) {
		c := colourOf(id + 1)
		if got := eval[[3]int](p, fmt.Sprintf("import('/palette.js').then(({ colour }) => colour(%d))", id+1)); got != c {
			t.Errorf("colour of %d is %v, want %v", id+1, got, c)
		}
	}
}

func TestPageReadsLinks(t *testing.T) {
	p := scripts(t)
	header := `<stun:stun.example.net>; rel="ice-server", <turn:turn.example.net?transport=udp>; rel="ice-server"; ` +
		`username="u,<v>"; credential="a\\"b"; credential-type="password", </x>; rel="next", <https://e.org>; rel="ice-server"`
	want := `[{"urls":"stun:stun.example.net"},{"urls":"turn:turn.example.net?transport=udp","username":"u,<v>","credential":"a\"b"}]`
	got := eval[string](p, "import('/session.js').then(({ links }) => JSON.stringify([links(''), links('"+header+"')]))")
	if got != "[[],"+want+"]" {
		t.Errorf("got %s, want %s", got, want)
	}
}
