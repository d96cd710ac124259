package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"glomstream/overlay"
	"glomstream/overlay/page"
)

func Example() {
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler())
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	fmt.Println(w.Code, w.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}

func get(t *testing.T, method, path, etag string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	w := httptest.NewRecorder()
	page.Handler().ServeHTTP(w, r)
	return w
}

func TestFiles(t *testing.T) {
	names, err := filepath.Glob("static/*")
	if err != nil || len(names) < 8 {
		t.Fatalf("got %d files and %v", len(names), err)
	}
	kinds := map[string]string{
		".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
		".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	}
	for _, name := range append(names, "static/") {
		path, file := strings.TrimPrefix(name, "static"), name
		if path == "/" {
			file = "static/index.html"
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := get(t, http.MethodGet, path, "")
		if r.Code != http.StatusOK || r.Body.String() != string(want) {
			t.Errorf("%s: status %d, %d bytes, want %d", path, r.Code, r.Body.Len(), len(want))
		}
		h := r.Header()
		if h.Get("Content-Type") != kinds[filepath.Ext(file)] || h.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';") {
			t.Errorf("%s: header %v", path, h)
		}
		if r := get(t, http.MethodGet, path, h.Get("ETag")); r.Code != http.StatusNotModified {
			t.Errorf("%s again: status %d, want 304", path, r.Code)
		}
		r = get(t, http.MethodHead, path, "")
		if r.Code != http.StatusOK || r.Body.Len() > 0 {
			t.Errorf("HEAD %s: status %d and %d bytes", path, r.Code, r.Body.Len())
		}
	}
}

func TestRefuses(t *testing.T) {
	for _, path := range []string{"/none", "/static/index.html", "/../page.go", "//", "/index.html/", "/MAIN.JS"} {
		if r := get(t, http.MethodGet, path, ""); r.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", path, r.Code)
		}
	}
	r := get(t, http.MethodPost, "/", "")
	if r.Code != http.StatusMethodNotAllowed || r.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status %d, Allow %q", r.Code, r.Header().Get("Allow"))
	}
}

// TestSafe looks for what the policy would stop in a browser, or what it cannot stop.
func TestSafe(t *testing.T) {
	forbidden := []string{
		"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
		"http://", "https://", " style=", " onclick=", "javascript:",
	}
	names, err := filepath.Glob("static/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(data), "http://www.w3.org/2000/svg", "")
		for _, f := range forbidden {
			if strings.Contains(text, f) {
				t.Errorf("%s has %q", name, f)
			}
		}
	}
}

// TestPalette holds the colours of the page against those of the videos, without a browser.
func TestPalette(t *testing.T) {
	data, err := os.ReadFile("static/palette.js")
	if err != nil {
		t.Fatal(err)
	}
	list, _, ok := strings.Cut(string(data), "];")
	if !ok {
		t.Fatal("palette.js has no list")
	}
	colours := regexp.MustCompile(`0x[0-9A-F]{6}`).FindAllString(list, -1)
	if len(colours) != 24 || overlay.Colour(1) != overlay.Colour(uint16(len(colours)+1)) {
		t.Fatalf("there are %d colours, want 24", len(colours))
	}
	for i, got := range colours {
		c := overlay.Colour(uint16(i + 1))
		if want := fmt.Sprintf("0x%02X%02X%02X", c.R, c.G, c.B); got != want {
			t.Errorf("colour of %d is %s, want %s", i+1, got, want)
		}
	}
}

// TestIds checks that the scripts ask only for elements that the page has.
func TestIds(t *testing.T) {
	html, err := os.ReadFile("static/index.html")
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(string(html), -1) {
		if ids[m[1]] {
			t.Errorf("id %s is there twice", m[1])
		}
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(` (?:for|aria-labelledby|href)="#?([a-z-]+)"`).FindAllStringSubmatch(string(html), -1) {
		if !ids[m[1]] && m[1] != "icon" {
			t.Errorf("the page points at %s, which it has not", m[1])
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href)="([a-z]+\.[a-z]+)"`).FindAllStringSubmatch(string(html), -1) {
		if r := get(t, http.MethodGet, "/"+m[1], ""); r.Code != http.StatusOK && m[1] != "stream.mjpeg" {
			t.Errorf("the page asks for %s: status %d", m[1], r.Code)
		}
	}
	asks := regexp.MustCompile(`\b(?:byId|press|toggle)\('([^']+)'`)
	for _, name := range []string{"static/main.js", "static/panels.js"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := asks.FindAllStringSubmatch(string(data), -1)
		if len(found) == 0 {
			t.Errorf("%s asks for nothing", name)
		}
		for _, m := range found {
			if !ids[m[1]] && !slices.Contains([]string{"side-by-side", "on"}, m[1]) { // classes
				t.Errorf("%s asks for %s", name, m[1])
			}
		}
	}
}
