package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"glomstream/glom/clips"
	"glomstream/glom/train"
)

// usage is the help text behind the program's name, without the flags.
const usage = ` [STORE.clips…] -o weights.safetensors

Learns the weights of the model and of its front end from clip stores, which "glom train prepare"
makes, or from folders (--data); without any, from painted scenes. Besides the weights it writes weights.safetensors.ndjson,
a line for each update, .png, its curves, and .checkpoint. Ctrl-C writes a checkpoint and ends;
--resume goes on from there, to the same result as if it had not been stopped. "mean" instead of
a store takes the mean of weights files: see mean --help.

--config FILE sets in JSON what is learned and how, for example
  {"updates": 5000, "clips": 32, "rate": 0.001, "model": {"hidden": 256}, "losses": {"reconstruction": 1, "agreement": 0.1}}`

// UsageError is a mistake in the command line.
type UsageError struct{ error }

func usagef(format string, args ...any) error { return UsageError{fmt.Errorf(format, args...)} }

// flags of a training run.
type flags struct {
	configs     []string
	size        string
	job         train.Job
	data        data
	updates     int
	self, quiet bool
	folders     []string
}

func (f *flags) set(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	fs.StringVarP(&f.job.Out, "output", "o", "", "the weights file to write")
	fs.StringArrayVar(&f.folders, "data", nil, "folder of pictures and videos to learn from (may be repeated); prepared as OUTPUT.clips unless that is there")
	fs.StringArrayVar(&f.configs, "config", nil, "JSON file with settings; may be given several times, what a later one sets counts")
	fs.IntVar(&f.updates, "updates", 0, "length of the schedule, instead of the setting")
	fs.BoolVar(&f.self, "self-supervised", false, "use no labels")
	fs.StringVar(&f.size, "size", "160x96", "size of the clips, multiples of 8; pictures in use are 320x176")
	fs.IntVar(&f.data.frames, "frames", 6, "frames of a clip")
	fs.Float64Var(&f.data.share, "composite", 0.95, "share of composite scenes where a store has videos")
	fs.Uint64Var(&f.data.seed, "seed", 0, "draws the clips; a setting of the same name draws the weights")
	fs.StringVar(&f.data.flow, "flow", f.data.defaultFlow(), "motion of composite scenes: measured in their pictures, imitated as an optical flow would find it, or exact")
	fs.IntVar(&f.data.cacheMegabyte, "cache", 512, "megabytes of decoded pictures to keep")
	fs.StringVar(&f.job.Init, "init", "", "begin with the weights of this file, a weights file or a checkpoint of another run")
	fs.BoolVar(&f.job.Resume, "resume", false, "go on from the checkpoint, with its settings")
	fs.IntVar(&f.job.Every, "every", 50, "updates from one checkpoint to the next")
	fs.IntVar(&f.job.Stop, "stop", 0, "end, with a checkpoint, after so many updates; 0: at the end of the schedule")
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	return fs
}

// Media is what a program with OpenCV can do besides. The zero value is for one without.
type Media struct {
	// NewFlow makes what measures the motion in the pictures of composite scenes, which have an imitation of it
	// otherwise.
	NewFlow func() (clips.Flow, error)
	// Prepare writes the pictures and videos in folders into a clip store.
	Prepare func(ctx context.Context, folders []string, store string, quiet bool) error
}

// Run trains as args say, or takes the mean of what was trained. Progress goes to errOut.
func Run(ctx context.Context, name string, args []string, out, errOut io.Writer, media Media) error {
	if len(args) > 0 && args[0] == "mean" {
		return mean(name, args[1:], out)
	}
	f := flags{data: data{media: media}}
	fs := f.set(name)
	if err := parse(fs, name+usage, args, out); err != nil {
		return err
	}
	f.data.stores = fs.Args()
	if err := f.check(); err != nil {
		return err
	}
	if err := f.prepare(ctx, name, errOut); err != nil {
		return err
	}
	src, closeAll, err := f.data.open()
	if err != nil {
		return err
	}
	f.job.Data = f.data.String()
	curves := func() error { return drawCurves(f.job.Out+".ndjson", f.job.Out+".png") }
	shown := newProgress(errOut, f.job.Stop)
	f.job.Progress = func(r train.Report, c train.Config) {
		if !f.quiet {
			shown.show(r, c)
		}
		if r.Step%f.job.Every == 0 {
			_ = curves() // they are drawn again in the end
		}
	}
	err = train.Run(ctx, f.job, src)
	shown.end()
	if errors.Is(err, train.ErrDiverged) {
		err = fmt.Errorf("%w (the checkpoint of before is kept: begin from it with --init and a lower rate)", err)
	}
	if _, missing := os.Stat(f.job.Out + ".ndjson"); missing == nil {
		err = errors.Join(err, curves())
	}
	return errors.Join(err, closeAll())
}

// prepare makes a store of the folders, unless an earlier run has.
func (f *flags) prepare(ctx context.Context, name string, errOut io.Writer) error {
	if len(f.folders) == 0 {
		return nil
	}
	store := f.job.Out + ".clips"
	f.data.stores = append(f.data.stores, store)
	if _, err := os.Stat(store); err == nil {
		_, err = fmt.Fprintf(errOut, "%s: learns from %s, which is there already: delete it to prepare --data anew\n", name, store)
		return err
	}
	return f.data.media.Prepare(ctx, f.folders, store, f.quiet)
}

// parse parses args; for --help it writes usage and the flags to out.
func parse(fs *pflag.FlagSet, usage string, args []string, out io.Writer) error {
	fs.Usage = func() { fmt.Fprintf(out, "Usage: %s\n\nFlags:\n%s", usage, fs.FlagUsagesWrapped(100)) }
	err := fs.Parse(args)
	if err == nil || errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return UsageError{err}
}

func (f *flags) check() error {
	if f.job.Out == "" {
		return usagef("name the weights file to write with -o")
	}
	if _, err := fmt.Sscanf(f.size, "%dx%d", &f.data.w, &f.data.h); err != nil || f.data.w%8 != 0 || f.data.h%8 != 0 || f.data.w < 16 || f.data.h < 16 {
		return usagef("--size %s: want WIDTHxHEIGHT, multiples of 8 from 16 on", f.size)
	}
	if f.data.frames < 1 || f.job.Every < 1 || f.data.cacheMegabyte < 0 || !(f.data.share >= 0 && f.data.share <= 1) {
		return usagef("--frames and --every must be positive, --cache not negative, --composite from 0 to 1")
	}
	switch {
	case f.data.flow != measured && f.data.flow != imitated && f.data.flow != exact:
		return usagef("--flow %s: want measured, imitated or exact", f.data.flow)
	case len(f.folders) > 0 && f.data.media.Prepare == nil:
		return usagef("--data: this program has no OpenCV to read pictures and videos with; give a clip store that glom train prepare has made")
	case f.data.flow == measured && f.data.media.NewFlow == nil:
		return usagef("--flow measured: this program has no OpenCV to measure it with; glom train has")
	}
	if f.job.Resume {
		if len(f.configs) > 0 || f.updates != 0 || f.self || f.job.Init != "" {
			return usagef("--resume brings its own settings: leave out --config, --updates, --init and --self-supervised")
		}
		return nil
	}
	for _, name := range f.configs {
		if err := readConfig(&f.job.Config, name); err != nil {
			return err
		}
	}
	if f.updates != 0 {
		f.job.Config.Updates = f.updates
	}
	f.job.Config.SelfSupervised = f.job.Config.SelfSupervised || f.self
	return nil
}

// readConfig puts what a JSON file sets into c, and refuses what it does not know.
func readConfig(c *train.Config, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("settings: %w", err)
	}
	defer file.Close()
	dec := json.NewDecoder(file)
	dec.DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return fmt.Errorf("settings %q: %w", name, err)
	}
	return nil
}
