package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/pipeline/eval"
)

const evalUsage = `Usage: glom eval DIR|synthetic:SCENE [...] [--baselines] [--json FILE] [--report FILE.md] [--plots DIR]

Measures the islands against a known truth, one settling step per frame, and prints tables. A DIR is
  DIR/NAME/frames/*.jpg  DIR/NAME/masks/*.png      videos: pixel value = object, 0 = background,
                                                   255 = not judged, or the object where there is
                                                   nothing but 0 and 255
  DIR/images/ID.jpg      DIR/GRAIN/ID[_K].png      pictures with region maps (folder parts: the parts)
A frame without a mask is not judged. synthetic:SCENE has an exact truth at every level, and
synthetic:lock is the lock curve: IoU against speed, for the default and the paper's literal rule.

Examples:
  glom eval davis --baselines --report results.md --plots .
  glom eval synthetic:twins?seed=2 synthetic:demo
  glom eval synthetic:lock --plots docs/plots
  glom eval my-videos --only horse,bus --json -`

// evalFlags are the flags of glom eval.
type evalFlags struct {
	modelFlags
	baselines    bool
	json, report string
	plots        string
	only         []string
	frames       int
	steps        int
	overwrite    bool
	quiet        bool
}

func (f *evalFlags) register(fs *pflag.FlagSet) {
	fs.BoolVar(&f.baselines, "baselines", false, "also measure what one would use instead, on the same frames: a fixed descriptor, SLIC, SEEDS, k-means, MOG2, GrabCut, optical flow")
	fs.StringVar(&f.json, "json", "", "file for all numbers, those of each sequence too; - for the standard output instead of the tables")
	fs.StringVar(&f.report, "report", "", "file for the tables as a Markdown page")
	fs.StringVar(&f.plots, "plots", "", "folder for PNG plots: of sets of two sequences or more, bars per sequence and IoU against speed; the lock curve")
	fs.BoolVarP(&f.overwrite, "overwrite", "y", false, "overwrite files that exist")
	fs.StringSliceVar(&f.only, "only", nil, "names of the sequences to take (default: all)")
	fs.IntVar(&f.frames, "frames", 0, "take at most so many frames of each sequence (default: all)")
	fs.IntVar(&f.steps, "steps", 1, "settling steps per frame")
	f.modelFlags.register(fs)
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
}

func evaluate(ctx context.Context, args []string, t terminal) error {
	var f evalFlags
	fs := pflag.NewFlagSet("eval", pflag.ContinueOnError)
	f.register(fs)
	if err := parse(fs, args, t, evalUsage); err != nil {
		return err
	}
	switch {
	case fs.NArg() == 0:
		return usagef("eval takes folders or synthetic:SCENE: see glom help eval")
	case f.frames < 0:
		return usagef("--frames %d: want 0 or more", f.frames)
	case f.steps < 1:
		return usagef("--steps %d: want 1 or more", f.steps)
	}
	model, err := f.model()
	if err != nil {
		return err
	}
	sets, lock, err := f.open(fs.Args())
	if err != nil {
		return err
	}
	files := []namedFile{{"--json", f.json}, {"--report", f.report}}
	if isFolder(f.plots) {
		for _, name := range eval.PlotNames(sets, lock) {
			files = append(files, namedFile{"--plots", filepath.Join(f.plots, name)})
		}
	}
	if err := checkFiles("", f.overwrite, files...); err != nil {
		return err
	}
	if f.plots != "" {
		if err := os.MkdirAll(f.plots, 0o777); err != nil {
			return fmt.Errorf("make folder %q: %w", f.plots, bare(err))
		}
	}
	frontEnd, err := f.frontEndFor(model)
	if err != nil {
		return err
	}
	defer frontEnd.Close()
	c := eval.Config{Model: model, FrontEnd: frontEnd, Islands: f.islands(model, capture.Info{}), Stills: f.islands(model, capture.Info{Frames: 1}), Steps: f.steps, Frames: f.frames}
	f.methods(&c)
	total := f.total(sets)
	if lock {
		total += eval.LockConfig{Frames: f.frames}.Total()
	}
	bar := newProgress(f.quiet, capture.Info{Name: "eval", Frames: total}, t.err)
	c.Progress = bar.count
	report, err := eval.Run(ctx, c, sets...)
	if err == nil && lock {
		report.Lock, err = eval.Lock(ctx, c, eval.LockConfig{Frames: f.frames})
	}
	bar.clear()
	if report == nil || report.Empty() {
		return err
	}
	report.Version, report.Weights = version, f.weights
	if werr := f.write(report, args, t); err == nil {
		return werr
	}
	return fmt.Errorf("%w (what was measured before is kept)", err)
}

// open finds the sequences.
func (f *evalFlags) open(names []string) (sets []eval.Set, lock bool, err error) {
	var known []string
	for _, name := range names {
		if name == "synthetic:lock" {
			lock = true
			continue
		}
		var set eval.Set
		if strings.HasPrefix(name, "synthetic:") {
			set, err = eval.Scene(name)
		} else {
			set, err = eval.OpenSet(name)
		}
		if err != nil {
			return nil, false, err
		}
		for _, s := range set.Sequences {
			known = append(known, s.Name)
		}
		if len(f.only) > 0 {
			set.Sequences = slices.DeleteFunc(set.Sequences, func(s eval.Sequence) bool { return !slices.Contains(f.only, s.Name) })
		}
		if len(set.Sequences) > 0 {
			sets = append(sets, set)
		}
	}
	for _, name := range f.only {
		switch {
		case slices.Contains(known, name):
		case len(known) == 0:
			return nil, false, usagef("--only %s: there are no sequences in %s", name, strings.Join(names, " "))
		default:
			return nil, false, fmt.Errorf("--only %s: there is no such sequence; there are %s", name, shorten(strings.Join(known, ", "), 200))
		}
	}
	return sets, lock, nil
}

// total is how many frames there are.
func (f *evalFlags) total(sets []eval.Set) int {
	n := 0
	for _, set := range sets {
		for _, s := range set.Sequences {
			if f.frames > 0 {
				n += min(s.Frames, f.frames)
			} else {
				n += s.Frames
			}
		}
	}
	return n
}

// write prints the tables and writes the files.
func (f *evalFlags) write(r *eval.Report, args []string, t terminal) error {
	if f.json == "-" {
		if err := r.WriteJSON(t.out); err != nil {
			return fmt.Errorf("write standard output: %w", bare(err))
		}
	} else if err := r.WriteTable(t.out); err != nil {
		return fmt.Errorf("write standard output: %w", bare(err))
	}
	if f.json != "" && f.json != "-" {
		if err := writeFile(f.json, r.WriteJSON); err != nil {
			return err
		}
	}
	var plots []string
	if f.plots != "" {
		var err error
		if plots, err = r.WritePlots(f.plots); err != nil {
			return err
		}
	}
	if f.report == "" {
		return nil
	}
	return writeFile(f.report, func(w io.Writer) error {
		if err := r.WritePage(w, "glom eval "+strings.Join(args, " "), relative(plots, filepath.Dir(f.report))); err != nil {
			return err
		}
		return nil
	})
}

// relative makes paths relative to a folder, where that is possible.
func relative(paths []string, dir string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = p
		if rel, err := filepath.Rel(dir, p); err == nil {
			out[i] = rel
		}
	}
	return out
}

// writeFile creates a file and reports every error with its name.
func writeFile(name string, write func(io.Writer) error) (err error) {
	file, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("create %q: %w", name, bare(err))
	}
	err = errors.Join(write(file), file.Close())
	if err != nil {
		return fmt.Errorf("write %q: %w", name, bare(err))
	}
	return nil
}
