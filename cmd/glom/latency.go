package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/overlay/live"
)

const latencyUsage = `Usage: glom bench latency [--viewers N] [--receivers N] [--seconds N]

Measures how old the pictures are that viewers see. A video gets the time of capture written into
each of its frames and is computed as if a camera gave it; Chromium without a window opens the page
and reads the time off the picture with the islands. Both clocks are this machine's. Needs Debian's
chromium.

With --receivers, viewers in a process of their own take the video and the data but decode and draw
nothing (glom bench watch), instead of pages unless --viewers asks for both: so three viewers can be
had on the processors of the server. Their ages are from the capture until a frame has come whole.`

// latencyReport is what glom bench latency prints. Ages are from the capture of a frame until the
// page has drawn it.
type latencyReport struct {
	Version  string  `json:"version"`
	CPUs     int     `json:"cpus"`
	Video    string  `json:"video"`
	Viewers  int     `json:"viewers"` // pages
	Seconds  float64 `json:"seconds"`
	FPS      float64 `json:"fps"`              // computed
	Encoded  float64 `json:"encoded"`          // a second, of the picture that is watched
	CPU      float64 `json:"cpu_ms_per_frame"` // of this process, without the browser and the receivers
	Seen     float64 `json:"seen_per_second"`  // pictures drawn by a viewer
	Unread   int     `json:"unread"`           // pictures whose time could not be read
	Sent     float64 `json:"sent_p50_ms"`      // from the capture until it was given to the viewers' queues
	Median   float64 `json:"p50_ms"`
	P90      float64 `json:"p90_ms"`
	P99      float64 `json:"p99_ms"`
	Max      float64 `json:"max_ms"`
	First    float64 `json:"first_picture_ms"` // from the request for video to the first picture, the slowest viewer
	Dropped  int     `json:"dropped"`          // frames that were not computed, since newer ones had come
	Replaced uint64  `json:"replaced"`         // frames that were computed and not shown

	Receivers *watchReport `json:"receivers,omitempty"`
}

// seenScript notes what the page draws: the code read off the canvas, and when.
const seenScript = `window.seen = [];
window.addEventListener('drawn', (e) => {
	const c = e.target, n = %d, size = %d * c.width / document.getElementById('video').videoWidth; // fine lines need more pixels
	const from = size / 4, rows = size / 2; // outlines of islands may cross a square
	const data = c.getContext('2d').getImageData(0, c.height - 3 * size / 2 + from, n * size, rows).data;
	let code = 0;
	for (let i = 0; i < n; i++) {
		let sum = 0;
		for (let y = 0; y < rows; y++) {
			for (let x = i * size + from; x < i * size + from + rows; x++) {
				const at = 4 * (y * n * size + x);
				sum += data[at] + data[at + 1] + data[at + 2];
			}
		}
		if (sum > 384 * rows * rows) code += 2 ** i;
	}
	window.seen.push([code, performance.timeOrigin + performance.now()]);
}, true);`

// firstScript tells the time from the request for video to the first picture, and forgets what was seen so far.
const firstScript = `(() => {
	const r = performance.getEntriesByType('resource').find((e) => new URL(e.name).pathname === '/whep');
	const first = r && seen.length ? [[seen[0][1] - performance.timeOrigin - r.startTime, 0]] : [];
	window.seen = [];
	return first;
})()`

// tab evaluates a script in a page.
type tab func(script string) ([][2]float64, error)

func benchLatency(ctx context.Context, args []string, t terminal) error {
	var f serveFlags
	serveDefaults := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	f.register(serveDefaults)
	fs := pflag.NewFlagSet("bench latency", pflag.ContinueOnError)
	source := fs.String("source", "", "what is shown, at least 448 pixels wide (default: the demo scene as a 640x360 H.264 file)")
	viewers := fs.Int("viewers", 1, "pages that watch (default with --receivers: none)")
	receivers := fs.Int("receivers", 0, "viewers that decode nothing")
	picture := fs.String("picture", "plain", "what the receivers watch: plain, with the islands as data, as the page has it; or overlay")
	seconds := fs.Float64("seconds", 20, "how long to measure")
	asJSON := fs.Bool("json", false, "print JSON instead of a table")
	f.registerWeights(fs)
	profile := fs.String("cpuprofile", "", "write a CPU profile to this file")
	if err := parse(fs, args, t, latencyUsage); err != nil {
		return err
	}
	if *receivers > 0 && !fs.Changed("viewers") {
		*viewers = 0
	}
	if fs.NArg() > 0 || *viewers < 0 || *receivers < 0 || *viewers+*receivers < 1 || *seconds < 1 {
		return usagef("bench latency takes --viewers or --receivers, and --seconds, of at least 1 and no names")
	}
	if err := checkPicture(*picture); err != nil {
		return err
	}
	f.listen, f.quiet, f.maxViewers = "127.0.0.1:0", true, max(*viewers+*receivers, f.maxViewers)
	site, err := f.siteFlags.config()
	if err != nil {
		return err
	}
	f.loop = *source == ""
	video, label, remove, err := videoOrDemo(ctx, *source)
	if err != nil {
		return err
	}
	defer remove()
	stop, err := startProfile(*profile)
	if err != nil {
		return err
	}
	defer stop()
	start := time.Now()
	s := &service{flags: &f, site: site, terminal: terminal{t.in, io.Discard, io.Discard}}
	s.wrap = func(src capture.Source) capture.Source { return &stamped{src, start} }
	var sent ages
	s.watch = func(stage string, d time.Duration) {
		if stage == "age" {
			sent.add(ms(d))
		}
	}
	defer s.close()
	if err := s.open(ctx, video); err != nil {
		return err
	}
	s.config.Latest = true // as a camera: what cannot be computed in time is dropped
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	served := make(chan error, 1)
	go func() {
		err := s.run(ctx)
		cancel(cmp.Or(err, errors.New("the source has ended")))
		served <- err
	}()
	r := latencyReport{Version: version, CPUs: runtime.GOMAXPROCS(0), Video: label, Viewers: *viewers, Seconds: *seconds}
	if *receivers > 0 {
		r.Receivers = &watchReport{Picture: *picture, Viewers: make([]watcherBench, *receivers)}
	}
	err = r.measure(ctx, s, start)
	r.Sent = sent.at(0.5)
	cancel(errMeasured)
	if serr := <-served; !errors.Is(serr, errMeasured) && !errors.Is(err, serr) {
		err = errors.Join(err, serr)
	}
	if err != nil {
		return err
	}
	return printReport(t.out, *asJSON, &r)
}

var errMeasured = errors.New("all is measured")

// measure lets viewers come and notes what they see.
func (r *latencyReport) measure(ctx context.Context, s *service, start time.Time) error {
	for s.live.Ready() != nil { // nobody is let in before there is a picture
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	server := s.web.URLs()[0]
	var tabs []tab
	if r.Viewers > 0 {
		opened, closeTabs, err := openTabs(ctx, server, r.Viewers)
		if err != nil {
			return err
		}
		defer closeTabs()
		tabs = opened
	}
	watched := live.Plain
	var received <-chan watchResult
	if w := r.Receivers; w != nil {
		watched = slices.Index(live.Pictures(), w.Picture)
		var err error
		if received, err = watchElsewhere(ctx, server, w.Picture, len(w.Viewers), r.Seconds); err != nil {
			return err
		}
	}
	if err := pause(ctx, warmUp); err != nil {
		return err
	}
	for _, ask := range tabs {
		first, err := ask(firstScript)
		if err != nil {
			return err
		}
		if len(first) == 0 {
			return errors.New("a page shows no picture after 5 s")
		}
		r.First = max(r.First, round(first[0][0], 10))
	}
	cpu, began, before := cpuTime(), time.Now(), s.live.Stats()
	if err := pause(ctx, time.Duration(r.Seconds*float64(time.Second))); err != nil {
		return err
	}
	took, after := time.Since(began), s.live.Stats()
	r.CPU = round(ms(cpuTime()-cpu)/float64(after.Frames-before.Frames), 100)
	r.FPS, r.Replaced = round(float64(after.Frames-before.Frames)/took.Seconds(), 10), after.Replaced-before.Replaced
	r.Encoded = round(float64(after.Pictures[watched].Encoded-before.Pictures[watched].Encoded)/took.Seconds(), 10)
	r.Dropped = after.Dropped - before.Dropped
	if received != nil {
		w := <-received // which ends with ctx
		if w.err != nil {
			return w.err
		}
		r.Receivers = &w.report
	}
	if tabs == nil {
		return nil
	}
	return r.read(tabs, start, took)
}

// openTabs opens the page in a browser, as often as is asked for.
func openTabs(ctx context.Context, url string, n int) (tabs []tab, stop func(), err error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, nil, errors.New("no chromium: apt-get install --no-install-recommends chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1280, 800))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	var closers []func()
	stop = func() {
		for _, f := range slices.Backward(closers) {
			f()
		}
	}
	defer func() {
		if err != nil {
			stop()
		}
	}()
	allocator, cancel := chromedp.NewExecAllocator(ctx, options...)
	closers = append(closers, cancel)
	browser, cancel := chromedp.NewContext(allocator)
	closers = append(closers, cancel)
	if err := chromedp.Do(browser); err != nil {
		return nil, nil, fmt.Errorf("start chromium: %w", err)
	}
	for range n {
		p, cancel := chromedp.NewContext(browser, chromedp.WithNewWindow(true))
		closers = append(closers, cancel)
		script := fmt.Sprintf(seenScript, codeBits+codeCheck, codeCell)
		if err := chromedp.Do(p, beforePage(script), chromedp.Navigate(url)); err != nil {
			return nil, nil, fmt.Errorf("open the page: %w", err)
		}
		tabs = append(tabs, func(script string) ([][2]float64, error) {
			return chromedp.Run(p, chromedp.Evaluate[[][2]float64](script))
		})
	}
	return tabs, stop, nil
}

// beforePage runs a script in each page before its own ones.
func beforePage(script string) chromedp.Action[chromedp.Void] {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return chromedp.Void{}, err
	}
}

// read gathers what the pages saw.
func (r *latencyReport) read(tabs []tab, start time.Time, took time.Duration) error {
	var seenAges ages
	for _, ask := range tabs {
		seen, err := ask("window.seen")
		if err != nil {
			return err
		}
		for _, s := range seen {
			code := uint32(s[0])
			if withCheck(code) != code {
				r.Unread++
				continue
			}
			captured := float64(start.UnixMicro())/1000 + float64(code&(1<<codeBits-1))
			seenAges.add(s[1] - captured)
		}
	}
	if len(seenAges.all) == 0 {
		return fmt.Errorf("no picture could be read, %d were seen", r.Unread)
	}
	r.Median, r.P90, r.P99, r.Max = seenAges.at(0.5), seenAges.at(0.9), seenAges.at(0.99), seenAges.at(1)
	r.Seen = round(float64(len(seenAges.all)+r.Unread)/took.Seconds()/float64(len(tabs)), 10)
	return nil
}

// ages are durations in ms.
type ages struct {
	mu  sync.Mutex
	all []float64
}

func (a *ages) add(v float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, v)
}

// at returns the age below which that share of all is, 0 if there are none.
func (a *ages) at(share float64) float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.all) == 0 {
		return 0
	}
	slices.Sort(a.all)
	return round(a.all[int(share*float64(len(a.all)-1))], 10)
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r *latencyReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	others := make([]string, 0, 2)
	if r.Viewers > 0 {
		others = append(others, "the browser")
	}
	if r.Receivers != nil {
		others = append(others, "the receivers")
	}
	row("glom", "%s on %d cores, which %s share", r.Version, r.CPUs, strings.Join(others, " and "))
	row("video", "%s, %d pages, %.0f s", r.Video, r.Viewers, r.Seconds)
	row("speed", "%.1f frames/s, %.1f of them encoded, %.1f ms of processor time per frame; %d frames not computed, %d not shown",
		r.FPS, r.Encoded, r.CPU, r.Dropped, r.Replaced)
	row("sent", "%.0f ms after the capture, in the median", r.Sent)
	if r.Viewers > 0 {
		row("seen", "%.1f pictures/s by each page, %d unread", r.Seen, r.Unread)
		row("age", "%.0f ms in the median, %.0f ms in nine tenths, %.0f ms in 99 of 100, %.0f ms at most", r.Median, r.P90, r.P99, r.Max)
		row("first picture", "%.0f ms after the page asked for it", r.First)
	}
	if r.Receivers != nil {
		row("receivers", "%d of the picture %s", len(r.Receivers.Viewers), r.Receivers.Picture)
		r.Receivers.rows(w)
	}
	return w.Flush()
}
