// Package page is the page on which people watch: it shows the video of overlay/stream, draws the
// islands that overlay/meta brings over it, and tells of the parse tree.
//
// The page is plain: HTML, a style sheet and ES modules as they lie in static, without a build step
// and without anything from another server. It asks the server that it came from for
//
//	whep?picture=plain   the video without islands, by WHEP, with the two data channels
//	stream.mjpeg         motion JPEG with islands burnt in, if there is no way to play that
//
// relative to its own address. The token that it sends with them comes from the fragment of that
// address (#token=…), which browsers do not send, or from who looks at it.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"net/http"
	"path"
)

//go:embed static
var static embed.FS

// policy lets the page load nothing from elsewhere and run no script that is not a file of it.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
	"img-src 'self' blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// file is what is sent for one address.
type file struct {
	kind, etag string
	data       []byte
}

// Handler serves the page at / and its files beside it.
func Handler() http.Handler {
	files := make(map[string]file)
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic("page: nothing is embedded")
	}
	for _, e := range entries {
		data, err := fs.ReadFile(static, path.Join("static", e.Name()))
		if err != nil {
			panic("page: a file is not embedded")
		}
		sum := sha256.Sum256(data)
		f := file{contentType(e.Name()), `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, data}
		files["/"+e.Name()] = f
		if e.Name() == "index.html" {
			files["/"] = f
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f.serve(w, r)
	})
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-cache") // ask whether it changed
	h.Set("ETag", f.etag)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.kind)
	h.Set("Content-Length", fmt.Sprint(len(f.data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(f.data) // the client may have gone
	}
}

// contentType does not ask the machine's tables, which differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	panic("page: a file of unknown type is embedded")
}
