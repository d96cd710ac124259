// Command ablation compares models that were trained alike but for one thing: it writes a page with
// what "glom eval" measured of each, see "make ablation".
//
//	ablation [-settings bench/ablation] [-results out/ablation] [-o docs/ablation.md] VARIANT…
//
// For each variant there are SETTINGS/VARIANT.json, what it changes, RESULTS/VARIANT.safetensors, its
// weights, and RESULTS/VARIANT.json, the report of glom eval. Variants that were not trained with
// the same clips, for as long, or not measured on the same frames, are an error.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"glomstream/glom/train"
	"glomstream/pipeline/eval"
)

func main() {
	settings := flag.String("settings", "bench/ablation", "folder of the variants' settings")
	results := flag.String("results", "out/ablation", "folder of weights and reports")
	out := flag.String("o", "docs/ablation.md", "page to write")
	flag.Parse()
	if err := run(*settings, *results, *out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "ablation:", err)
		os.Exit(1)
	}
}

func run(settings, results, out string, names []string) error {
	if len(names) == 0 {
		return errors.New("name the variants")
	}
	base, err := os.ReadFile(filepath.Join(settings, "base.json"))
	if err != nil {
		return fmt.Errorf("settings of all variants: %w", err)
	}
	var list []variant
	for _, name := range names {
		v, err := read(settings, results, name)
		if err != nil {
			return fmt.Errorf("variant %s: %w", name, err)
		}
		if len(list) > 0 {
			if err := list[0].comparable(&v); err != nil {
				return err
			}
		}
		list = append(list, v)
	}
	var page bytes.Buffer
	write(&page, list, base)
	return os.WriteFile(out, page.Bytes(), 0o644)
}

// variant is a model of the comparison.
type variant struct {
	name    string
	changes []byte // JSON
	origin  train.Origin
	report  eval.Report
}

func read(settings, results, name string) (v variant, err error) {
	v.name = name
	if v.changes, err = os.ReadFile(filepath.Join(settings, name+".json")); err != nil {
		return v, err
	}
	file, err := os.Open(filepath.Join(results, name+".safetensors"))
	if err != nil {
		return v, err
	}
	defer file.Close()
	if v.origin, err = train.ReadOrigin(file); err != nil {
		return v, err
	}
	if v.origin.Step != v.origin.Config.Updates {
		return v, fmt.Errorf("trained for %d of %d updates only", v.origin.Step, v.origin.Config.Updates)
	}
	text, err := os.ReadFile(filepath.Join(results, name+".json"))
	if err != nil {
		return v, err
	}
	if err := json.Unmarshal(text, &v.report); err != nil {
		return v, fmt.Errorf("report of glom eval: %w", err)
	}
	if len(v.report.Sets) == 0 || v.report.Model.Levels < 2 {
		return v, errors.New("report of glom eval: nothing was measured")
	}
	return v, nil
}

// budget says how a variant was trained.
func (v *variant) budget() string {
	c := v.origin.Config
	return fmt.Sprintf("%d updates of %d clips, seed %d; clips: %s", c.Updates, c.Clips, c.Seed, v.origin.Data)
}

// measured says on what.
func (v *variant) measured() string {
	s := v.report.Sets[0]
	frames := 0
	for _, q := range s.Sequences {
		frames += q.Frames
	}
	return fmt.Sprintf("%s: %d sequences, %d frames", s.Name, len(s.Sequences), frames)
}

// comparable is an error if o was trained or measured differently from v.
func (v *variant) comparable(o *variant) error {
	for _, s := range [][2]string{{v.budget(), o.budget()}, {v.measured(), o.measured()}} {
		if s[0] != s[1] {
			return fmt.Errorf("%s and %s cannot be compared (%s, and %s): delete the files of one of them and run again", v.name, o.name, s[0], s[1])
		}
	}
	return nil
}
