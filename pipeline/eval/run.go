package eval

import (
	"context"
	"fmt"

	"glomstream/capture"
	"glomstream/glom"
	"glomstream/glom/islands"
	"glomstream/pipeline"
)

// Config says what to evaluate.
type Config struct {
	Model    *glom.Model
	FrontEnd pipeline.FrontEnd
	Islands  []islands.Config // as pipeline.Config has them
	Stills   []islands.Config // of sequences of a single picture; default Islands
	Steps    int              // settling steps per frame; default 1
	Frames   int              // at most so many of each sequence; default all

	Segmenters []Method[Segmenter]
	Finders    []Method[Finder]   // of salient objects, on binary truth
	Followers  []Method[Follower] // on binary truth

	Progress func(sequence string, frames int) // called after each frame; frames counts those of all sequences
}

// Run evaluates the sets one sequence after the other. An error names the sequence; a sequence
// without frames, a mask of another size than its frame and a mask that cannot be read are errors.
// The report then holds the sequences before.
func Run(ctx context.Context, c Config, sets ...Set) (*Report, error) {
	report := &Report{Schema: Schema, Model: c.Model.Config()}
	done := 0
	for _, set := range sets {
		out := SetReport{Name: set.Name}
		for i := range set.Sequences {
			seq, err := c.sequence(ctx, &set.Sequences[i], &done)
			if err != nil {
				out.Mean = average(out.Sequences)
				report.Sets = append(report.Sets, out)
				return report, fmt.Errorf("%s: %w", set.Sequences[i].Name, err)
			}
			out.Sequences = append(out.Sequences, seq)
		}
		out.Mean = average(out.Sequences)
		report.Sets = append(report.Sets, out)
	}
	return report, nil
}

func (c *Config) sequence(ctx context.Context, seq *Sequence, done *int) (out SequenceReport, err error) {
	src, err := seq.open(ctx)
	if err != nil {
		return out, err
	}
	defer src.Close()
	if c.Frames > 0 {
		src = capture.Limit(src, c.Frames)
	}
	s, err := newScorer(seq, c)
	if err != nil {
		return out, err
	}
	defer func() {
		if cerr := s.Close(); err == nil {
			err = cerr
		}
	}()
	all := make([]int, c.Model.Config().Levels)
	for l := range all {
		all[l] = l
	}
	readOut := c.Islands
	if seq.Still && c.Stills != nil {
		readOut = c.Stills
	}
	began := *done
	stats, err := pipeline.Run(ctx, pipeline.Config{
		Source: src, FrontEnd: c.FrontEnd, Model: c.Model, Islands: readOut, Steps: c.Steps,
		Pixels: all, Sinks: []pipeline.Sink{s},
		Progress: func(st pipeline.Stats) {
			*done = began + st.Frames
			if c.Progress != nil {
				c.Progress(seq.Name, *done)
			}
		},
	})
	switch {
	case err != nil:
		return out, err
	case stats.Frames == 0:
		return out, fmt.Errorf("the sequence has no frames")
	case s.labelled == 0:
		return out, fmt.Errorf("none of its %d frames has a truth to compare with", stats.Frames)
	}
	out = s.report()
	busy := stats.FrontEnd + stats.Settle + stats.ReadOut + stats.Upsample
	out.FPS = float64(stats.Frames) / busy.Seconds()
	return out, nil
}
