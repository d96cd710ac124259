package stream

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"
)

// PublishConfig says where a picture is published to.
type PublishConfig struct {
	URL     string // of a WHIP endpoint (RFC 9725)
	Token   string // sent as a bearer token; only over TLS or to this machine, unless Insecure
	Picture int    // index in Config.Pictures
	// UseICEServers lets the STUN and TURN servers be asked that the endpoint names. Endpoints with a
	// public address do not need it.
	UseICEServers bool
	Insecure      bool
	// Client is used for the requests; default: one with a limit of 10 s.
	Client *http.Client
	// Retry is the time before the first new attempt, which doubles up to a minute; default 1 s.
	Retry time.Duration
	// StallTimeout is after how long without a report that frames arrive a session is over, and the next
	// is begun; default 10 s, at most Config.StallTimeout. An endpoint that ends a session says so over
	// DTLS, where pion v3 does not listen unless there are data channels.
	StallTimeout time.Duration

	ice      []webrtc.ICEServer // that the endpoint named
	loopback bool               // the endpoint is on this machine
}

const (
	maxRetry    = time.Minute
	farewell    = 2 * time.Second  // for the DELETE at the end
	lastedTime  = 30 * time.Second // after a session that lasted so long, the next attempt is quick again
	maxAnswer   = 128 << 10
	requestTime = 10 * time.Second
)

// Publication is a picture that is sent to a WHIP endpoint, over and over, until it is closed.
type Publication struct {
	s      *Server
	cfg    PublishConfig
	cancel context.CancelFunc
	done   chan struct{}

	mu       sync.Mutex
	viewer   *Viewer // the present session, or nil
	sessions int
	err      error // why the last session ended, or was not made
}

// PublicationStats is how a publication fares.
type PublicationStats struct {
	Connected bool  `json:"connected"`
	Sessions  int   `json:"sessions"` // up to now
	Err       error `json:"-"`        // why the last one ended, or was not made
	ViewerStats
}

// Publish begins to send a picture to a WHIP endpoint. It returns when the endpoint has taken the
// first offer, or cannot be reached at present, which is no error since it is tried again. It is one if
// the endpoint refuses the offer or the token. The end of ctx ends the publication, as Close does.
func (s *Server) Publish(ctx context.Context, cfg PublishConfig) (*Publication, error) {
	if err := cfg.check(len(s.pictures)); err != nil {
		return nil, fmt.Errorf("publish: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	p := &Publication{s: s, cfg: cfg, cancel: cancel, done: make(chan struct{})}
	session, err := p.open(ctx)
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.final() {
		cancel()
		return nil, fmt.Errorf("publish: %w", err)
	}
	s.mu.Lock()
	closed := s.closed
	if !closed {
		s.published = append(s.published, p)
		s.wg.Go(func() {
			defer close(p.done)
			p.run(ctx, session, err)
			s.forget(p)
		})
	}
	s.mu.Unlock()
	if closed {
		cancel()
		if session != nil {
			session.end(ctx, p, "server closes")
		}
		return nil, fmt.Errorf("publish: %w", errClosed)
	}
	return p, nil
}

// forget is called when p has ended.
func (s *Server) forget(p *Publication) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = slices.DeleteFunc(slices.Clone(s.published), func(q *Publication) bool { return q == p })
}

// check fills in defaults.
func (c *PublishConfig) check(pictures int) error {
	u, err := url.Parse(c.URL)
	if err != nil {
		return errors.New("the URL cannot be read") // err would tell a password
	}
	c.loopback = u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	c.Retry = or(c.Retry, time.Second)
	c.StallTimeout = or(c.StallTimeout, 10*time.Second)
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%s: want http:// or https://", u.Redacted())
	case c.Token != "" && u.Scheme == "http" && !c.loopback && !c.Insecure:
		return fmt.Errorf("%s: the token would be sent in the clear; use https", u.Redacted())
	case c.Picture < 0 || c.Picture >= pictures:
		return fmt.Errorf("picture %d of %d", c.Picture, pictures)
	case c.Retry < 0 || c.StallTimeout < 0:
		return errors.New("a time is negative")
	}
	if c.Client == nil {
		c.Client = newHTTPClient()
	}
	return nil
}

// apply lets pion use sockets of its own: those of the viewers may be on loopback only.
func (c *PublishConfig) apply(e *webrtc.SettingEngine, interfaces []string) {
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetIncludeLoopbackCandidate(c.loopback)
	if len(interfaces) > 0 {
		e.SetInterfaceFilter(func(name string) bool { return slices.Contains(interfaces, name) })
	}
}

// run waits for the end of each session and begins the next one.
func (p *Publication) run(ctx context.Context, session *outgoing, err error) {
	wait := p.cfg.Retry
	for {
		if session != nil {
			err = p.watch(ctx, session)
			if time.Since(session.viewer.created) > lastedTime {
				wait = p.cfg.Retry
			}
		}
		p.mu.Lock()
		p.viewer, p.err = nil, err
		p.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
		pause := wait/2 + rand.N(wait/2+1)
		if refused, ok := errors.AsType[*refusedError](err); ok {
			pause = max(pause, min(refused.after, maxRetry))
		}
		p.s.cfg.Log.Warn("publication is interrupted", "url", p.redacted(), "err", err, "retry", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, maxRetry)
		session, err = p.open(ctx)
	}
}

// watch waits for the end of a session.
func (p *Publication) watch(ctx context.Context, session *outgoing) error {
	p.mu.Lock()
	p.viewer = session.viewer
	p.sessions++
	p.mu.Unlock()
	select {
	case <-session.viewer.done:
		session.end(ctx, p, "ended")
		return errors.New("the connection was lost")
	case <-ctx.Done():
		session.end(ctx, p, "publication ends")
		return context.Cause(ctx)
	}
}

// Done is closed when the publication has ended.
func (p *Publication) Done() <-chan struct{} { return p.done }

// Close ends the publication and tells the endpoint.
func (p *Publication) Close() {
	p.cancel()
	<-p.done
}

// Stats returns how the publication fares.
func (p *Publication) Stats() PublicationStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	st := PublicationStats{Sessions: p.sessions, Err: p.err}
	if p.viewer != nil {
		st.Connected, st.ViewerStats = p.viewer.connected.Load(), p.viewer.Stats()
	}
	return st
}

func (p *Publication) redacted() string {
	u, err := url.Parse(p.cfg.URL)
	if err != nil {
		return "?"
	}
	return u.Redacted()
}
