package live

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"glomstream/capture"
	"glomstream/capture/descriptor"
	"glomstream/capture/scene"
	"glomstream/glom"
	"glomstream/overlay"
	"glomstream/overlay/meta"
	"glomstream/overlay/stream"
	"glomstream/overlay/vpx"
	"glomstream/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// studio makes encoders that note what they are asked for.
type studio struct {
	mu    sync.Mutex
	made  []vpx.Config
	open  int
	shots []taken
	fail  int           // so many encodes fail from now on
	hold  chan struct{} // if not nil, an encode waits for it
}

// taken is one encode.
type taken struct {
	w, h int
	key  bool
	rate int
	f    capture.Frame // without pixels
}

type fakeEncoder struct {
	*studio
	cfg   vpx.Config
	first bool
	rate  int
}

func (s *studio) encoder(c vpx.Config) (encoder, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made = append(s.made, c)
	s.open++
	return &fakeEncoder{studio: s, cfg: c, first: true, rate: c.Bitrate}, nil
}

func (e *fakeEncoder) Encode(p *vpx.Packet, f *capture.Frame, key bool) error {
	e.mu.Lock()
	hold := e.hold
	e.mu.Unlock()
	if hold != nil {
		<-hold
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if f.W != e.cfg.W || f.H != e.cfg.H {
		return errors.New("wrong size")
	}
	if e.fail > 0 {
		e.fail--
		return errors.New("boom")
	}
	g := *f
	g.Pix = nil
	e.shots = append(e.shots, taken{f.W, f.H, key || e.first, e.rate, g})
	*p = vpx.Packet{Data: []byte{1, 2, 3}, Key: key || e.first, PTS: f.PTS, W: f.W, H: f.H}
	e.first = false
	return nil
}

func (e *fakeEncoder) SetBitrate(bps int) error { e.rate = bps; return nil }

func (e *fakeEncoder) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open--
	return nil
}

// hang makes encodes wait until goOn is called.
func (s *studio) hang() (goOn func()) {
	hold := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = hold
	return func() { close(hold) }
}

// encodes returns what was encoded so far.
func (s *studio) encodes() []taken {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.shots)
}

// audience is a server with viewers that note what they get.
type audience struct {
	mu     sync.Mutex
	frames [pictures][]stream.Frame
	all    []*person
}

type person struct {
	id, role string
	picture  int
	foreign  bool // without data channels
	deaf     bool // the control channel is not open yet

	mu     sync.Mutex
	paused bool
	data   []meta.Frame
	said   []string
}

func (a *audience) Write(picture int, f *stream.Frame) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := *f
	g.Data = slices.Clone(f.Data)
	a.frames[picture] = append(a.frames[picture], g)
}

func (a *audience) Watching(picture int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, p := range a.all {
		p.mu.Lock()
		if p.picture == picture && !p.paused {
			n++
		}
		p.mu.Unlock()
	}
	return n
}

func (a *audience) sent(picture int) []stream.Frame {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.frames[picture])
}

func (p *person) ID() string        { return p.id }
func (p *person) Role() string      { return p.role }
func (p *person) Picture() int      { return p.picture }
func (p *person) HasChannels() bool { return !p.foreign }

func (p *person) SetPaused(v bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.paused = v
}

func (p *person) Meta(msg []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, err := meta.Parse(msg)
	if err != nil {
		panic(err)
	}
	p.data = append(p.data, f)
	return true
}

func (p *person) Send(msg []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.deaf || p.foreign {
		return false
	}
	p.said = append(p.said, string(msg))
	return true
}

func (p *person) got() []meta.Frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.data)
}

// last returns the last message on the control channel.
func (p *person) last() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.said) == 0 {
		return ""
	}
	return p.said[len(p.said)-1]
}

func (p *person) heard(part string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.said, func(s string) bool { return strings.Contains(s, part) })
}

// theatre is a Live with its studio and audience.
type theatre struct {
	*Live
	studio   *studio
	audience *audience
}

func newTheatre(t testing.TB, c Config) *theatre {
	t.Helper()
	if c.Levels == 0 {
		c.Levels = 5
	}
	if c.Draw == (overlay.Config{}) {
		c.Draw.Level = 3
	}
	s := &studio{}
	l, err := newLive(c, s.encoder)
	if err != nil {
		t.Fatal(err)
	}
	s.made = nil // the one that New tried
	a := &audience{}
	l.room.open(a, c.Draw.Level)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if s.open != 0 {
			t.Errorf("%d encoders are open", s.open)
		}
	})
	return &theatre{l, s, a}
}

// enter lets somebody watch.
func (h *theatre) enter(p *person) *person {
	if p.role == "" {
		p.role = stream.RoleOperator
	}
	h.audience.mu.Lock()
	h.audience.all = append(h.audience.all, p)
	h.audience.mu.Unlock()
	h.joined(p)
	return p
}

// film is a number of results, each of which may be written once more.
type film struct {
	name   string // of the scene, with its parameters
	frames int
	each   func(i int, r *pipeline.Result) // called after it was written
}

// play runs a scene through the pipeline into l.
func (h *theatre) play(t testing.TB, f film) {
	t.Helper()
	c, err := scene.Parse(f.name)
	if err != nil {
		t.Fatal(err)
	}
	src, err := scene.New(c)
	if err != nil {
		t.Fatal(err)
	}
	model, err := glom.New(glom.Config{})
	if err != nil {
		t.Fatal(err)
	}
	front := &eyes{}
	if front.d, err = descriptor.New(model.Config().Dim); err != nil {
		t.Fatal(err)
	}
	front.dim = model.Config().Dim
	i := 0
	_, err = pipeline.Run(t.Context(), pipeline.Config{
		Source: capture.Limit(src, f.frames), FrontEnd: front, Model: model,
		Sinks: []pipeline.Sink{sink(func(r *pipeline.Result) error {
			err := h.Write(r)
			if f.each != nil {
				f.each(i, r)
			}
			i++
			return err
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
}

type sink func(*pipeline.Result) error

func (s sink) Write(r *pipeline.Result) error { return s(r) }

// eyes is a front end for frames whose sides are multiples of 8, with the true motion.
type eyes struct {
	d   *descriptor.Descriptor
	dim int
}

func (e *eyes) Grid(w, h int) (rows, cols int) { return h / descriptor.Stride, w / descriptor.Stride }
func (e *eyes) Reset()                         {}

func (e *eyes) Evidence(ev *capture.Evidence, f *capture.Frame) error {
	ev.Rows, ev.Cols = e.Grid(f.W, f.H)
	ev.Dim, ev.W, ev.H = e.dim, f.W, f.H
	ev.Pix = append(ev.Pix[:0], f.Pix...)
	ev.Flow = nil
	if f.Truth != nil && f.Truth.Flow != nil {
		ev.Flow = append(ev.Flow, f.Truth.Flow...)
	}
	if n := ev.Rows * ev.Cols * ev.Dim; len(ev.X) != n {
		ev.X = make([]float32, n)
	}
	e.d.Describe(ev.X, ev.Rows, ev.Cols, ev.Pix, ev.Flow)
	return nil
}
