package stream

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"
)

func TestNothingToSee(t *testing.T) {
	ready := false
	_, url := serve(t, Config{Ready: func(int) bool { return ready }})
	offer := newClient(t, clientOptions{}).offer()
	resp, body := request(t, http.MethodPost, url, offer, "Content-Type", typeSDP)
	if resp.StatusCode != http.StatusConflict || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q, want 409 with one", resp.Status, resp.Header.Get("Retry-After"))
	}
	checkProblem(t, resp, body)
	ready = true
	if resp, _ = request(t, http.MethodPost, url, offer, "Content-Type", typeSDP); resp.StatusCode != http.StatusCreated {
		t.Errorf("%s, want 201", resp.Status)
	}
}

func TestFull(t *testing.T) {
	s, url := serve(t, Config{MaxViewers: 2})
	first := dial(t, url, clientOptions{})
	dial(t, url, clientOptions{})
	offer := newClient(t, clientOptions{}).offer()
	resp, body := request(t, http.MethodPost, url, offer, "Content-Type", typeSDP)
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q, want 503 with one", resp.Status, resp.Header.Get("Retry-After"))
	}
	checkProblem(t, resp, body)
	request(t, http.MethodDelete, first.location, "")
	until(t, "a free place", func() bool { return s.Stats().Sessions == 1 })
	if resp, _ = request(t, http.MethodPost, url, offer, "Content-Type", typeSDP); resp.StatusCode != http.StatusCreated {
		t.Errorf("%s, want 201", resp.Status)
	}
}

// TestPostFlood checks that a flood fills the free places and no more, that it leaves no memory behind, and that
// those who watch see every frame.
func TestPostFlood(t *testing.T) {
	src, key := keySource(5000)
	s, url := serve(t, Config{MaxViewers: 6, KeyFrame: key, ConnectTimeout: 3 * time.Second})
	src.run(t, s, 20*time.Millisecond)
	c := dial(t, url, clientOptions{})
	first := c.awaitFrame("is a key frame", received.key)
	offer := newClient(t, clientOptions{}).offer()
	before := heap()
	status := map[int]int{}
	transport := &http.Transport{MaxIdleConnsPerHost: 4}
	defer transport.CloseIdleConnections()
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 100 {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(offer))
				if err != nil {
					t.Error(err)
					return
				}
				req.Header.Set("Content-Type", typeSDP)
				resp, err := transport.RoundTrip(req)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				mu.Lock()
				status[resp.StatusCode]++
				mu.Unlock()
				if n := s.Stats().Sessions; n > 6 {
					t.Errorf("%d sessions, want at most 6", n)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("answers: %v", status)
	if status[http.StatusServiceUnavailable] < 300 || status[http.StatusCreated] < 5 {
		t.Errorf("answers %v, want mostly 503 and at least five 201", status)
	}
	until(t, "half-open sessions reaped", func() bool { return s.Stats().Sessions == 1 })
	// The viewer, in this process, keeps what it got: its own kilobytes a frame.
	if grown := heap() - before; grown > 8<<20 {
		t.Errorf("the flood left %d bytes", grown)
	}
	if st := s.Stats(); st.HalfOpen < 5 || st.Viewers != 1 {
		t.Errorf("%d reaped, %d viewers, want at least 5 and 1", st.HalfOpen, st.Viewers)
	}
	last := c.awaitFrame("is a later one", func(f received) bool { return f.number() > first.number()+50 })
	checkComplete(t, c.got(), first.number(), last.number())
}

// heap returns how much is in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// checkComplete checks that all frames from first to last came once and in order.
func checkComplete(t *testing.T, frames []received, first, last int) {
	t.Helper()
	next := first
	for _, f := range frames {
		if f.number() < first || f.number() > last {
			continue
		}
		if f.number() != next {
			t.Fatalf("frame %d came, want %d", f.number(), next)
		}
		next++
	}
	if next != last+1 {
		t.Fatalf("frames up to %d came, want up to %d", next-1, last)
	}
}

func TestHalfOpen(t *testing.T) {
	joined, left := 0, 0
	s, url := serve(t, Config{
		ConnectTimeout: 300 * time.Millisecond,
		Joined:         func(*Viewer) { joined++ }, Left: func(*Viewer) { left++ },
	})
	offer := newClient(t, clientOptions{}).offer()
	for range 5 {
		if resp, body := request(t, http.MethodPost, url, offer, "Content-Type", typeSDP); resp.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %s", resp.Status, body)
		}
	}
	if n := s.Stats().Sessions; n != 5 {
		t.Fatalf("%d sessions, want 5", n)
	}
	until(t, "reaped", func() bool { return s.Stats().Sessions == 0 })
	if n := s.Stats().HalfOpen; n != 5 {
		t.Errorf("%d reaped, want 5", n)
	}
	if joined+left != 0 {
		t.Errorf("joined %d, left %d, want none", joined, left)
	}
}

// TestMaxAge checks that a session that is well ends at its time, and that there can be another.
func TestMaxAge(t *testing.T) {
	const age = 2 * time.Second
	s, url := serve(t, Config{MaxAge: age})
	start := time.Now()
	c := dial(t, url, clientOptions{channels: true})
	await(t, c.closed, "told of the end")
	if d := time.Since(start); d < age {
		t.Errorf("it ended after %s, want %s", d, age)
	}
	until(t, "gone", func() bool { return s.Stats().Sessions == 0 })
	if st := s.Stats(); st.Joined != 1 || st.HalfOpen+st.Stalled != 0 {
		t.Errorf("%+v, want one that joined and was neither half-open nor stalled", st)
	}
	dial(t, url, clientOptions{channels: true})
}

func TestPatchFlood(t *testing.T) {
	_, url := serve(t, Config{})
	c, other := dial(t, url, clientOptions{}), dial(t, url, clientOptions{})
	status := map[int]int{}
	for range 300 {
		resp, _ := request(t, http.MethodPatch, c.location, "a=end-of-candidates\r\n", "Content-Type", typeFrag, "If-Match", c.etag)
		status[resp.StatusCode]++
	}
	if status[http.StatusTooManyRequests] < 50 || status[http.StatusNoContent] < patchBurst {
		t.Errorf("answers %v, want at least %d times 204, then 429", status, patchBurst)
	}
	resp, _ := request(t, http.MethodPatch, other.location, "a=end-of-candidates\r\n", "Content-Type", typeFrag, "If-Match", other.etag)
	if resp.StatusCode != http.StatusNoContent {
		t.Errorf("PATCH of another session: %s, want 204", resp.Status)
	}
}

func TestGuessedIDs(t *testing.T) {
	_, url := serve(t, Config{})
	c := dial(t, url, clientOptions{})
	status := map[int]int{}
	for range 100 {
		resp, _ := request(t, http.MethodDelete, url+sessionPath+newID(), "")
		status[resp.StatusCode]++
	}
	if status[http.StatusNotFound] < missBurst || status[http.StatusTooManyRequests] < 10 {
		t.Errorf("answers %v, want at least %d times 404, then 429", status, missBurst)
	}
	if resp, _ := request(t, http.MethodDelete, c.location, ""); resp.StatusCode != http.StatusOK {
		t.Errorf("DELETE of a session that exists: %s, want 200", resp.Status)
	}
}

// TestSlowBody checks that a body that does not arrive is waited for only so long.
func TestSlowBody(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for the limit of five seconds")
	}
	_, url := serve(t, Config{})
	conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/whep"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /whep HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nv\r\n", typeSDP)
	if err := conn.SetReadDeadline(time.Now().Add(2 * bodyTime)); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
		t.Errorf("answer %q, %v, want 400", answer, err)
	}
	if d := time.Since(start); d > bodyTime+2*time.Second {
		t.Errorf("took %s, want about %s", d, bodyTime)
	}
}

func TestICERestart(t *testing.T) {
	src, key := keySource(1000)
	var joined, left int
	s, url := serve(t, Config{KeyFrame: key, Joined: func(*Viewer) { joined++ }, Left: func(*Viewer) { left++ }})
	src.run(t, s, 10*time.Millisecond)
	c := dial(t, url, clientOptions{})
	first := c.awaitFrame("is a key frame", received.key)

	for round := range 3 {
		restartICE(t, c)
		first = c.awaitFrame("comes after the restart", func(f received) bool { return f.number() >= first.number()+20 })
		if n := s.Watching(0); n != 1 {
			t.Fatalf("round %d: %d viewers, want 1", round, n)
		}
	}
	if joined != 1 || left != 0 {
		t.Errorf("joined %d, left %d, want 1 and 0", joined, left)
	}
	if resp, _ := request(t, http.MethodPatch, c.location, "a=end-of-candidates\r\n", "If-Match", c.etag, "Content-Type", typeFrag); resp.StatusCode != 204 {
		t.Errorf("PATCH with the new tag: %s, want 204", resp.Status)
	}
}

// restartICE does what a browser does with restartIce and the answer in form of a fragment.
func restartICE(t *testing.T, c *client) {
	t.Helper()
	offer, err := c.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: true})
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(c.pc)
	if err := c.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	resp, body := request(t, http.MethodPatch, c.location, c.pc.LocalDescription().SDP, "If-Match", "*", "Content-Type", typeFrag)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("PATCH: %s: %s", resp.Status, body)
	}
	if tag := resp.Header.Get("ETag"); tag == "" || tag == c.etag {
		t.Errorf("ETag %s, want a new one", tag)
	}
	if got := resp.Header.Get("Content-Type"); got != typeFrag {
		t.Errorf("Content-Type %q", got)
	}
	f, err := parseFrag(body)
	if err != nil || f.ufrag == "" || len(f.candidates) == 0 || !f.end {
		t.Fatalf("fragment %+v, %v:\n%s", f, err, body)
	}
	if resp, _ := request(t, http.MethodPatch, c.location, "a=end-of-candidates\r\n", "If-Match", c.etag, "Content-Type", typeFrag); resp.StatusCode != 412 {
		t.Errorf("PATCH with the old tag: %s, want 412", resp.Status)
	}
	c.etag = resp.Header.Get("ETag")
	var answer strings.Builder
	for line := range strings.Lines(c.answer) {
		key, _, _ := strings.Cut(strings.TrimPrefix(line, "a="), ":")
		switch strings.TrimSpace(key) {
		case "ice-ufrag":
			line = "a=ice-ufrag:" + f.ufrag + "\r\n"
		case "ice-pwd":
			line = "a=ice-pwd:" + f.pwd + "\r\n"
		case "candidate", "end-of-candidates":
			continue
		}
		answer.WriteString(line)
	}
	for _, candidate := range f.candidates {
		answer.WriteString("a=candidate:" + candidate + "\r\n")
	}
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.String()}); err != nil {
		t.Fatal(err)
	}
}

// TestJoinLeave checks that sessions leave nothing behind; TestMain counts the goroutines at the end.
func TestJoinLeave(t *testing.T) {
	cycles := 100
	if testing.Short() {
		cycles = 10
	}
	var mu sync.Mutex
	joined, left := 0, 0
	s, url := serve(t, Config{
		ConnectTimeout: 3 * time.Second, // for a farewell between the connection and its channels
		Joined:         func(*Viewer) { mu.Lock(); joined++; mu.Unlock() },
		Left:           func(*Viewer) { mu.Lock(); left++; mu.Unlock() },
	})
	for i := range cycles {
		c := dial(t, url, clientOptions{channels: true})
		if i%2 == 0 {
			request(t, http.MethodDelete, c.location, "")
			c.close()
		} else {
			c.close() // its DTLS says farewell
		}
		until(t, "gone", func() bool { return s.Stats().Sessions == 0 })
	}
	// One that leaves at once may be gone before the server learns that it is connected: it never joined.
	until(t, "all left that joined", func() bool { mu.Lock(); defer mu.Unlock(); return left == joined })
	if joined < cycles/2 || joined > cycles {
		t.Errorf("%d joined, want nearly %d", joined, cycles)
	}
}

func TestCloseWithViewers(t *testing.T) {
	s, url := serve(t, Config{})
	var clients []*client
	for range 4 {
		clients = append(clients, dial(t, url, clientOptions{channels: true}))
	}
	until(t, "four viewers", func() bool { return len(s.Viewers(nil)) == 4 })
	for i, v := range s.Viewers(nil)[1:] {
		if v.number <= s.Viewers(nil)[i].number {
			t.Error("viewers are not in the order of arrival")
		}
	}
	start := time.Now()
	for range 2 { // the second has nothing to do
		if err := s.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("took %s", d)
	}
	for _, c := range clients {
		await(t, c.closed, "told of the end")
	}
	resp, body := request(t, http.MethodPost, url, newClient(t, clientOptions{}).offer(), "Content-Type", typeSDP)
	if resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("%s, want 503", resp.Status)
	}
	checkProblem(t, resp, body)
}
