package stream

import (
	"net/http"
	"sync"
)

type signalling struct {
	mu   sync.Mutex
	etag string
}

func (g *signalling) init() {}

type limits struct{}

func newLimits() limits { return limits{} }

// ServeHTTP answers WHEP requests.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
