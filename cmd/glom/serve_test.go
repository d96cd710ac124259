package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// notes is a buffer for several goroutines.
type notes struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (n *notes) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.Write(b)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.b.String()
}

// served is a running glom serve.
type served struct {
	t        *testing.T
	url      string // with a slash at the end
	admin    string
	token    string
	out, err notes
	cancel   context.CancelCauseFunc
	ended    chan int
	once     sync.Once
	code     int
}

var (
	watchAt   = regexp.MustCompile(`watch at +(http\S+/)(?:#token=(\S+))?\n`)
	metricsAt = regexp.MustCompile(`metrics +(\S+/metrics)\n`)
)

// startServe runs glom serve until stop, or the end of the test.
func startServe(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &served{t: t, cancel: cancel, ended: make(chan int, 1)}
	args = append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)
	go func() { s.ended <- run(ctx, args, terminal{strings.NewReader(""), &s.out, &s.err}) }()
	t.Cleanup(func() { s.stop() })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if m, a := watchAt.FindStringSubmatch(s.err.String()), metricsAt.FindStringSubmatch(s.err.String()); m != nil && a != nil {
			s.url, s.token, s.admin = m[1], m[2], a[1]
			return s
		}
		select {
		case code := <-s.ended:
			s.ended <- code
			t.Fatalf("glom serve ended with %d: %s", code, s.err.String())
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("glom serve does not start: %s", s.err.String())
		}
	}
}

// stop is Ctrl-C. It returns the exit code.
func (s *served) stop() int {
	s.once.Do(func() {
		s.cancel(signalError{syscall.SIGINT})
		s.code = s.wait()
	})
	return s.code
}

// wait returns the exit code.
func (s *served) wait() int {
	select {
	case code := <-s.ended:
		s.ended <- code
		return code
	case <-time.After(20 * time.Second):
		s.t.Fatal("glom serve does not end")
		return -1
	}
}

// get returns what is at a path.
func (s *served) get(path string) (int, []byte) {
	s.t.Helper()
	return s.fetch(s.url+path, s.token)
}

// fetch gets a page, with a token unless it is empty.
func (s *served) fetch(url, token string) (int, []byte) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, b
}

// watch counts the pictures of a stream until it ends.
func (s *served) watch(path string, pictures *atomic.Int64) error {
	res, err := http.Get(s.url + path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	for in := bufio.NewReader(res.Body); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		if strings.HasPrefix(line, "--") {
			pictures.Add(1)
		}
	}
}

// status returns /api/status.
func (s *served) status() (st serveStatus) {
	s.t.Helper()
	if code, b := s.get("api/status"); code != 200 || json.Unmarshal(b, &st) != nil {
		s.t.Fatalf("status: %d %s", code, b)
	}
	return st
}

// until waits until a condition on the status holds.
func (s *served) until(what string, holds func(serveStatus) bool) (st serveStatus) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if st = s.status(); holds(st) {
			return st
		}
	}
	s.t.Fatalf("never %s: %+v\n%s", what, st, s.err.String())
	return st
}

func TestServe(t *testing.T) {
	dir := t.TempDir()
	lines := filepath.Join(dir, "tree.ndjson")
	s := startServe(t, "synthetic:demo?size=96x64&frames=-1", "--json", lines, "--record", filepath.Join(dir, "rec"), "--level", "part", "-v")
	s.until("ten frames", func(st serveStatus) bool { return st.Frames >= 10 })
	for path, want := range map[string]string{"": "<!doctype html>", "healthz": "ok", "readyz": "ok"} {
		if code, b := s.get(path); code != 200 || !strings.HasPrefix(strings.ToLower(string(b)), want) {
			t.Errorf("/%s: %d %.60q", path, code, b)
		}
	}
	for _, path := range []string{"frame.jpg", "frame.jpg?picture=plain", "frame.jpg?level=0"} {
		code, b := s.get(path)
		img, err := jpeg.Decode(bytes.NewReader(b))
		if code != 200 || err != nil || img.Bounds() != image.Rect(0, 0, 96, 64) {
			t.Errorf("/%s: %d, %v", path, code, err)
		}
	}
	_, b := s.get("api/status")
	var all map[string]any
	if err := json.Unmarshal(b, &all); err != nil || all["stream"] == nil || all["source_state"] != "gives frames" {
		t.Errorf("status %s", b)
	}
	if m := regexp.MustCompile(`"[a-z_0-9]*[A-Z]\w*":`).FindString(string(b)); m != "" {
		t.Errorf("the status has a name with capitals: %s", m)
	}
	if code, b := s.get("whep"); code >= 400 {
		t.Errorf("/whep: %d %s", code, b)
	}
	if code, _ := s.get("metrics"); code != 404 {
		t.Errorf("/metrics is public: %d", code)
	}
	res, err := http.Get(s.admin)
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := io.ReadAll(res.Body)
	res.Body.Close()
	for _, want := range []string{
		"glom_frames_total ", `glom_stage_seconds_count{stage="settle"} `, `glom_islands{level="4"} `, `glom_encoded_total{picture="overlay"} `, "glom_viewers 0",
		"glom_source_dropped_total ", "glom_show_dropped_total ", "glom_sent_dropped_total ", `glom_bitrate{picture="plain"} `, "glom_unsettled ", `glom_stage_seconds_bucket{stage="encode",le="0.016"} `,
	} {
		if !strings.Contains(string(metrics), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
	began := time.Now()
	if code := s.stop(); code != 130 || time.Since(began) > 3*time.Second {
		t.Errorf("exit code %d after %v, want 130 within 3 s: %s", code, time.Since(began), s.err.String())
	}
	b, err = os.ReadFile(lines)
	if err != nil || bytes.Count(b, []byte("\n")) < 10 || b[len(b)-1] != '\n' {
		t.Errorf("%d bytes of JSON, %v", len(b), err)
	}
	recorded, _ := filepath.Glob(filepath.Join(dir, "rec", "*.webm"))
	if len(recorded) != 1 || count(t, recorded[0]).Packets < 5 {
		t.Errorf("recordings %q", recorded)
	}
}

// Fault 6: a file that ends ends the program, with success; --loop plays it again, with a cut.
func TestServeEndAndLoop(t *testing.T) {
	s := startServe(t, tiny)
	if code := s.wait(); code != exitOK || !strings.Contains(s.err.String(), "--loop") {
		t.Errorf("exit code %d: %s", code, s.err.String())
	}
	s = startServe(t, tiny, "--loop", "-q")
	st := s.until("12 frames", func(st serveStatus) bool { return st.Frames >= 12 })
	if st.Cuts < 2 {
		t.Errorf("%d cuts in %d frames of rounds of 5", st.Cuts, st.Frames)
	}
}

// A file is played at its own pace, not as fast as the machine could. How much slower a busy machine is says nothing.
func TestServePace(t *testing.T) {
	s := startServe(t, "synthetic:demo?size=96x64&frames=-1&fps=10")
	began, first := time.Now(), s.status().Frames
	s.until("5 frames more", func(st serveStatus) bool { return st.Frames >= first+5 })
	time.Sleep(2 * time.Second)
	if rate := float64(s.status().Frames-first) / time.Since(began).Seconds(); rate > 11 {
		t.Errorf("%.1f frames/s, want 10", rate)
	}
}

func TestServeUsage(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"", "one SOURCE, got 0"},
		{"a b", "one SOURCE, got 2"},
		{tiny + " --listen 8080", "--listen"},
		{tiny + " --listen :0", "--tls self"},
		{tiny + " --listen :0 --tls other", "--tls"},
		{tiny + " --tls-cert x", "together"},
		{tiny + " --token short", "at least 8"},
		{tiny + " --token 0123456789 --token-file x", "not both"},
		{tiny + " --viewer-token 0123456789", "--token"},
		{tiny + " --token 0123456789 --viewer-token 0123456789", "the same"},
		{tiny + " --codec h264", "vp8"},
		{tiny + " --bitrate 5", "--bitrate"},
		{tiny + " --max-viewers 0", "--max-viewers"},
		{tiny + " --ice-server turn:x,user", "--ice-server"},
		{tiny + " --ice-server example.org,user,secret", `--ice-server "example.org": want a URL`},
		{tiny + " --udp 8189", `--udp "8189": want HOST:PORT`},
		{tiny + " --tcp :70000", `--tcp ":70000": want HOST:PORT`},
		{tiny + " --public-ip here", `--public-ip "here"`},
		{tiny + " --public-ip 192.0.2.1/", `--public-ip "192.0.2.1/"`},
		{tiny + " --level 9", "--level"},
		{tiny + " --opacity 2", "--opacity"},
		{tiny + " --open-timeout 0s", "--open-timeout"},
		{tiny + " --allow-origin example.org", "--allow-origin"},
		{tiny + " --allow-origin https://example.org/page", "--allow-origin"},
		{tiny + " --host camera.example:8080", "--host"},
		{"- --loop", "--loop"},
	} {
		fail(t, exitUsage, append([]string{"serve"}, strings.Fields(tt.args)...), tt.want)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, tt := range []struct{ args, want string }{
		{tiny + " --listen " + l.Addr().String(), "in use"}, // fault 44
		{tiny + " --token-file nosuch", "nosuch"},
		{tiny + " --snapshots nosuch", "nosuch"},
		{tiny + " --listen 127.0.0.1:0 --admin 0.0.0.0:0", "this machine only"},
		{"nosuch.mp4", "nosuch.mp4"}, // fault 1
	} {
		began := time.Now()
		fail(t, exitFailed, append([]string{"serve"}, strings.Fields(tt.args)...), tt.want)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: took %v", tt.args, took)
		}
	}
}

// An endpoint that refuses what is published is told at once, without the token.
func TestServePublishRefused(t *testing.T) {
	var got atomic.Value
	sfu := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Method + " " + r.Header.Get("Authorization") + " " + r.Header.Get("Content-Type"))
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer sfu.Close()
	args := []string{"serve", tiny, "--listen", "127.0.0.1:0", "--publish", sfu.URL + "/whip", "--publish-token", "hunter2hunter2"}
	r := try(t, strings.NewReader(""), args...)
	if r.code != exitFailed || !strings.Contains(r.err, "403") || strings.Contains(r.err, "hunter2") {
		t.Errorf("exit code %d: %s", r.code, r.err)
	}
	if got.Load() != "POST Bearer hunter2hunter2 application/sdp" {
		t.Errorf("the endpoint was asked %v", got.Load())
	}
}

// An endpoint that is away is tried again, and the status tells so, without the password.
func TestServePublishStatus(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := startServe(t, tiny, "--loop", "--publish", "http://someone:hunter2@"+l.Addr().String()+"/whip")
	st := s.until("told", func(st serveStatus) bool { return st.Publish != nil && st.Publish.Error != "" })
	if st.Publish.Connected || !strings.Contains(st.Publish.Error, "refused") || strings.Contains(st.Publish.Error+s.err.String(), "hunter2") {
		t.Errorf("status %+v, log %s", st.Publish, s.err.String())
	}
	if _, b := s.fetch(s.admin, ""); !strings.Contains(string(b), "glom_published 0\n") {
		t.Error("the metrics do not tell")
	}
}

// On a network there is a token, which is made if none is given, and nothing goes without it.
func TestServeOnNetwork(t *testing.T) {
	s := startServe(t, "synthetic:demo?size=96x64&frames=-1", "--listen", "0.0.0.0:0", "--insecure", "--udp", "127.0.0.1:0")
	if len(s.token) < 20 {
		t.Fatalf("token %q in %s", s.token, s.err.String())
	}
	if code, _ := s.get("api/status"); code != 200 {
		t.Errorf("with the token: %d", code)
	}
	token := s.token
	t.Setenv("GLOM_TOKEN", "from-the-environment")
	if e := startServe(t, tiny, "--loop"); e.token != "from-the-environment" {
		t.Errorf("token %q, want that of GLOM_TOKEN", e.token)
	}
	s.token = ""
	if code, _ := s.get("api/status"); code != 401 {
		t.Errorf("without: %d", code)
	}
	if code, b := s.get(""); code != 200 || strings.Contains(string(b), token) {
		t.Errorf("the page: %d", code)
	}
}

// A page of a site that is allowed, however its name was written, may use WHEP and see why it was refused.
func TestServeAllowedOrigin(t *testing.T) {
	s := startServe(t, tiny, "--loop", "--token", "0123456789", "--allow-origin", "HTTPS://Player.Example:443/")
	for _, method := range []string{http.MethodOptions, http.MethodPost} {
		r, err := http.NewRequestWithContext(t.Context(), method, s.url+"whep", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", "https://player.example")
		want := http.StatusUnauthorized
		if method == http.MethodOptions {
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
			want = http.StatusOK
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if got := res.Header.Get("Access-Control-Allow-Origin"); res.StatusCode != want || got != "https://player.example" {
			t.Errorf("%s: %s, allowed for %q", method, res.Status, got)
		}
		if got := res.Header.Get("Access-Control-Allow-Methods"); (got != "") != (method == http.MethodOptions) {
			t.Errorf("%s: methods %q", method, got)
		}
	}
}

// What is written goes above the line, which stays.
func TestStatusLine(t *testing.T) {
	var out notes
	l := newStatusLine(false, &out)
	if l.live {
		t.Error("a line without a terminal")
	}
	fmt.Fprintln(l, "one")
	l.set("line")
	fmt.Fprintln(l, "two")
	l.set("")
	fmt.Fprintln(l, "three")
	if got, want := out.String(), "one\n"+clearLine+"line"+clearLine+"two\nline"+clearLine+"three\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// camera is a network camera that can be stopped, with a user name and password.
type camera struct {
	*httptest.Server
	silent atomic.Bool // send nothing
	gone   atomic.Bool // refuse
	conns  atomic.Int64
}

func newCamera(t *testing.T) *camera {
	t.Helper()
	c := &camera{}
	m := image.NewGray(image.Rect(0, 0, 96, 64))
	var mu sync.Mutex
	ended := make(chan struct{})
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.gone.Load() {
			http.Error(w, "gone", http.StatusServiceUnavailable)
			return
		}
		c.conns.Add(1)
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
		for i := 0; !c.gone.Load(); i++ {
			if !c.silent.Load() {
				mu.Lock()
				for k := range 30 {
					m.SetGray((3*i+k)%96, 20+k, color.Gray{Y: uint8(255 - i)})
				}
				var b bytes.Buffer
				err := jpeg.Encode(&b, m, nil)
				mu.Unlock()
				if err != nil {
					return
				}
				fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", b.Len(), b.Bytes())
				w.(http.Flusher).Flush()
			}
			select {
			case <-time.After(30 * time.Millisecond):
			case <-r.Context().Done():
				return
			case <-ended:
				return
			}
		}
	}))
	t.Cleanup(func() {
		close(ended)
		c.CloseClientConnections()
		c.Close()
	})
	return c
}

// Faults 4 and 12: a camera that falls silent is noticed within two seconds, the viewers stay and see
// a sign, it is opened again when it comes back; and its password is nowhere to be found.
func TestFault4CameraStalls(t *testing.T) {
	c := newCamera(t)
	lines := filepath.Join(t.TempDir(), "tree.ndjson")
	url := strings.Replace(c.URL, "http://", "http://someone:hunter2@", 1) + "/cam?key=hunter2"
	s := startServe(t, url, "--open-timeout", "3s", "--json", lines, "-v")
	s.until("five frames", func(st serveStatus) bool { return st.Frames >= 5 })

	var pictures atomic.Int64
	viewer := make(chan error, 1)
	go func() { viewer <- s.watch("stream.mjpeg?picture=plain", &pictures) }()
	c.silent.Store(true)
	began := time.Now()
	s.until("stalled", func(st serveStatus) bool { return st.Stalled })
	if took := time.Since(began); took > 4*time.Second { // 2 s, on a busy machine
		t.Errorf("stalled after %v", took)
	}
	if code, _ := s.get("readyz"); code != 503 {
		t.Errorf("ready while stalled: %d", code)
	}
	before := pictures.Load()
	c.gone.Store(true)
	s.until("lost", func(st serveStatus) bool { return st.Lost >= 1 })
	c.silent.Store(false)
	c.gone.Store(false)
	frames := s.status().Frames
	s.until("back", func(st serveStatus) bool { return !st.Stalled && st.Frames > frames+5 })
	select {
	case err := <-viewer:
		t.Errorf("the viewer was sent away: %v", err)
	default:
	}
	s.until("seen by the viewer", func(serveStatus) bool { return pictures.Load() >= before+5 })
	if n := c.conns.Load(); n < 2 {
		t.Errorf("%d connections, want a second one", n)
	}
	_, status := s.get("api/status")
	_, page := s.get("")
	metrics, err := http.Get(s.admin)
	if err != nil {
		t.Fatal(err)
	}
	numbers, _ := io.ReadAll(metrics.Body)
	metrics.Body.Close()
	s.stop()
	<-viewer
	tree, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"status": string(status), "page": string(page), "metrics": string(numbers), "NDJSON": string(tree), "log": s.err.String(), "output": s.out.String(),
	} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("the password is in the %s: %.300s", name, text)
		}
	}
	if !strings.Contains(s.err.String(), "the source is lost") {
		t.Errorf("nothing in the log: %s", s.err.String())
	}
}
