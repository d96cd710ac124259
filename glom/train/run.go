package train

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"glomstream/glom/clips"
)

// Job is a training run with its files: Out, the weights for use; Out.checkpoint, from which the
// run can be resumed; Out.ndjson, a line for each update, see Report.
type Job struct {
	Out    string
	Config Config
	Data   string // says what the clips are; a run is resumed only with the same
	Resume bool   // go on from the checkpoint, whose Config is used
	Init   string // weights file or checkpoint to begin with, see Begin
	Every  int    // updates from one checkpoint to the next, default 50
	Stop   int    // end, with a checkpoint, after so many updates of the schedule; default all

	// Progress, if not nil, is told about each update.
	Progress func(Report, Config)
}

// Run trains until the schedule ends. If ctx is done it writes a checkpoint first, and returns
// the cause.
func Run(ctx context.Context, job Job, src clips.Source) (err error) {
	if job.Every == 0 {
		job.Every = 50
	}
	if err := regular(job.Out); err != nil {
		return err
	}
	t, err := job.begin()
	if err != nil {
		return err
	}
	log, err := openLog(job.Out+".ndjson", t.Step())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	end := t.Config().Updates
	if job.Stop > 0 {
		end = min(end, job.Stop)
	}
	for t.Step() < end {
		r, err := t.Update(ctx, src)
		if err != nil {
			if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
				return errors.Join(err, job.save(t))
			}
			return err // the last checkpoint stays
		}
		if err := json.NewEncoder(log).Encode(r); err != nil {
			return fmt.Errorf("write log: %w", err)
		}
		if job.Progress != nil {
			job.Progress(r, t.Config())
		}
		if t.Step()%job.Every == 0 && t.Step() < end {
			if err := job.save(t); err != nil {
				return err
			}
		}
	}
	return job.save(t)
}

// begin makes the trainer, or reads it from a file.
func (job *Job) begin() (*Trainer, error) {
	switch {
	case job.Resume:
		return job.resume()
	case job.Init == "":
		return New(job.Config)
	}
	f, err := os.Open(job.Init)
	if err != nil {
		return nil, fmt.Errorf("begin with: %w", err)
	}
	defer f.Close()
	t, err := Begin(job.Config, f)
	if err != nil {
		return nil, fmt.Errorf("begin with %q: %w", job.Init, err)
	}
	return t, nil
}

// resume reads the trainer from the checkpoint.
func (job *Job) resume() (*Trainer, error) {
	name := job.Out + ".checkpoint"
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("resume: %w", err)
	}
	defer f.Close()
	t, data, err := Load(f)
	if err != nil {
		return nil, fmt.Errorf("resume from %q: %w", name, err)
	}
	if data != job.Data {
		return nil, fmt.Errorf("resume from %q: it was trained with %s, not with %s", name, data, job.Data)
	}
	return t, nil
}

// save writes the checkpoint and the weights.
func (job *Job) save(t *Trainer) error {
	if err := ReplaceFile(job.Out+".checkpoint", func(w io.Writer) error { return t.Save(w, job.Data) }); err != nil {
		return err
	}
	return ReplaceFile(job.Out, func(w io.Writer) error { return t.SaveWeights(w, job.Data) })
}

// openLog opens the log to append to it. Lines of updates after step, which a run wrote that was
// cut off, are taken out first, so that each update has one line.
func openLog(name string, step int) (*os.File, error) {
	var keep []byte
	old, err := os.ReadFile(name)
	switch {
	case errors.Is(err, os.ErrNotExist) || step == 0:
	case err != nil:
		return nil, fmt.Errorf("read log: %w", err)
	default:
		for line := range bytes.Lines(old) {
			var r Report
			if json.Unmarshal(line, &r) == nil && r.Step <= step {
				keep = append(keep, line...)
			}
		}
	}
	err = ReplaceFile(name, func(w io.Writer) error { _, err := w.Write(keep); return err })
	if err != nil {
		return nil, err
	}
	return os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0o644)
}

// ReadLog reads the reports of a log.
func ReadLog(r io.Reader) ([]Report, error) {
	var list []Report
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var line Report
		dec := json.NewDecoder(strings.NewReader(s.Text()))
		if err := dec.Decode(&line); err != nil {
			return nil, fmt.Errorf("read log, line %d: %w", len(list)+1, err)
		}
		list = append(list, line)
	}
	return list, s.Err()
}
