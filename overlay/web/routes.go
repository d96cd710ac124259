package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Handler answers all requests to the public listener.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	private := func(path string, h http.HandlerFunc) {
		mux.Handle("GET "+path, s.needRole(h))
		mux.HandleFunc("OPTIONS "+path, s.options)
	}
	if s.cfg.Page != nil {
		mux.Handle("/", s.cfg.Page)
	}
	if s.cfg.WHEP != nil {
		mux.Handle("/whep", s.needRole(s.cfg.WHEP))
		mux.Handle("/whep/", s.needRole(s.cfg.WHEP))
	}
	if s.cfg.JPEG != nil {
		private("/frame.jpg", s.frame)
		private("/stream.mjpeg", s.stream)
	}
	private("/api/status", s.status)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.cfg.Health) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { s.answer(w, s.cfg.Ready) })
	return s.guard.wrap(mux)
}

// options tells a page of a listed site that it may send a token.
func (s *Server) options(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Allow", "OPTIONS, GET, HEAD")
	if s.guard.listed(r) && isPreflight(r) {
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Allow-Headers", "Authorization")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
}

// answer says whether all is well.
func (s *Server) answer(w http.ResponseWriter, well func() error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	text := "ok"
	if well != nil {
		if err := well(); err != nil {
			text = err.Error()
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
	fmt.Fprintln(w, text)
	if s.cfg.Note != nil {
		fmt.Fprintln(w, s.cfg.Note())
	}
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) {
	var v any = struct{}{}
	if s.cfg.Status != nil {
		v = s.cfg.Status()
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		problem(w, http.StatusInternalServerError, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(b, '\n')) // whoever is gone needs no answer
}

// asked returns what picture a request wants.
func (s *Server) asked(r *http.Request) (picture string, level int, err error) {
	q := r.URL.Query()
	picture, level = q.Get("picture"), -1
	if picture == "" && len(s.cfg.Pictures) > 0 {
		picture = s.cfg.Pictures[0]
	}
	if !slices.Contains(s.cfg.Pictures, picture) {
		return "", 0, fmt.Errorf("picture: want one of %q", s.cfg.Pictures)
	}
	if v := q.Get("level"); v != "" {
		if level, err = strconv.Atoi(v); err != nil || level < 0 || level >= s.cfg.Levels {
			return "", 0, fmt.Errorf("level: want 0 to %d", s.cfg.Levels-1)
		}
	}
	return picture, level, nil
}

// frame answers with the newest picture.
func (s *Server) frame(w http.ResponseWriter, r *http.Request) {
	picture, level, err := s.asked(r)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	jpeg, version, err := s.cfg.JPEG(r.Context(), picture, level, 0)
	if err != nil {
		w.Header().Set("Retry-After", "1")
		problem(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(jpeg)))
	h.Set("X-Picture", strconv.FormatUint(version, 10))
	_, _ = w.Write(jpeg) // whoever is gone needs no answer
}

// boundary separates the pictures of a stream.
const boundary = "glom-picture"

// stream answers with one picture after the other. Who takes long to receive one misses those that
// came meanwhile.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) {
	picture, level, err := s.asked(r)
	if err != nil {
		problem(w, http.StatusBadRequest, err.Error())
		return
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		w.Header().Set("Retry-After", "5")
		problem(w, http.StatusServiceUnavailable, "as many watch already as there are places")
		return
	}
	rc := http.NewResponseController(w)
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary="+boundary)
	w.Header().Set("Cache-Control", "no-store")
	for version := uint64(0); ; {
		jpeg, v, err := s.cfg.JPEG(r.Context(), picture, level, version)
		if err != nil {
			if version == 0 {
				problem(w, http.StatusServiceUnavailable, err.Error())
			}
			return
		}
		version = v
		if err := rc.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return
		}
		fmt.Fprintf(w, "--%s\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", boundary, len(jpeg))
		_, _ = w.Write(jpeg) // others have the same bytes, so nothing is appended
		if _, err := w.Write([]byte("\r\n")); err != nil || rc.Flush() != nil {
			return
		}
	}
}
