package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/overlay/live"
	"glomstream/overlay/page"
	"glomstream/overlay/record"
	"glomstream/overlay/stream"
	"glomstream/overlay/vpx"
	"glomstream/overlay/web"
	"glomstream/pipeline"
)

const serveUsage = `Usage: glom serve SOURCE [--listen ADDRESS] [--loop]

Shows the islands of a video in browsers, live: opens a page on which any number of people watch, each
at the level of their choice. It prints the address. On an address of the network (--listen :8080) it
needs TLS (--tls self) and makes a token, which is part of the address that it prints.

Files, pictures and scenes are played at their own frame rate, and the program ends with them unless
--loop is given. A webcam or a stream that is lost is opened again, after half a second at first and
half a minute at last, while the viewers stay. Ctrl-C ends it within three seconds.

` + sourceHelp

const serveExamples = `

Examples:
  glom serve video.mp4 --loop                          # http://127.0.0.1:8080/
  glom serve 0 --level part --open                     # a webcam, and a browser to see it
  glom serve rtsp://camera/stream --listen :8443 --tls self
  glom serve 0 --record recordings --json islands.ndjson
  glom serve 0 --publish https://sfu.example/whip      # to a media server, token in GLOM_PUBLISH_TOKEN
  curl -o now.jpg http://127.0.0.1:8080/frame.jpg      # one picture; /stream.mjpeg has all of them

With --admin 127.0.0.1:9090 Prometheus finds metrics at http://127.0.0.1:9090/metrics.`

// serveFlags are the flags of glom serve.
type serveFlags struct {
	modelFlags
	drawFlags
	siteFlags
	mediaFlags
	loop              bool
	record, snapshots string
	json              string
	overwrite         bool
	open              bool
	openTimeout       time.Duration
	quiet, verbose    bool
}

func (f *serveFlags) register(fs *pflag.FlagSet) {
	f.siteFlags.register(fs)
	fs.BoolVar(&f.loop, "loop", false, "play a file, pictures or a scene again and again")
	f.drawFlags.register(fs)
	f.mediaFlags.register(fs)
	fs.StringVar(&f.record, "record", "", "folder for recordings of what is drawn: a WebM file a minute, crash-safe")
	fs.StringVar(&f.snapshots, "snapshots", "", "folder for pictures that operators ask for")
	fs.StringVar(&f.json, "json", "", "file for the parse tree, one JSON line per frame; - for the standard output")
	fs.BoolVarP(&f.overwrite, "overwrite", "y", false, "overwrite the file of --json if it exists")
	fs.BoolVar(&f.open, "open", false, "open the page in this machine's browser")
	f.modelFlags.register(fs)
	fs.DurationVar(&f.openTimeout, "open-timeout", 5*time.Second, "give up on a source that is silent for so long (not -, which is waited for)")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no status line")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "log cuts, resets of the state and how viewers come and go")
}

func serve(ctx context.Context, args []string, t terminal) error {
	var f serveFlags
	fs := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	f.register(fs)
	if err := parse(fs, args, t, serveUsage+sceneNames()+serveExamples); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return usagef("serve takes one SOURCE, got %d: see glom help serve", fs.NArg())
	}
	source := fs.Arg(0)
	switch {
	case f.openTimeout <= 0:
		return usagef("--open-timeout %v: want more than 0", f.openTimeout)
	case f.loop && source == "-":
		return usagef("--loop: the standard input cannot be played again")
	}
	if err := f.mediaFlags.check(); err != nil {
		return err
	}
	site, err := f.siteFlags.config()
	if err != nil {
		return err
	}
	if err := checkFiles(source, f.overwrite, namedFile{"--json", f.json}); err != nil {
		return err
	}
	s := &service{flags: &f, site: site, terminal: t}
	defer s.close()
	if err := s.open(ctx, source); err != nil {
		return err
	}
	return s.run(ctx)
}

// service is a running glom serve. Its parts are closed in the order in which they depend on each other.
type service struct {
	flags    *serveFlags
	site     web.Config
	terminal terminal
	line     *statusLine
	log      *slog.Logger

	config      pipeline.Config
	source      string   // its name, without credentials
	closers     []func() // the last one first
	outs        outputs
	live        *live.Live
	viewers     *stream.Server      // nil if no video can be encoded
	publication *stream.Publication // nil if nothing is published
	web         *web.Server
	meters      meters
	dog         watchdog
	hungAt      time.Duration                       // of a stage; default hungAfter
	wrap        func(capture.Source) capture.Source // around the source; nil for nothing
	watch       func(string, time.Duration)         // is told the times of stages too; nil for nobody
}

func (s *service) later(f func()) { s.closers = append(s.closers, f) }

func (s *service) close() {
	for _, f := range slices.Backward(s.closers) {
		f()
	}
	s.closers = nil
}

// open opens all that is needed, first what fails most often.
func (s *service) open(ctx context.Context, source string) error {
	f := s.flags
	s.line = newStatusLine(f.quiet, s.terminal.err)
	level := slog.LevelWarn
	if f.verbose {
		level = slog.LevelInfo
	}
	s.log = slog.New(slog.NewTextHandler(s.line, &slog.HandlerOptions{Level: level}))

	model, err := f.model()
	if err != nil {
		return err
	}
	draw, err := f.drawFlags.config(model.Config().Levels)
	if err != nil {
		return usageError{err}
	}
	frontEnd, err := f.frontEndFor(model)
	if err != nil {
		return err
	}
	s.later(func() { frontEnd.Close() })
	src, err := s.openSource(ctx, source)
	if err != nil {
		return err
	}
	if s.wrap != nil {
		src = s.wrap(src)
	}
	src = s.dog.gives(src)
	s.later(func() { src.Close() })
	info := src.Info()
	s.source = info.Name

	c := live.Config{
		Levels: model.Config().Levels, Draw: draw, Follow: f.following(), Source: shortName(info.Name), FPS: info.FPS, Log: s.log,
		Codec: vpx.Codec(f.codec), Bitrate: min(f.bitrate*1000, 1_500_000), Layers: 2,
		Record: record.Config{Dir: f.record}, Snapshots: f.snapshots,
	}
	if err := s.openSite(ctx, c); err != nil {
		return err
	}
	if f.json != "" {
		out, err := newLines(f.json, s.terminal.out)
		if err != nil {
			return err
		}
		s.outs = append(s.outs, out)
	}
	s.config = pipeline.Config{
		Source: src, FrontEnd: frontEnd, Model: model, Islands: f.islands(model, info), Sinks: []pipeline.Sink{s.dog.sink(append(s.outs.sinks(), s.live))},
		Latest: info.Live, InFlight: 2, Log: s.log, Progress: s.meters.update,
	}
	return nil
}

// shortName is the name of a source without the folders that it lies in, which are not for viewers.
func shortName(name string) string {
	if strings.Contains(name, "://") {
		return name
	}
	return filepath.Base(name)
}

// openSource opens a source that plays at its own pace, and goes on if it can.
func (s *service) openSource(ctx context.Context, name string) (capture.Source, error) {
	s.dog.patient, s.dog.open = name == "-", s.flags.openTimeout
	open := func(ctx context.Context) (capture.Source, error) {
		defer s.dog.at(atCapture)()
		src, err := openSource(ctx, name, s.terminal.in, sourceOptions{openTimeout: s.flags.openTimeout})
		if err != nil {
			return nil, err
		}
		return s.dog.asked(src), nil
	}
	src, err := open(ctx)
	switch {
	case err != nil:
		return nil, err
	case src.Info().Live:
		return capture.Reconnect(src, open, func(err error, wait time.Duration) {
			s.meters.lost.Add(1)
			s.dog.lose(wait)
			s.log.Warn("the source is lost", "error", err, "again in", wait.Round(10*time.Millisecond))
		}), nil
	case s.flags.loop:
		src = capture.Loop(src, open)
	}
	return capture.Pace(src), nil
}

// openSite opens what viewers come to.
func (s *service) openSite(ctx context.Context, c live.Config) (err error) {
	metrics := web.NewMetrics()
	c.Observe = func(stage string, d time.Duration) {
		metrics.Observe(stage, d)
		if s.watch != nil {
			s.watch(stage, d)
		}
	}
	s.meters.observe = metrics.Observe
	if c.Snapshots != "" && !isFolder(c.Snapshots) {
		return fmt.Errorf("--snapshots: there is no folder %q; make it first", c.Snapshots)
	}
	if s.live, err = live.New(c); err != nil {
		return err
	}
	s.later(func() { s.live.Close() })
	media := s.flags.mediaFlags.config(s.site.Listen)
	media.Role, media.Origins, media.Log = web.Role, s.site.Origins, s.log
	if err := s.live.Video(); err != nil {
		s.log.Warn("viewers get single pictures only", "error", err)
	} else if err := s.openViewers(ctx, media); err != nil {
		return err
	}
	w := &s.site
	w.Page, w.Pictures, w.Levels, w.JPEG = page.Handler(), live.Pictures(), c.Levels, s.live.JPEG
	w.MaxStreams, w.Status, w.Metrics, w.Log = media.MaxViewers, s.status, metrics, s.log
	w.Health, w.Ready, w.Note = s.health, s.ready, func() string { return "source: " + s.dog.source() }
	s.dog.shown = s.live.Busy
	if s.viewers != nil {
		s.dog.sent = s.viewers.Busy
	}
	s.register(metrics)
	if s.web, err = web.New(*w); err != nil {
		return err
	}
	s.later(s.web.Close)
	return nil
}

// openViewers opens the ports for video, and sends it elsewhere if that is wanted.
func (s *service) openViewers(ctx context.Context, c stream.Config) (err error) {
	if s.viewers, err = s.live.Stream(c); err != nil {
		return err
	}
	s.later(func() { s.closeViewers(ctx) })
	s.site.WHEP = s.viewers
	if s.flags.publish == "" {
		return nil
	}
	s.publication, err = s.viewers.Publish(ctx, stream.PublishConfig{
		URL: s.flags.publish, Token: s.flags.publishToken, Picture: live.Overlay, UseICEServers: true, Insecure: s.flags.insecure,
	})
	return err
}

// closeViewers says goodbye, which may take a second.
func (s *service) closeViewers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := s.viewers.Close(ctx); err != nil {
		s.log.Info("viewers", "error", err)
	}
}

// run serves until the source ends or ctx is done.
func (s *service) run(ctx context.Context) error {
	s.announce()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := s.web.Run(ctx); err != nil {
			stop(err)
		}
	}()
	shown := s.line.show(ctx, s.brief)
	_, err := pipeline.Run(ctx, s.config)
	stop(nil) // the site ends with the video
	if s.viewers != nil {
		s.closeViewers(ctx)
	}
	<-served
	<-shown
	err = errors.Join(err, s.live.Close(), s.outs.Close())
	if err == nil && !s.flags.loop && !s.flags.quiet {
		fmt.Fprintln(s.terminal.err, "glom: the source has ended; --loop plays it again and again")
	}
	return err
}

// announce prints where to look.
func (s *service) announce() {
	out := s.terminal.err
	urls := s.web.URLs()
	operator, viewer := fragment(s.site.OperatorToken), fragment(s.site.ViewerToken)
	for _, u := range urls {
		fmt.Fprintf(out, "watch at  %s%s\n", u, operator)
	}
	for _, u := range urls {
		if viewer != "" {
			fmt.Fprintf(out, "to look only, at  %s%s\n", u, viewer)
		}
	}
	if p := s.web.Fingerprint(); p != "" {
		fmt.Fprintf(out, "SHA-256 of the certificate: %s\n", p)
	}
	if a := s.web.Admin(); a != "" {
		fmt.Fprintf(out, "metrics   %s/metrics\n", a)
	}
	if s.flags.open {
		if err := openBrowser(urls[0] + operator); err != nil {
			s.log.Warn("open the browser", "error", err)
		}
	}
}

// fragment is the part of an address that holds a token; browsers do not send it.
func fragment(token string) string {
	if token == "" {
		return ""
	}
	return "#token=" + token
}

// readToken reads a token from a file.
func readToken(name string) (string, error) {
	b, err := os.ReadFile(filepath.Clean(name))
	if err != nil {
		return "", fmt.Errorf("read the token %q: %w", name, bare(err))
	}
	return string(b), nil
}
