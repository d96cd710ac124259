package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"glomstream/overlay/live"
	"glomstream/overlay/stream"
	"glomstream/overlay/web"
	"glomstream/pipeline"
)

// statusLine is a line at the bottom of a terminal that changes; what is written goes above it.
type statusLine struct {
	mu   sync.Mutex
	out  io.Writer
	live bool // a terminal that shall have the line
	text string
}

func newStatusLine(quiet bool, out io.Writer) *statusLine {
	l := &statusLine{out: out}
	if f, ok := out.(*os.File); ok && !quiet {
		l.live = term.IsTerminal(int(f.Fd()))
	}
	return l
}

const clearLine = "\r\x1b[K"

func (l *statusLine) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.text == "" {
		return l.out.Write(b)
	}
	fmt.Fprint(l.out, clearLine)
	n, err := l.out.Write(b)
	fmt.Fprint(l.out, l.text)
	return n, err
}

// show keeps the line until ctx is done; the channel is closed when it is gone.
func (l *statusLine) show(ctx context.Context, text func() string) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if !l.live {
			return
		}
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				l.set(text())
			case <-ctx.Done():
				l.set("")
				return
			}
		}
	}()
	return done
}

func (l *statusLine) set(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = text
	fmt.Fprint(l.out, clearLine+text)
}

// meters remember what the pipeline says of itself.
type meters struct {
	observe func(string, time.Duration)
	lost    atomic.Uint64 // times that the source was lost

	mu    sync.Mutex
	stats pipeline.Stats
}

// update takes the totals after a frame.
func (m *meters) update(s pipeline.Stats) {
	m.mu.Lock()
	old := m.stats
	m.stats = s
	m.mu.Unlock()
	for _, st := range []struct {
		name string
		d    time.Duration
	}{
		{"front end", s.FrontEnd - old.FrontEnd},
		{"settle", s.Settle - old.Settle},
		{"read-out", s.ReadOut - old.ReadOut},
		{"sink", s.Sink - old.Sink},
	} {
		m.observe(st.name, st.d)
	}
}

func (m *meters) now() pipeline.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// health tells of stages that hang, and asks nothing that could hang with them.
func (s *service) health() error { return s.dog.hung(cmp.Or(s.hungAt, hungAfter)) }

// ready tells whether new pictures come.
func (s *service) ready() error {
	if err := s.health(); err != nil {
		return err
	}
	return s.live.Ready()
}

// serveStatus is /api/status.
type serveStatus struct {
	Version string  `json:"version"`
	Source  string  `json:"source"` // without credentials
	State   string  `json:"source_state"`
	Uptime  float64 `json:"uptime_s"`
	Lost    uint64  `json:"source_lost"` // times
	Resets  int     `json:"resets"`      // of the state, after embeddings that were not finite
	Cuts    int     `json:"cuts"`
	live.Stats
	Stream  *stream.Stats        `json:"stream,omitempty"`
	Persons []stream.ViewerStats `json:"each_viewer,omitempty"`
	Publish *publishStatus       `json:"publish,omitempty"`
}

// publishStatus tells how the publication fares.
type publishStatus struct {
	stream.PublicationStats
	Error string `json:"error,omitempty"` // why it is not connected; without a password or token
}

func newPublishStatus(p *stream.Publication) *publishStatus {
	st := &publishStatus{PublicationStats: p.Stats()}
	if !st.Connected && st.Err != nil {
		st.Error = oneLine(st.Err)
	}
	return st
}

func (s *service) status() any {
	p := s.meters.now()
	st := serveStatus{
		Version: version, Source: s.source, State: s.dog.source(), Uptime: round(p.Wall.Seconds(), 10),
		Lost: s.meters.lost.Load(), Resets: p.Resets, Cuts: p.Cuts, Stats: s.live.Stats(),
	}
	if s.viewers != nil {
		all := s.viewers.Stats()
		st.Stream = &all
		for _, v := range s.viewers.Viewers(nil) {
			st.Persons = append(st.Persons, v.Stats())
		}
	}
	if s.publication != nil {
		st.Publish = newPublishStatus(s.publication)
	}
	return st
}

// brief is the status line.
func (s *service) brief() string {
	st := s.live.Stats()
	text := fmt.Sprintf("frame %d  %.1f frames/s", st.Seq, st.FPS)
	if st.Stalled {
		text = fmt.Sprintf("frame %d  stalled for %.0f s", st.Seq, st.Age)
	}
	if st.Viewers == 1 {
		text += "  1 viewer"
	} else {
		text += fmt.Sprintf("  %d viewers", st.Viewers)
	}
	if n := uint64(st.Dropped) + st.Replaced; n > 0 {
		text += fmt.Sprintf("  %d dropped", n)
	}
	return text
}

// register names what Prometheus can ask for.
func (s *service) register(m *web.Metrics) {
	now := s.live.Stats
	m.Counter("glom_frames_total", "Frames that were computed.", func() float64 { return float64(now().Frames) })
	m.Counter("glom_source_dropped_total", "Frames of a live source that a newer one replaced.", func() float64 { return float64(now().Dropped) })
	m.Counter("glom_source_lost_total", "Times that a live source was lost.", func() float64 { return float64(s.meters.lost.Load()) })
	m.Counter("glom_show_dropped_total", "Frames that a newer one replaced before they were drawn.", func() float64 { return float64(now().Replaced) })
	m.Counter("glom_resets_total", "Resets of the state after embeddings that were not finite.", func() float64 { return float64(s.meters.now().Resets) })
	m.Counter("glom_cuts_total", "Cuts, and starts of the source.", func() float64 { return float64(s.meters.now().Cuts) })
	m.Counter("glom_jpegs_total", "Single pictures that were made.", func() float64 { return float64(now().JPEGs) })
	m.Counter("glom_recorder_dropped_total", "Frames that the disk was too slow for.", func() float64 { return float64(now().Lost) })
	m.Gauge("glom_frames_per_second", "Frames computed per second.", func() float64 { return now().FPS })
	m.Gauge("glom_unsettled", "Settling error: how much faster the picture changes than the embeddings can settle, 0 to 1.", func() float64 { return now().Unsettled })
	m.Gauge("glom_stalled", "1 while the source gives no new frames.", func() float64 { return map[bool]float64{true: 1}[now().Stalled] })
	m.Gauge("glom_viewers", "Viewers that are connected.", func() float64 { return float64(now().Viewers) })
	for i, name := range stageNames() {
		m.Gauge("glom_stage_busy_seconds", "For how long a stage has been at its present piece of work; 0 if it has none.",
			func() float64 { return s.dog.busy()[i].Seconds() }, "stage", name)
	}
	for l := range s.site.Levels {
		m.Gauge("glom_islands", "Islands in the newest frame.", func() float64 { return float64(now().Islands[l]) }, "level", fmt.Sprint(l))
	}
	for i, name := range live.Pictures() {
		m.Gauge("glom_bitrate", "Bit/s that the encoder aims at.", func() float64 { return float64(now().Pictures[i].Bitrate) }, "picture", name)
		m.Counter("glom_encoded_total", "Frames encoded.", func() float64 { return float64(now().Pictures[i].Encoded) }, "picture", name)
		m.Counter("glom_key_frames_total", "Key frames encoded.", func() float64 { return float64(now().Pictures[i].KeyFrames) }, "picture", name)
		m.Counter("glom_encoded_bytes_total", "Bytes encoded.", func() float64 { return float64(now().Pictures[i].Bytes) }, "picture", name)
		m.Counter("glom_encode_errors_total", "Frames that could not be encoded.", func() float64 { return float64(now().Pictures[i].Failed) }, "picture", name)
	}
	if s.viewers == nil {
		return
	}
	if p := s.publication; p != nil {
		m.Gauge("glom_published", "1 while the endpoint of --publish takes the video.", func() float64 { return map[bool]float64{true: 1}[p.Stats().Connected] })
		m.Counter("glom_publish_sessions_total", "Sessions that the endpoint of --publish has agreed to.", func() float64 { return float64(p.Stats().Sessions) })
	}
	of := s.viewers.Stats
	m.Counter("glom_sent_bytes_total", "Bytes of RTP payload sent.", func() float64 { return float64(of().Bytes) })
	m.Counter("glom_sent_dropped_total", "Frames dropped because a viewer did not keep up.", func() float64 { return float64(of().Dropped) })
	m.Counter("glom_picture_loss_total", "Requests for key frames by viewers that lost pictures.", func() float64 { return float64(of().Lost) })
	m.Counter("glom_rejected_total", "Requests for video that were answered by an error.", func() float64 { return float64(of().Rejected) })
}

// openBrowser shows an address in the browser of this machine.
func openBrowser(url string) error {
	cmd := exec.Command("xdg-open", url)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // whatever the browser says
	return nil
}
