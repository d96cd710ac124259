package web

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	operatorToken = "operator-0123456789"
	viewerToken   = "viewer-0123456789"
)

// site is a running server and a client.
type site struct {
	*Server
	url    string
	client *http.Client
}

// open runs a server until the test ends. whep, if it is not nil, answers at /whep.
func open(t *testing.T, c Config) *site {
	t.Helper()
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return &site{s, strings.TrimSuffix(s.URLs()[0], "/"), &http.Client{Transport: transport, Timeout: 20 * time.Second}}
}

// answer is what is looked at of a response.
type answer struct {
	StatusCode int
	Header     http.Header
}

// ask sends a request, changed by how, and returns the answer and its body.
func (s *site) ask(t *testing.T, method, path string, body io.Reader, how func(*http.Request)) (answer, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if how != nil {
		how(r)
	}
	res, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header}, string(b)
}

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func bearerOf(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

// roleHandler tells the role that it sees.
func roleHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			problem(w, http.StatusRequestEntityTooLarge, err.Error())
			return
		}
		fmt.Fprint(w, Role(r))
	})
}

// Without tokens, and on loopback, everybody is an operator.
func TestOpenOnLoopback(t *testing.T) {
	s := open(t, Config{WHEP: roleHandler(), Page: http.NotFoundHandler()})
	if res, body := s.ask(t, "POST", "/whep", nil, nil); res.StatusCode != 200 || body != Operator {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// Fault 21: without the right token there is nothing but a delayed refusal, the same for all.
func TestFault21Tokens(t *testing.T) {
	s := open(t, Config{OperatorToken: operatorToken, ViewerToken: viewerToken, WHEP: roleHandler(), Status: func() any { return 1 }})
	for _, tt := range []struct {
		name string
		how  func(*http.Request)
		code int
		role string
	}{
		{"operator", bearerOf(operatorToken), 200, Operator},
		{"viewer", bearerOf(viewerToken), 200, Viewer},
		{"small letters", header("Authorization", "bearer "+viewerToken), 200, Viewer},
		{"none", nil, 401, ""},
		{"wrong", bearerOf("operator-012345678X"), 401, ""},
		{"prefix", bearerOf("operator"), 401, ""},
		{"empty", bearerOf(""), 401, ""},
		{"basic", header("Authorization", "Basic "+operatorToken), 401, ""},
		{"twice", header("Authorization", "Bearer "+operatorToken, "Bearer "+operatorToken), 401, ""},
		{"in the address", func(r *http.Request) { r.URL.RawQuery = "token=" + operatorToken }, 401, ""},
	} {
		began := time.Now()
		res, body := s.ask(t, "POST", "/whep", nil, tt.how)
		if res.StatusCode != tt.code {
			t.Errorf("%s: %d, want %d", tt.name, res.StatusCode, tt.code)
		}
		if tt.code == 200 && body != tt.role {
			t.Errorf("%s: role %q, want %q", tt.name, body, tt.role)
		}
		if tt.code == 401 {
			if took := time.Since(began); took < 100*time.Millisecond {
				t.Errorf("%s: refused within %v", tt.name, took)
			}
			if res.Header.Get("WWW-Authenticate") == "" || res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s: headers %v", tt.name, res.Header)
			}
		}
	}
	for _, path := range []string{"/frame.jpg", "/stream.mjpeg", "/api/status", "/whep/s/x"} {
		if res, _ := s.ask(t, "GET", path, nil, nil); res.StatusCode == 200 {
			t.Errorf("%s is open", path)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if res, _ := s.ask(t, "GET", path, nil, nil); res.StatusCode != 200 {
			t.Errorf("%s needs a token", path)
		}
	}
}

// Fault 21: whoever guesses on is told to wait, even with the next guess right.
func TestFault21Guessing(t *testing.T) {
	s := open(t, Config{OperatorToken: operatorToken, WHEP: roleHandler()})
	var many atomic.Int64
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if res, _ := s.ask(t, "GET", "/whep", nil, bearerOf("guess")); res.StatusCode == 429 {
				many.Add(1)
			}
		})
	}
	wg.Wait()
	if n := many.Load(); n < 15 {
		t.Errorf("%d of 30 guesses were cut off, want at least 15", n)
	}
}

// A preflight carries no token and must reach WHEP, which answers it.
func TestPreflightNeedsNoToken(t *testing.T) {
	s := open(t, Config{OperatorToken: operatorToken, WHEP: roleHandler(), Origins: []string{"https://example.org"}})
	res, _ := s.ask(t, "OPTIONS", "/whep", nil, func(r *http.Request) {
		r.Header.Set("Origin", "https://example.org")
		r.Header.Set("Access-Control-Request-Method", "POST")
	})
	if res.StatusCode != 200 {
		t.Errorf("preflight: %d", res.StatusCode)
	}
	if res, _ := s.ask(t, "OPTIONS", "/whep", nil, nil); res.StatusCode != 401 {
		t.Errorf("OPTIONS that is no preflight: %d, want 401", res.StatusCode)
	}
}

// Fault 29: other sites, other names and no site at all.
func TestFault29OriginAndHost(t *testing.T) {
	s := open(t, Config{WHEP: roleHandler(), Page: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), Hosts: []string{"camera.example"}, Origins: []string{"https://friend.example/"}})
	host := strings.TrimPrefix(s.url, "http://")
	for _, tt := range []struct {
		name string
		how  func(*http.Request)
		code int
	}{
		{"own page", header("Origin", s.url), 200},
		{"no page", nil, 200},
		{"other site", header("Origin", "http://evil.example"), 403},
		{"other port", header("Origin", "http://127.0.0.1:1"), 403},
		{"null", header("Origin", "null"), 403},
		{"two", header("Origin", s.url, s.url), 403},
		{"listed site", header("Origin", "https://friend.example"), 200},
		{"rest of a listed site", header("Origin", "https://friend.example.evil.example"), 403},
		{"fetched by another site", header("Sec-Fetch-Site", "cross-site"), 403},
		{"fetched by another port", header("Sec-Fetch-Site", "same-site"), 403},
		{"own fetch", header("Sec-Fetch-Site", "same-origin"), 200},
		{"rebound name", func(r *http.Request) { r.Host = "evil.example" }, 421},
		{"rebound name with our page", func(r *http.Request) { r.Host = "evil.example"; r.Header.Set("Origin", "http://evil.example") }, 421},
		{"known name", func(r *http.Request) { r.Host = "Camera.example:8080" }, 200},
		{"localhost", func(r *http.Request) { r.Host = "localhost." }, 200},
		{"address", func(r *http.Request) { r.Host = "[::1]:80" }, 200},
		{"own host", func(r *http.Request) { r.Host = host }, 200},
	} {
		for _, method := range []string{"GET", "POST"} {
			if res, _ := s.ask(t, method, "/whep", nil, tt.how); res.StatusCode != tt.code {
				t.Errorf("%s, %s: %d, want %d", tt.name, method, res.StatusCode, tt.code)
			}
		}
	}
	link := func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
	}
	if res, _ := s.ask(t, "GET", "/", nil, link); res.StatusCode != 200 {
		t.Errorf("a link on another site: %d, want 200", res.StatusCode)
	}
}

// A page of a listed site sees what comes of its requests, refusals too; another's page sees nothing.
func TestListedSiteSeesAnswers(t *testing.T) {
	const friend = "https://friend.example"
	s := open(t, Config{OperatorToken: operatorToken, WHEP: roleHandler(), JPEG: album, Pictures: []string{"overlay"}, Origins: []string{friend + "/"}})
	for _, tt := range []struct {
		name, origin, method, path string
		code                       int
		allowed                    bool
	}{
		{"a picture", friend, "GET", "/frame.jpg", 200, true},
		{"in capitals", "https://Friend.example", "GET", "/frame.jpg", 200, true},
		{"status", friend, "GET", "/api/status", 200, true},
		{"what is not there", friend, "GET", "/frame.jpg?level=9", 400, true},
		{"without a token", friend, "POST", "/whep", 401, true},
		{"preflight", friend, "OPTIONS", "/frame.jpg", 204, true},
		{"preflight of a stranger", "https://evil.example", "OPTIONS", "/frame.jpg", 403, false},
		{"a stranger", "https://evil.example", "GET", "/frame.jpg", 403, false},
		{"no page", "", "GET", "/frame.jpg", 200, false},
	} {
		res, _ := s.ask(t, tt.method, tt.path, nil, func(r *http.Request) {
			if tt.origin != "" {
				r.Header.Set("Origin", tt.origin)
			}
			if tt.method == "OPTIONS" {
				r.Header.Set("Access-Control-Request-Method", "GET")
			} else if tt.code != 401 {
				bearerOf(operatorToken)(r)
			}
		})
		want := map[bool]string{true: tt.origin}[tt.allowed]
		if got := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != tt.code || got != want {
			t.Errorf("%s: %d for %q, want %d for %q", tt.name, res.StatusCode, got, tt.code, want)
		}
		if got := res.Header.Get("Access-Control-Allow-Headers"); (got == "Authorization") != (tt.name == "preflight") {
			t.Errorf("%s: headers %q are allowed", tt.name, got)
		}
		if got := res.Header.Get("Access-Control-Allow-Credentials"); got != "" {
			t.Errorf("%s: credentials are allowed", tt.name)
		}
	}
}

// Fault 22: what is too large or too slow ends in bounded time.
func TestFault22Limits(t *testing.T) {
	s := open(t, Config{WHEP: roleHandler()})
	if res, _ := s.ask(t, "POST", "/whep", bytes.NewReader(make([]byte, 100<<10)), nil); res.StatusCode != 413 {
		t.Errorf("a body of 100 kB: %d, want 413", res.StatusCode)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Long", strings.Repeat("x", 40<<10))
	if res, err := s.client.Do(r); err == nil { // the connection may be cut before the answer is read
		res.Body.Close()
		if res.StatusCode != 431 {
			t.Errorf("a header of 40 kB: %d, want 431", res.StatusCode)
		}
	}
	if testing.Short() {
		return
	}
	drip, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer drip.Close()
	dripped := make(chan time.Duration, 1)
	go func() { // a header that never ends
		began := time.Now()
		fmt.Fprint(drip, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
		_, _ = io.Copy(io.Discard, drip) // until the server closes
		dripped <- time.Since(began)
	}()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /whep HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
	began := time.Now()
	go func() { // one byte a second
		for range 30 {
			if _, err := fmt.Fprint(conn, "1\r\nx\r\n"); err != nil {
				return
			}
			time.Sleep(time.Second)
		}
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if took := time.Since(began); took > 13*time.Second {
		t.Errorf("a slow body held for %v", took)
	}
	if err == nil {
		res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("a slow body: %d", res.StatusCode)
		}
	}
	select {
	case took := <-dripped:
		if took > 8*time.Second {
			t.Errorf("a slow header held for %v, want 5 s", took)
		}
	case <-time.After(5 * time.Second): // the body took longer already
		t.Error("a header that never ends holds the connection")
	}
}

// Faults 25 to 27: floods of requests that change something are cut off, those that only look are not.
func TestFault27Flood(t *testing.T) {
	s := open(t, Config{WHEP: roleHandler()})
	codes := map[int]int{}
	for range 300 {
		res, _ := s.ask(t, "PATCH", "/whep/s/x", nil, nil)
		codes[res.StatusCode]++
		if res.StatusCode == 429 && res.Header.Get("Retry-After") == "" {
			t.Fatal("no Retry-After")
		}
	}
	if codes[429] < 50 || codes[200] < 100 {
		t.Errorf("answers %v, want 100 and some 200s and the rest 429", codes)
	}
	if res, _ := s.ask(t, "GET", "/healthz", nil, nil); res.StatusCode != 200 {
		t.Errorf("after the flood: %d", res.StatusCode)
	}
}

func TestLimiterForgets(t *testing.T) {
	l := newLimiter(1, 1)
	for i := range 3 * maxRemembered {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255)
		if !l.allow(r) {
			t.Fatalf("address %d is new and not allowed", i)
		}
	}
	if n := len(l.now) + len(l.old); n > 2*maxRemembered {
		t.Errorf("%d addresses are remembered", n)
	}
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "[2001:db8::1]:1"
	l.allow(r)
	r.RemoteAddr = "[2001:db8::2]:1"
	if l.allow(r) {
		t.Error("two addresses of one IPv6 network count twice")
	}
}

// What may be reached by others needs a token, and TLS under it.
func TestRefusesToBeOpen(t *testing.T) {
	for _, tt := range []struct {
		name string
		c    Config
		want string
	}{
		{"network", Config{Listen: "0.0.0.0:0"}, "a token is needed"},
		{"all", Config{Listen: ":0"}, "a token is needed"},
		{"plain", Config{Listen: ":0", OperatorToken: operatorToken}, "in the clear"},
		{"not an address", Config{Listen: "8080"}, "HOST:PORT"},
		{"admin on the network", Config{Admin: ":0"}, "this machine only"},
		{"admin", Config{Admin: "9090"}, "HOST:PORT"},
		{"half a certificate", Config{CertFile: "x"}, "both"},
		{"no certificate", Config{CertFile: "nosuch.pem", KeyFile: "nosuch.pem"}, "nosuch.pem"},
		{"foreign address", Config{Listen: "192.0.2.1:0", NoAuth: true}, "no such address"},
	} {
		s, err := New(tt.c)
		if err == nil {
			s.Close()
			t.Errorf("%s: no error", tt.name)
		} else if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want it to say %q", tt.name, err, tt.want)
		}
	}
	for _, c := range []Config{
		{Listen: ":0", NoAuth: true},
		{Listen: ":0", OperatorToken: operatorToken, Insecure: true},
		{Listen: ":0", OperatorToken: operatorToken, SelfSigned: true},
		{Listen: "localhost:0", Admin: "[::1]:0"},
	} {
		s, err := New(c)
		if err != nil && !strings.Contains(err.Error(), "[::1]") { // a machine without IPv6
			t.Errorf("%+v: %v", c, err)
		}
		if err == nil {
			s.Close()
		}
	}
}

// Fault 44: a port in use is told in one line.
func TestFault44PortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := New(Config{Listen: l.Addr().String()}); err == nil || !strings.Contains(err.Error(), "in use") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	if s, err := New(Config{Listen: "127.0.0.1:0", Admin: l.Addr().String()}); err == nil {
		s.Close()
		t.Error("the admin port is in use and nobody minds")
	}
}

// Fault 44: so are a port for root, an address of another machine and a port that is none; IPv6 will do.
func TestFault44NoListening(t *testing.T) {
	denied := &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", syscall.EACCES)} // root is denied nothing
	if got := explained(denied).Error(); !strings.Contains(got, "below 1024") {
		t.Errorf("a privileged port: %s", got)
	}
	for addr, want := range map[string]string{"192.0.2.1:0": "no such address", "127.0.0.1:99999": "invalid port"} {
		_, err := New(Config{Listen: addr, NoAuth: true})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), addr) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", addr, err, want)
		}
	}
	// IPv6 alone.
	s, err := New(Config{Listen: "[::1]:0"})
	if err != nil {
		t.Skip("no IPv6:", err)
	}
	defer s.Close()
	if got := s.URLs()[0]; !strings.HasPrefix(got, "http://[::1]:") {
		t.Errorf("the page is at %s", got)
	}
}

// Fault 40: a token over plain HTTP from another machine is refused.
func TestFault40TokenOverPlainHTTP(t *testing.T) {
	s, err := New(Config{Listen: "127.0.0.1:0", OperatorToken: operatorToken, WHEP: roleHandler()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for remote, want := range map[string]int{"127.0.0.1:5": 200, "[::ffff:127.0.0.1]:5": 200, "192.0.2.7:5": 403} {
		r := httptest.NewRequest("GET", "http://127.0.0.1/whep", nil)
		r.RemoteAddr = remote
		bearerOf(operatorToken)(r)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("from %s: %d, want %d", remote, w.Code, want)
		}
	}
}

func TestTLS(t *testing.T) {
	s := open(t, Config{SelfSigned: true, Hosts: []string{"camera.example"}})
	if !strings.HasPrefix(s.url, "https://") || len(s.Fingerprint()) != 32*3-1 {
		t.Fatalf("%s with certificate %q", s.url, s.Fingerprint())
	}
	conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	cert := conn.ConnectionState().PeerCertificates[0]
	conn.Close()
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	for _, name := range []string{"127.0.0.1", "localhost", "camera.example"} {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{RootCAs: pool, ServerName: name})
		if err != nil {
			t.Errorf("as %s: %v", name, err)
			continue
		}
		conn.Close()
	}
	if _, err := tls.Dial("tcp", strings.TrimPrefix(s.url, "https://"), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is accepted")
	}
}

// Fault 46: metrics and profiles are on the admin address only, which has the same manners.
func TestFault46Admin(t *testing.T) {
	m := NewMetrics()
	m.Gauge("glom_test", "A test.", func() float64 { return 7 }, "level", "3")
	m.Observe("settle", 3*time.Millisecond)
	s := open(t, Config{Admin: "127.0.0.1:0", Metrics: m})
	for _, path := range []string{"/metrics", "/debug/pprof/", "/debug/pprof/heap"} {
		if res, _ := s.ask(t, "GET", path, nil, nil); res.StatusCode != 404 {
			t.Errorf("%s on the public address: %d", path, res.StatusCode)
		}
	}
	admin := &site{s.Server, s.Admin(), s.client}
	res, body := admin.ask(t, "GET", "/metrics", nil, nil)
	for _, want := range []string{`glom_test{level="3"} 7`, `glom_stage_seconds_bucket{stage="settle",le="0.004"} 1`, "go_goroutines", "process_open_fds"} {
		if res.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("metrics: %d, %q is missing", res.StatusCode, want)
		}
	}
	if res, _ := admin.ask(t, "GET", "/debug/pprof/goroutine", nil, nil); res.StatusCode != 200 {
		t.Errorf("profile: %d", res.StatusCode)
	}
	if res, body := admin.ask(t, "GET", "/debug/pprof/cmdline", nil, nil); strings.Contains(body, "test") && res.StatusCode == 200 && !strings.Contains(body, "Unknown profile") {
		t.Errorf("the command line is told: %q", body)
	}
	if res, _ := admin.ask(t, "GET", "/metrics", nil, func(r *http.Request) { r.Host = "evil.example" }); res.StatusCode != 421 {
		t.Errorf("rebound name: %d", res.StatusCode)
	}
}

func TestHeadersAndHealth(t *testing.T) {
	var sick, hung atomic.Bool
	unless := func(b *atomic.Bool, text string) func() error {
		return func() error {
			if b.Load() {
				return errors.New(text)
			}
			return nil
		}
	}
	s := open(t, Config{
		Status: func() any { return map[string]int{"a": 1} }, Ready: unless(&sick, "stalled"), Health: unless(&hung, "model hangs"),
		Note: func() string { return "source: lost" },
	})
	res, body := s.ask(t, "GET", "/api/status", nil, nil)
	var got map[string]int
	if err := json.Unmarshal([]byte(body), &got); err != nil || got["a"] != 1 {
		t.Errorf("status %q: %v", body, err)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Content-Type": "application/json",
		"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store", "Strict-Transport-Security": "",
	} {
		if v := res.Header.Get(name); v != want {
			t.Errorf("%s: %q, want %q", name, v, want)
		}
	}
	sick.Store(true)
	if res, body := s.ask(t, "GET", "/readyz", nil, nil); res.StatusCode != 503 || body != "stalled\nsource: lost\n" {
		t.Errorf("not ready: %d %q", res.StatusCode, body)
	}
	if res, body := s.ask(t, "GET", "/healthz", nil, nil); res.StatusCode != 200 || body != "ok\nsource: lost\n" {
		t.Errorf("health: %d %q", res.StatusCode, body)
	}
	hung.Store(true)
	if res, body := s.ask(t, "GET", "/healthz", nil, nil); res.StatusCode != 503 || body != "model hangs\nsource: lost\n" {
		t.Errorf("health with a stage that hangs: %d %q", res.StatusCode, body)
	}
	if res, _ := s.ask(t, "POST", "/api/status", nil, nil); res.StatusCode != 405 {
		t.Errorf("POST: %d, want 405", res.StatusCode)
	}
}

// album has pictures that are their own names.
func album(ctx context.Context, picture string, level int, after uint64) ([]byte, uint64, error) {
	if after > 0 {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	if after == 5 {
		return nil, 0, io.EOF
	}
	return fmt.Append(nil, picture, level, "#", after+1), after + 1, nil
}

func TestFrame(t *testing.T) {
	s := open(t, Config{JPEG: album, Pictures: []string{"overlay", "plain"}, Levels: 5})
	for _, tt := range []struct {
		query string
		code  int
		body  string
	}{
		{"", 200, "overlay-1#1"},
		{"?picture=plain", 200, "plain-1#1"},
		{"?level=4", 200, "overlay4#1"},
		{"?level=5", 400, ""},
		{"?level=-1", 400, ""},
		{"?level=x", 400, ""},
		{"?picture=../etc", 400, ""},
	} {
		res, body := s.ask(t, "GET", "/frame.jpg"+tt.query, nil, nil)
		if res.StatusCode != tt.code || tt.code == 200 && (strings.ReplaceAll(body, " ", "") != tt.body || res.Header.Get("Content-Type") != "image/jpeg") {
			t.Errorf("%q: %d %q, want %d %q", tt.query, res.StatusCode, body, tt.code, tt.body)
		}
	}
	none := open(t, Config{JPEG: func(context.Context, string, int, uint64) ([]byte, uint64, error) {
		return nil, 0, errors.New("no picture yet")
	}, Pictures: []string{"overlay"}})
	for _, path := range []string{"/frame.jpg", "/stream.mjpeg"} {
		if res, _ := none.ask(t, "GET", path, nil, nil); res.StatusCode != 503 {
			t.Errorf("%s without a picture: %d, want 503", path, res.StatusCode)
		}
	}
}

// The pictures of a stream come one after the other, and there are as many places as were set.
func TestStream(t *testing.T) {
	s := open(t, Config{JPEG: album, Pictures: []string{"overlay"}, MaxStreams: 1})
	res, body := s.ask(t, "GET", "/stream.mjpeg", nil, nil)
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "multipart/x-mixed-replace; boundary="+boundary) || strings.Count(body, "--"+boundary) != 5 {
		t.Errorf("%v %q", res.Header, body)
	}
	s.streams <- struct{}{}
	if res, _ := s.ask(t, "GET", "/stream.mjpeg", nil, nil); res.StatusCode != 503 || res.Header.Get("Retry-After") == "" {
		t.Errorf("one too many: %d", res.StatusCode)
	}
}

// Run ends within a second and a half although somebody watches a stream without end.
func TestRunEnds(t *testing.T) {
	forever := func(ctx context.Context, _ string, _ int, after uint64) ([]byte, uint64, error) {
		select {
		case <-time.After(10 * time.Millisecond):
			return []byte("x"), after + 1, nil
		case <-ctx.Done():
			return nil, 0, ctx.Err()
		}
	}
	s, err := New(Config{Listen: "127.0.0.1:0", JPEG: forever, Pictures: []string{"overlay"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	res, err := http.Get(s.URLs()[0] + "stream.mjpeg")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	began := time.Now()
	stop()
	if err := <-done; err != nil || time.Since(began) > 1500*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	http.DefaultClient.CloseIdleConnections()
}
