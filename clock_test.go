package glomstream_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// calendar lists the files that may ask what time it is by the calendar, which somebody may set, and
// what for. Elsewhere times are subtracted from each other, which the monotonic clock answers.
var calendar = map[string]string{
	"cmd/glom/latency.go":    "the time code in the picture, which the browser reads by the same calendar",
	"overlay/live/jpeg.go":   "the name of a snapshot",
	"overlay/meta/append.go": "the time of capture that viewers are told",
	"overlay/meta/parse.go":  "the same",
	"overlay/meta/state.go":  "the time that a pong tells",
	"overlay/record/webm.go": "the date of a recording",
	"overlay/stream/post.go": "the time at which a TURN password ends",
}

// TestClockStep checks that no interval is computed from the calendar's time: then a clock that is set
// has no effect on what waits, paces or times out.
func TestClockStep(t *testing.T) {
	asks := []string{"Unix", "UnixMilli", "UnixMicro", "UnixNano", "UTC", "Local"}
	met := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(outside, path) || strings.HasPrefix(path, ".") && path != "."):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains(asks, f.Sel.Name) {
				return true
			}
			met[filepath.ToSlash(path)] = true
			if calendar[filepath.ToSlash(path)] == "" {
				t.Errorf("%s calls %s: what for?", path, f.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for path := range calendar {
		if !met[path] {
			t.Errorf("%s is in the table but does not ask", path)
		}
	}
}
