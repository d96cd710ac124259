package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server answers WHEP requests and sends frames to the viewers that they brought. Make it with New.
type Server struct {
	cfg      Config
	net      *network
	pictures []*picture
	limits   limits
	counters counters
	log      pionLog

	stop chan struct{}  // closed by Close
	wg   sync.WaitGroup // all goroutines of the Server and its viewers

	mu        sync.Mutex
	sessions  map[string]*Viewer // by id, those that are still connecting included
	places    int                // taken by viewers, of MaxViewers
	published []*Publication
	closed    bool
	arrivals  atomic.Uint64

	opened time.Time
	looked atomic.Int64 // when watch last looked after the viewers, in nanoseconds since opened
}

// New opens the ports. Close gives them back.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	s := &Server{
		cfg: cfg, limits: newLimits(), log: pionLog{cfg.Log}, stop: make(chan struct{}), sessions: map[string]*Viewer{}, opened: time.Now(),
	}
	if s.net, err = listen(&s.cfg, s.log); err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	for i, name := range cfg.Pictures {
		p := newPicture(i, name, &s.cfg)
		s.pictures = append(s.pictures, p)
		s.wg.Go(func() { p.askKeys(s.stop) })
	}
	s.wg.Go(s.watch)
	return s, nil
}

// Addr returns the UDP and the TCP address (or "") that viewers connect to.
func (s *Server) Addr() (udp, tcp string) { return s.net.udpAddr, s.net.tcpAddr }

// Write sends f to all viewers of the picture. It copies f.Data and never waits for a viewer.
func (s *Server) Write(picture int, f *Frame) {
	s.counters.written.Add(1)
	s.pictures[picture].write(f)
}

// Viewers appends those who are connected to dst, in the order in which they came.
func (s *Server) Viewers(dst []*Viewer) []*Viewer {
	first := len(dst)
	for _, p := range s.pictures {
		for _, v := range p.watchers() {
			if !v.outgoing {
				dst = append(dst, v)
			}
		}
	}
	slices.SortFunc(dst[first:], func(a, b *Viewer) int { return cmp.Compare(a.number, b.number) })
	return dst
}

// Watching returns how many viewers of the picture are connected and not paused, publications included.
func (s *Server) Watching(picture int) int {
	n := 0
	for _, v := range s.pictures[picture].watchers() {
		if !v.Paused() {
			n++
		}
	}
	return n
}

// Target returns the bit rate that suits the viewers of the picture now.
func (s *Server) Target(picture int) int { return int(s.pictures[picture].target.Load()) }

// Close ends all sessions and goroutines and closes the ports. When ctx ends first, it returns its
// error and the rest goes on in the background.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.stop)
	}
	all, published := s.all(), s.published
	s.mu.Unlock()
	for _, p := range published {
		p.cancel()
	}
	for _, v := range all {
		v.end("server closes")
	}
	done := make(chan error, 1)
	go func() {
		s.wg.Wait()
		done <- s.net.close()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("close viewers: %w", context.Cause(ctx))
	}
}

// all returns all sessions; s.mu is held.
func (s *Server) all() []*Viewer {
	all := make([]*Viewer, 0, len(s.sessions))
	for _, v := range s.sessions {
		all = append(all, v)
	}
	return all
}

var (
	errFull   = errors.New("all places are taken")
	errClosed = errors.New("the server closes")
)

// admit keeps a place for v.
func (s *Server) admit(v *Viewer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errClosed
	case s.places >= s.cfg.MaxViewers && !v.outgoing:
		return errFull
	}
	s.sessions[v.id] = v
	if !v.outgoing {
		s.places++
	}
	return nil
}

// release gives the place of v back, if it has one; s.mu is held.
func (s *Server) release(v *Viewer) {
	if s.sessions[v.id] != v {
		return
	}
	delete(s.sessions, v.id)
	if !v.outgoing {
		s.places--
	}
}

// find returns the session of a viewer, or nil.
func (s *Server) find(id string) *Viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.sessions[id]; v != nil && !v.outgoing {
		return v
	}
	return nil
}

// Busy returns for how long the sending of one frame to some viewer has been going on, or how long ago
// the viewers were looked after, whichever is longer. Neither lasts for a second unless something
// hangs. It never waits.
func (s *Server) Busy() time.Duration {
	now := time.Now()
	longest := now.Sub(s.opened) - time.Duration(s.looked.Load())
	for _, p := range s.pictures {
		for _, v := range p.watchers() {
			longest = max(longest, v.since(&v.sending, now))
		}
	}
	return longest
}

// watch reaps sessions and adapts the bit rates until the Server is closed.
func (s *Server) watch() {
	tick := time.NewTicker(min(ratePeriod, s.cfg.ConnectTimeout/4, s.cfg.StallTimeout/4))
	defer tick.Stop()
	var rated time.Time
	for {
		var now time.Time
		select {
		case now = <-tick.C:
		case <-s.stop:
			return
		}
		s.looked.Store(int64(time.Since(s.opened)))
		s.mu.Lock()
		all := s.all()
		s.mu.Unlock()
		for _, v := range all {
			s.reap(v, now)
		}
		if now.Sub(rated) >= ratePeriod {
			rated = now
			for _, p := range s.pictures {
				p.adapt(now)
			}
		}
	}
}

// reap ends v if it did not connect or if nothing is heard of it.
func (s *Server) reap(v *Viewer, now time.Time) {
	late := now.Sub(v.created) > s.cfg.ConnectTimeout
	switch {
	case late && !v.connected.Load():
		s.counters.halfOpen.Add(1)
		v.end("did not connect")
	case late && v.channelsMissing(): // it said farewell before they were open, and pion does not tell
		s.counters.halfOpen.Add(1)
		v.end("did not open the data channels")
	case v.silent(now) > v.stall:
		s.counters.stalled.Add(1)
		v.end("stalled")
	case now.Sub(v.created) > s.cfg.MaxAge:
		v.end("has lasted for " + s.cfg.MaxAge.String())
	}
}

// Stats are counters since New, and the present numbers of sessions and viewers.
type Stats struct {
	Sessions    int    `json:"sessions"`
	Viewers     int    `json:"viewers"`
	Written     uint64 `json:"written"`         // frames given to Write
	Sent        uint64 `json:"sent"`            // frames sent to viewers
	Dropped     uint64 `json:"dropped"`         // frames dropped because a viewer did not keep up
	Thinned     uint64 `json:"thinned"`         // frames of higher temporal layers that were left out for slow viewers
	Packets     uint64 `json:"packets"`         // RTP packets
	Bytes       uint64 `json:"bytes"`           // of the payloads of RTP packets
	KeyFrames   uint64 `json:"key_frames"`      // calls of Config.KeyFrame
	Lost        uint64 `json:"picture_loss"`    // PLI and FIR received
	Joined      uint64 `json:"joined"`          //
	HalfOpen    uint64 `json:"half_open"`       // sessions that were reaped since they did not connect
	Stalled     uint64 `json:"stalled"`         // viewers that were closed since nothing was heard of them
	Rejected    uint64 `json:"rejected"`        // requests that were answered by an error
	Ignored     uint64 `json:"ignored"`         // messages on the data channels that were dropped: too long, too many, binary
	Malformed   uint64 `json:"malformed"`       // RTCP that could not be read
	MetaDropped uint64 `json:"meta_dropped"`    // messages that Meta dropped
	Targets     []int  `json:"bitrate_targets"` // bit rate by picture
}

// counters has the parts of Stats that are counted.
type counters struct {
	written, rejected, joined, halfOpen, stalled, sent, dropped, thinned, packets, bytes,
	lost, ignored, malformed, metaDropped atomic.Uint64
}

// Stats returns the present numbers.
func (s *Server) Stats() Stats {
	c := &s.counters
	st := Stats{
		Written: c.written.Load(), Sent: c.sent.Load(), Dropped: c.dropped.Load(), Thinned: c.thinned.Load(),
		Packets: c.packets.Load(), Bytes: c.bytes.Load(), Lost: c.lost.Load(), Joined: c.joined.Load(),
		HalfOpen: c.halfOpen.Load(), Stalled: c.stalled.Load(), Rejected: c.rejected.Load(),
		Ignored: c.ignored.Load(), Malformed: c.malformed.Load(), MetaDropped: c.metaDropped.Load(),
	}
	s.mu.Lock()
	st.Sessions = s.places
	s.mu.Unlock()
	st.Viewers = len(s.Viewers(nil))
	for _, p := range s.pictures {
		st.KeyFrames += p.asked.Load()
		st.Targets = append(st.Targets, int(p.target.Load()))
	}
	return st
}
