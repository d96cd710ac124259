package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/pipeline"
)

// gate lets everything through until it is shut.
type gate struct {
	shut atomic.Bool
	open chan struct{}
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) pass() {
	if g.shut.Load() {
		<-g.open
	}
}

// gated are a source, a front end and a sink behind a gate.
type gatedSource struct {
	capture.Source
	*gate
}

func (g gatedSource) Next(ctx context.Context) (capture.Frame, error) {
	g.pass()
	return g.Source.Next(ctx)
}

type gatedFrontEnd struct {
	pipeline.FrontEnd
	*gate
}

func (g gatedFrontEnd) Evidence(ev *capture.Evidence, f *capture.Frame) error {
	g.pass()
	return g.FrontEnd.Evidence(ev, f)
}

type gatedSink struct{ *gate }

func (g gatedSink) Write(*pipeline.Result) error {
	g.pass()
	return nil
}

// A stage that hangs is named by /healthz and /readyz, alone, and no more once it goes on.
func TestHealthNamesStage(t *testing.T) {
	for stage, hang := range map[int]func(*service, *gate){
		atCapture: func(s *service, g *gate) {
			s.wrap = func(src capture.Source) capture.Source { return s.dog.asked(gatedSource{src, g}) }
		},
		atModel: func(s *service, g *gate) { s.config.FrontEnd = gatedFrontEnd{s.config.FrontEnd, g} },
		atOutput: func(s *service, g *gate) {
			s.config.Sinks = []pipeline.Sink{s.dog.sink([]pipeline.Sink{gatedSink{g}, s.live})}
		},
		atEncode: func(s *service, g *gate) { s.watch = func(string, time.Duration) { g.pass() } },
	} {
		t.Run(stageNames()[stage], func(t *testing.T) {
			var f serveFlags
			f.register(pflag.NewFlagSet("serve", pflag.ContinueOnError))
			f.listen, f.quiet, f.record, f.loop = "127.0.0.1:0", true, t.TempDir(), true // what is recorded is encoded
			f.openTimeout = time.Millisecond
			site, err := f.siteFlags.config()
			if err != nil {
				t.Fatal(err)
			}
			s, g := &service{flags: &f, site: site, terminal: terminal{strings.NewReader(""), io.Discard, io.Discard}, hungAt: time.Second}, newGate()
			defer s.close()
			if stage == atCapture { // before the source is opened, the others after
				hang(s, g)
			}
			if err := s.open(t.Context(), tiny); err != nil {
				t.Fatal(err)
			}
			if stage != atCapture {
				hang(s, g)
			}
			ctx, cancel := context.WithCancelCause(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.run(ctx) }()

			await := func(what, path string, holds func(code int, body string) bool) {
				t.Helper()
				var body []byte
				for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
					res, err := http.Get(s.web.URLs()[0] + path)
					if err != nil {
						t.Fatal(err)
					}
					body, _ = io.ReadAll(res.Body)
					res.Body.Close()
					if holds(res.StatusCode, string(body)) {
						return
					}
				}
				t.Errorf("never %s: /%s says %s", what, path, body)
			}
			well := func(code int, body string) bool { return code == 200 && body == "ok\nsource: gives frames\n" }
			await("ready", "readyz", well)
			g.shut.Store(true)
			for _, path := range []string{"healthz", "readyz"} {
				await("hanging", path, func(code int, body string) bool {
					first, _, _ := strings.Cut(body, " hangs: ")
					return code == 503 && first == stageNames()[stage] && strings.Count(body, "hangs") == 1 && strings.Contains(body, ", since 20")
				})
			}
			g.shut.Store(false)
			close(g.open)
			await("healthy again", "healthz", well)
			stop := errors.New("enough")
			cancel(stop)
			if err := <-ended; !errors.Is(err, stop) {
				t.Error(err)
			}
		})
	}
}

// script is a source that does what it is told.
type script struct {
	capture.Source
	next func(ctx context.Context) (capture.Frame, error)
}

func (s script) Next(ctx context.Context) (capture.Frame, error) { return s.next(ctx) }
func (s script) Info() capture.Info                              { return capture.Info{} }
func (s script) Close() error                                    { return nil }

// What a source does is told, and only one that does not come back is a stage that hangs.
func TestWatchdogSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchdog{open: 5 * time.Second}
		expect := func(source, hung string) {
			t.Helper()
			if got := w.source(); !strings.HasPrefix(got, source) {
				t.Errorf("source %q, want %q", got, source)
			}
			err := w.hung(hungAfter)
			if hung == "" && err != nil || hung != "" && (err == nil || !strings.HasPrefix(err.Error(), hung)) {
				t.Errorf("hung: %v, want %q", err, hung)
			}
		}
		asked := make(chan error)
		give := func(context.Context) (capture.Frame, error) { return capture.Frame{Seq: 0}, <-asked }
		inner := script{next: give}
		reopened := make(chan error)
		open := func(context.Context) (capture.Source, error) {
			defer w.at(atCapture)()
			return w.asked(inner), <-reopened
		}
		src := w.gives(capture.Reconnect(w.asked(inner), open, func(_ error, wait time.Duration) { w.lose(wait) }))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				f, err := src.Next(ctx)
				if err != nil {
					return
				}
				w.result(f.Seq)
			}
		}()
		synctest.Wait()
		expect("gave no frame yet", "")
		asked <- nil
		synctest.Wait()
		expect("gives frames", "")
		time.Sleep(4 * time.Second)
		expect("silent for 4 s", "")
		time.Sleep(12 * time.Second)
		expect("silent for 16 s", "capture hangs: at the same piece of work for 16 s, since ")
		w.patient = true
		expect("silent for 16 s", "")
		w.patient = false

		asked <- io.ErrUnexpectedEOF
		synctest.Wait()
		expect("lost for 0 s, is opened again in ", "") // half a second, or so
		time.Sleep(26 * time.Second)
		expect("lost for 26 s, is being opened again", "capture hangs")
		reopened <- io.ErrUnexpectedEOF
		synctest.Wait()
		expect("lost for 26 s, is opened again in 1 s", "")
		time.Sleep(2 * time.Second)
		expect("lost for 28 s, is being opened again", "")
		reopened <- nil
		synctest.Wait()
		expect("lost for 28 s, is being opened again", "") // it gave nothing yet
		asked <- nil
		synctest.Wait()
		expect("gives frames", "")
		cancel()
		asked <- io.EOF
		<-done

		end := w.gives(script{next: func(context.Context) (capture.Frame, error) { return capture.Frame{}, io.EOF }})
		if _, err := end.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		expect("ended", "")
	})
}
