package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"glomstream/overlay/live"
	"glomstream/overlay/stream"
)

const watchUsage = `Usage: glom bench watch URL [--viewers N] [--seconds N]

Watches a glom serve that runs at URL, as in http://127.0.0.1:8080/, and needs no token, with viewers
that take the packets and put frames together, but decode and show nothing. It tells the frames a
second that came whole to each of them, and their age by the clocks of both machines. It shows what a
server can do where browsers on the same machine would take its processors.`

// watchReport is what glom bench watch prints.
type watchReport struct {
	Picture string         `json:"picture"`
	Seconds float64        `json:"seconds"`
	Viewers []watcherBench `json:"viewers"`
}

// watcherBench is what one viewer got. Ages are from the capture of a frame until its last packet came.
type watcherBench struct {
	FPS       float64 `json:"fps"`             // whole frames
	Data      float64 `json:"data_per_second"` // messages with the islands of a frame
	Kilobits  float64 `json:"kbit_per_second"` // of video
	KeyFrames int     `json:"key_frames"`
	Missed    int     `json:"missed"`           // frames of which packets are missing for good
	Pause     float64 `json:"longest_pause_ms"` // between two frames
	First     float64 `json:"first_frame_ms"`   // after the request for video
	Median    float64 `json:"p50_ms"`
	P90       float64 `json:"p90_ms"`
	P99       float64 `json:"p99_ms"`
	Max       float64 `json:"max_ms"`
}

// warmUp is how long nothing is measured, until all is in its stride.
const warmUp = 5 * time.Second

func benchWatch(ctx context.Context, args []string, t terminal) error {
	fs := pflag.NewFlagSet("bench watch", pflag.ContinueOnError)
	viewers := fs.Int("viewers", 3, "how many watch")
	seconds := fs.Float64("seconds", 20, "how long to measure, after the first 5 s")
	picture := fs.String("picture", "plain", "plain, with the islands as data, as the page has it; or overlay, as other players have it")
	asJSON := fs.Bool("json", false, "print JSON instead of a table")
	if err := parse(fs, args, t, watchUsage); err != nil {
		return err
	}
	if fs.NArg() != 1 || *viewers < 1 || *seconds < 1 {
		return usagef("bench watch takes one URL, and --viewers and --seconds of at least 1")
	}
	if err := checkPicture(*picture); err != nil {
		return err
	}
	u, err := url.Parse(fs.Arg(0))
	if err != nil || u.Host == "" {
		return usagef("%q: want the address of a glom serve, as in http://127.0.0.1:8080/", fs.Arg(0))
	}
	u = u.JoinPath("whep")
	u.RawQuery = "picture=" + *picture
	r := watchReport{Picture: *picture, Seconds: *seconds, Viewers: make([]watcherBench, *viewers)}
	if err := r.watch(ctx, stream.ReceiveConfig{URL: u.String(), Data: *picture == "plain"}); err != nil {
		return err
	}
	return printReport(t.out, *asJSON, &r)
}

func checkPicture(name string) error {
	if !slices.Contains(live.Pictures(), name) {
		return usagef("--picture %q: want one of %s", name, strings.Join(live.Pictures(), ", "))
	}
	return nil
}

// watch lets all watch at the same time.
func (r *watchReport) watch(ctx context.Context, c stream.ReceiveConfig) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	began := time.Now()
	from, to := began.Add(warmUp), began.Add(warmUp+time.Duration(r.Seconds*float64(time.Second)))
	var wg sync.WaitGroup
	for i := range r.Viewers {
		wg.Go(func() {
			if err := r.Viewers[i].watch(ctx, c, from, to); !errors.Is(err, errMeasured) {
				cancel(fmt.Errorf("viewer %d: %w", i+1, err))
			}
		})
	}
	if err := pause(ctx, time.Until(to)); err == nil {
		cancel(errMeasured)
	}
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, errMeasured) {
		return err
	}
	for i := range r.Viewers {
		if r.Viewers[i].FPS == 0 {
			return fmt.Errorf("viewer %d got no frame", i+1)
		}
	}
	return nil
}

// watch notes what comes between two times, until ctx is done.
func (w *watcherBench) watch(ctx context.Context, c stream.ReceiveConfig, from, to time.Time) error {
	var (
		mu          sync.Mutex // Message and Frame are called by different goroutines
		old         ages
		messages    int
		frames      int
		bytes       int
		last, began = time.Time{}, time.Now()
	)
	within := func(t time.Time) bool { return t.After(from) && t.Before(to) }
	c.Message = func([]byte) {
		mu.Lock()
		defer mu.Unlock()
		if within(time.Now()) {
			messages++
		}
	}
	c.Frame = func(f stream.Received) {
		if w.First == 0 {
			w.First = round(ms(f.Arrived.Sub(began)), 10)
		}
		if !within(f.Arrived) {
			return
		}
		frames++
		bytes += f.Bytes
		w.Missed = f.Missed
		if f.Key {
			w.KeyFrames++
		}
		if !last.IsZero() {
			w.Pause = max(w.Pause, round(ms(f.Arrived.Sub(last)), 10))
		}
		last = f.Arrived
		if !f.Captured.IsZero() {
			old.add(ms(f.Arrived.Sub(f.Captured)))
		}
	}
	err := stream.Receive(ctx, c)
	mu.Lock()
	defer mu.Unlock()
	seconds := to.Sub(from).Seconds()
	w.FPS, w.Data, w.Kilobits = round(float64(frames)/seconds, 10), round(float64(messages)/seconds, 10), round(float64(bytes)*8/1000/seconds, 1)
	w.Median, w.P90, w.P99, w.Max = old.at(0.5), old.at(0.9), old.at(0.99), old.at(1)
	return err
}

func (r *watchReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "picture\t%s, %d viewers, %.0f s\n", r.Picture, len(r.Viewers), r.Seconds)
	r.rows(w)
	return w.Flush()
}

// rows tells of each viewer.
func (r *watchReport) rows(w io.Writer) {
	for i, v := range r.Viewers {
		fmt.Fprintf(w, "viewer %d\t%.1f frames/s, %.1f data/s, %.0f kbit/s, %d key frames, %d missed; longest pause %.0f ms; first frame after %.0f ms\n",
			i+1, v.FPS, v.Data, v.Kilobits, v.KeyFrames, v.Missed, v.Pause, v.First)
		fmt.Fprintf(w, "  age\t%.0f ms in the median, %.0f ms in nine tenths, %.0f ms in 99 of 100, %.0f ms at most\n", v.Median, v.P90, v.P99, v.Max)
	}
}

// watchElsewhere runs glom bench watch in a process of its own, so that what it costs does not count as
// the server's. The result comes when it has ended.
func watchElsewhere(ctx context.Context, server, picture string, viewers int, seconds float64) (<-chan watchResult, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, "bench", "watch", server, "--picture", picture, "--viewers", strconv.Itoa(viewers),
		"--seconds", strconv.FormatFloat(seconds, 'g', -1, 64), "--json")
	result := make(chan watchResult, 1)
	go func() {
		var r watchResult
		out, err := cmd.Output()
		if err == nil {
			err = json.Unmarshal(out, &r.report)
		}
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		if err != nil {
			r.err = fmt.Errorf("bench watch: %w", err)
		}
		result <- r
	}()
	return result, nil
}

type watchResult struct {
	report watchReport
	err    error
}
