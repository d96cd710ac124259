package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"glomstream/glom"
)

// modelFlags say which model and which front end are used.
type modelFlags struct {
	weights, frontEnd string
	config            string
	order, query, att string
}

func (f *modelFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.weights, "weights", "none", "safetensors file of a trained model, or none")
	fs.StringVar(&f.frontEnd, "frontend", "", "ONNX file of a convolutional front end (default: that of the weights file, or a fixed descriptor)")
	fs.StringVar(&f.config, "config", "", "JSON file with the model's settings: levels, beta, sigma, mix, samples, … (not with --weights)")
	fs.StringVar(&f.order, "order", "", "order of the settling step: sweep (default) or sync (the paper's)")
	fs.StringVar(&f.query, "query", "", "what asks for attention: bu (default) or state (the paper's)")
	fs.StringVar(&f.att, "attention", "", "sampled (default), resampled (anew each step) or dense")
}

// model loads or makes the model.
func (f *modelFlags) model() (*glom.Model, error) {
	if f.weights != "none" && f.weights != "" {
		if f.config != "" || f.order != "" || f.query != "" || f.att != "" {
			return nil, usagef("--weights %s brings its own settings: leave out --config, --order, --query and --attention", f.weights)
		}
		file, err := os.Open(f.weights)
		if err != nil {
			return nil, fmt.Errorf("open weights %q: %w", f.weights, bare(err))
		}
		defer file.Close()
		m, err := glom.Load(file)
		if err != nil {
			return nil, fmt.Errorf("read weights %q: %w", f.weights, bare(err))
		}
		return m, nil
	}
	var c glom.Config
	if f.config != "" {
		if err := readConfig(&c, f.config); err != nil {
			return nil, err
		}
	}
	set := func(flag string, into *string) {
		if flag != "" {
			*into = flag
		}
	}
	set(f.order, (*string)(&c.Order))
	set(f.query, (*string)(&c.Query))
	set(f.att, (*string)(&c.Attention))
	m, err := glom.New(c)
	switch {
	case err != nil && f.config != "":
		return nil, fmt.Errorf("settings %q: %w", f.config, err)
	case err != nil:
		return nil, usageError{err}
	}
	return m, nil
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
