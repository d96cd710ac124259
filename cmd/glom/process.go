package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"glomstream/capture/libav"
	"glomstream/glom"
	"glomstream/pipeline"
)

const processUsage = `Usage: glom process SOURCE [-o OUT.mkv] [--masks DIR] [--json FILE] [--coco FILE]
                    [--salient DIR] [--follow MASK.png|x,y --follow-out DIR]

Finds the islands in a video, one settling step per frame, and writes at least one of: an
annotated video, id masks, the parse tree of each frame as a JSON line, a data set for COCO's tools,
masks of what moves by itself, masks of regions that are followed from the first frame.
Live sources run until Ctrl-C, which finishes the files. After an error, what was written stays.
Pictures of several sizes go into masks and JSON, but not into one video (-o); a video file that
changes its size midway ends there with an error.

` + sourceHelp

const processExamples = `

Examples:
  glom process video.mp4 -o annotated.mkv
  glom process video.mp4 -o all.webm --level all
  glom process 'frames/*.jpg' --masks masks --json islands.ndjson
  glom process video.mp4 --coco islands.json
  glom process video.mp4 --salient moving
  glom process video.mp4 --follow first.png --follow-out regions
  glom process video.mp4 --follow 320,180 -o followed.mkv
  ffmpeg -i in.ts -f yuv4mpegpipe - | glom process - --json - | jq .`

// processFlags are the flags of glom process.
type processFlags struct {
	modelFlags
	drawFlags
	output, masks, json, coco string
	salient                   string
	follow, followOut         string
	overwrite                 bool
	frames                    int
	openTimeout               time.Duration
	quiet, verbose            bool
}

func (f *processFlags) register(fs *pflag.FlagSet) {
	fs.StringVarP(&f.output, "output", "o", "", "annotated video: .mkv, .webm or .mp4 (.mp4 is lost if the program is killed)")
	fs.StringVar(&f.masks, "masks", "", "folder for masks: levelL/NNNNN.png, 16-bit grey, pixel = island id from 1")
	fs.StringVar(&f.json, "json", "", "file for the parse tree, one JSON line per frame; - for the standard output")
	fs.StringVar(&f.coco, "coco", "", "file for all islands as a COCO data set: masks as RLE, a category per level")
	fs.StringVar(&f.salient, "salient", "", "folder for masks of what moves by itself: NNNNN.png, 8-bit grey, 255 = moving, 0 = the rest")
	fs.StringVar(&f.follow, "follow", "", "follow regions of the first frame: a PNG whose grey values from 1 are the regions, or a point x,y")
	fs.StringVar(&f.followOut, "follow-out", "", "folder for masks of what is followed: NNNNN.png, 8-bit grey, the values of --follow (255 for a point)")
	fs.BoolVarP(&f.overwrite, "overwrite", "y", false, "overwrite files that exist")
	f.drawFlags.register(fs)
	f.modelFlags.register(fs)
	fs.IntVar(&f.frames, "frames", 0, "stop after so many frames (default: all)")
	fs.DurationVar(&f.openTimeout, "open-timeout", 5*time.Second, "give up on a source that is silent for so long (not -, which is waited for)")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	fs.BoolVarP(&f.verbose, "verbose", "v", false, "log cuts and resets of the state on the standard error")
}

func process(ctx context.Context, args []string, t terminal) error {
	var f processFlags
	fs := pflag.NewFlagSet("process", pflag.ContinueOnError)
	f.register(fs)
	if err := parse(fs, args, t, processUsage+sceneNames()+processExamples); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return usagef("process takes one SOURCE, got %d: see glom help process", fs.NArg())
	}
	if f.follow != "" && f.followOut == "" && f.output == "" {
		return usagef("--follow %s: give --follow-out DIR for its masks, or -o FILE for its outline", f.follow)
	}
	if f.followOut != "" && f.follow == "" {
		return usagef("--follow-out %s: give --follow MASK.png or --follow x,y too", f.followOut)
	}
	if f.outputs() == "" {
		return usagef("nothing to write: give -o FILE, --masks DIR, --json FILE, --coco FILE, --salient DIR or --follow-out DIR")
	}
	if f.coco == "-" {
		return usagef("--coco -: want the name of a file; lines for a pipe come from --json -")
	}
	if f.frames < 0 {
		return usagef("--frames %d: want 0 or more", f.frames)
	}
	if f.openTimeout <= 0 {
		return usagef("--open-timeout %v: want more than 0", f.openTimeout)
	}
	model, err := f.model()
	if err != nil {
		return err
	}
	draw, err := f.drawing(model.Config().Levels)
	if err != nil {
		return usageError{err}
	}
	return f.run(ctx, fs.Arg(0), model, draw, t)
}

// run connects source, pipeline and outputs. Outputs are closed whatever happens, so that what
// was written can be used.
func (f *processFlags) run(ctx context.Context, source string, model *glom.Model, draw drawing, t terminal) (err error) {
	if err := checkOutputs(f, source); err != nil {
		return err
	}
	frontEnd, err := f.frontEndFor(model)
	if err != nil {
		return err
	}
	defer frontEnd.Close()
	src, err := openSource(ctx, source, t.in, sourceOptions{openTimeout: f.openTimeout, frames: f.frames})
	if err != nil {
		return err
	}
	defer src.Close()

	outs, err := openOutputs(f, src.Info(), model.Config().Levels, t)
	if err != nil {
		return err
	}
	c := pipeline.Config{Source: src, FrontEnd: frontEnd, Model: model, Islands: f.islands(model, src.Info()), Sinks: outs.sinks(), Latest: src.Info().Live}
	if f.output != "" {
		c.Draw, c.Pixels = draw.drawer, draw.levels
	}
	if f.masks != "" || f.coco != "" {
		c.Pixels = all(model.Config().Levels)
	}
	if f.verbose {
		c.Log = slog.New(slog.NewTextHandler(t.err, nil))
	}
	bar := newProgress(f.quiet, src.Info(), t.err)
	c.Progress = bar.update
	stats, err := pipeline.Run(ctx, c)
	bar.end(stats, err)
	if err == nil && stats.Frames == 0 {
		err = fmt.Errorf("no video frames in %q", src.Info().Name)
	}
	switch cerr := outs.Close(); {
	case cerr != nil:
		return cerr // it tells more than what failed in between: how much can be read
	case err != nil:
		return f.partial(err, stats.Frames)
	}
	return bar.summary(stats, f.outputs())
}

// partial adds to an error what is left of the outputs.
func (f *processFlags) partial(err error, frames int) error {
	if frames == 0 || f.outputs() == "standard output" {
		return err
	}
	return fmt.Errorf("%w (%s kept in %s)", err, counted(frames), f.outputs())
}

func counted(frames int) string {
	if frames == 1 {
		return "1 frame is"
	}
	return strconv.Itoa(frames) + " frames are"
}

// outputs names what is written.
func (f *processFlags) outputs() string {
	var names []string
	for _, n := range []string{f.output, f.masks, f.json, f.coco, f.salient, f.followOut} {
		if n == "-" {
			n = "standard output"
		}
		if n != "" {
			names = append(names, n)
		}
	}
	return strings.Join(names, ", ")
}

// checkOutputs finds what would make writing fail before anything is opened.
func checkOutputs(f *processFlags, source string) error {
	if f.output != "" {
		if err := libav.CheckName(f.output); err != nil {
			return usagef("-o %q: %w", f.output, err)
		}
	}
	if f.salient != "" && filepath.Clean(f.salient) == filepath.Clean(f.followOut) {
		return usagef("--salient and --follow-out name the same folder %q", f.salient)
	}
	if f.masks != "" {
		for _, dir := range []string{f.salient, f.followOut} {
			if rel, err := filepath.Rel(f.masks, dir); dir != "" && err == nil && strings.HasPrefix(rel, "level") {
				return usagef("%q is where --masks %s puts its own pictures: name another folder", dir, f.masks)
			}
		}
	}
	return checkFiles(source, f.overwrite, namedFile{"-o", f.output}, namedFile{"--json", f.json}, namedFile{"--coco", f.coco})
}

// namedFile is a file to be written, and the flag that names it.
type namedFile struct{ flag, name string }

// checkFiles finds what would make writing any of the files fail; they may have no name.
func checkFiles(source string, overwrite bool, files ...namedFile) error {
	for i, a := range files {
		if a.name == "" {
			continue
		}
		for _, b := range files[:i] {
			if filepath.Clean(a.name) == filepath.Clean(b.name) {
				return usagef("%s and %s name the same file %q", b.flag, a.flag, b.name)
			}
		}
		if a.name == "-" {
			continue
		}
		if err := checkFile(a.name, source, overwrite); err != nil {
			return err
		}
	}
	return nil
}

// checkFile finds what would make writing a file fail.
func checkFile(name, source string, overwrite bool) error {
	in, inErr := os.Stat(source)
	switch st, err := os.Stat(name); {
	case errors.Is(err, os.ErrNotExist):
		if dir := filepath.Dir(name); !isFolder(dir) {
			return fmt.Errorf("write %q: there is no folder %q; make it first", name, dir)
		}
	case err != nil:
		return fmt.Errorf("write %q: %w", name, bare(err))
	case st.IsDir():
		return fmt.Errorf("write %q: it is a folder; name a file in it", name)
	case inErr == nil && os.SameFile(st, in):
		return fmt.Errorf("write %q: it is the source", name)
	case !overwrite && st.Mode().IsRegular():
		return fmt.Errorf("write %q: it exists; give -y to overwrite it", name)
	}
	return nil
}

func isFolder(name string) bool {
	st, err := os.Stat(name)
	return err == nil && st.IsDir()
}
