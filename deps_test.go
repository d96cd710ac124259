// Package glomstream_test checks which package imports what.
package glomstream_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "glomstream/"

// everything, in the table, stands for all packages.
const everything = "*"

// allowed lists, for each package, which of ours it may import. A package must be listed here.
var allowed = map[string][]string{
	".":                       {},
	"glom/camera":             {},
	"glom":                    {"glom/internal/gradcheck", "glom/internal/vec", "glom/weights"},
	"glom/conv":               {"glom/camera", "glom/internal/gradcheck", "glom/internal/vec", "glom/weights"},
	"glom/internal/gradcheck": {},                          // for tests
	"glom/internal/vec":       {"glom/internal/gradcheck"}, // its tests
	"glom/islands":            {"glom"},
	"glom/clips":              {"glom/internal/dice"},
	"glom/compose":            {"glom/clips", "glom/internal/dice"},
	"glom/internal/dice":      {},
	"glom/train":              {"glom", "glom/clips", "glom/conv", "glom/internal/gradcheck", "glom/internal/vec", "glom/metrics", "glom/weights"},
	"glom/train/cli":          {"glom/clips", "glom/compose", "glom/train"},
	"glom/trained":            {"glom", "glom/compose", "glom/conv", "glom/train", "glom/weights"}, // all but glom/weights: its tests
	"glom/weights":            {},
	"glom/metrics":            {},
	"glom/follow":             {"glom", "glom/camera", "glom/islands"},
	"glom/onednn":             {},
	"glom/salient":            {"glom", "glom/camera", "glom/islands"},
	"capture":                 {},
	"capture/cut":             {},
	"capture/scene":           {"capture"},
	"capture/descriptor":      {"capture", "glom/camera"},
	"capture/opencv":          {"capture", "capture/descriptor", "glom/conv"},
	"capture/baseline":        {"capture", "capture/opencv", "capture/scene"},
	"capture/libav":           {"capture"},
	"overlay/meta":            {},
	"overlay/page":            {"capture", "overlay", "overlay/meta", "overlay/stream", "overlay/vpx"}, // all for its tests
	"overlay":                 {"capture", "glom", "glom/islands"},
	"overlay/live":            {"capture", "capture/descriptor", "capture/scene", "glom", "glom/follow", "glom/islands", "overlay", "overlay/meta", "overlay/record", "overlay/stream", "overlay/vpx", "pipeline"}, // descriptor, scene: its tests
	"overlay/web":             {},
	"overlay/record":          {"capture", "capture/libav", "overlay/vpx"},                                                                                                        // all for its tests
	"overlay/vpx":             {"capture", "capture/scene"},                                                                                                                       // scene: its tests
	"pipeline":                {"capture", "capture/cut", "capture/descriptor", "capture/scene", "glom", "glom/camera", "glom/follow", "glom/islands", "glom/metrics", "overlay"}, // scene, glom/metrics: its tests
	"overlay/stream":          {},
	"pipeline/eval":           {"capture", "capture/descriptor", "capture/scene", "glom", "glom/islands", "glom/metrics", "pipeline"},
	"cmd/ablation":            {"glom", "glom/compose", "glom/conv", "glom/train", "pipeline/eval"}, // glom, glom/compose, glom/conv: its tests
	"cmd/glom":                {everything},
	"cmd/glomtrain":           {"glom", "glom/clips", "glom/onednn", "glom/train", "glom/train/cli"},
}

// moduleOwner names the one package that may import modules of that path.
var moduleOwner = map[string]string{
	"gocv.io/":         "capture/opencv",
	"github.com/pion/": "overlay/stream",
}

// cgoOwner names, for each package that may use cgo, the words that its #cgo lines may contain
// of the libraries below.
var cgoOwner = map[string][]string{
	"capture/opencv": {"opencv"},
	"capture/libav":  {"libav", "libsw", "-lav", "-lsw"},
	"glom/onednn":    {"dnnl"},
	"overlay/vpx":    {"vpx"},
}

// foreign are the files that only a package with cgo may hold.
var foreign = []string{".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp"}

// outside are the folders at the top that hold no packages of the module.
var outside = []string{"bench", "bin", "docs", "out", "shared", "tools"}

func TestImports(t *testing.T) {
	// The files are parsed in this process: a test that runs "go list" is answered from the
	// test cache although a violation was added.
	found, err := inspect(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found.violations {
		t.Error(v)
	}
	for pkg := range allowed {
		if !slices.Contains(found.packages, pkg) {
			t.Errorf("%s is in the table but holds no Go file", pkg)
		}
	}
}

// TestInspect plants violations and checks that each one is found.
func TestInspect(t *testing.T) {
	tests := []struct {
		name, file, source string
		want               string // part of the only violation; none if empty
	}{
		{"clean", "overlay/a.go", `import ("image"; "glomstream/glom")`, ""},
		{"own package from outside", "glom/a_test.go", `import "glomstream/glom"`, ""},
		{"command", "cmd/glom/a.go", `import "glomstream/capture/opencv"`, ""},
		{"skipped folders", "tools/a.go", `import "gocv.io/x/gocv"`, ""},
		{"skipped testdata", "glom/testdata/src/a.go", `import "gocv.io/x/gocv"`, ""},
		{"skipped hidden", ".ci/a.go", `import "gocv.io/x/gocv"`, ""},
		{"owner", "capture/opencv/a.go", `import "gocv.io/x/gocv"`, ""},
		{"cgo", "glom/onednn/a.go", "// #cgo LDFLAGS: -ldnnl\nimport \"C\"", ""},
		{"cgo with pkg-config", "capture/libav/a.go", "/*\n#cgo pkg-config: libavcodec libswscale\n*/\nimport \"C\"", ""},
		{"C++ beside cgo", "capture/opencv/shim.cpp", "", ""},

		{"wrong direction", "glom/a.go", `import "glomstream/capture"`, "glom/a.go: glom may not import glomstream/capture"},
		{"renamed", "capture/a.go", `import x "glomstream/overlay"`, "capture may not import"},
		{"in a test", "overlay/a_test.go", `import "glomstream/pipeline"`, "overlay may not import"},
		{"the command", "pipeline/a.go", `import "glomstream/cmd/glom"`, "pipeline may not import"},
		{"unknown package", "util/a.go", ``, "util is not in the table"},
		{"unknown package with tests only", "glom/util/a_test.go", ``, "glom/util is not in the table"},
		{"gocv", "capture/a.go", `import "gocv.io/x/gocv"`, "only capture/opencv may import gocv.io/"},
		{"gocv in the command", "cmd/glom/a.go", `import "gocv.io/x/gocv/contrib"`, "only capture/opencv may import gocv.io/"},
		{"pion", "overlay/a.go", `import "github.com/pion/webrtc/v3"`, "only overlay/stream may import github.com/pion/"},
		{"cgo elsewhere", "glom/a.go", `import "C"`, "glom may not use cgo"},
		{"cgo in the command", "cmd/glom/a.go", `import "C"`, "cmd/glom may not use cgo"},
		{"other library", "glom/onednn/a.go", "// #cgo LDFLAGS: -lavcodec\nimport \"C\"", "only capture/libav may link -lav"},
		{"other pkg-config", "capture/libav/a.go", "// #cgo pkg-config: opencv4\nimport \"C\"", "only capture/opencv may link opencv"},
		{"C elsewhere", "capture/shim.c", "", "capture/shim.c: capture may not hold"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := "package p\n\n" + tt.source + "\n"
			found, err := inspect(fstest.MapFS{
				tt.file:        {Data: []byte(source)},
				"glom/none.go": {Data: []byte("package glom\n")},
			})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(found.packages, "glom") {
				t.Errorf("packages %q: glom was not looked at", found.packages)
			}
			switch v := found.violations; {
			case tt.want == "" && len(v) > 0:
				t.Errorf("got %q, want no violation", v)
			case tt.want != "" && (len(v) != 1 || !strings.Contains(v[0], tt.want)):
				t.Errorf("got %q, want one with %q", v, tt.want)
			}
		})
	}
}

// findings is what inspect saw.
type findings struct {
	packages   []string // folders with Go files
	violations []string
}

// inspect checks every package of the module in fsys against the tables.
func inspect(fsys fs.FS) (findings, error) {
	var found findings
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skip(name, d.Name()):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		pkg := path.Dir(name)
		if slices.Contains(foreign, path.Ext(name)) && cgoOwner[pkg] == nil {
			found.add("%s: %s may not hold C or C++", name, pkg)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		if !slices.Contains(found.packages, pkg) {
			found.packages = append(found.packages, pkg)
			if _, ok := allowed[pkg]; !ok {
				found.add("%s is not in the table of deps_test.go", pkg)
			}
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, data, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		for _, i := range f.Imports {
			found.checkImport(name, pkg, strings.Trim(i.Path.Value, `"`))
		}
		found.checkCgo(name, pkg, f)
		return nil
	})
	return found, err
}

func skip(name, base string) bool {
	return base == "testdata" || (base[0] == '.' && name != ".") || slices.Contains(outside, name)
}

func (found *findings) add(format string, args ...any) {
	found.violations = append(found.violations, fmt.Sprintf(format, args...))
}

func (found *findings) checkImport(name, pkg, imported string) {
	if imported == "C" && cgoOwner[pkg] == nil {
		found.add("%s: %s may not use cgo", name, pkg)
	}
	for prefix, owner := range moduleOwner {
		if pkg != owner && strings.HasPrefix(imported, prefix) {
			found.add("%s: only %s may import %s", name, owner, prefix)
		}
	}
	ours, ok := strings.CutPrefix(imported, module)
	if !ok || ours == pkg || slices.Contains(allowed[pkg], everything) {
		return
	}
	if !slices.Contains(allowed[pkg], ours) {
		found.add("%s: %s may not import %s", name, pkg, imported)
	}
}

// checkCgo looks for libraries of other packages in the #cgo lines of f.
func (found *findings) checkCgo(name, pkg string, f *ast.File) {
	for _, group := range f.Comments {
		for line := range strings.Lines(group.Text()) {
			if !strings.HasPrefix(line, "#cgo ") {
				continue
			}
			for owner, libraries := range cgoOwner {
				for _, l := range libraries {
					if pkg != owner && strings.Contains(line, l) {
						found.add("%s: only %s may link %s", name, owner, l)
					}
				}
			}
		}
	}
}
