package live

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"glomstream/pipeline"
)

const small = "demo?size=96x64"

// settle lets the worker finish what it was given.
func (h *theatre) settle(t *testing.T) {
	t.Helper()
	taken := false
	for range 2000 {
		h.mu.Lock()
		idle := h.mail == nil
		h.mu.Unlock()
		encode, send := h.Busy()
		switch {
		case idle && taken && encode+send == 0:
			return
		case idle && !taken:
			taken = true
			time.Sleep(20 * time.Millisecond) // until it begins with the one in its hands
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the worker does not take the frame")
}

// each frame is taken by the worker before the next one comes.
func (h *theatre) slowly(t *testing.T) func(int, *pipeline.Result) {
	t.Helper()
	return func(int, *pipeline.Result) { h.settle(t) }
}

// With nobody there, nothing is encoded and nothing is told.
func TestIdleEncodesNothing(t *testing.T) {
	h := newTheatre(t, Config{})
	h.play(t, film{name: small, frames: 4, each: h.slowly(t)})
	if n := len(h.studio.made); n != 0 {
		t.Errorf("%d encoders were made", n)
	}
	if st := h.Stats(); st.Frames != 4 || st.Pictures[0].Encoded+st.Pictures[1].Encoded != 0 || st.JPEGs != 0 {
		t.Errorf("stats %+v", st)
	}
	p := h.enter(&person{id: "a", picture: Overlay, foreign: true})
	h.play(t, film{name: small, frames: 2, each: h.slowly(t)})
	if len(p.got()) != 0 || h.teller.frames != 0 {
		t.Error("data were made for a viewer that has no channel for it")
	}
}

// However many watch, each picture is encoded once; the data have the time stamp of the picture, and those rise.
func TestOneEncodeForAll(t *testing.T) {
	h := newTheatre(t, Config{})
	var people []*person
	for i := range 32 {
		people = append(people, h.enter(&person{id: string(rune('a' + i)), picture: i % 2}))
	}
	h.play(t, film{name: small, frames: 6, each: h.slowly(t)})
	if n := len(h.studio.encodes()); n != 12 || len(h.studio.made) != 2 {
		t.Errorf("%d encodes by %d encoders, want 12 by 2", n, len(h.studio.made))
	}
	plain, over, data := h.audience.sent(Plain), h.audience.sent(Overlay), people[5].got()
	if len(plain) != 6 || len(over) != 6 || len(data) != 6 {
		t.Fatalf("%d plain, %d overlay, %d data: want 6 of each", len(plain), len(over), len(data))
	}
	for i, f := range plain {
		if f.Timestamp != over[i].Timestamp || f.Timestamp != data[i].Timestamp || data[i].Seq != uint64(i) {
			t.Errorf("frame %d: time stamps %d, %d, %d and number %d", i, f.Timestamp, over[i].Timestamp, data[i].Timestamp, data[i].Seq)
		}
		if i > 0 && int32(f.Timestamp-plain[i-1].Timestamp) <= 0 {
			t.Errorf("frame %d: time stamp %d after %d", i, f.Timestamp, plain[i-1].Timestamp)
		}
		if f.Key != (i == 0) {
			t.Errorf("frame %d: key %v", i, f.Key)
		}
	}
	if d := time.Duration(plain[5].Timestamp-plain[0].Timestamp) * time.Second / 90000; (plain[5].Captured.Sub(plain[0].Captured) - d).Abs() > 2*time.Millisecond {
		t.Errorf("the time stamps span %v, the captures %v", d, plain[5].Captured.Sub(plain[0].Captured))
	}
}

// The data tell of the islands that the pipeline found.
func TestDataAreTheIslands(t *testing.T) {
	h := newTheatre(t, Config{})
	p := h.enter(&person{id: "a", picture: Plain})
	var want []int
	h.play(t, film{name: small, frames: 12, each: func(_ int, r *pipeline.Result) {
		h.settle(t)
		want = append(want, len(r.Islands[3].Islands))
	}})
	full := 0
	for i, f := range p.got() {
		if f.W != 96 || f.H != 64 || f.Level != 3 || f.Levels != 5 || f.Labels.Cols != 96 || f.Labels.Rows != 64 {
			t.Fatalf("frame %d: %dx%d, level %d of %d, labels %dx%d", i, f.W, f.H, f.Level, f.Levels, f.Labels.Cols, f.Labels.Rows)
		}
		own := f.Nodes[0]
		if own.Level != 3 || len(own.Islands) != want[i] {
			t.Errorf("frame %d: level %d has %d islands, want 3 with %d", i, own.Level, len(own.Islands), want[i])
		}
		area := 0
		for _, n := range own.Islands {
			area += n.Area
			if !slices.Contains(f.Labels.ID, n.ID) && n.Area > 2*64 {
				t.Errorf("frame %d: island %d of %d pixels has no label", i, n.ID, n.Area)
			}
		}
		if area != 96*64 {
			t.Errorf("frame %d: the islands cover %d pixels, want %d", i, area, 96*64)
		}
		if f.Full {
			full++
			if len(f.Nodes) != 5 {
				t.Errorf("frame %d: %d levels in the tree", i, len(f.Nodes))
			}
		}
	}
	if full != 2 {
		t.Errorf("%d whole trees in 12 frames, want 2", full)
	}
}

// Fault 39: levels are each viewer's own, so there is no conflict.
func TestFault39ConflictingLevels(t *testing.T) {
	h := newTheatre(t, Config{})
	a, b := h.enter(&person{id: "a", picture: Plain}), h.enter(&person{id: "b", picture: Plain, role: "viewer"})
	h.control(a, []byte(`{"type":"set","level":1}`))
	h.control(b, []byte(`{"type":"set","level":4}`))
	h.play(t, film{name: small, frames: 3, each: h.slowly(t)})
	for p, want := range map[*person]int{a: 1, b: 4} {
		for _, f := range p.got() {
			if f.Level != want {
				t.Errorf("viewer %s: level %d, want %d", p.id, f.Level, want)
			}
		}
		if len(p.got()) != 3 || !strings.Contains(p.last(), `"level":`+string(rune('0'+want))) {
			t.Errorf("viewer %s got %d frames and was told %s", p.id, len(p.got()), p.last())
		}
	}
}

// Fault 7: another size goes on with a new encoder, whose first picture needs no other.
func TestFault7SizeChange(t *testing.T) {
	h := newTheatre(t, Config{})
	h.enter(&person{id: "a", picture: Plain})
	h.enter(&person{id: "b", picture: Overlay})
	h.play(t, film{name: small, frames: 2, each: h.slowly(t)})
	h.play(t, film{name: "demo?size=64x96", frames: 2, each: h.slowly(t)})
	for i, e := range h.studio.encodes() {
		if want := i/2%2 == 0; e.key != want || (e.w == 96) != (i < 4) {
			t.Errorf("encode %d of %dx%d, key %v, want %v", i, e.w, e.h, e.key, want)
		}
	}
	if n := h.studio.open; n != 2 {
		t.Errorf("%d encoders are open, want 2", n)
	}
}

// However slow the encoder, Write returns; what it missed is counted, and it gets the newest.
func TestWriteNeverWaits(t *testing.T) {
	h := newTheatre(t, Config{})
	h.enter(&person{id: "a", picture: Plain})
	goOn := h.studio.hang()
	h.play(t, film{name: small, frames: 8})
	if n := h.replaced.Load(); n < 5 || n > 7 {
		t.Errorf("%d frames were replaced, want 6 or so", n)
	}
	goOn()
	h.settle(t)
	got := h.studio.encodes()
	if n := len(got); n < 2 || n > 3 || got[n-1].f.Seq != 7 {
		t.Errorf("encoded %d frames, the last is %d, want 2 with the newest", n, got[n-1].f.Seq)
	}
}

// An encoder that fails is given up and made anew, beginning with a key frame; the pipeline goes on.
func TestEncoderFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTheatre(t, Config{})
		h.enter(&person{id: "a", picture: Plain})
		h.studio.fail = 1
		h.play(t, film{name: small, frames: 4, each: func(int, *pipeline.Result) { synctest.Wait(); time.Sleep(600 * time.Millisecond) }})
		got := h.studio.encodes()
		if len(got) < 2 || !got[0].key || h.lanes[Plain].errors.Load() != 1 || len(h.studio.made) != 2 {
			t.Errorf("%d encodes by %d encoders, %d errors", len(got), len(h.studio.made), h.lanes[Plain].errors.Load())
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Fault 4: within two seconds viewers see and are told that nothing comes; then it goes on.
func TestFault4Stall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTheatre(t, Config{})
		if h.Ready() == nil {
			t.Error("ready before the first picture")
		}
		p := h.enter(&person{id: "a", picture: Plain})
		h.enter(&person{id: "b", picture: Overlay})
		h.play(t, film{name: small, frames: 2, each: func(int, *pipeline.Result) { synctest.Wait() }})
		version := h.version
		time.Sleep(1700 * time.Millisecond)
		synctest.Wait()
		if err := h.Ready(); err != nil || h.Stats().Stalled {
			t.Errorf("stalled after 1.7 s: %v", err)
		}
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		if h.Ready() == nil || !h.Stats().Stalled || !strings.Contains(p.last(), `"stalled":true`) {
			t.Errorf("not stalled after 2 s; the viewer was told %s", p.last())
		}
		if got := p.got(); !got[len(got)-1].Stale {
			t.Error("the picture after 2 s is not marked as old")
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		data, plain := p.got(), h.audience.sent(Plain)
		if n := len(plain); n < 2+4 || n > 2+7 || len(data) != n || len(h.audience.sent(Overlay)) != n {
			t.Errorf("%d pictures and %d data in 7 s of silence, want one a second", n, len(data))
		}
		if last := data[len(data)-1]; !last.Stale || last.Seq != 1 || data[1].Stale {
			t.Errorf("the data say %+v", last)
		}
		if h.version < version+4 {
			t.Errorf("single pictures changed %d times", h.version-version)
		}
		h.play(t, film{name: small, frames: 1, each: func(int, *pipeline.Result) { synctest.Wait() }})
		if h.Ready() != nil || !strings.Contains(p.last(), `"stalled":false`) {
			t.Errorf("still stalled: %s", p.last())
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Fault 35: who joins a source that is slow sees the last picture at once, whole.
func TestFault35JoinBetweenFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTheatre(t, Config{})
		h.play(t, film{name: small, frames: 1})
		time.Sleep(time.Second)
		h.enter(&person{id: "a", picture: Plain})
		h.KeyFrame(Plain)
		time.Sleep(300 * time.Millisecond)
		synctest.Wait()
		if got := h.audience.sent(Plain); len(got) == 0 || !got[0].Key {
			t.Errorf("%d pictures within 300 ms of joining", len(got))
		}
		h.play(t, film{name: small, frames: 1, each: func(int, *pipeline.Result) { synctest.Wait() }})
		h.KeyFrame(Plain)
		h.play(t, film{name: small, frames: 1, each: func(int, *pipeline.Result) { synctest.Wait() }})
		got := h.studio.encodes()
		if n := len(got); !got[n-1].key || got[n-2].key {
			t.Errorf("the last two encodes: %+v", got[n-2:])
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestBitrate(t *testing.T) {
	h := newTheatre(t, Config{Bitrate: 900_000})
	h.enter(&person{id: "a", picture: Plain})
	h.play(t, film{name: small, frames: 1, each: h.slowly(t)})
	h.SetBitrate(Plain, 300_000)
	h.SetBitrate(7, 1)
	h.play(t, film{name: small, frames: 1, each: h.slowly(t)})
	if got := h.studio.encodes(); len(got) != 2 || got[0].rate != 900_000 || got[1].rate != 300_000 {
		t.Errorf("encodes %+v", got)
	}
}

// A viewer that paused gets nothing, and costs nothing if it is the only one.
func TestPause(t *testing.T) {
	h := newTheatre(t, Config{})
	p := h.enter(&person{id: "a", picture: Plain})
	h.control(p, []byte(`{"type":"set","paused":true}`))
	h.play(t, film{name: small, frames: 2, each: h.slowly(t)})
	if len(h.studio.encodes()) != 0 || len(p.got()) != 0 || !p.paused {
		t.Errorf("%d encodes, %d data", len(h.studio.encodes()), len(p.got()))
	}
	h.control(p, []byte(`{"type":"set","paused":false}`))
	h.play(t, film{name: small, frames: 2, each: h.slowly(t)})
	if len(h.studio.encodes()) != 2 || len(p.got()) != 2 {
		t.Errorf("after it: %d encodes, %d data", len(h.studio.encodes()), len(p.got()))
	}
	h.control(p, []byte(`{"type":"set","paused":true}`))
	other := h.enter(&person{id: "b", picture: Plain})
	h.play(t, film{name: small, frames: 2, each: h.slowly(t)})
	if len(other.got()) != 2 || len(p.got()) != 2 {
		t.Errorf("beside another: %d data for it, %d for the other", len(p.got())-2, len(other.got()))
	}
}

// The state reaches a viewer whose channel opens late.
func TestStateIsOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newTheatre(t, Config{Source: "somewhere"})
		p := h.enter(&person{id: "a", picture: Plain, deaf: true})
		f := h.enter(&person{id: "b", picture: Plain, foreign: true})
		time.Sleep(time.Second)
		p.mu.Lock()
		p.deaf = false
		p.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		if !p.heard(`"source":"somewhere"`) || len(p.said) != 1 || len(f.said) != 0 {
			t.Errorf("told %q", p.said)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
}

// After Close nothing happens any more.
func TestClosed(t *testing.T) {
	h := newTheatre(t, Config{})
	h.enter(&person{id: "a", picture: Plain})
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	h.play(t, film{name: small, frames: 1})
	if _, _, err := h.JPEG(t.Context(), "plain", -1, 0); err == nil {
		t.Error("a picture after Close")
	}
	if len(h.studio.encodes()) != 0 {
		t.Error("encoded after Close")
	}
}
