package train

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"

	"glomstream/glom"
	"glomstream/glom/conv"
	"glomstream/glom/weights"
)

// Part is the name of the training state in a checkpoint, which is a weights file with the
// weights as they are and, besides, the decoder, the predictors, the moments and the averages.
const Part = "training"

// originPart is the name of the Origin in a weights file for use.
const originPart = "origin"

// Origin says how weights were learned.
type Origin struct {
	Config Config `json:"config"`
	Step   int    `json:"step"` // updates taken
	Data   string `json:"data"` // what the clips are, in the caller's words
}

// ReadOrigin reads how the weights of a file were learned, which is a weights file for use or a
// checkpoint.
func ReadOrigin(r io.Reader) (Origin, error) {
	var o Origin
	f, err := weights.Read(r)
	if err != nil {
		return o, err
	}
	part := originPart
	if f.Has(Part) {
		part = Part
	}
	return o, f.Config(part, &o)
}

// tensors lists the training state.
func (t *Trainer) tensors() []weights.Tensor {
	flat := func(name string, v []float32) weights.Tensor {
		return weights.Tensor{Name: Part + "." + name, Shape: []int{len(v)}, Data: v}
	}
	return []weights.Tensor{
		flat("decoder", t.dec.all), flat("predict", t.predict), flat("features", t.features),
		flat("m", t.m), flat("v", t.v), flat("average", t.average),
	}
}

// Save writes a checkpoint. data tells what the clips are, for whoever resumes.
func (t *Trainer) Save(w io.Writer, data string) error {
	var f weights.File
	err := errors.Join(
		t.model.AddTo(&f), t.front.AddTo(&f),
		f.Add(Part, Origin{t.cfg, t.step, data}, t.tensors()))
	if err != nil {
		return err
	}
	return f.Write(w)
}

// Load reads a checkpoint and returns the trainer as it was, and what Save was told of the data.
func Load(r io.Reader) (*Trainer, string, error) {
	f, model, front, err := readNets(r)
	if err != nil {
		return nil, "", err
	}
	var s Origin
	if err := f.Config(Part, &s); err != nil {
		return nil, "", err
	}
	if s.Step < 0 {
		return nil, "", fmt.Errorf("load checkpoint: step %d", s.Step)
	}
	t, err := fill(s.Config, f, model, front)
	if err != nil {
		return nil, "", err
	}
	t.step = s.Step
	return t, s.Data, nil
}

// Begin returns a trainer that starts a schedule of its own from weights that were learned before:
// those of a file for use, or the averaged ones of a checkpoint, with its decoder and predictors.
// The shape of model and front end is the file's, so cfg must not give one.
func Begin(cfg Config, r io.Reader) (*Trainer, error) {
	if !reflect.DeepEqual(cfg.Model, glom.Config{}) || !reflect.DeepEqual(cfg.FrontEnd, conv.Config{}) {
		return nil, errors.New("train: the weights to begin with bring the shape of the model: leave out the settings model and front_end")
	}
	f, model, front, err := readNets(r)
	if err != nil {
		return nil, err
	}
	if !f.Has(Part) {
		return start(cfg, model, front)
	}
	var s Origin
	if err := f.Config(Part, &s); err != nil {
		return nil, err
	}
	setDefault(&cfg.Decoder, s.Config.Decoder)
	t, err := fill(cfg, f, model, front)
	if err != nil {
		return nil, err
	}
	clear(t.m)
	clear(t.v)
	a := t.average
	for _, p := range t.parts {
		a = a[copy(p.w, a):]
	}
	t.model.Changed()
	t.front.Changed()
	return t, nil
}

// readNets reads a file up to the training state, if it has any.
func readNets(r io.Reader) (*weights.File, *glom.Model, *conv.Net, error) {
	f, err := weights.Read(r)
	if err != nil {
		return nil, nil, nil, err
	}
	model, err := glom.FromFile(f)
	if err != nil {
		return nil, nil, nil, err
	}
	front, err := conv.FromFile(f)
	if err != nil {
		return nil, nil, nil, err
	}
	return f, model, front, nil
}

// fill returns a trainer with the training state of a checkpoint.
func fill(cfg Config, f *weights.File, model *glom.Model, front *conv.Net) (*Trainer, error) {
	c := cfg.withDefaults()
	if err := errors.Join(c.check(), f.Room(decoderSize(model.Config().Dim, c.Decoder))); err != nil {
		return nil, fmt.Errorf("load checkpoint: %w", err)
	}
	t, err := newTrainer(c, model, front)
	if err != nil {
		return nil, err
	}
	if err := f.Fill(Part, t.tensors()); err != nil {
		return nil, err
	}
	t.refreshSecond()
	return t, nil
}

// SaveWeights writes a weights file for use, with the averaged weights. data tells what the clips are.
func (t *Trainer) SaveWeights(w io.Writer, data string) error {
	model, front, err := t.Averaged()
	if err != nil {
		return err
	}
	var f weights.File
	err = errors.Join(model.AddTo(&f), front.AddTo(&f), f.Add(originPart, Origin{t.cfg, t.step, data}, nil))
	if err != nil {
		return err
	}
	return f.Write(w)
}

// ReplaceFile writes a file so that at every moment either the old one or the whole new one is
// there, also if the machine fails. Anything but a file, such as a device, is left alone.
func ReplaceFile(name string, write func(io.Writer) error) (err error) {
	if err := regular(name); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	if err := errors.Join(f.Chmod(0o644), f.Sync(), f.Close(), os.Rename(f.Name(), name)); err != nil {
		return fmt.Errorf("write %q: %w", name, err)
	}
	return syncDir(filepath.Dir(name))
}

// regular is an error if there is something of that name that is no file.
func regular(name string) error {
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		return fmt.Errorf("write %q: it is there and no file", name)
	}
	return nil
}

// syncDir makes the renaming last.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
