package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"glomstream/capture"
	"glomstream/capture/opencv"
	"glomstream/glom"
	"glomstream/glom/conv"
	"glomstream/glom/follow"
	"glomstream/glom/islands"
	"glomstream/glom/trained"
	"glomstream/glom/weights"
)

// What --weights takes besides the name of a file. The weights that come with glom are the default.
const (
	builtIn   = "built-in"
	unlearned = "none"
)

// modelFlags say which model and which front end are used.
type modelFlags struct {
	weights, frontEnd string
	config            string
	order, query, att string
	link              []float64

	file *weights.File // once read; nil for none
}

func (f *modelFlags) register(fs *pflag.FlagSet) {
	f.registerWeights(fs)
	fs.StringVar(&f.frontEnd, "frontend", "", "ONNX file of a convolutional front end, with the --weights that go with it (default: that of the weights; with none a fixed descriptor)")
	fs.StringVar(&f.config, "config", "", "JSON file with the settings of an unlearned model: levels, beta, sigma, mix, samples, …; needs --weights none")
	fs.StringVar(&f.order, "order", "", "order of the settling step: sweep or sync (the paper's); default that of the model, sweep")
	fs.StringVar(&f.query, "query", "", "what asks for attention: bu or state (the paper's); default that of the model, bu")
	fs.Float64SliceVar(&f.link, "link", nil, "`cosine` over which neighbouring regions are one island, over 0 up to 1: smaller makes fewer and larger islands; one for all levels, or one for each with commas between, the finest first (default 0.95,0.95,0.95,0.8,0.8, for a single picture 0.94 at the object level, with --weights none 0.7)")
	fs.Lookup("link").DefValue = "" // its text says it
	fs.StringVar(&f.att, "attention", "", "sampled, resampled (anew each step) or dense; default that of the model, sampled")
}

// registerWeights registers the one flag that says what was learned.
func (f *modelFlags) registerWeights(fs *pflag.FlagSet) {
	fs.StringVar(&f.weights, "weights", builtIn, "safetensors file of a trained model, or none: a fixed descriptor and nothing learned")
}

// model loads or makes the model, and checks that --link fits it.
func (f *modelFlags) model() (*glom.Model, error) {
	for _, v := range f.link {
		if !(v > 0 && v <= 1) {
			return nil, usagef("--link %v: want over 0 up to 1", v)
		}
	}
	m, err := f.load()
	if err != nil {
		return nil, err
	}
	if n, levels := len(f.link), m.Config().Levels; n > 1 && n != levels {
		return nil, usagef("--link has %d values: want one, or one for each of the %d levels", n, levels)
	}
	return m, nil
}

func (f *modelFlags) load() (*glom.Model, error) {
	switch {
	case f.config != "" && f.weights != unlearned:
		return nil, usagef("--weights %s brings its own settings: leave out --config, or say --weights none", f.weights)
	case f.frontEnd != "" && f.weights == builtIn:
		return nil, usagef("--frontend %s: the built-in weights have learned with another: name the --weights that go with it, or none", f.frontEnd)
	}
	var err error
	switch f.weights {
	case unlearned:
		return f.untrained()
	case builtIn:
		f.file, err = trained.Weights()
	default:
		f.file, err = readWeights(f.weights)
	}
	if err != nil {
		return nil, err
	}
	m, err := glom.FromFile(f.file)
	if err != nil {
		return nil, fmt.Errorf("read weights %q: %w", f.weights, bare(err))
	}
	c := m.Config()
	f.rule(&c)
	if m, err = m.With(c); err != nil {
		return nil, usageError{bareModel(err)}
	}
	return m, nil
}

func readWeights(name string) (*weights.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open weights %q: %w", name, bare(err))
	}
	defer file.Close()
	w, err := weights.Read(file)
	if err != nil {
		return nil, fmt.Errorf("read weights %q: %w", name, bare(err))
	}
	return w, nil
}

// untrained makes a model without weights.
func (f *modelFlags) untrained() (*glom.Model, error) {
	var c glom.Config
	if f.config != "" {
		if err := readConfig(&c, f.config); err != nil {
			return nil, err
		}
	}
	f.rule(&c)
	m, err := glom.New(c)
	switch {
	case err != nil && f.config != "":
		return nil, fmt.Errorf("settings %q: %w", f.config, bareModel(err))
	case err != nil:
		return nil, usageError{bareModel(err)}
	}
	return m, nil
}

// bareModel drops the package's name from its error, which is the program's name too.
func bareModel(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "glom: "))
}

// islands says how the islands of src are read out of the model, which was made before. Vectors that were
// learned with a contrast of temperature 0.1 are farther apart than those of a fixed descriptor, and in clusters
// already, so that half the steps of mean shift do. What tells a part from the next is finer than what tells
// objects; so is what looks tell of objects, where a single picture has no motion.
func (f *modelFlags) islands(m *glom.Model, src capture.Info) []islands.Config {
	c := make([]islands.Config, m.Config().Levels)
	scene := len(c) - 1
	for l := range c {
		if f.file != nil {
			c[l] = islands.Config{Beta: 30, Link: 0.95, Steps: 6}
			switch {
			case l == scene-1 && src.Frames == 1:
				c[l].Link = 0.94
			case l >= scene-1:
				c[l].Link = 0.8
			}
		}
		if n := len(f.link); n > 0 {
			c[l].Link = f.link[min(l, n-1)]
		}
	}
	return c
}

// following says how regions are followed with the model, which was made before. Learned vectors
// change less from frame to frame than those of a descriptor, so that looks need not be learned anew as fast.
func (f *modelFlags) following() follow.Config {
	if f.file == nil {
		return follow.Config{}
	}
	return follow.Config{Rate: 0.1, Tau: 0.07, Vote: 0.3}
}

// rule puts what the flags say of the settling step into c.
func (f *modelFlags) rule(c *glom.Config) {
	set := func(flag string, into *string) {
		if flag != "" {
			*into = flag
		}
	}
	set(f.order, (*string)(&c.Order))
	set(f.query, (*string)(&c.Query))
	set(f.att, (*string)(&c.Attention))
}

// frontEndFor returns the front end that goes with the model, which was made before.
func (f *modelFlags) frontEndFor(m *glom.Model) (*opencv.FrontEnd, error) {
	c := opencv.FrontEndConfig{Net: f.frontEnd, Dim: m.Config().Dim}
	if f.frontEnd == "" && f.file != nil && f.file.Has(conv.Part) {
		net, err := conv.FromFile(f.file)
		if err != nil {
			return nil, fmt.Errorf("read weights %q: %w", f.weights, bare(err))
		}
		c.ONNX = net.ONNX(176, 320)
	}
	return opencv.NewFrontEnd(c)
}

// readConfig reads a JSON file into c and refuses what it does not know.
func readConfig(c *glom.Config, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("open settings %q: %w", name, bare(err))
	}
	defer file.Close()
	dec := json.NewDecoder(io.LimitReader(file, 1<<20))
	dec.DisallowUnknownFields()
	err = dec.Decode(c)
	if err == nil && dec.More() {
		err = errors.New("more than one JSON object")
	}
	if err != nil {
		return fmt.Errorf("read settings %q: %w", name, bare(err))
	}
	return nil
}
