package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
)

// Config is what New needs. Fields at zero have the stated default.
type Config struct {
	Listen string // default "127.0.0.1:8080"

	OperatorToken, ViewerToken string // empty: there is no such token
	NoAuth                     bool   // allow an address of the network without any token
	Insecure                   bool   // allow tokens over plain HTTP

	CertFile, KeyFile string // of TLS
	SelfSigned        bool   // make a certificate now

	Hosts   []string // names of this server beside its addresses, localhost and the machine's name
	Origins []string // web sites of which a page may use this server, as in "https://example.org"

	Admin string // loopback address of metrics and profiles; empty: none

	Page, WHEP http.Handler // nil: not there
	Pictures   []string     // names for /frame.jpg, the first is the default
	Levels     int          // of the model: levels of /frame.jpg are below
	// JPEG returns a picture with a version over after, which it waits for. level is -1 for the one
	// that is shown to all.
	JPEG       func(ctx context.Context, picture string, level int, after uint64) (jpeg []byte, version uint64, err error)
	MaxStreams int           // viewers of /stream.mjpeg at a time, default 8
	Status     func() any    // for /api/status
	Health     func() error  // nil if nothing hangs; must not wait for what might
	Ready      func() error  // nil if there are new pictures
	Note       func() string // a line about the source for /healthz and /readyz, which all may read

	Metrics *Metrics     // nil: none
	Log     *slog.Logger // nil: nothing is logged
}

// Limits of requests.
const (
	maxBody     = 64 << 10
	maxHeader   = 16 << 10
	maxConns    = 512
	writeWithin = 10 * time.Second
)

// Server answers requests. Make one with New.
type Server struct {
	cfg     Config
	guard   *guard
	tokens  tokens
	streams chan struct{} // a place for each viewer of /stream.mjpeg

	listener net.Listener
	admin    net.Listener
	tls      *tls.Config // nil: plain HTTP
	print    string      // of the certificate
}

// New checks the configuration and listens. Run answers.
func New(c Config) (*Server, error) {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:8080"
	}
	if c.MaxStreams == 0 {
		c.MaxStreams = 8
	}
	if c.Metrics == nil {
		c.Metrics = NewMetrics()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: want HOST:PORT, as in 127.0.0.1:8080", c.Listen)
	}
	s := &Server{cfg: c, tokens: newTokens(c.OperatorToken, c.ViewerToken), streams: make(chan struct{}, c.MaxStreams)}
	if err := s.check(host); err != nil {
		return nil, err
	}
	if s.tls, s.print, err = c.certificate(host); err != nil {
		return nil, err
	}
	s.guard = newGuard(host, c.Hosts, c.Origins, c.Metrics)
	if s.listener, err = listen(c.Listen); err != nil {
		return nil, err
	}
	if c.Admin != "" {
		if s.admin, err = listen(c.Admin); err != nil {
			s.listener.Close()
			return nil, err
		}
	}
	return s, nil
}

// check refuses what would be open by accident.
func (s *Server) check(host string) error {
	c := &s.cfg
	secure := c.SelfSigned || c.CertFile != ""
	switch {
	case (c.CertFile == "") != (c.KeyFile == ""):
		return errors.New("TLS needs both a certificate and its key")
	case c.SelfSigned && c.CertFile != "":
		return errors.New("TLS: a certificate is given, so none is to be made")
	case isLoopback(host):
	case !s.tokens.any() && !c.NoAuth:
		return fmt.Errorf("listen on %q: others can reach it, so a token is needed", c.Listen)
	case s.tokens.any() && !secure && !c.Insecure:
		return fmt.Errorf("listen on %q: tokens would go over the network in the clear: use TLS", c.Listen)
	}
	if c.Admin == "" {
		return nil
	}
	admin, _, err := net.SplitHostPort(c.Admin)
	switch {
	case err != nil:
		return fmt.Errorf("admin address %q: want HOST:PORT, as in 127.0.0.1:9090", c.Admin)
	case !isLoopback(admin):
		return fmt.Errorf("admin address %q: metrics and profiles are for this machine only, as in 127.0.0.1:9090", c.Admin)
	}
	return nil
}

func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", addr, explained(err))
	}
	return l, nil
}

// explained tells what to do about the usual errors of net.Listen.
func explained(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return errors.New("the port is in use; name another one")
	case errors.Is(err, syscall.EACCES):
		return errors.New("not permitted; ports below 1024 are for root")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return errors.New("this machine has no such address")
	}
	return errors.Unwrap(err)
}

// Run answers requests until ctx is done, then lets those under way finish for a second.
func (s *Server) Run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	g, ctx := errgroup.WithContext(ctx)
	s.serve(ctx, g, s.listener, s.Handler(), s.tls)
	if s.admin != nil {
		s.serve(ctx, g, s.admin, s.guard.hosts(s.cfg.Metrics.admin()), nil)
	}
	return g.Wait()
}

// serve answers requests to one listener.
func (s *Server) serve(ctx context.Context, g *errgroup.Group, l net.Listener, h http.Handler, t *tls.Config) {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          log.New(quiet{s.cfg.Log}, "", 0),
		TLSConfig:         t,
	}
	l = netutil.LimitListener(l, maxConns)
	g.Go(func() error {
		var err error
		if t != nil {
			err = srv.ServeTLS(l, "", "")
		} else {
			err = srv.Serve(l)
		}
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return fmt.Errorf("serve on %v: %w", l.Addr(), err)
	})
	g.Go(func() error {
		<-ctx.Done()
		within, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if srv.Shutdown(within) != nil {
			srv.Close() // who has not finished by now is cut off
		}
		return nil
	})
}

// quiet logs what net/http has to say: handshakes that fail and the like.
type quiet struct{ log *slog.Logger }

func (q quiet) Write(b []byte) (int, error) {
	q.log.Debug("http", "text", strings.TrimSpace(string(b)))
	return len(b), nil
}

// Close stops listening. It is needed only if Run is not called.
func (s *Server) Close() {
	s.listener.Close()
	if s.admin != nil {
		s.admin.Close()
	}
}

// Fingerprint returns the SHA-256 of the certificate as browsers show it, "" for plain HTTP.
func (s *Server) Fingerprint() string { return s.print }

// Admin returns where metrics and profiles are, "" for nowhere.
func (s *Server) Admin() string {
	if s.admin == nil {
		return ""
	}
	return "http://" + s.admin.Addr().String()
}

// URLs returns the addresses of the page: that of Config.Listen, or if it names no host those of
// this machine, its own first.
func (s *Server) URLs() []string {
	scheme := "http"
	if s.tls != nil {
		scheme = "https"
	}
	addr := s.listener.Addr().(*net.TCPAddr)
	hosts := []string{addr.IP.String()}
	if host, _, _ := net.SplitHostPort(s.cfg.Listen); net.ParseIP(host) == nil && host != "" {
		hosts = []string{host}
	} else if addr.IP.IsUnspecified() {
		hosts = append([]string{"127.0.0.1"}, addresses()...)
	}
	var urls []string
	for _, h := range hosts {
		urls = append(urls, scheme+"://"+net.JoinHostPort(h, strconv.Itoa(addr.Port))+"/")
	}
	return urls
}

// addresses returns this machine's addresses on the network.
func addresses() []string {
	var list []string
	all, _ := net.InterfaceAddrs() // without them there is nothing to list
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			list = append(list, n.IP.String())
		}
	}
	return list
}

// isLoopback tells whether only this machine can reach an address with that host.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// machine returns the name of this machine, "" if it has none.
func machine() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return strings.ToLower(name)
}
