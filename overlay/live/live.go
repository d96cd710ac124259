package live

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"glomstream/capture"
	"glomstream/glom/follow"
	"glomstream/overlay"
	"glomstream/overlay/record"
	"glomstream/overlay/vpx"
	"glomstream/pipeline"
)

// The pictures, in the order in which the server knows them.
const (
	Overlay = iota // with the islands drawn in
	Plain          // as it came
	pictures
)

// Pictures returns their names.
func Pictures() []string { return []string{"overlay", "plain"} }

// Config says what to show. Levels is needed; other fields at zero have the stated default.
type Config struct {
	Levels int            // of the model
	Draw   overlay.Config // of the picture Overlay; its own Levels does not matter

	Codec   vpx.Codec     // default VP8
	Bitrate int           // bit/s of each picture to begin with, default 1,500,000
	FPS     float64       // that is expected, default 30
	Layers  int           // temporal layers, so that slow viewers can do with fewer frames; default 1
	Stale   time.Duration // when the last picture counts as old, default 2 s; it is noticed by then
	Follow  follow.Config // how what an operator chose is followed

	Record    record.Config // where the picture Overlay is recorded; no Dir: nowhere
	Snapshots string        // folder, which must exist; empty: there are none

	Source  string                      // name, without credentials
	Observe func(string, time.Duration) // is told how long a frame spent in a stage: draw, encode, meta, age; default nobody
	Log     *slog.Logger                // default: nothing is logged
}

// encoder is what compresses a picture.
type encoder interface {
	Encode(p *vpx.Packet, f *capture.Frame, key bool) error
	SetBitrate(bps int) error
	Close() error
}

// Live is a pipeline.Sink. Make one with New. All methods but Write and Close may be called from
// many goroutines.
type Live struct {
	cfg        Config
	newEncoder func(vpx.Config) (encoder, error)
	noVideo    error // why there is no encoder; nil if there is
	recorder   *record.Recorder
	folder     *os.Root // of snapshots

	room   room
	follow following
	lanes  [pictures]lane
	teller teller
	busy   busy

	free  chan *shot // that nobody uses
	wake  chan struct{}
	done  chan struct{} // closed by Close
	ended chan struct{} // closed by the worker

	mu      sync.Mutex
	mail    *shot         // the newest one that the worker did not take; nil if it has
	last    *shot         // the newest of all; nil before the first
	sign    string        // what is to be written across last
	version uint64        // of last and sign
	arrived time.Time     // when last came
	fresh   chan struct{} // closed when version changes; nil if nobody waits
	closed  bool

	epoch  time.Time
	offset uint32
	pts    time.Duration // of the frame before, from epoch; the worker's

	stalled  atomic.Bool
	taken    atomic.Uint64 // results
	replaced atomic.Uint64 // before the worker took them
	jpegs    atomic.Uint64
	flight   singleflight.Group
	kept     kept
	drawers  drawers
	snapped  time.Time // when the last snapshot was taken; under mu

	recordErrors atomic.Uint64
	complained   atomic.Int64 // when the recorder's error was logged, in nanoseconds since epoch; 0: never
}

// New returns a Live that shows nothing yet. Close ends it.
func New(c Config) (*Live, error) {
	return newLive(c, func(vc vpx.Config) (encoder, error) { return vpx.New(vc) })
}

func newLive(c Config, newEncoder func(vpx.Config) (encoder, error)) (*Live, error) {
	if c.Codec == "" {
		c.Codec = vpx.VP8
	}
	if c.Bitrate == 0 {
		c.Bitrate = 1_500_000
	}
	if c.FPS == 0 {
		c.FPS = 30
	}
	if c.Stale == 0 {
		c.Stale = 2 * time.Second
	}
	if c.Observe == nil {
		c.Observe = func(string, time.Duration) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Draw.Levels = c.Levels
	l := &Live{
		cfg:        c,
		follow:     following{cfg: c.Follow},
		newEncoder: newEncoder,
		free:       make(chan *shot, 4),
		wake:       make(chan struct{}, 1),
		done:       make(chan struct{}),
		ended:      make(chan struct{}),
		epoch:      time.Now(),
		offset:     rand.Uint32(),
		drawers:    drawers{base: c.Draw, made: map[int]*overlay.Drawer{}},
	}
	if _, err := l.drawers.level(-1); err != nil {
		return nil, err
	}
	l.tryEncoder()
	if err := l.openFolders(); err != nil {
		return nil, err
	}
	for i := range l.lanes {
		l.lanes[i] = lane{live: l, picture: i, pool: capture.NewPool(2)}
		l.lanes[i].bitrate.Store(int64(c.Bitrate))
	}
	go l.run()
	return l, nil
}

// tryEncoder finds out whether there will be video.
func (l *Live) tryEncoder() {
	e, err := l.newEncoder(l.encoding(64, 64))
	if err == nil {
		err = e.Close()
	}
	l.noVideo = err
}

// encoding configures an encoder.
func (l *Live) encoding(w, h int) vpx.Config {
	return vpx.Config{Codec: l.cfg.Codec, W: w, H: h, Bitrate: l.cfg.Bitrate, FPS: l.cfg.FPS, Layers: l.cfg.Layers}
}

func (l *Live) openFolders() (err error) {
	if dir := l.cfg.Snapshots; dir != "" {
		if l.folder, err = os.OpenRoot(dir); err != nil {
			return fmt.Errorf("open the folder of snapshots %q: %w", dir, errors.Unwrap(err))
		}
	}
	if l.cfg.Record.Dir == "" {
		return nil
	}
	if l.noVideo != nil {
		return fmt.Errorf("record in %q: %w", l.cfg.Record.Dir, l.noVideo)
	}
	c := l.cfg.Record
	c.Codec = string(l.cfg.Codec)
	l.recorder, err = record.New(c)
	return err
}

// recordFailed counts an error of the recorder and logs one a minute.
func (l *Live) recordFailed(err error) {
	l.recordErrors.Add(1)
	now := int64(time.Since(l.epoch))
	if last := l.complained.Load(); (last == 0 || now-last >= int64(time.Minute)) && l.complained.CompareAndSwap(last, now) {
		l.cfg.Log.Error("record", "error", err)
	}
}

// Video returns why no video can be encoded, nil if it can. Single pictures always work.
func (l *Live) Video() error { return l.noVideo }

// Write takes a result. It keeps nothing of r and never fails: what is wrong with showing it is no
// reason to stop computing.
func (l *Live) Write(r *pipeline.Result) error {
	l.taken.Add(1)
	changed := l.follow.step(r)
	s := l.blank()
	s.fill(r, &l.cfg.Draw)
	s.followed = l.follow.copyTo(s)

	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		s.release()
		return nil
	}
	if l.mail != nil {
		l.mail.release()
		l.replaced.Add(1)
	}
	if l.last != nil {
		l.last.release()
	}
	s.refs.Store(2)
	l.mail, l.last, l.sign, l.arrived = s, s, "", time.Now()
	l.news()
	l.mu.Unlock()
	l.nudge()
	if changed {
		l.room.echo(l.state())
	}
	return nil
}

// news tells those who wait that there is another picture. The lock is held.
func (l *Live) news() {
	l.version++
	if l.fresh != nil {
		close(l.fresh)
		l.fresh = nil
	}
}

// nudge wakes the worker.
func (l *Live) nudge() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Ready returns nil if there are pictures and they are new.
func (l *Live) Ready() error {
	l.mu.Lock()
	none := l.last == nil
	l.mu.Unlock()
	switch {
	case none:
		return errors.New("no picture yet")
	case l.stalled.Load():
		return errors.New("stalled: the source gives no new pictures")
	}
	return nil
}

// Close ends the worker and finishes the recording. Viewers are the server's, which is closed
// before or after. Close may be called twice.
func (l *Live) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.news()
	l.mu.Unlock()
	close(l.done)
	<-l.ended
	var errs []error
	for i := range l.lanes {
		errs = append(errs, l.lanes[i].close())
	}
	if l.recorder != nil {
		errs = append(errs, l.recorder.Close())
	}
	if l.folder != nil {
		errs = append(errs, l.folder.Close())
	}
	return errors.Join(errs...)
}
