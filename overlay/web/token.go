package web

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"
)

// Roles of those who ask.
const (
	Viewer   = "viewer"
	Operator = "operator"
)

// NewToken makes a token of 130 random bits.
func NewToken() string { return rand.Text() }

// tokens holds the digests of tokens, since digests are of equal length and take equal time to
// compare.
type tokens struct {
	operator, viewer       [sha256.Size]byte
	hasOperator, hasViewer bool
}

func newTokens(operator, viewer string) tokens {
	return tokens{sha256.Sum256([]byte(operator)), sha256.Sum256([]byte(viewer)), operator != "", viewer != ""}
}

func (t *tokens) any() bool { return t.hasOperator || t.hasViewer }

// role returns the role of whoever has that token, "" for none. It takes the same time for all.
func (t *tokens) role(token string) string {
	sum := sha256.Sum256([]byte(token))
	operator := subtle.ConstantTimeCompare(sum[:], t.operator[:]) == 1 && t.hasOperator
	viewer := subtle.ConstantTimeCompare(sum[:], t.viewer[:]) == 1 && t.hasViewer
	switch {
	case operator:
		return Operator
	case viewer:
		return Viewer
	}
	return ""
}

// roleKey is the key of the role in the context of a request.
type roleKey struct{}

// Role returns the role of whoever sent a request that came through the Server: Viewer, Operator,
// or "" where none was asked for.
func Role(r *http.Request) string {
	role, _ := r.Context().Value(roleKey{}).(string)
	return role
}

// bearer returns the token of a request.
func bearer(r *http.Request) (token string, ok bool) {
	v := r.Header["Authorization"]
	if len(v) != 1 {
		return "", false
	}
	scheme, token, ok := strings.Cut(v[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}

// needRole lets requests with a token pass, or all if there is no token.
func (s *Server) needRole(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		role := Operator
		if s.tokens.any() && !isPreflight(r) {
			token, given := bearer(r)
			if given && r.TLS == nil && !s.cfg.Insecure && !fromHere(r) {
				s.cfg.Metrics.refuse("plain")
				problem(w, http.StatusForbidden, "a token does not belong on plain HTTP: use https, and a new token")
				return
			}
			if role = s.tokens.role(token); role == "" {
				s.unauthorised(w, r)
				return
			}
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), roleKey{}, role)))
	})
}

// isPreflight tells whether a browser asks what a page may ask; that never carries a token.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
}

// unauthorised answers after a random time, and to those who try too often not at all.
func (s *Server) unauthorised(w http.ResponseWriter, r *http.Request) {
	s.cfg.Metrics.refuse("token")
	if !s.guard.failures.allow(r) {
		tooMany(w)
		return
	}
	var b [1]byte
	_, _ = rand.Read(b[:]) // never fails
	timer := time.NewTimer(100*time.Millisecond + time.Duration(b[0])*time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="glom"`)
	problem(w, http.StatusUnauthorized, "this needs a token, as in: Authorization: Bearer TOKEN")
}
