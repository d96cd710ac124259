package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"glomstream/glom/onednn"
)

// tiny is a source that takes no time.
const tiny = "synthetic:demo?size=96x64&frames=5"

// TestMain lets the test binary be glom itself, for the tests that need a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("GLOM_TEST_MAIN") != "" {
		main()
	}
	onednn.Use()
	os.Exit(m.Run())
}

// ran is what a command line did.
type ran struct {
	code     int
	out, err string
}

// try runs a command line in this process.
func try(t *testing.T, stdin io.Reader, args ...string) ran {
	t.Helper()
	var out, err bytes.Buffer
	code := run(context.Background(), args, terminal{stdin, &out, &err})
	return ran{code, out.String(), err.String()}
}

// succeed runs a command line that works, quietly, and returns its output.
func succeed(t *testing.T, args ...string) string {
	t.Helper()
	r := try(t, strings.NewReader(""), args...)
	if r.code != exitOK {
		t.Fatalf("glom %s: exit code %d, %s", strings.Join(args, " "), r.code, r.err)
	}
	return r.out
}

// fail runs a command line that does not work. The error is one line that holds all of want.
func fail(t *testing.T, code int, args []string, want ...string) {
	t.Helper()
	failFrom(t, strings.NewReader(""), code, args, want...)
}

func failFrom(t *testing.T, stdin io.Reader, code int, args []string, want ...string) {
	t.Helper()
	r := try(t, stdin, args...)
	if r.code != code {
		t.Errorf("glom %s: exit code %d, want %d", strings.Join(args, " "), r.code, code)
	}
	line, isLine := strings.CutSuffix(r.err, "\n")
	if !isLine || strings.Contains(line, "\n") || !strings.HasPrefix(line, "glom: ") {
		t.Errorf("glom %s: error %q is not one line that begins with the program", strings.Join(args, " "), r.err)
	}
	for _, w := range want {
		if !strings.Contains(line, w) {
			t.Errorf("glom %s: error %q does not say %q", strings.Join(args, " "), line, w)
		}
	}
}

// put writes a file into dir and returns its name.
func put(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsageErrors(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.mkv")
	for _, tt := range []struct {
		args string
		want string
	}{
		{"nothing", `unknown command "nothing"`},
		{"process", "one SOURCE, got 0"},
		{"process a b -o x.mkv", "one SOURCE, got 2"},
		{"process " + tiny, "nothing to write"},
		{"process " + tiny + " --no-such-flag", "glom help process"},
		{"process " + tiny + " --frames -1 --json -", "--frames -1"},
		{"process " + tiny + " --frames x --json -", "glom help process"},
		{"process " + tiny + " --open-timeout 0s --json -", "--open-timeout"},
		{"process " + tiny + " --level 5 -o " + out, `--level "5": want 0 to 4`},
		{"process " + tiny + " --level nose -o " + out, "object"},
		{"process " + tiny + " --view nose -o " + out, "nose"},
		{"process " + tiny + " --opacity 7 -o " + out, "opacity"},
		{"process " + tiny + " --order back --json -", "back"},
		{"process " + tiny + " --link 0 --json -", "--link 0: want over 0 up to 1"},
		{"process " + tiny + " --link 0.8,1.1 --json -", "--link 1.1: want"},
		{"process " + tiny + " --link 0.8,0.9 --json -", "--link has 2 values: want one, or one for each of the 5 levels"},
		{"process " + tiny + " --weights none --link 0.8,0.9 --json -", "--link has 2 values"},
		{"process " + tiny + " --link nose --json -", "--link"},
		{"process " + tiny + " --weights a.safetensors --config c.json --json -", "--weights a.safetensors"},
		{"process " + tiny + " -o x.avi", `".avi"; the name must end in .mkv, .webm or .mp4`},
		{"process " + tiny + " -o -", ".mkv"},
		{"process " + tiny + " -o x.mkv --json ./x.mkv", "same file"},
		{"process " + tiny + " --coco -", "--coco -"},
		{"process " + tiny + " --json x --coco ./x", "--json and --coco name the same file"},
		{"tree", "one SOURCE, got 0"},
		{"tree a b -o x.png", "one SOURCE, got 2"},
		{"tree " + tiny, "nothing to write"},
		{"tree " + tiny + " -o x.svg", `"x.svg": the name must end in .png`},
		{"tree " + tiny + " -o x", "must end in .png"},
		{"tree " + tiny + " --frame -1 -o x.png", "--frame -1"},
		{"tree " + tiny + " --open-timeout 0s -o x.png", "--open-timeout"},
		{"tree " + tiny + " -o x.png --json ./x.png", "same file"},
		{"tree " + tiny + " --order back --json -", "back"},
		{"process " + tiny + " --follow 3,4", "--follow-out DIR"},
		{"process " + tiny + " --follow-out x", "--follow MASK.png"},
		{"process " + tiny + " --follow 3,4 --follow-out x --salient ./x", "same folder"},
		{"bench --frames 0", "at least 1"},
		{"bench a b", "at most one"},
		{"bench watch", "one URL"},
		{"bench watch nowhere", "want the address"},
		{"bench watch http://127.0.0.1:1/ --picture nose", `--picture "nose"`},
		{"bench latency --viewers 0", "--receivers"},
		{"bench latency --receivers 1 --picture nose", `--picture "nose"`},
		{"doctor now", "no arguments"},
		{"version now", "no arguments"},
	} {
		fail(t, exitUsage, strings.Fields(tt.args), tt.want)
	}
	r := try(t, nil)
	if r.code != exitUsage || !strings.Contains(r.err, "Usage:") || !strings.HasSuffix(r.err, "glom: no command given\n") {
		t.Errorf("no command: exit code %d, %q", r.code, r.err)
	}
}

func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"help"}, {"--help"}, {"-h"}} {
		text := succeed(t, args...)
		for _, want := range []string{"process", "tree", "bench", "doctor", "version", "Examples:", "glom process video.mp4 -o annotated.mkv", "Exit codes"} {
			if !strings.Contains(text, want) {
				t.Errorf("glom %v does not tell of %q", args, want)
			}
		}
	}
	text := succeed(t, "help", "process")
	if text != succeed(t, "process", "--help") {
		t.Error("glom help process and glom process --help differ")
	}
	for _, want := range []string{
		"--output", "--masks", "--json", "--coco", "--salient", "--follow", "--follow-out", "--overwrite", "--level", "--view", "--opacity", "--weights", "--frontend", "--config",
		"--order", "--query", "--attention", "--frames", "--open-timeout", "--quiet", "--verbose",
		"Examples:", "rtsp://", "synthetic:NAME", "lock", "glom process - --json -",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the help of process does not tell of %q", want)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if len([]rune(line)) > 110 {
			t.Errorf("a line of the help is %d wide: %q", len([]rune(line)), line)
		}
	}
	text = succeed(t, "help", "tree")
	for _, want := range []string{
		"--frame", "--output", "--json", "--overwrite", "--weights", "--frontend", "--config", "--order", "--query", "--attention",
		"--open-timeout", "--quiet", "Examples:", "rtsp://", "glom tree photo.jpg -o tree.png",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the help of tree does not tell of %q", want)
		}
	}
	for _, want := range []string{"--frames", "--json", "--torch", "--rounds"} {
		if !strings.Contains(succeed(t, "bench", "--help"), want) {
			t.Errorf("the help of bench does not tell of %q", want)
		}
	}
	if !strings.Contains(succeed(t, "doctor", "--help"), "--json") {
		t.Error("the help of doctor does not tell of --json")
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		if got := succeed(t, arg); got != "glom "+version+"\n" {
			t.Errorf("glom %s prints %q", arg, got)
		}
	}
}

func TestDoctor(t *testing.T) {
	var r doctorReport
	if err := json.Unmarshal([]byte(succeed(t, "doctor", "--json")), &r); err != nil {
		t.Fatal(err)
	}
	if r.CPUs < 1 || r.OneDNN == "" || r.OpenCV == "" || len(r.Decoders) == 0 || len(r.Encoders) == 0 || len(r.Missing) > 0 {
		t.Errorf("report %+v", r)
	}
	table := succeed(t, "doctor")
	for _, want := range []string{"oneDNN", "cameras", "decoders", "encoders", "flow", "all that glom needs is here"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table does not tell of %q:\n%s", want, table)
		}
	}
}
