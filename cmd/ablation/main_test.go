package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glomstream/glom"
	"glomstream/glom/compose"
	"glomstream/glom/conv"
	"glomstream/glom/train"
	"glomstream/pipeline/eval"
)

// bench is a folder with settings and results.
type bench struct {
	t   *testing.T
	dir string
}

func (b bench) put(file, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, file), []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// train trains a variant.
func (b bench) train(name string, updates, stop int) {
	b.t.Helper()
	src, err := compose.New(compose.Config{T: 2, H: 32, W: 32})
	if err != nil {
		b.t.Fatal(err)
	}
	c := train.Config{
		Updates: updates, Clips: 1, Decoder: 8,
		Model: glom.Config{Dim: 8, Hidden: 8}, FrontEnd: conv.Config{Dim: 8, Widths: []int{4, 4, 4}},
	}
	j := train.Job{Out: filepath.Join(b.dir, name+".safetensors"), Config: c, Data: "squares", Stop: stop}
	if err := train.Run(b.t.Context(), j, src); err != nil {
		b.t.Fatal(err)
	}
}

// report writes what glom eval measured.
func (b bench) report(name string, auc float64, frames int) {
	b.t.Helper()
	level, part := 3, 2
	text, err := json.Marshal(eval.Report{Model: glom.Config{Levels: 5}, Sets: []eval.SetReport{{
		Name: "davis", Sequences: []eval.SequenceReport{{Name: "bear", Frames: frames}},
		Mean: []eval.Row{
			{Task: "division", Method: eval.GLOM, Level: &part, Truth: "objects", Scores: map[string]float64{"auc": 0.99}},
			{Task: "division", Method: "SLIC", Truth: "objects", Scores: map[string]float64{"auc": 0.98}},
			{Task: "division", Method: eval.GLOM, Level: &level, Scores: map[string]float64{"islands": 10 * auc}},
			{Task: "division", Method: eval.GLOM, Level: &level, Truth: "objects", Scores: map[string]float64{"auc": auc, "ari": 0.25}},
			{Task: "salient", Method: "MOG2", Scores: map[string]float64{"j": 0.75}},
			{Task: "salient", Method: eval.GLOM, Scores: map[string]float64{"j": 0.5}},
		},
	}}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.put("out/"+name+".json", string(text))
}

func TestPage(t *testing.T) {
	b := bench{t, t.TempDir()}
	if err := os.Mkdir(filepath.Join(b.dir, "out"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(b.dir, "out")
	page := filepath.Join(b.dir, "page.md")
	b.put("base.json", `{"clips": 1}`)
	for name, auc := range map[string]float64{"default": 0.5, "deaf": 0.75} {
		b.put(name+".json", `{"seed": 0}`+"\n\n")
		b.train("out/"+name, 1, 0)
		b.report(name, auc, 3)
	}
	if err := run(b.dir, out, page, []string{"default", "deaf"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"1 updates of 1 clips, seed 0; clips: squares", "davis: 1 sequences, 3 frames",
		"| default | 0.500 |  | **0.250** | **0.500** |  | 5.0 |\n",
		"| deaf | **0.750** |  | **0.250** | **0.500** |  | 7.5 |\n",
		"deaf:\n\n```json\n{\"seed\": 0}\n```\n", "Of all:\n\n```json\n{\"clips\": 1}\n```\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}

	refused := func(names []string, wants ...string) {
		t.Helper()
		err := run(b.dir, out, page, names)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v, want %q", names, err, want)
			}
		}
	}
	refused(nil, "name the variants")
	refused([]string{"default", "dumb"}, "variant dumb", "dumb.json")
	b.put("dumb.json", `{}`)
	refused([]string{"default", "dumb"}, "variant dumb", "dumb.safetensors")
	b.train("out/dumb", 2, 1)
	refused([]string{"default", "dumb"}, "1 of 2 updates only")
	b.train("out/dumb", 2, 0)
	refused([]string{"default", "dumb"}, "out/dumb.json")
	b.put("out/dumb.json", `{}`)
	refused([]string{"default", "dumb"}, "nothing was measured")
	b.report("dumb", 0.5, 3)
	refused([]string{"default", "dumb"}, "default and dumb cannot be compared", "1 updates", "2 updates")
	b.report("deaf", 0.5, 4)
	refused([]string{"default", "deaf"}, "default and deaf cannot be compared", "3 frames", "4 frames")
}

// The settings that come with the program are read by the trainer, and do what they say.
func TestSettings(t *testing.T) {
	files, err := filepath.Glob("../../bench/ablation/*.json")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files of settings, error %v; want 9", len(files), err)
	}
	config := func(name string) (c train.Config) {
		for _, file := range []string{"base", name} {
			text, err := os.ReadFile("../../bench/ablation/" + file + ".json")
			if err != nil {
				t.Fatal(err)
			}
			dec := json.NewDecoder(strings.NewReader(string(text)))
			dec.DisallowUnknownFields()
			if err := dec.Decode(&c); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
		}
		tr, err := train.New(c)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return tr.Config()
	}
	same := config("default")
	// without is the default mix without one piece.
	without := func(c train.Config, leave func(*glom.Mix)) bool {
		for l, m := range same.Model.Mix {
			if leave(&m); c.Model.Mix[l] != m {
				return false
			}
		}
		return true
	}
	for _, tt := range []struct {
		name string
		ok   func(c train.Config) bool
	}{
		{"no-attention", func(c train.Config) bool {
			return without(c, func(m *glom.Mix) { m.Att = 0 })
		}},
		{"no-top-down", func(c train.Config) bool {
			return without(c, func(m *glom.Mix) { m.TD = 0 })
		}},
		{"no-flow", func(c train.Config) bool { return c.FrontEnd.Channels == 3 }},
		{"literal", func(c train.Config) bool { return c.Model.Order == glom.Sync && c.Model.Query == glom.QueryState }},
		{"self-supervised", func(c train.Config) bool { return c.SelfSupervised && c.Losses == train.SelfSupervisedLosses() }},
		{"dim-32", func(c train.Config) bool { return c.Model.Dim == 32 && c.FrontEnd.Dim == 32 }},
		{"dim-128", func(c train.Config) bool { return c.Model.Dim == 128 && c.FrontEnd.Dim == 128 }},
	} {
		if c := config(tt.name); !tt.ok(c) || tt.ok(same) || c.Updates != same.Updates || c.Clips != same.Clips || c.Rate != same.Rate {
			t.Errorf("%s: settings %+v", tt.name, c)
		}
	}
}
