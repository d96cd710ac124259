package train

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"glomstream/glom"
	"glomstream/glom/clips"
	"glomstream/glom/conv"
	"glomstream/glom/weights"
)

var tiny6 = boxes{t: 3, h: 32, w: 48, seed: 1}

func job(out string, updates int) Job {
	c := small()
	c.Updates, c.Losses = updates, DefaultLosses()
	return Job{Out: out, Config: c, Data: "boxes", Every: 2}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// stopAfter cancels a context while clip n is made.
type stopAfter struct {
	clips.Source
	n    uint64
	stop func()
}

func (s stopAfter) Clip(c *clips.Clip, n uint64) error {
	if n == s.n {
		s.stop()
	}
	return s.Source.Clip(c, n)
}

// A run that is stopped at any point and resumed leaves the same files as one that is not.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "whole")
	if err := Run(t.Context(), job(whole, 6), tiny6); err != nil {
		t.Fatal(err)
	}
	halt := errors.New("halt")
	for _, clip := range []uint64{5, 13, 20} { // in updates 2, 4 and 6, of 4 clips each
		out := filepath.Join(dir, "parts")
		ctx, cancel := context.WithCancelCause(t.Context())
		err := Run(ctx, job(out, 6), stopAfter{tiny6, clip, func() { cancel(halt) }})
		if !errors.Is(err, halt) {
			t.Fatalf("stopped at clip %d: got %v, want the cause", clip, err)
		}
		j := job(out, 0)
		j.Resume, j.Config = true, Config{}
		if err := Run(t.Context(), j, tiny6); err != nil {
			t.Fatal(err)
		}
		for _, suffix := range []string{"", ".checkpoint", ".ndjson"} {
			if !bytes.Equal(read(t, out+suffix), read(t, whole+suffix)) {
				t.Errorf("stopped at clip %d: file %q differs from that of a run in one piece", clip, suffix)
			}
		}
	}
	list, err := ReadLog(bytes.NewReader(read(t, whole+".ndjson")))
	if err != nil || len(list) != 6 || list[5].Step != 6 {
		t.Errorf("log of %d reports, error %v; want 6", len(list), err)
	}
}

// A run that is killed resumes from its last checkpoint; the log has each update once.
func TestResumeAfterKill(t *testing.T) {
	out := filepath.Join(t.TempDir(), "w")
	boom := errors.New("boom")
	src := tiny6
	src.err = boom
	j := job(out, 4)
	j.Every = 1
	if err := Run(t.Context(), j, src); !errors.Is(err, boom) { // in update 2; the first was saved
		t.Fatalf("got %v, want the source's error", err)
	}
	log, err := os.OpenFile(out+".ndjson", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(log, `{"step":2,"loss":1}`+"\n"+`{"step":3,"lo`)
	log.Close()
	j.Resume = true
	if err := Run(t.Context(), j, tiny6); err != nil {
		t.Fatal(err)
	}
	list, err := ReadLog(bytes.NewReader(read(t, out+".ndjson")))
	if err != nil || len(list) != 4 {
		t.Fatalf("log of %d reports, error %v; want 4", len(list), err)
	}
	for i, r := range list {
		if r.Step != i+1 {
			t.Errorf("report %d is of update %d", i, r.Step)
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "w")
	if err := Run(t.Context(), job(out, 1), tiny6); err != nil {
		t.Fatal(err)
	}
	j := job(out, 1)
	j.Resume = true
	j.Data = "other clips"
	if err := Run(t.Context(), j, tiny6); err == nil || !strings.Contains(err.Error(), "not with other clips") {
		t.Errorf("other data: got %v", err)
	}
	whole := read(t, out+".checkpoint")
	for _, n := range []int{0, 7, 100, len(whole) / 2, len(whole) - 1} {
		if _, _, err := Load(bytes.NewReader(whole[:n])); err == nil {
			t.Errorf("a checkpoint cut off at %d bytes: no error", n)
		}
	}
	if _, _, err := Load(bytes.NewReader(read(t, out))); !errors.Is(err, weights.ErrNoPart) {
		t.Errorf("weights without training state: got %v, want %v", err, weights.ErrNoPart)
	}
	j.Out = filepath.Join(dir, "none")
	if err := Run(t.Context(), j, tiny6); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no checkpoint: got %v", err)
	}
}

// One file gives the product the model and the front end, as averaged.
func TestWeightsFile(t *testing.T) {
	out := filepath.Join(t.TempDir(), "w")
	if err := Run(t.Context(), job(out, 2), tiny6); err != nil {
		t.Fatal(err)
	}
	tr, data, err := Load(bytes.NewReader(read(t, out+".checkpoint")))
	if err != nil || data != "boxes" {
		t.Fatalf("data %q, error %v", data, err)
	}
	f, err := weights.Read(bytes.NewReader(read(t, out)))
	if err != nil {
		t.Fatal(err)
	}
	model, err := glom.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	front, err := conv.FromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(model.Params.All, tr.average[:tr.atFront]) || !slices.Equal(front.Params, tr.average[tr.atFront:tr.atDecoder]) {
		t.Error("the weights file does not hold the averages")
	}
	if _, err := glom.Load(bytes.NewReader(read(t, out))); err != nil {
		t.Errorf("the model alone: %v", err)
	}
	// Both files say where they come from.
	for _, name := range []string{out, out + ".checkpoint"} {
		o, err := ReadOrigin(bytes.NewReader(read(t, name)))
		if err != nil || o.Step != 2 || o.Data != "boxes" || o.Config.Updates != 2 || o.Config.Model.Dim != 16 {
			t.Errorf("%s: origin %+v, error %v", name, o, err)
		}
	}
	var alone bytes.Buffer
	if err := model.Save(&alone); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadOrigin(&alone); !errors.Is(err, weights.ErrNoPart) {
		t.Errorf("weights without an origin: got %v, want %v", err, weights.ErrNoPart)
	}
}

// What fails while a file is written leaves the old file as it was, and nothing beside it.
func TestReplaceFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "f")
	if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := ReplaceFile(name, func(w io.Writer) error {
		io.WriteString(w, "half")
		return syscall.ENOSPC
	})
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), name) {
		t.Errorf("got %v, want one that names the file and the cause", err)
	}
	list, _ := os.ReadDir(dir)
	if string(read(t, name)) != "old" || len(list) != 1 {
		t.Errorf("the old file is %q, the folder has %d files; want it untouched, alone", read(t, name), len(list))
	}
	if err := ReplaceFile(name, func(w io.Writer) error { _, err := io.WriteString(w, "new"); return err }); err != nil || string(read(t, name)) != "new" {
		t.Errorf("error %v, file %q", err, read(t, name))
	}
	// A name that is no file keeps what it names: root could else rename a file over a device.
	link := filepath.Join(dir, "null")
	if err := os.Symlink(os.DevNull, link); err != nil {
		t.Fatal(err)
	}
	if err := Run(t.Context(), job(link, 1), tiny6); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("a run: got %v", err) // before it begins
	}
	for _, name := range []string{link, dir} {
		if err := ReplaceFile(name, func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), "no file") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if st, err := os.Stat(link); err != nil || st.Mode().IsRegular() {
		t.Errorf("the device is gone: %v", err)
	}
}

// A run that cannot go on says so and keeps its last checkpoint and the weights.
func TestDivergedKeepsCheckpoint(t *testing.T) {
	out := filepath.Join(t.TempDir(), "w")
	j := job(out, 50)
	j.Every, j.Stop = 1, 1
	if err := Run(t.Context(), j, tiny6); err != nil {
		t.Fatal(err)
	}
	tr, _, err := Load(bytes.NewReader(read(t, out+".checkpoint")))
	if err != nil {
		t.Fatal(err)
	}
	tr.dec.w2[0] = 1e30 // squared it is no float32 any more
	if err := ReplaceFile(out+".checkpoint", func(w io.Writer) error { return tr.Save(w, j.Data) }); err != nil {
		t.Fatal(err)
	}
	good, weights, log := read(t, out+".checkpoint"), read(t, out), read(t, out+".ndjson")
	j.Resume, j.Stop = true, 0
	if err := Run(t.Context(), j, tiny6); !errors.Is(err, ErrDiverged) || !strings.Contains(err.Error(), "update 2") {
		t.Errorf("got %v, want %v with the update", err, ErrDiverged)
	}
	if !bytes.Equal(read(t, out+".checkpoint"), good) || !bytes.Equal(read(t, out), weights) || !bytes.Equal(read(t, out+".ndjson"), log) {
		t.Error("the checkpoint, the weights or the log has changed")
	}
}

func TestHealth(t *testing.T) {
	c := small()
	tr := fresh(t, c)
	var r Report
	for range examineEvery {
		var err error
		if r, err = tr.Update(t.Context(), tiny6); err != nil {
			t.Fatal(err)
		}
	}
	h := r.Health
	if h == nil || len(h.Cosine) != 5 || len(h.Rank) != 5 || len(h.Spread) != 5 || len(h.Perplexity) != 5 {
		t.Fatalf("health %+v, want five levels of each", h)
	}
	for l := range 5 {
		if h.Rank[l] < 1 || h.Rank[l] > 16 || h.Spread[l] < 0 || h.Spread[l] > 1.1 || h.Perplexity[l] <= 0 || h.Perplexity[l] > 1 {
			t.Errorf("level %d: %+v is out of range", l, h)
		}
	}
	collapsed := Health{Cosine: []float64{0.5, 0.99, 0.2}, Rank: []float64{9, 9, 1.1}}
	if a := collapsed.Alarms(); len(a) != 2 || !strings.Contains(a[0], "level 1") || !strings.Contains(a[1], "level 2") {
		t.Errorf("alarms %q, want one for level 1 and one for level 2", a)
	}
}

// The default objectives do not collapse. Agreement alone, which may move the consensus, does; then
// there are alarms.
func TestCollapse(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for a while")
	}
	health := func(c Config) (h *Health) {
		tr := fresh(t, c)
		for range c.Updates {
			r, err := tr.Update(t.Context(), tiny6)
			if err != nil {
				t.Fatal(err)
			}
			if r.Health != nil {
				h = r.Health
			}
		}
		return h
	}
	for _, self := range []bool{false, true} {
		c := small()
		c.Rate, c.SelfSupervised = 3e-3, self
		h := health(c)
		t.Logf("%+v", h)
		if a := h.Alarms(); len(a) > 0 {
			t.Errorf("self-supervised %v: %q", self, a)
		}
	}
	c := small()
	c.Rate, c.Losses, c.Both = 1e-2, Losses{Agreement: 1}, true
	h := health(c)
	t.Logf("%+v", h)
	if len(h.Alarms()) == 0 {
		t.Errorf("agreement alone: %+v raises no alarm", h)
	}
}
