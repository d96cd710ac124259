package glomstream_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestRobustnessTable checks that docs/robustness.md names tests that exist, and has every row.
func TestRobustnessTable(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "robustness.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z0-9/]*)\\.((?:Test|Fuzz)\\w+)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 60 {
		t.Errorf("%d tests are named, want at least 60", len(named))
	}
	for _, m := range named {
		if !declares(t, filepath.FromSlash(m[1]), m[2]) {
			t.Errorf("%s has no %s", m[1], m[2])
		}
	}
	rows := regexp.MustCompile(`(?m)^\| \d+ \|`).FindAllString(string(text), -1)
	if len(rows) != 46 {
		t.Errorf("%d rows, want 46", len(rows))
	}
}

// declares tells whether a test file in dir declares that function.
func declares(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "\nfunc "+name+"(") {
			return true
		}
	}
	return false
}
