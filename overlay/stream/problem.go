package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"golang.org/x/time/rate"
)

// problem is an answer that says what is wrong (RFC 9457).
type problem struct {
	status int
	detail string
	retry  int // seconds after which to try again; 0: not told
}

func (p *problem) write(w http.ResponseWriter) {
	body, err := json.Marshal(map[string]any{
		"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "detail": p.detail,
	})
	if err != nil {
		panic("stream: a problem that JSON cannot hold")
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	if p.retry > 0 {
		h.Set("Retry-After", strconv.Itoa(p.retry))
	}
	w.WriteHeader(p.status)
	_, _ = w.Write(body) // who asked may have gone
}

func unprocessable(format string, args ...any) *problem {
	return &problem{status: http.StatusUnprocessableEntity, detail: fmt.Sprintf(format, args...)}
}

func tooMany(what string) *problem {
	return &problem{status: http.StatusTooManyRequests, detail: "too many requests for " + what, retry: 1}
}

// Rates of requests. A limit by address is up to what stands before this package, since only that
// knows about proxies.
const (
	postRate, postBurst   = 50, 100
	missRate, missBurst   = 10, 20 // sessions that do not exist, all askers together
	patchRate, patchBurst = 20, 100
	bodyTime              = 5 * time.Second // for the body of a request
)

// limits are those of all requests together.
type limits struct{ posts, misses *rate.Limiter }

func newLimits() limits {
	return limits{posts: rate.NewLimiter(postRate, postBurst), misses: rate.NewLimiter(missRate, missBurst)}
}

// readBody reads a body of text in bounded time and memory.
func readBody(w http.ResponseWriter, r *http.Request) (string, *problem) {
	// Not every ResponseWriter can do it, those in tests for example.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return "", &problem{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("the body is longer than %d bytes", maxBody)}
	case err != nil:
		return "", &problem{status: http.StatusBadRequest, detail: "the body did not arrive"}
	case len(body) == 0:
		return "", &problem{status: http.StatusBadRequest, detail: "the body is empty"}
	case !utf8.Valid(body):
		return "", &problem{status: http.StatusBadRequest, detail: "the body is not UTF-8"}
	}
	return string(body), nil
}
