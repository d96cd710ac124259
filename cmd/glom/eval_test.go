package main

import (
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glomstream/pipeline/eval"
)

// drawMask writes a grey PNG in which a square has the value.
func drawMask(t *testing.T, path string, w, h int, value uint8) {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, w, h))
	for y := h / 4; y < h/2; y++ {
		for x := w / 4; x < w/2; x++ {
			img.Pix[y*w+x] = value
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := png.Encode(file, img); err != nil {
		t.Fatal(err)
	}
}

// TestEval measures a scene and a folder with all other methods, and writes everything.
func TestEval(t *testing.T) {
	dir := t.TempDir()
	video := filepath.Join(dir, "set", "horse")
	for _, name := range []string{"0.png", "1.png", "2.png"} {
		if err := os.MkdirAll(filepath.Join(video, "frames"), 0o777); err != nil {
			t.Fatal(err)
		}
		drawPicture(t, filepath.Join(video, "frames", name), 96, 64)
		drawMask(t, filepath.Join(video, "masks", name), 96, 64, 255)
	}
	file, page, plots := filepath.Join(dir, "x.json"), filepath.Join(dir, "x.md"), filepath.Join(dir, "plots")
	if err := os.Mkdir(plots, 0o777); err != nil {
		t.Fatal(err)
	}
	table := succeed(t, "eval", filepath.Join(dir, "set"), "synthetic:twins?size=96x64&frames=3", "--baselines",
		"--json", file, "--report", page, "--plots", plots, "-q")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r eval.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Schema != eval.Schema || r.Weights != builtIn || len(r.Sets) != 2 || r.Sets[0].Sequences[0].Name != "horse" || r.Sets[0].Sequences[0].Frames != 3 {
		t.Errorf("schema %s, weights %s, %d sets", r.Schema, r.Weights, len(r.Sets))
	}
	markdown, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"## set", "## synthetic:twins", "glom, level 3", "front end alone", "fixed descriptor", "best J"} {
		if !strings.Contains(table, want) || !strings.Contains(string(markdown), want) {
			t.Errorf("the tables do not tell of %q", want)
		}
	}
	if !strings.Contains(string(markdown), "Made by `glom eval "+filepath.Join(dir, "set")) {
		t.Errorf("the page does not say how it was made: %.200s", markdown)
	}
	if out := succeed(t, "eval", filepath.Join(dir, "set"), "--only", "horse", "--frames", "2", "--steps", "2", "-q", "--json", "-"); !strings.Contains(out, `"frames": 2`) {
		t.Errorf("--json - prints %.300s", out)
	}

	mask := filepath.Join(video, "masks", "1.png")
	drawMask(t, mask, 48, 64, 255)
	fail(t, exitFailed, []string{"eval", filepath.Join(dir, "set"), "-q"}, "horse", mask, "48x64 pixels, its frame has 96x64")
	fail(t, exitFailed, []string{"eval", filepath.Join(dir, "set"), "--only", "cow", "-q"}, "no such sequence", "horse")
	fail(t, exitUsage, []string{"eval", "synthetic:lock", "--only", "cow", "-q"}, "--only cow", "no sequences in synthetic:lock")
	fail(t, exitFailed, []string{"eval", filepath.Join(dir, "nowhere"), "-q"}, "nowhere", "no such file")
	put(t, plots, "lock.png", []byte("mine"))
	fail(t, exitFailed, []string{"eval", "synthetic:lock", "-q", "--frames", "1", "--plots", plots}, filepath.Join(plots, "lock.png"), "give -y")
	fail(t, exitFailed, []string{"eval", tiny, "-q", "--plots", page}, page)
	fail(t, exitFailed, []string{"eval", tiny, "-q", "--report", filepath.Join(dir, "no-folder", "x.md")}, "x.md", "make it first")
	fail(t, exitFailed, []string{"eval", tiny, "-q", "--json", file}, file, "give -y")

	// A set that fails keeps what was measured before it.
	again := filepath.Join(dir, "again.json")
	fail(t, exitFailed, []string{"eval", tiny, filepath.Join(dir, "set"), "-q", "--json", again}, "48x64", "is kept")
	var kept eval.Report
	if text, err := os.ReadFile(again); err != nil || json.Unmarshal(text, &kept) != nil || len(kept.Sets[0].Sequences) != 1 {
		t.Errorf("after an error: %v, %d sets", err, len(kept.Sets))
	}
	fail(t, exitFailed, []string{"eval", "synthetic:nonsense", "-q"}, "unknown synthetic scene")
	fail(t, exitUsage, []string{"eval"}, "glom help eval")
	fail(t, exitUsage, []string{"eval", tiny, "--steps", "0"}, "--steps 0")
}

// measured runs glom eval and returns what it reports.
func measured(t *testing.T, args ...string) *eval.Report {
	t.Helper()
	report := new(eval.Report)
	out := succeed(t, append([]string{"eval", "-q", "--json", "-"}, args...)...)
	if err := json.Unmarshal([]byte(out), report); err != nil {
		t.Fatal(err)
	}
	return report
}

// TestTwinsOfBuiltIn follows two figures that look the same through their crossings: neither changes its id.
func TestTwinsOfBuiltIn(t *testing.T) {
	if testing.Short() {
		t.Skip("240 frames")
	}
	report := measured(t, "synthetic:twins")
	found := false
	for _, row := range report.Sets[0].Mean {
		switches, ok := row.Scores["switches"]
		if !ok || row.Method != eval.GLOM || *row.Level != 3 {
			continue
		}
		found = true
		if switches != 0 || row.Scores["matched"] < 0.7 {
			t.Errorf("%v identity switches, and an island for %.2f of the figures", switches, row.Scores["matched"])
		}
	}
	if !found {
		t.Error("no switches are counted")
	}
}

// TestParentsOfUnlearned measures what the tree of the unlearned model is held to: of all pairs of an
// island and its parent at least 95 of 100 lie mostly in the same whole.
func TestParentsOfUnlearned(t *testing.T) {
	if testing.Short() {
		t.Skip("150 frames")
	}
	report := measured(t, "synthetic:demo", "synthetic:twins", "synthetic:sprites", "synthetic:occlusion",
		"synthetic:twotone", "--frames", "30", "--weights", "none")
	for _, set := range report.Sets {
		right, pairs := 0.0, 0.0
		for _, row := range set.Mean {
			if rate, ok := row.Scores["parents"]; ok && row.Method == eval.GLOM {
				right += rate * row.Scores["islands"]
				pairs += row.Scores["islands"]
			}
		}
		t.Logf("%s: %.3f of %.0f a frame", set.Name, right/pairs, pairs)
		if !(right >= 0.95*pairs) {
			t.Errorf("%s: %.3f of the parents are right, want 0.95", set.Name, right/pairs)
		}
	}
	if len(report.Sets) != 5 {
		t.Errorf("%d scenes, want 5", len(report.Sets))
	}
}
