package main

import (
	"bytes"
	"encoding/json"
	"image"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"glomstream/capture"
	"glomstream/glom/islands"
	"glomstream/pipeline"
)

// twoLevels is a result of 2 by 4 locations over 80 by 20 pixels, of two levels of two islands.
func twoLevels() *pipeline.Result {
	r := &pipeline.Result{Frame: capture.Frame{Seq: 7, PTS: 233333333 * time.Nanosecond, W: 80, H: 20}, Dropped: 2, Cut: true, Steps: 8, Unsettled: 0.12345}
	r.Islands = []islands.Level{
		{
			Rows: 2, Cols: 4, ID: []uint16{3, 3, 9, 9, 3, 3, 3, 9},
			Events: []islands.Event{{Kind: islands.Split, ID: 3, Other: 9}, {Kind: islands.Birth, ID: 9}},
			Islands: []islands.Island{
				{
					ID: 3, Area: 5, Box: image.Rect(0, 0, 3, 2), X: 0.8, Y: 0.6, Norm: 0.9, Spread: 0.43588989,
					Agreement: 0.8, Age: 1,
				},
				{ID: 9, Area: 3, Box: image.Rect(2, 0, 4, 2), X: 8. / 3, Y: 1. / 3, Norm: 1, Agreement: 0.5},
			},
		},
		{
			Rows: 2, Cols: 4, ID: []uint16{1, 1, 1, 2, 1, 1, 1, 2},
			Islands: []islands.Island{
				{ID: 1, Area: 6, Box: image.Rect(0, 0, 3, 2), X: 1, Y: 0.5, Norm: 0.7, Spread: 0.71414284, Agreement: 1, Age: 98},
				{ID: 2, Area: 2, Box: image.Rect(3, 0, 4, 2), X: 3, Y: 0.5, Norm: 0.99999999, Agreement: 0.25, Age: 6},
			},
		},
	}
	new(islands.Linker).Link(r.Islands)
	return r
}

// golden is the line of twoLevels, broken where an object of the tree begins.
const golden = `{"schema":"glomstream.frame/2","frame":7,"time_s":0.233333,"width":80,"height":20,"dropped":2,"cut":true,"steps":8,"unsettled":0.1235,"levels":[
{"level":0,"name":"primary","nesting":0.875,"agreement":0.6875,"events":[{"kind":"split","id":3,"other":9},{"kind":"birth","id":9}],"islands":[
{"id":3,"parent":1,"nesting":1,"area":1000,"box":[0,0,60,20],"centroid":[26,11],"outline":[[0,0,40,0,40,10,60,10,60,20,0,20]],"norm":0.9,"spread":0.4359,"agreement":0.8,"age":1,"confidence":0.48},
{"id":9,"parent":2,"nesting":0.6667,"area":600,"box":[40,0,40,20],"centroid":[63.3,8.3],"outline":[[40,0,80,0,80,20,60,20,60,10,40,10]],"norm":1,"spread":0,"agreement":0.5,"age":0,"confidence":0.25}]},
{"level":1,"name":"scene","agreement":0.8125,"islands":[
{"id":1,"area":1200,"box":[0,0,60,20],"centroid":[30,10],"outline":[[0,0,60,0,60,20,0,20]],"norm":0.7,"spread":0.7141,"agreement":1,"age":98,"confidence":0.693},
{"id":2,"area":400,"box":[60,0,20,20],"centroid":[70,10],"outline":[[60,0,80,0,80,20,60,20]],"norm":1,"spread":0,"agreement":0.25,"age":6,"confidence":0.2187}]}]}
`

func TestLine(t *testing.T) {
	var b bytes.Buffer
	l, err := newLines("-", &b)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Write(twoLevels()); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(strings.TrimSuffix(golden, "\n"), "\n", "") + "\n"
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	checkSchema(t, compile(t), b.Bytes())
}

// compile reads the schema of the lines.
func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	s, err := jsonschema.NewCompiler().Compile("../../docs/schema/frame-2.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func checkSchema(t *testing.T, s *jsonschema.Schema, line []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
	if err == nil {
		err = s.Validate(v)
	}
	if err != nil {
		t.Errorf("%.200s…: %v", line, err)
	}
}

// TestSchema holds what the program writes against the schema, and spoils it, to see the schema fail.
func TestSchema(t *testing.T) {
	s := compile(t)
	for _, args := range []string{tiny, "synthetic:demo?size=97x65&frames=3", "synthetic:cut?size=64x64&frames=4"} {
		text := succeed(t, "process", args, "--json", "-", "-q")
		for line := range strings.Lines(text) {
			checkSchema(t, s, []byte(line))
		}
	}
	line := strings.ReplaceAll(golden, "\n", "")
	for _, c := range [][2]string{
		{`frame/2`, `frame/3`},
		{`"frame":7`, `"frame":-7`},
		{`"dropped":2,`, ``},
		{`"name":"scene"`, `"name":"nose"`},
		{`"id":9`, `"id":0`},
		{`"parent":2,`, ``},
		{`"nesting":0.6667,`, ``},
		{`"norm":0.9`, `"norm":1.1`},
		{`"age":98`, `"age":9.8`},
		{`[[60,0,80,0,80,20,60,20]]`, `[]`},
		{`[70,10]`, `[70]`},
		{`"kind":"birth","id":9`, `"kind":"birth"`},
		{`"kind":"birth"`, `"kind":"marriage"`},
		{`"steps":8,`, ``},
		{`"unsettled":0.1235`, `"unsettled":2`},
		{`"islands":[`, `"islets":[`},
	} {
		spoilt := strings.Replace(line, c[0], c[1], 1)
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(spoilt))
		if err != nil || spoilt == line {
			t.Fatalf("%q: %v", c, err)
		}
		if s.Validate(v) == nil {
			t.Errorf("the schema takes %s for %s", c[1], c[0])
		}
	}
}

// TestLineIsFinite has values that JSON cannot say.
func TestLineIsFinite(t *testing.T) {
	r := twoLevels()
	for i, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64} {
		s := &r.Islands[i%2].Islands[i/2]
		s.Norm, s.Spread, s.X, s.Y, s.Agreement, s.Confidence, s.Nesting = bad, bad, bad, bad, bad, bad, bad
		r.Islands[i%2].Agreement, r.Islands[i%2].Nesting = bad, bad
	}
	if _, err := json.Marshal(describe(r)); err != nil {
		t.Error(err)
	}
	if got := round(-0.01, 10); got != 0 || math.Signbit(got) {
		t.Errorf("-0.01 rounds to %v", got)
	}
}

// TestTreeOfLines checks on real output that the tree hangs together: an island is
// what its children are, the level's nesting is that of its islands, and confidence follows its formula.
func TestTreeOfLines(t *testing.T) {
	lines := readLines(t, succeed(t, "process", "synthetic:demo?size=320x180&frames=4", "--json", "-", "-q"))
	for _, line := range lines {
		for k, l := range line.Levels {
			inside, area := 0.0, 0.0
			children := map[uint16]float64{} // area of those of each island above
			for _, s := range l.Islands {
				children[s.Parent] += s.Area
				inside, area = inside+s.Nesting*s.Area, area+s.Area
				if want := s.Norm * s.Agreement * float64(s.Age+1) / float64(s.Age+2); math.Abs(s.Confidence-want) > 2e-4 {
					t.Errorf("frame %d level %d island %d: confidence %v, want %v", line.Frame, k, s.ID, s.Confidence, want)
				}
				if k+1 == len(line.Levels) {
					if s.Parent != 0 {
						t.Errorf("frame %d: island %d at the top has a parent", line.Frame, s.ID)
					}
					continue
				}
				if !hasIsland(line.Levels[k+1], s.Parent) {
					t.Errorf("frame %d level %d island %d: there is no parent %d", line.Frame, k, s.ID, s.Parent)
				}
			}
			if k+1 < len(line.Levels) {
				const rounded = 8 // a location has 64 pixels
				for _, s := range line.Levels[k+1].Islands {
					if math.Abs(children[s.ID]-s.Area) > rounded {
						t.Errorf("frame %d level %d island %d: area %v, its children have %v", line.Frame, k+1, s.ID, s.Area, children[s.ID])
					}
				}
			}
			if math.Abs(inside/area-l.Nesting) > 1e-3 {
				t.Errorf("frame %d level %d: nesting %v, but %v of its islands", line.Frame, k, l.Nesting, inside/area)
			}
		}
	}
}

func hasIsland(l levelLine, id uint16) bool {
	for _, s := range l.Islands {
		if s.ID == id {
			return true
		}
	}
	return false
}

// TestDocumented looks up every field in the page that tells of it.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/schema.md")
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	text, err := json.Marshal(cocoAnnotation{ParentTrack: 1})
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		t.Fatal(err)
	}
	for field := range strings.SplitSeq(golden, `"`) {
		if strings.Contains(golden, `"`+field+`":`) {
			fields[field] = nil
		}
	}
	for field := range fields {
		if !strings.Contains(string(page), "`"+field+"`") {
			t.Errorf("docs/schema.md does not tell of %q", field)
		}
	}
}

// BenchmarkLine writes as many islands as the demo scene has, 181.
func BenchmarkLine(b *testing.B) {
	r := pipeline.Result{Frame: capture.Frame{W: 640, H: 360}, Islands: make([]islands.Level, 5)}
	rng := rand.New(rand.NewPCG(1, 1))
	reader := islands.NewReader(islands.Config{})
	for l, n := range []int{51, 46, 40, 31, 13} {
		var at [][2]int // Voronoi cells, each of a direction of its own
		for range n {
			at = append(at, [2]int{rng.IntN(40), rng.IntN(22)})
		}
		const dim = 64
		x := make([]float32, 22*40*dim)
		for i := range 22 * 40 {
			near, best := 0, 1<<30
			for k, p := range at {
				if d := (i%40-p[0])*(i%40-p[0]) + (i/40-p[1])*(i/40-p[1]); d < best {
					near, best = k, d
				}
			}
			x[i*dim+near] = 1
		}
		reader.Read(&r.Islands[l], nil, x, nil, 22, 40, dim)
	}
	new(islands.Linker).Link(r.Islands)
	out, err := newLines("-", io.Discard)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := out.Write(&r); err != nil {
			b.Fatal(err)
		}
	}
}
