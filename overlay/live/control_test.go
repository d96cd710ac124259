package live

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"glomstream/overlay"
	"glomstream/overlay/record"
	"glomstream/pipeline"
)

func TestCommands(t *testing.T) {
	h := newTheatre(t, Config{})
	operator, viewer := h.enter(&person{id: "a", picture: Plain}), h.enter(&person{id: "b", picture: Plain, role: "viewer"})
	h.play(t, film{name: small, frames: 2})
	for _, tt := range []struct {
		who        *person
		msg, want  string
		everywhere bool // the other one is told, too
	}{
		{viewer, `{"type":"ping","t":12.5}`, `"type":"pong","t":12.5`, false},
		{viewer, `{"type":"set","level":2}`, `"level":2`, false},
		{viewer, `{"type":"set","level":5}`, `there are levels 0 to 4`, false},
		{viewer, `{"type":"follow","x":0.5,"y":0.5}`, `only an operator may`, false},
		{viewer, `{"type":"unfollow"}`, `only an operator may`, false},
		{viewer, `{"type":"draw","opacity":1}`, `only an operator may`, false},
		{viewer, `{"type":"snapshot"}`, `only an operator may`, false},
		{operator, `{"type":"draw","level":5}`, `there are levels 0 to 4`, false},
		{operator, `{"type":"draw","opacity":1}`, `"drawn":{"level":3,"opacity":1}`, true},
		{operator, `{"type":"draw","level":1}`, `"drawn":{"level":1,"opacity":1}`, true},
		{operator, `{"type":"snapshot"}`, `the server keeps none`, false},
		{operator, `{"type":"unfollow"}`, `"type":"state"`, true},
		{operator, `{"type":"nonsense"}`, `"error":"command`, false},
		{operator, `not json`, `"error":"parse command`, false},
		{operator, strings.Repeat("x", 10000), `"error":"parse command`, false},
		{viewer, `{"type":"keyframe"}`, `"role":"viewer","can":["set","keyframe","ping"]`, false},
		{operator, `{"type":"keyframe"}`, `"role":"operator","can":["set","keyframe","ping","follow","unfollow","draw"]`, false},
	} {
		other := map[*person]*person{operator: viewer, viewer: operator}[tt.who]
		before := len(other.said)
		h.control(tt.who, []byte(tt.msg))
		if !strings.Contains(tt.who.last(), tt.want) {
			t.Errorf("%.40s: told %s, want %s", tt.msg, tt.who.last(), tt.want)
		}
		if (len(other.said) > before) != tt.everywhere {
			t.Errorf("%.40s: the other viewer is told: %v, want %v", tt.msg, len(other.said) > before, tt.everywhere)
		}
	}
	h.left(viewer)
	if !strings.Contains(operator.last(), `"viewers":1`) {
		t.Errorf("after one has left: %s", operator.last())
	}
	h.control(viewer, []byte(`{"type":"set","level":1}`)) // too late
}

// A thing at a point is followed from frame to frame, and all are told which island it is in.
func TestFollowAtPoint(t *testing.T) {
	h := newTheatre(t, Config{})
	a, b := h.enter(&person{id: "a", picture: Plain}), h.enter(&person{id: "b", picture: Overlay, role: "viewer"})
	h.play(t, film{name: small, frames: 8, each: func(i int, r *pipeline.Result) {
		switch now := h.follow.now(); {
		case i == 1:
			h.control(a, []byte(`{"type":"follow","x":0.5,"y":0.5}`))
		case i < 1:
			if now != nil {
				t.Errorf("frame %d: %+v is followed", i, now)
			}
		default:
			if now == nil || now.Island == 0 || now.Lost {
				t.Fatalf("frame %d: %+v is followed", i, now)
			}
			if i == 2 { // the island at the middle of the picture
				l, near := &r.Islands[now.Level], false
				for row := l.Rows/2 - 1; row <= l.Rows/2+1; row++ {
					for col := l.Cols/2 - 1; col <= l.Cols/2+1; col++ {
						near = near || int(l.ID[row*l.Cols+col]) == now.Island
					}
				}
				if !near {
					t.Errorf("island %d is followed, which is not at the middle", now.Island)
				}
			}
		}
	}})
	if !a.heard(`"follow":{"level":`) || !b.heard(`"follow":{"level":`) {
		t.Errorf("told %s and %s", a.last(), b.last())
	}
	h.control(a, []byte(`{"type":"unfollow"}`))
	if strings.Contains(b.last(), "follow\":{") {
		t.Errorf("after unfollow: %s", b.last())
	}
	h.play(t, film{name: small, frames: 1})
	if h.follow.now() != nil {
		t.Error("it is followed again")
	}
}

// What an operator wants drawn is drawn for those who do not draw themselves, in the present picture already;
// others, and the levels that somebody asks for by name, are as before but for the opacity.
func TestDraw(t *testing.T) {
	h := newTheatre(t, Config{Draw: overlay.Config{All: true, Level: 3}})
	a := h.enter(&person{id: "a", picture: Overlay})
	h.play(t, film{name: small, frames: 2, each: h.slowly(t)})
	if !a.heard(`"drawn":{"level":3,"all":true,"opacity":0.45}`) {
		t.Errorf("told %s", a.last())
	}
	picture := func(name string, level int) image.Image {
		t.Helper()
		data, _, err := h.JPEG(t.Context(), name, level, 0)
		if err != nil {
			t.Fatal(err)
		}
		m, err := jpeg.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	plain, wide, second := picture("plain", -1), picture("overlay", -1), picture("overlay", 1)
	h.control(a, []byte(`{"type":"draw","level":1}`))
	if got := picture("overlay", -1); !reflect.DeepEqual(got, second) || got.Bounds() == wide.Bounds() {
		t.Errorf("the picture of level 1 has size %v and is not that of level 1, of size %v", got.Bounds(), second.Bounds())
	}
	h.control(a, []byte(`{"type":"draw","opacity":1}`))
	if got := picture("overlay", -1); reflect.DeepEqual(got, second) || !reflect.DeepEqual(got, picture("overlay", 1)) {
		t.Error("the opacity did not change, or not for all")
	}
	if !reflect.DeepEqual(picture("plain", -1), plain) {
		t.Error("the plain picture changed")
	}
	h.play(t, film{name: small, frames: 1, each: h.slowly(t)})
	if got := h.studio.encodes(); got[0].w != wide.Bounds().Dx() || got[len(got)-1].w != 96 {
		t.Errorf("encoded with widths %d and %d", got[0].w, got[len(got)-1].w)
	}
}

func TestFollowIsland(t *testing.T) {
	h := newTheatre(t, Config{})
	a := h.enter(&person{id: "a", picture: Plain})
	h.play(t, film{name: small, frames: 4, each: func(i int, r *pipeline.Result) {
		if i == 0 {
			h.control(a, []byte(`{"type":"follow","level":2,"island":1}`))
		}
		if now := h.follow.now(); i == 1 && (now == nil || now.Level != 2 || now.Island != 1) {
			t.Errorf("%+v is followed, want island 1 of level 2", now)
		}
	}})
	h.control(a, []byte(`{"type":"follow","level":2,"island":60000}`))
	h.play(t, film{name: small, frames: 2})
	if now := h.follow.now(); now != nil {
		t.Errorf("%+v is followed, though there is no such island", now)
	}
	h.control(a, []byte(`{"type":"follow","x":1,"y":1}`))
	h.play(t, film{name: small, frames: 2})
	if h.follow.now() == nil {
		t.Error("the corner is not followed")
	}
	h.play(t, film{name: "demo?size=64x96", frames: 2})
	if now := h.follow.now(); now != nil {
		t.Errorf("%+v is followed in a picture of another size", now)
	}
}

// Fault 30: snapshots have names of their own making and stay in their folder.
func TestFault30Snapshots(t *testing.T) {
	dir := t.TempDir()
	h := newTheatre(t, Config{Snapshots: dir})
	a := h.enter(&person{id: "a", picture: Plain})
	h.play(t, film{name: small, frames: 1})
	h.control(a, []byte(`{"type":"snapshot"}`))
	files, _ := filepath.Glob(filepath.Join(dir, "snapshot-*.jpg"))
	if len(files) != 2 || !strings.Contains(a.last(), `"notice":"snapshot-`) {
		t.Fatalf("files %q, told %s", files, a.last())
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err != nil || len(b) < 500 || string(b[:2]) != "\xff\xd8" {
			t.Errorf("%s: %d bytes, %v", f, len(b), err)
		}
	}
	h.control(a, []byte(`{"type":"snapshot"}`))
	if !strings.Contains(a.last(), "at most one a second") {
		t.Errorf("told %s", a.last())
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.Symlink(outside, filepath.Join(dir, "link.jpg")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../up.jpg", "link.jpg", filepath.Base(files[0]), "/etc/x.jpg"} {
		if err := writeNew(root, name, []byte("x")); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("a link led outside")
	}
}

func TestFoldersAreChecked(t *testing.T) {
	s := &studio{}
	if _, err := newLive(Config{Levels: 5, Snapshots: filepath.Join(t.TempDir(), "none")}, s.encoder); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("snapshots: %v", err)
	}
}

// What is drawn is recorded though nobody watches.
func TestRecord(t *testing.T) {
	dir := t.TempDir()
	h := newTheatre(t, Config{Record: record.Config{Dir: dir}})
	h.play(t, film{name: small, frames: 3, each: h.slowly(t)})
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.webm"))
	if len(files) != 1 || len(h.studio.encodes()) != 3 {
		t.Errorf("files %q, %d encodes", files, len(h.studio.encodes()))
	}
	if st := h.Stats(); !st.Recording || st.Failed != 0 {
		t.Errorf("stats %+v", st)
	}
}
