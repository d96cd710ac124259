package stream

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"
)

// sink is a WHIP endpoint that takes one stream at a time.
type sink struct {
	*httptest.Server
	t       testing.TB
	token   string
	mu      sync.Mutex
	answers []func(http.ResponseWriter, *http.Request) bool // what comes before; true: it has answered
	current *client
	posts   int
	deleted []string
	options int
}

func newSink(t testing.TB) *sink {
	t.Helper()
	k := &sink{t: t, token: "north"}
	k.Server = httptest.NewServer(http.HandlerFunc(k.serve))
	t.Cleanup(k.Close)
	return k
}

func (k *sink) serve(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch r.Method {
	case http.MethodPost:
		k.posts++
		if len(k.answers) > 0 {
			next := k.answers[0]
			k.answers = k.answers[1:]
			if next(w, r) {
				return
			}
		}
		if r.Header.Get("Authorization") != "Bearer "+k.token {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != typeSDP {
			http.Error(w, "no offer", http.StatusBadRequest)
			return
		}
		answer, err := k.accept(string(body))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
			return
		}
		w.Header().Set("Content-Type", typeSDP)
		w.Header().Set("Location", "/session/1")
		w.Header().Set("ETag", `"1"`)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, answer)
	case http.MethodDelete:
		if r.Header.Get("Authorization") != "Bearer "+k.token {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		k.deleted = append(k.deleted, r.URL.Path)
	case http.MethodOptions:
		k.options++
		w.Header().Add("Link", `<stun:127.0.0.1:9>; rel="ice-server"`)
	default:
		http.Error(w, "?", http.StatusMethodNotAllowed)
	}
}

// accept answers an offer with a client that only receives.
func (k *sink) accept(offer string) (string, error) {
	if !strings.Contains(offer, "a=sendonly") || !strings.Contains(offer, "a=rtcp-mux-only") || !strings.Contains(offer, "a=setup:actpass") || !strings.Contains(offer, "a=candidate") {
		return "", errors.New("not a WHIP offer:\n" + offer)
	}
	c := newClient(k.t, clientOptions{answerer: true})
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		return "", err
	}
	answer, err := c.pc.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(answer); err != nil {
		return "", err
	}
	<-gathered
	k.current = c
	return c.pc.LocalDescription().SDP, nil
}

func (k *sink) state() (c *client, posts int, deleted []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.current, k.posts, k.deleted
}

func TestPublish(t *testing.T) {
	src, key := keySource(5000)
	s, url := serve(t, Config{
		KeyFrame: key, MaxViewers: 1,
		Joined: func(*Viewer) {}, Left: func(*Viewer) {},
	})
	src.run(t, s, 20*time.Millisecond)
	k := newSink(t)
	p, err := s.Publish(t.Context(), PublishConfig{URL: k.URL + "/whip", Token: "north"})
	if err != nil {
		t.Fatal(err)
	}
	c, _, _ := k.state()
	first := c.awaitFrame("is a key frame", received.key)
	if s.Watching(0) != 1 || len(s.Viewers(nil)) != 0 || s.Stats().Sessions != 0 {
		t.Errorf("%d watch, %d viewers, %d sessions, want 1, 0, 0", s.Watching(0), len(s.Viewers(nil)), s.Stats().Sessions)
	}
	v := dial(t, url, clientOptions{}) // takes the only place
	v.awaitFrame("is a key frame", received.key)
	last := c.awaitFrame("is the 50th", func(f received) bool { return f.number() >= first.number()+50 })
	checkComplete(t, c.got(), first.number(), last.number())
	if st := p.Stats(); !st.Connected || st.Sessions != 1 || st.Sent < 50 || st.Err != nil {
		t.Errorf("%+v", st)
	}
	p.Close()
	await(t, p.Done(), "done")
	if _, posts, deleted := k.state(); posts != 1 || len(deleted) != 1 || deleted[0] != "/session/1" {
		t.Errorf("%d POST, DELETE of %q, want 1 and /session/1", posts, deleted)
	}
	until(t, "the viewer alone", func() bool { return s.Watching(0) == 1 })
}

// TestPublishAgain checks that a publication goes on after the endpoint has lost it, was away, busy or moved.
func TestPublishAgain(t *testing.T) {
	src, key := keySource(1000)
	s, _ := serve(t, Config{KeyFrame: key, StallTimeout: time.Hour})
	src.run(t, s, 20*time.Millisecond)
	k, other := newSink(t), newSink(t)
	status := func(code int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(code); return true }
	}
	k.answers = []func(http.ResponseWriter, *http.Request) bool{
		status(503), status(409), status(429), func(w http.ResponseWriter, r *http.Request) bool { return false }, status(502),
		func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, other.URL+"/elsewhere", http.StatusTemporaryRedirect)
			return true
		},
	}
	p, err := s.Publish(t.Context(), PublishConfig{
		URL: k.URL + "/whip", Token: "north", Retry: 10 * time.Millisecond, StallTimeout: 3 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	until(t, "published", func() bool { c, _, _ := k.state(); return c != nil })
	c, posts, _ := k.state()
	if posts != 4 {
		t.Errorf("published by POST %d, want the fourth", posts)
	}
	c.awaitFrame("is a key frame", received.key)
	c.close()
	until(t, "published elsewhere", func() bool { c, _, _ := other.state(); return c != nil })
	c, _, _ = other.state()
	c.awaitFrame("is a key frame", received.key)
	if st := p.Stats(); st.Sessions != 2 || st.Err == nil {
		t.Errorf("%d sessions, error %v, want 2 and one", st.Sessions, st.Err)
	}
	p.Close()
	if _, _, deleted := other.state(); len(deleted) != 1 {
		t.Errorf("DELETE of %q, want the session at the other endpoint", deleted)
	}
}

func TestPublishRefused(t *testing.T) {
	s, _ := serve(t, Config{})
	k := newSink(t)
	seeOther := httptest.NewServer(http.RedirectHandler(k.URL, http.StatusFound))
	defer seeOther.Close()
	for want, cfg := range map[string]PublishConfig{
		"401 Unauthorized: who are you?": {URL: k.URL, Token: "south"},
		"want http:// or https://":       {URL: "ftp://127.0.0.1"},
		"in the clear":                   {URL: "http://sfu.example/whip", Token: "north"},
		"picture 1 of 1":                 {URL: k.URL, Picture: 1},
		"cannot be read":                 {URL: "http://%zz"},
	} {
		_, err := s.Publish(t.Context(), cfg)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", cfg, err, want)
		}
	}
	if _, err := s.Publish(t.Context(), PublishConfig{URL: "http://user:north@"}); err == nil || strings.Contains(err.Error(), "north") {
		t.Errorf("error %v tells the password, or there is none", err)
	}
	// What may change is tried again, and ends with the context.
	ctx, cancel := context.WithCancel(t.Context())
	p, err := s.Publish(ctx, PublishConfig{URL: seeOther.URL, Retry: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	await(t, p.Done(), "done")
	if err := p.Stats().Err; err == nil || !strings.Contains(err.Error(), "307") {
		t.Errorf("error %v, want one about the redirection", err)
	}
	until(t, "nothing left", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.sessions) == 0 })
}

// TestPublishServers checks that the endpoint's ICE servers are asked for only if wanted, and that one
// that does not answer is no obstacle.
func TestPublishServers(t *testing.T) {
	src, key := keySource(1000)
	s, _ := serve(t, Config{KeyFrame: key})
	src.run(t, s, 20*time.Millisecond)
	for _, use := range []bool{false, true} {
		k := newSink(t)
		p, err := s.Publish(t.Context(), PublishConfig{URL: k.URL, Token: "north", UseICEServers: use})
		if err != nil {
			t.Fatal(err)
		}
		c, _, _ := k.state()
		c.awaitFrame("is a key frame", received.key)
		k.mu.Lock()
		if asked := k.options > 0; asked != use {
			t.Errorf("asked for ICE servers: %v, want %v", asked, use)
		}
		k.mu.Unlock()
		p.Close()
	}
}

func TestParseLinks(t *testing.T) {
	got := parseLinks(`<stun:a:1>; rel="ice-server", <https://x/a,b>; rel="next", ` +
		`<turn:b?transport=udp>; rel=ice-server; username="u,;"; credential="p"; credential-type="password",<turn:c>;rel="other"`)
	if len(got) != 2 || got[0].URLs[0] != "stun:a:1" || got[1].URLs[0] != "turn:b?transport=udp" || got[1].Username != "u,;" || got[1].Credential != "p" {
		t.Errorf("%+v", got)
	}
}

func FuzzLinks(f *testing.F) {
	f.Add(`<turn:b?transport=udp>; rel="ice-server"; username="u"; credential="p", <stun:c>;rel=ice-server`)
	f.Add(`<stun:`)
	f.Add(`<>;;=",<turn:>;rel="ice-server`)
	f.Fuzz(func(t *testing.T, header string) {
		for _, s := range parseLinks(header) {
			if len(s.URLs) != 1 || !strings.Contains(header, s.URLs[0]) || !strings.Contains(header, s.Username) {
				t.Errorf("%+v is not in %q", s, header)
			}
		}
	})
}

// TestTokenStays checks that a redirection to another host does not take the token along.
func TestTokenStays(t *testing.T) {
	s, _ := serve(t, Config{})
	got := make(chan string, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
	}))
	defer other.Close()
	// The same machine by another name is another host.
	away := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
	k := httptest.NewServer(http.RedirectHandler(away, http.StatusTemporaryRedirect))
	defer k.Close()
	ctx, cancel := context.WithCancel(t.Context())
	p, err := s.Publish(ctx, PublishConfig{URL: k.URL, Token: "north", Retry: time.Hour})
	cancel()
	if err == nil {
		<-p.Done()
	}
	if token := await(t, got, "redirected"); token != "" {
		t.Errorf("the other host got %q", token)
	}
}

// TestCloseEndsPublications checks that the endpoint is told when the server closes.
func TestCloseEndsPublications(t *testing.T) {
	src, key := keySource(1000)
	s, _ := serve(t, Config{KeyFrame: key})
	src.run(t, s, 20*time.Millisecond)
	k := newSink(t)
	p, err := s.Publish(t.Context(), PublishConfig{URL: k.URL, Token: "north"})
	if err != nil {
		t.Fatal(err)
	}
	c, _, _ := k.state()
	c.awaitFrame("is a key frame", received.key)
	start := time.Now()
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s", d)
	}
	select {
	case <-p.Done():
	default:
		t.Error("the publication goes on")
	}
	if _, _, deleted := k.state(); len(deleted) != 1 {
		t.Errorf("DELETE of %q, want the session", deleted)
	}
	if _, err := s.Publish(t.Context(), PublishConfig{URL: k.URL, Token: "north"}); err == nil {
		t.Error("a closed server publishes")
	}
}
