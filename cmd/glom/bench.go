package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/capture/libav"
	"glomstream/capture/scene"
	"glomstream/overlay"
	"glomstream/pipeline"
)

const benchUsage = `Usage: glom bench [VIDEO]
       glom bench latency         (see glom bench latency --help)
       glom bench watch URL       (see glom bench watch --help)

Measures, on this machine and in one run: the whole way from decoding to the drawn picture, of
VIDEO or of the demo scene as a 640x360 H.264 file; memory; the settling step against the
machine's own matrix product; and, if Debian's python3-torch is there, against the same step in
PyTorch.`

// benchReport is what glom bench prints; rates are per second.
type benchReport struct {
	Version  string         `json:"version"`
	CPUs     int            `json:"cpus"`
	Pipeline *pipelineBench `json:"pipeline"`
	Step     *stepBench     `json:"step"`
	Torch    *torchBench    `json:"torch,omitempty"`
	NoTorch  string         `json:"no_torch,omitempty"` // why there is no Torch
}

// pipelineBench is the time of decode, flow, front end, settling, read-out and overlay.
type pipelineBench struct {
	Video    string             `json:"video"`
	Width    int                `json:"width"`
	Height   int                `json:"height"`
	Frames   int                `json:"frames"`
	FPS      float64            `json:"fps"`
	CPU      float64            `json:"cpu_ms_per_frame"` // of all cores
	Stages   map[string]float64 `json:"stage_ms_per_frame"`
	RSSEarly float64            `json:"rss_early_mb"` // after a tenth of the frames
	RSSLate  float64            `json:"rss_late_mb"`  // at the end
	RSSPeak  float64            `json:"rss_peak_mb"`
}

func bench(ctx context.Context, args []string, t terminal) error {
	if len(args) > 0 {
		switch args[0] {
		case "latency":
			return benchLatency(ctx, args[1:], t)
		case "watch":
			return benchWatch(ctx, args[1:], t)
		}
	}
	fs := pflag.NewFlagSet("bench", pflag.ContinueOnError)
	frames := fs.Int("frames", 600, "frames to process; a shorter video is played again")
	asJSON := fs.Bool("json", false, "print JSON instead of a table")
	script := fs.String("torch", "bench/settle_torch.py", "the same step in PyTorch, or none")
	rounds := fs.Int("rounds", 15, "rounds in which the settling step, the matrix product and PyTorch take turns")
	var choice modelFlags
	choice.registerWeights(fs)
	profile := fs.String("cpuprofile", "", "write a CPU profile of the pipeline to this file")
	if err := parse(fs, args, t, benchUsage); err != nil {
		return err
	}
	if fs.NArg() > 1 || *frames < 1 || *rounds < 1 {
		return usagef("bench takes at most one VIDEO, and --frames and --rounds of at least 1")
	}
	r := benchReport{Version: version, CPUs: runtime.GOMAXPROCS(0)}
	var err error
	if r.Pipeline, err = benchPipeline(ctx, fs.Arg(0), *frames, *profile, &choice); err != nil {
		return err
	}
	torch, why := startTorch(ctx, *script)
	if torch == nil {
		r.NoTorch = why
	} else {
		defer torch.stop()
	}
	if r.Step, r.Torch, err = benchStep(ctx, torch, *rounds); err != nil {
		return err
	}
	return printReport(t.out, *asJSON, r)
}

// benchPipeline runs the default model over a video, without writing one.
func benchPipeline(ctx context.Context, name string, frames int, profile string, choice *modelFlags) (*pipelineBench, error) {
	name, label, remove, err := videoOrDemo(ctx, name)
	if err != nil {
		return nil, err
	}
	defer remove()
	model, err := choice.model()
	if err != nil {
		return nil, err
	}
	frontEnd, err := choice.frontEndFor(model)
	if err != nil {
		return nil, err
	}
	defer frontEnd.Close()
	drawer, err := overlay.New(overlay.Config{Level: 3})
	if err != nil {
		return nil, err
	}
	open := func(ctx context.Context) (capture.Source, error) {
		return openSource(ctx, name, nil, sourceOptions{openTimeout: 5 * time.Second})
	}
	first, err := open(ctx)
	if err != nil {
		return nil, err
	}
	src := capture.Limit(capture.Loop(first, open), frames)
	defer src.Close()
	info := src.Info()
	b := &pipelineBench{Video: label, Width: info.W, Height: info.H}
	stop, err := startProfile(profile)
	if err != nil {
		return nil, err
	}
	defer stop()
	c := pipeline.Config{Source: src, FrontEnd: frontEnd, Model: model, Islands: choice.islands(model, info), Draw: drawer, Pixels: []int{3}}
	c.Progress = func(s pipeline.Stats) {
		if s.Frames == max(1, frames/10) {
			b.RSSEarly = rss()
		}
	}
	cpu := cpuTime()
	s, err := pipeline.Run(ctx, c)
	if err != nil {
		return nil, err
	}
	b.RSSLate, b.RSSPeak = rss(), peakRSS()
	n := float64(s.Frames)
	b.Frames, b.FPS = s.Frames, n/s.Wall.Seconds()
	b.CPU = ms(cpuTime()-cpu) / n
	b.Stages = map[string]float64{
		"decode": ms(s.Decode) / n, "front end": ms(s.FrontEnd) / n, "settle": ms(s.Settle) / n,
		"read-out": ms(s.ReadOut) / n, "upsample": ms(s.Upsample) / n, "draw": ms(s.Draw) / n,
	}
	return b, nil
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// videoOrDemo returns a video and what it is called. Without a name it is the demo scene in a file,
// which remove deletes.
func videoOrDemo(ctx context.Context, name string) (video, label string, remove func(), err error) {
	if name != "" {
		return name, name, func() {}, nil
	}
	dir, err := os.MkdirTemp("", "glom-bench-")
	if err != nil {
		return "", "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	video = filepath.Join(dir, "demo.mkv")
	if err := recordDemo(ctx, video); err != nil {
		remove()
		return "", "", nil, err
	}
	return video, "demo scene", remove, nil
}

// recordDemo writes the demo scene as a video file.
func recordDemo(ctx context.Context, name string) error {
	src, err := scene.New(scene.Config{Name: "demo"})
	if err != nil {
		return err
	}
	defer src.Close()
	info := src.Info()
	rec, err := libav.Create(name, libav.Options{W: info.W, H: info.H, FPS: info.FPS})
	if err != nil {
		return err
	}
	for {
		f, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rec.Close()
		}
		if err == nil {
			err = rec.Write(&f)
			f.Release()
		}
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return errors.Join(err, rec.Close())
		}
	}
}

func (r benchReport) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	p := r.Pipeline
	row("glom", "%s on %d cores", r.Version, r.CPUs)
	row("video", "%s, %dx%d, %d frames", p.Video, p.Width, p.Height, p.Frames)
	row("speed", "%.1f frames/s, %.1f ms of processor time per frame", p.FPS, p.CPU)
	names := make([]string, 0, len(p.Stages))
	for name := range p.Stages {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(1e6 * (p.Stages[b] - p.Stages[a])) })
	for _, name := range names {
		row("  "+name, "%.2f ms per frame", p.Stages[name])
	}
	row("memory", "%.0f MB at a tenth, %.0f MB at the end, %.0f MB at most", p.RSSEarly, p.RSSLate, p.RSSPeak)
	s := r.Step
	row("step", "%.2f ms (%d locations, D %d, H %d, %d levels, dense), %.0f GFLOP/s", s.Millis, s.Locations, s.Dim, s.Hidden, s.Levels, s.GFLOPS)
	row("sgemm", "%.0f GFLOP/s (1024x1024 on each core); the step runs at %.2f of it", s.SgemmGFLOPS, s.Fraction)
	if r.Torch != nil {
		row("PyTorch", "%.2f ms for the same step (version %s, %d threads, %s): ours is %.1f times as fast; results differ by %.0e at most",
			r.Torch.Millis, r.Torch.Version, r.Torch.Threads, r.Torch.BLAS, r.Torch.Ratio, r.Torch.Difference)
	} else {
		row("PyTorch", "not measured: %s", r.NoTorch)
	}
	return w.Flush()
}
