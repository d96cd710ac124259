package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/capture/opencv"
	"glomstream/glom/clips"
	"glomstream/glom/train/cli"
	"glomstream/pipeline"
)

// train learns weights, or does what the second word says.
func train(ctx context.Context, args []string, t terminal) error {
	switch {
	case len(args) > 0 && args[0] == "prepare":
		return prepare(ctx, args[1:], t)
	case len(args) == 0:
		return usagef("train: name the weights to write with -o, or prepare data: see glom help train")
	case args[0] == "--help" || args[0] == "-h":
		if err := prepare(ctx, args, t); !errors.Is(err, pflag.ErrHelp) {
			return err
		}
		fmt.Fprintln(t.out)
	}
	// Clips are made side by side, and the last digits of the flow must not depend on the machine.
	defer opencv.SetThreads(opencv.Threads())
	opencv.SetThreads(1)
	err := cli.Run(ctx, "glom train", args, t.out, t.err, cli.Media{
		NewFlow: func() (clips.Flow, error) { return opencv.NewFlow() },
		Prepare: func(ctx context.Context, folders []string, store string, quiet bool) error {
			f := prepareFlags{output: store, pieces: mostPieces, quiet: quiet}
			return f.prepare(ctx, folders, t)
		},
	})
	if use, ok := errors.AsType[cli.UsageError](err); ok {
		return usageError{use}
	}
	return err
}

const prepareUsage = `Usage: glom train prepare FOLDER… -o STORE.clips

Turns the pictures and videos in FOLDERs, and in the folders in them, into one compact file to
learn from. Pictures become at most 384 pixels long; of videos, pieces of 20 frames are kept at
the working size of the front end, with their optical flow.

Islands are known to it where a folder has pictures in images/ and grey PNG of the same name and
size in masks/ (with labels.txt beside: value = kind of part, 0 = background) or in instances/
(value = object, 0 = none). Of videos that a videos.tsv describes, beside them or one folder up,
only those are taken whose use is train+test. Folders for evaluation only (davis-dev, bsds-dev,
pascal-parts) are refused.`

// mostPieces is how many pieces a video gives unless another number is asked for.
const mostPieces = 4

// prepareFlags are the flags of glom train prepare.
type prepareFlags struct {
	output, list string
	pieces       int
	quiet        bool
}

func prepare(ctx context.Context, args []string, t terminal) error {
	var f prepareFlags
	fs := pflag.NewFlagSet("train", pflag.ContinueOnError)
	fs.StringVarP(&f.output, "output", "o", "", "the clip store to write; an old one is replaced when the new one is done")
	fs.StringVar(&f.list, "list", "", "file that names what may be taken, one a line, relative to its folder")
	fs.IntVar(&f.pieces, "pieces", mostPieces, "most pieces that one video gives")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	if err := parse(fs, args, t, prepareUsage); err != nil {
		return err
	}
	switch {
	case fs.NArg() == 0:
		return usagef("train prepare takes at least one FOLDER: see glom help train")
	case f.output == "":
		return usagef("train prepare: name the clip store to write with -o")
	case f.pieces < 1:
		return usagef("--pieces %d: want 1 or more", f.pieces)
	}
	return f.prepare(ctx, fs.Args(), t)
}

// prepare writes what is in the folders into the store.
func (f *prepareFlags) prepare(ctx context.Context, folders []string, t terminal) error {
	items, err := gather(folders, f.list)
	if err != nil {
		return err
	}
	w, err := clips.Create(f.output)
	if err != nil {
		return err
	}
	defer w.Close()
	p := &preparer{w: w, pieces: f.pieces, warn: t.err}
	shown := newProgress(f.quiet, capture.Info{Name: f.output, Frames: len(items)}, t.err)
	began := time.Now()
	for i, it := range items {
		if err = p.add(ctx, it); err != nil {
			break
		}
		shown.update(pipeline.Stats{Frames: i + 1})
	}
	shown.end(pipeline.Stats{Frames: len(items), Wall: time.Since(began)}, err)
	if err != nil {
		return err
	}
	if p.photos+p.videos == 0 {
		return fmt.Errorf("prepare %q: there is no picture or video in it to learn from", folders)
	}
	if err := w.Commit(); err != nil {
		return err
	}
	return p.summary(t.out, f.output)
}

// preparer writes items into a store and counts them.
type preparer struct {
	w                      *clips.Writer
	pieces                 int
	warn                   io.Writer
	photos, parts, objects int // photos in all, with parts, with objects only
	videos, cuts, frames   int // videos, pieces, their frames
	passed                 int // files that could not be used
}

// add writes it. A file that cannot be read is passed over with a line of warning: one bad
// picture among thousands must not end the run.
func (p *preparer) add(ctx context.Context, it item) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("prepare: %w", context.Cause(ctx))
	}
	add := p.addPhoto
	if it.video {
		add = p.addVideo
	}
	err := add(ctx, it)
	var bad unusable
	if !errors.As(err, &bad) {
		return err
	}
	p.passed++
	_, err = fmt.Fprintf(p.warn, "glom: passed over: %s\n", oneLine(bad))
	return err
}

// unusable is the reason why a file was passed over.
type unusable struct{ error }

func (p *preparer) summary(out io.Writer, name string) error {
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %.1f MB, %d photos (%d with parts, %d with objects), %d pieces of %d videos (%d frames), %d files passed over\n",
		filepath.Base(name), float64(st.Size())/1e6, p.photos, p.parts, p.objects, p.cuts, p.videos, p.frames, p.passed)
	return err
}
