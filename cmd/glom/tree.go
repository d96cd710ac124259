package main

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/overlay"
	"glomstream/pipeline"
)

const treeUsage = `Usage: glom tree SOURCE [--frame N] [-o TREE.png] [--json FILE]

Shows the parse tree of one frame. As a picture it has a row for each level, the scene on top;
every island is a card, cut out of the frame, with a line to the island one level up that covers
it. As JSON it is the line that glom process --json writes for the frame. The frames before are
processed as well, since islands form over time.

` + sourceHelp

const treeExamples = `

Examples:
  glom tree video.mp4 --frame 30 -o tree.png
  glom tree photo.jpg -o tree.png
  glom tree synthetic:demo --frame 20 --json - | jq '.levels[3].islands[] | {id, parent}'`

// treeFlags are the flags of glom tree.
type treeFlags struct {
	frame        int
	output, json string
	overwrite    bool
	modelFlags
	openTimeout time.Duration
	quiet       bool
}

func tree(ctx context.Context, args []string, t terminal) error {
	var f treeFlags
	fs := pflag.NewFlagSet("tree", pflag.ContinueOnError)
	fs.IntVar(&f.frame, "frame", 0, "number of the frame, from 0")
	fs.StringVarP(&f.output, "output", "o", "", "picture of the tree: .png")
	fs.StringVar(&f.json, "json", "", "file for the tree as a JSON line; - for the standard output")
	fs.BoolVarP(&f.overwrite, "overwrite", "y", false, "overwrite files that exist")
	f.modelFlags.register(fs)
	fs.DurationVar(&f.openTimeout, "open-timeout", 5*time.Second, "give up on a source that is silent for so long")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	if err := parse(fs, args, t, treeUsage+sceneNames()+treeExamples); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return usagef("tree takes one SOURCE, got %d: see glom help tree", fs.NArg())
	}
	if err := f.check(); err != nil {
		return err
	}
	return f.run(ctx, fs.Arg(0), t)
}

// check finds what makes no sense.
func (f *treeFlags) check() error {
	switch ext := filepath.Ext(f.output); {
	case f.output == "" && f.json == "":
		return usagef("nothing to write: give -o FILE.png or --json FILE")
	case f.output != "" && !strings.EqualFold(ext, ".png"):
		return usagef("-o %q: the name must end in .png", f.output)
	case f.frame < 0:
		return usagef("--frame %d: want 0 or more", f.frame)
	case f.openTimeout <= 0:
		return usagef("--open-timeout %v: want more than 0", f.openTimeout)
	}
	return nil
}

// run processes the frames up to the one that is asked for and writes its tree.
func (f *treeFlags) run(ctx context.Context, source string, t terminal) error {
	if err := checkFiles(source, f.overwrite, namedFile{"-o", f.output}, namedFile{"--json", f.json}); err != nil {
		return err
	}
	model, err := f.model()
	if err != nil {
		return err
	}
	levels := model.Config().Levels
	frontEnd, err := f.frontEndFor(model)
	if err != nil {
		return err
	}
	defer frontEnd.Close()
	src, err := openSource(ctx, source, t.in, sourceOptions{openTimeout: f.openTimeout, frames: f.frame + 1})
	if err != nil {
		return err
	}
	defer src.Close()
	sink, err := f.sink(source, levels, t)
	if err != nil {
		return err
	}
	c := pipeline.Config{Source: src, FrontEnd: frontEnd, Model: model, Islands: f.islands(model, src.Info()), Sinks: []pipeline.Sink{sink}, Latest: src.Info().Live}
	if f.output != "" {
		c.Pixels = all(levels)
	}
	bar := newProgress(f.quiet, src.Info(), t.err)
	c.Progress = bar.update
	stats, err := pipeline.Run(ctx, c)
	bar.end(stats, err)
	switch {
	case err != nil:
		return err
	case stats.Frames == 0:
		return fmt.Errorf("no video frames in %q", src.Info().Name)
	case !sink.done:
		return fmt.Errorf("--frame %d: %q has only %s, the first being number 0", f.frame, src.Info().Name, frames(stats.Frames+stats.Dropped))
	}
	return nil
}

func frames(n int) string {
	if n == 1 {
		return "1 frame"
	}
	return fmt.Sprintf("%d frames", n)
}

// treeSink writes the tree of one frame and lets the others pass.
type treeSink struct {
	flags *treeFlags
	src   string // its name
	draw  *overlay.Drawer
	t     terminal
	done  bool
}

func (f *treeFlags) sink(source string, levels int, t terminal) (*treeSink, error) {
	d, err := overlay.New(overlay.Config{Levels: levels})
	return &treeSink{flags: f, src: source, draw: d, t: t}, err
}

func (s *treeSink) Write(r *pipeline.Result) error {
	if r.Frame.Seq != uint64(s.flags.frame) {
		return nil
	}
	s.done = true
	if s.flags.json != "" {
		if err := s.writeJSON(r); err != nil {
			return err
		}
	}
	if s.flags.output == "" {
		return nil
	}
	title := fmt.Sprintf("Parse tree of frame %d at %.2f s: %s", r.Frame.Seq, r.Frame.PTS.Seconds(), shorten(s.src, 80))
	canvas := s.draw.Tree(&overlay.Tree{Frame: &r.Frame, Labels: r.Labels, Levels: r.Islands, Title: title})
	return writePNG(s.flags.output, &canvas)
}

func (s *treeSink) writeJSON(r *pipeline.Result) error {
	out, err := newLines(s.flags.json, s.t.out)
	if err != nil {
		return err
	}
	err = out.Write(r)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	return err
}

func writePNG(name string, f *capture.Frame) error {
	img := image.NewNRGBA(image.Rect(0, 0, f.W, f.H))
	for y := range f.H {
		from, to := f.Pix[y*f.Stride:], img.Pix[y*img.Stride:]
		for x := range f.W {
			to[4*x], to[4*x+1], to[4*x+2], to[4*x+3] = from[3*x+2], from[3*x+1], from[3*x], 255
		}
	}
	return writeFile(name, func(w io.Writer) error { return png.Encode(w, img) })
}
