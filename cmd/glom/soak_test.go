package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"glomstream/overlay/live"
	"glomstream/overlay/stream"
)

// vitals are what must not grow.
type vitals struct {
	rss, goroutines, fds, frames, encoded float64
}

// vitals reads them from the metrics.
func (s *served) vitals() (v vitals) {
	s.t.Helper()
	_, b := s.fetch(s.admin, "")
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		for into, want := range map[*float64]string{
			&v.rss: "process_resident_memory_bytes", &v.goroutines: "go_goroutines", &v.fds: "process_open_fds",
			&v.frames: "glom_frames_total", &v.encoded: `glom_encoded_total{picture="overlay"}`,
		} {
			if name == want {
				*into, _ = strconv.ParseFloat(value, 64)
			}
		}
	}
	return v
}

// visitors come and go until ctx is done: for pictures, for streams of them, and for
// video that they then do not take. A third of the latter does not say goodbye, if they may vanish.
func (s *served) visitors(ctx context.Context, offer string, vanish bool) (sessions int) {
	ask := func(ctx context.Context, method, path, body string) *http.Response {
		r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
		if err != nil {
			s.t.Error(err)
			return nil
		}
		if body != "" {
			r.Header.Set("Content-Type", "application/sdp")
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return nil // the time is up
		}
		return res
	}
	var wg sync.WaitGroup
	for k := range 2 {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				short, cancel := context.WithTimeout(ctx, 700*time.Millisecond)
				path := []string{"frame.jpg?level=" + strconv.Itoa(i%5), "stream.mjpeg", "api/status", "stream.mjpeg?picture=plain", ""}[(i+k)%5]
				if res := ask(short, http.MethodGet, path, ""); res != nil {
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
				cancel()
			}
		})
	}
	for i := 0; ctx.Err() == nil; i++ {
		res := ask(ctx, http.MethodPost, "whep?picture="+[]string{"plain", "overlay"}[i%2], offer)
		if res == nil {
			break
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode == http.StatusCreated {
			sessions++
			if i%3 > 0 || !vanish {
				if res := ask(ctx, http.MethodDelete, strings.TrimPrefix(res.Header.Get("Location"), "/"), ""); res != nil {
					res.Body.Close()
				}
			}
		}
		_ = pause(ctx, 150*time.Millisecond) // the time may be up
	}
	wg.Wait()
	http.DefaultClient.CloseIdleConnections()
	return sessions
}

// audience is viewers who watch for a while, go, and come again, until ctx is done. It returns how often
// each came and what it got.
func (s *served) audience(ctx context.Context, n int, stay time.Duration) []watched {
	all := make([]watched, n)
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			w := &all[i]
			for k := i; ctx.Err() == nil; k++ {
				picture := live.Pictures()[k%2]
				some, cancel := context.WithTimeoutCause(ctx, stay+time.Duration(k%3)*stay/2, errEnough)
				before := w.frames
				err := stream.Receive(some, stream.ReceiveConfig{
					URL: s.url + "whep?picture=" + picture, Data: picture == "plain",
					Frame:   func(stream.Received) { w.frames++ },
					Message: func([]byte) { w.data.Add(1) },
				})
				cancel()
				if w.frames > before {
					w.sessions++
				}
				if !errors.Is(err, errEnough) && ctx.Err() == nil {
					w.refused++ // as many others ask at the same time
					_ = pause(ctx, 200*time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	return all
}

var errEnough = errors.New("seen enough")

// watched is what a viewer of the audience saw.
type watched struct {
	sessions, frames, refused int
	data                      atomic.Int64
}

// Faults 36 and 41: while three viewers watch, go and come again, and visitors come and go, memory, goroutines and files stay as they are. It takes
// half a minute, or as long as GLOM_SOAK says (make soakserve: ten minutes).
func TestSoakServe(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	length := 30 * time.Second
	if v := os.Getenv("GLOM_SOAK"); v != "" {
		var err error
		if length, err = time.ParseDuration(v); err != nil {
			t.Fatal(err)
		}
	}
	offer, err := os.ReadFile(filepath.Join("testdata", "offer.sdp"))
	if err != nil {
		t.Fatal(err)
	}
	s := startServeChild(t, "synthetic:demo?size=320x176&frames=200", "--loop", "--record", t.TempDir())
	s.until("thirty frames", func(st serveStatus) bool { return st.Frames >= 30 })

	part, settled := length/3, time.Second
	if length > time.Minute {
		settled = 12 * time.Second // until those who did not say goodbye are reaped
	}
	var early vitals
	sessions, joined, seen := 0, 0, 0
	for i := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), part)
		var all []watched
		var wg sync.WaitGroup
		wg.Go(func() { all = s.audience(ctx, 3, min(part/4, 15*time.Second)) })
		sessions += s.visitors(ctx, string(offer), length > time.Minute)
		wg.Wait()
		cancel()
		for k := range all {
			w := &all[k]
			joined, seen = joined+w.sessions, seen+w.frames
			if w.frames < 10 || w.data.Load() == 0 {
				t.Errorf("viewer %d: %d frames and %d data in %d sessions, refused %d times", k+1, w.frames, w.data.Load(), w.sessions, w.refused)
			}
		}
		s.until("all gone", func(st serveStatus) bool { return st.Viewers == 0 })
		time.Sleep(settled)
		v := s.vitals()
		t.Logf("after %v: %.0f MB, %.0f goroutines, %.0f files, %.0f frames, %.0f encoded, %d sessions, of which %d saw %d frames",
			part*time.Duration(i+1), v.rss/1e6, v.goroutines, v.fds, v.frames, v.encoded, sessions+joined, joined, seen)
		switch {
		case i == 0:
			early = v
		case v.frames <= early.frames || v.encoded <= early.encoded:
			t.Errorf("nothing was computed or recorded: %+v after %+v", v, early)
		// A session that was cut off at the end of the time may still be there.
		case v.goroutines > early.goroutines+24 || v.fds > early.fds+6:
			t.Errorf("goroutines or files grow: %+v after %+v", v, early)
		case v.rss > early.rss*1.15+20e6:
			t.Errorf("memory grows: %+v after %+v", v, early)
		}
	}
	if sessions < 20 || joined < 12 {
		t.Errorf("%d sessions that saw nothing and %d that watched: the test shows little", sessions, joined)
	}
	if code := s.stop(); code != 130 {
		t.Errorf("exit code %d: %s", code, s.err.String())
	}
}

// startServeChild is startServe in a process of its own.
func startServeChild(t *testing.T, args ...string) *served {
	t.Helper()
	s := &served{t: t, ended: make(chan int, 1)}
	cmd := child(t, append([]string{"serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}, args...)...)
	cmd.Stderr = &s.err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait() // its code is told below
		s.ended <- cmd.ProcessState.ExitCode()
	}()
	s.cancel = func(error) { _ = cmd.Process.Signal(syscall.SIGINT) } // it may have ended
	for end := time.Now().Add(30 * time.Second); s.admin == ""; time.Sleep(20 * time.Millisecond) {
		if m, a := watchAt.FindStringSubmatch(s.err.String()), metricsAt.FindStringSubmatch(s.err.String()); m != nil && a != nil {
			s.url, s.admin = m[1], a[1]
		}
		if time.Now().After(end) {
			t.Fatalf("glom serve does not start: %s", s.err.String())
		}
	}
	return s
}
