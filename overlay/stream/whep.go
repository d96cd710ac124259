package stream

import (
	"mime"
	"net/http"
	"slices"
	"strings"
)

const (
	typeSDP  = "application/sdp"
	typeFrag = "application/trickle-ice-sdpfrag"
	maxBody  = 64 << 10
	// sessionPath stands between the path of the endpoint and the id of a session.
	sessionPath = "/s/"
)

// ServeHTTP answers the requests of WHEP: the endpoint is the path that the Server is mounted at, and
// its sessions are below, at /s/ID. Prefixes must not be stripped before, since the Location of a
// session is made from the path of the request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.cors(w, r)
	endpoint, id, isSession := strings.Cut(r.URL.Path, sessionPath)
	if r.Method == http.MethodOptions { // needs no token: browsers send none with a preflight
		s.options(w, r, isSession)
		return
	}
	if p := s.answer(w, r, strings.TrimSuffix(endpoint, "/"), id, isSession); p != nil {
		s.counters.rejected.Add(1)
		p.write(w)
	}
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, endpoint, id string, isSession bool) *problem {
	if p := single(r.Header, "Authorization", "Content-Type", "If-Match"); p != nil {
		return p
	}
	role := s.cfg.Role(r)
	if role == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="glomstream"`)
		return &problem{status: http.StatusUnauthorized, detail: "a valid token is needed"}
	}
	switch {
	case !isSession && r.Method == http.MethodPost:
		return s.post(w, r, endpoint, role)
	case !isSession && r.Method == http.MethodHead:
		w.Header().Set("Content-Type", typeSDP)
		return nil
	case !isSession && r.Method == http.MethodGet:
		w.WriteHeader(http.StatusNoContent)
		return nil
	case isSession && (r.Method == http.MethodPatch || r.Method == http.MethodDelete):
		v := s.find(id)
		if v == nil {
			if !s.limits.misses.Allow() {
				return tooMany("sessions that do not exist")
			}
			return &problem{status: http.StatusNotFound, detail: "no such session"}
		}
		if r.Method == http.MethodPatch {
			return v.patch(w, r)
		}
		v.end("asked to")
		w.WriteHeader(http.StatusOK)
		return nil
	}
	w.Header().Set("Allow", methods(isSession))
	return &problem{status: http.StatusMethodNotAllowed, detail: "use " + methods(isSession)}
}

func methods(isSession bool) string {
	if isSession {
		return "OPTIONS, PATCH, DELETE"
	}
	return "OPTIONS, GET, HEAD, POST"
}

// cors lets pages of Config.Origins see the answer.
func (s *Server) cors(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(s.cfg.Origins, origin) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Expose-Headers", "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After")
}

func (s *Server) options(w http.ResponseWriter, r *http.Request, isSession bool) {
	h := w.Header()
	h.Set("Allow", methods(isSession))
	if isSession {
		h.Set("Accept-Patch", typeFrag)
	} else {
		h.Set("Accept-Post", typeSDP)
	}
	if r.Header.Get("Access-Control-Request-Method") == "" {
		if !isSession && s.cfg.Role(r) != "" {
			s.linkServers(h) // never on a preflight, which carries no token
		}
	} else if h.Get("Access-Control-Allow-Origin") != "" {
		h.Set("Access-Control-Allow-Methods", "OPTIONS, GET, HEAD, POST, PATCH, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusOK)
}

// isType reports whether the body of r is of the media type.
func isType(r *http.Request, want string) bool {
	got, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && got == want
}

// single finds headers that came more than once, of which a proxy may have believed another one.
func single(h http.Header, names ...string) *problem {
	for _, n := range names {
		if len(h.Values(n)) > 1 {
			return &problem{status: http.StatusBadRequest, detail: "more than one header " + n}
		}
	}
	return nil
}
