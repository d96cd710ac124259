package page_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"glomstream/capture"
	"glomstream/overlay"
	"glomstream/overlay/meta"
	"glomstream/overlay/page"
	"glomstream/overlay/stream"
	"glomstream/overlay/vpx"
)

// fake is a server with the scene of these tests: what `glom serve` does, in small.
type fake struct {
	addr string

	mu       sync.Mutex
	noWHEP   bool // motion JPEG only
	token    string
	commands []meta.Command
	levels   map[string]int // by viewer
	paused   map[string]bool
	follow   *meta.Followed
	frozen   bool // no new frames
	mute     bool // commands are not answered
	status   int  // of the answer to POST, instead of a session
	stalled  bool // and the viewers are told
	delay    bool // messages come after their frames
	lose     bool // every second message
	posts    int
	deletes  int

	stop func()
}

const fps = 30

// start serves until stop; a stopped fake can start again at the same address.
func (f *fake) start(t *testing.T) {
	t.Helper()
	enc, err := vpx.New(vpx.Config{W: sceneW, H: sceneH, Bitrate: 1_500_000, FPS: fps})
	if err != nil {
		t.Skipf("no encoder: %v", err)
	}
	f.mu.Lock()
	f.levels, f.paused = map[string]int{}, map[string]bool{}
	f.mu.Unlock()
	key := make(chan struct{}, 1)
	s, err := stream.New(stream.Config{
		Pictures: []string{"overlay", "plain"},
		Role:     f.role,
		KeyFrame: func(int) {
			select {
			case key <- struct{}{}:
			default:
			}
		},
		Joined:  func(v *stream.Viewer) { f.tell(v, "") },
		Control: f.control,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler())
	mux.HandleFunc("/stream.mjpeg", f.mjpeg)
	mux.Handle("/whep", f.count(s))
	mux.Handle("/whep/", f.count(s))
	ctx, cancel := context.WithCancel(context.Background())
	h := &http.Server{Handler: mux, BaseContext: func(net.Listener) context.Context { return ctx }, ReadHeaderTimeout: 10 * time.Second}
	l := f.listen(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := h.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if err := f.show(ctx, s, enc, key); err != nil {
			t.Error(err)
		}
	})
	f.stop = sync.OnceFunc(func() {
		cancel()
		closing, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		_ = h.Close()
		if err := s.Close(closing); err != nil {
			t.Error(err)
		}
		wg.Wait()
		_ = enc.Close()
	})
	t.Cleanup(f.stop)
}

func (f *fake) listen(t *testing.T) net.Listener {
	t.Helper()
	if f.addr == "" {
		f.addr = "127.0.0.1:0"
	}
	var l net.Listener
	var err error
	for range 50 {
		if l, err = net.Listen("tcp", f.addr); err == nil {
			f.addr = l.Addr().String()
			return l
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal(err)
	return nil
}

func (f *fake) url() string { return "http://" + f.addr + "/" }

func (f *fake) role(r *http.Request) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.token != "" && r.Header.Get("Authorization") != "Bearer "+f.token {
		return ""
	}
	return stream.RoleOperator
}

func (f *fake) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		switch r.Method {
		case http.MethodPost:
			f.posts++
		case http.MethodDelete:
			f.deletes++
		}
		status := f.status
		if f.noWHEP {
			status = http.StatusNotFound
		}
		f.mu.Unlock()
		if status > 0 && r.Method == http.MethodPost {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"title":"no","detail":"The test <b>refuses</b>."}`)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// show paints, encodes and sends frames until ctx ends.
func (f *fake) show(ctx context.Context, s *stream.Server, enc *vpx.Encoder, key <-chan struct{}) error {
	tick := time.NewTicker(time.Second / fps)
	defer tick.Stop()
	var frame capture.Frame
	var packet vpx.Packet
	start := time.Now()
	for seq := uint64(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		f.mu.Lock()
		frozen, delay := f.frozen, f.delay
		f.mu.Unlock()
		if frozen {
			f.stale(s, seq)
			continue
		}
		seq++
		now := time.Now()
		paint(&frame, seq)
		frame.PTS, frame.Captured = now.Sub(start), now
		timestamp := uint32(frame.PTS*90000/time.Second) + 0xFFFF0000 // wraps after 0.7 s
		wanted := false
		select {
		case <-key:
			wanted = true
		default:
		}
		if err := enc.Encode(&packet, &frame, wanted); err != nil {
			return err
		}
		if !delay {
			f.send(s, seq, timestamp, now, false)
		}
		if len(packet.Data) > 0 {
			s.Write(1, &stream.Frame{Data: packet.Data, Key: packet.Key, Timestamp: timestamp, Captured: now})
		}
		if delay {
			time.Sleep(20 * time.Millisecond)
			f.send(s, seq, timestamp, now, false)
		}
	}
}

// stale says four times a second that there is nothing new.
func (f *fake) stale(s *stream.Server, seq uint64) {
	f.mu.Lock()
	stalled := f.stalled
	f.mu.Unlock()
	if stalled {
		f.send(s, seq, 1, time.Now(), true)
	}
}

// send sends each viewer the islands of its level.
func (f *fake) send(s *stream.Server, seq uint64, timestamp uint32, at time.Time, stale bool) {
	f.mu.Lock()
	lose := f.lose && seq%2 == 0
	f.mu.Unlock()
	if lose {
		return
	}
	for _, v := range s.Viewers(nil) {
		f.mu.Lock()
		level, ok := f.levels[v.ID()]
		f.mu.Unlock()
		if !ok {
			level = 3
		}
		m := message(seq, timestamp, at, level, seq%10 == 0)
		m.Stale = stale
		if b, err := meta.Append(nil, &m); err == nil {
			v.Meta(b)
		}
	}
}

func (f *fake) control(v *stream.Viewer, b []byte) {
	c, err := meta.ParseCommand(b)
	f.mu.Lock()
	mute := f.mute
	f.mu.Unlock()
	if err != nil || mute {
		return
	}
	if c.Type == meta.Ping {
		if pong, err := meta.AppendPong(nil, *c.T, time.Now()); err == nil {
			v.Send(pong)
		}
		return
	}
	f.mu.Lock()
	f.commands = append(f.commands, c)
	switch c.Type {
	case meta.Set:
		if c.Level != nil {
			f.levels[v.ID()] = *c.Level
		}
		if c.Paused != nil {
			f.paused[v.ID()] = *c.Paused
			v.SetPaused(*c.Paused)
		}
	case meta.Follow:
		f.follow = &meta.Followed{Level: *c.Level, Island: *c.Island}
	case meta.Unfollow:
		f.follow = nil
	}
	f.mu.Unlock()
	if c.Type == meta.Snapshot {
		f.tell(v, "Written <b>now</b>")
		return
	}
	f.tell(v, "")
}

func (f *fake) tell(v *stream.Viewer, notice string) {
	f.mu.Lock()
	level, ok := f.levels[v.ID()]
	if !ok {
		level = 3
	}
	state := meta.State{
		Role: v.Role(), Can: []string{meta.Follow, meta.Unfollow, meta.Snapshot}, Level: level, Paused: f.paused[v.ID()],
		Follow: f.follow, Source: "test <scene>", Viewers: 1, Notice: notice,
	}
	f.mu.Unlock()
	for l := range sceneLevels {
		state.Names = append(state.Names, overlay.LevelName(l, sceneLevels))
	}
	if b, err := meta.AppendState(nil, &state); err == nil {
		v.Send(b)
	}
}

// sessions waits until so many were asked for.
func (f *fake) sessions(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		f.mu.Lock()
		posts := f.posts
		f.mu.Unlock()
		if posts >= n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d sessions were asked for, want %d", posts, n)
		}
	}
}

// got waits for a command that want accepts.
func (f *fake) got(t *testing.T, what string, want func(meta.Command) bool) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		f.mu.Lock()
		told := slices.ContainsFunc(f.commands, want)
		f.mu.Unlock()
		if told {
			return
		}
	}
	t.Errorf("the server was not told: %s", what)
}

func (f *fake) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// mjpeg sends ten pictures a second whose brightness changes.
func (f *fake) mjpeg(w http.ResponseWriter, r *http.Request) {
	if f.role(r) == "" {
		http.Error(w, "no token", http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	for n := 0; r.Context().Err() == nil; n++ {
		m := image.NewGray(image.Rect(0, 0, 320, 176))
		for i := range m.Pix {
			m.Pix[i] = color.Gray{uint8(100 + n%10*10)}.Y
		}
		var b bytes.Buffer
		_ = jpeg.Encode(&b, m, nil)
		head := "\r\n--frame\r\nContent-Type: image/jpeg\r\n"
		if n%2 == 0 { // the length may be missing
			head += "Content-Length: " + strconv.Itoa(b.Len()) + "\r\n"
		}
		if _, err := fmt.Fprintf(w, "%s\r\n%s", head, b.Bytes()); err != nil {
			return
		}
		_ = http.NewResponseController(w).Flush()
		time.Sleep(100 * time.Millisecond)
	}
}
