package web

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// guard refuses requests before anybody looks at them.
type guard struct {
	names    []string // in small letters
	origins  []string
	failures *limiter // of tokens
	changes  *limiter // requests that change something
	metrics  *Metrics
}

func newGuard(listen string, hosts, origins []string, m *Metrics) *guard {
	g := &guard{names: []string{"localhost", strings.ToLower(listen), machine()}, metrics: m}
	for _, h := range hosts {
		g.names = append(g.names, strings.ToLower(h))
	}
	for _, o := range origins {
		g.origins = append(g.origins, strings.TrimSuffix(strings.ToLower(o), "/"))
	}
	g.failures, g.changes = newLimiter(1, 10), newLimiter(50, 100)
	return g
}

// host tells whether a Host header is one of ours. A page of another site can make its own name
// mean this machine, but not a number.
func (g *guard) host(header string) bool {
	name := header
	if h, _, err := net.SplitHostPort(header); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(strings.Trim(name, "[]")), ".")
	_, err := netip.ParseAddr(name)
	return name != "" && (err == nil || slices.Contains(g.names, name))
}

// origin tells whether a request comes from a page that may send it, or from no page.
func (g *guard) origin(r *http.Request) bool {
	v := r.Header["Origin"]
	if len(v) == 0 {
		site := r.Header.Get("Sec-Fetch-Site")
		return site != "cross-site" && site != "same-site" || r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	}
	if len(v) > 1 {
		return false
	}
	if slices.Contains(g.origins, strings.ToLower(v[0])) {
		return true
	}
	u, err := url.Parse(v[0])
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) // not the scheme: a proxy may do the TLS
}

// listed tells whether a request comes from a page of a site that may use this server.
func (g *guard) listed(r *http.Request) bool {
	return slices.Contains(g.origins, strings.ToLower(r.Header.Get("Origin")))
}

// hosts refuses foreign names.
func (g *guard) hosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !g.host(r.Host):
			g.metrics.refuse("host")
			problem(w, http.StatusMisdirectedRequest, "this server does not go by that name: use its address, or start it with the name")
		case !g.origin(r):
			g.metrics.refuse("origin")
			problem(w, http.StatusForbidden, "a page of another site may not ask this server")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// wrap is all that every request to the public listener goes through.
func (g *guard) wrap(next http.Handler) http.Handler {
	return g.hosts(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if g.listed(r) { // its page may see what comes of the request, refusals too
			h.Set("Vary", "Origin")
			h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			h.Set("Access-Control-Expose-Headers", "Retry-After, X-Picture")
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead && !g.changes.allow(r) {
			g.metrics.refuse("rate")
			tooMany(w)
			return
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin)) // tests have none
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	}))
}

// problem answers as RFC 9457 says.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // whoever is gone needs no answer
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
	})
}

func tooMany(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	problem(w, http.StatusTooManyRequests, "too many requests: wait a second")
}

// remote returns the address that a request comes from. Of IPv6 it is the network, since one
// machine has many addresses there.
func remote(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a := at.Addr().Unmap()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// fromHere tells whether a request comes from this machine.
func fromHere(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && at.Addr().Unmap().IsLoopback()
}

// limiter bounds the rate of requests from each address. It remembers a bounded number of
// addresses, those of the last minutes.
type limiter struct {
	rate  rate.Limit
	burst int

	mu       sync.Mutex
	now, old map[netip.Addr]*rate.Limiter
	turned   time.Time
}

const maxRemembered = 4096

func newLimiter(perSecond rate.Limit, burst int) *limiter {
	return &limiter{rate: perSecond, burst: burst, now: map[netip.Addr]*rate.Limiter{}}
}

func (l *limiter) allow(r *http.Request) bool {
	from, at := remote(r), time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if at.Sub(l.turned) > time.Minute || len(l.now) >= maxRemembered {
		l.old, l.now, l.turned = l.now, map[netip.Addr]*rate.Limiter{}, at
	}
	lim := l.now[from]
	if lim == nil {
		if lim = l.old[from]; lim == nil {
			lim = rate.NewLimiter(l.rate, l.burst)
		}
		l.now[from] = lim
	}
	return lim.AllowN(at, 1)
}
