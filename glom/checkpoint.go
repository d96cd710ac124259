package glom

import (
	"fmt"
	"io"

	"glomstream/glom/weights"
)

// tensors lists all arrays of m in a fixed order, for reading and for writing.
func (m *Model) tensors() []weights.Tensor {
	var list []weights.Tensor
	D, H := m.cfg.Dim, m.cfg.Hidden
	net := func(name string, n Net) {
		list = append(list,
			weights.Tensor{Name: name + ".w1", Shape: []int{H, len(n.W1) / H}, Data: n.W1},
			weights.Tensor{Name: name + ".b1", Shape: []int{H}, Data: n.B1},
			weights.Tensor{Name: name + ".w2", Shape: []int{D, H}, Data: n.W2},
			weights.Tensor{Name: name + ".b2", Shape: []int{D}, Data: n.B2})
	}
	for k := range m.Params.BU {
		net(fmt.Sprintf("bu.%d", k+1), m.Params.BU[k])
		net(fmt.Sprintf("td.%d", k), m.Params.TD[k])
	}
	return append(list, weights.Tensor{Name: "mix", Shape: []int{m.cfg.Levels, 4}, Data: m.Params.Mix})
}

// AddTo adds the model to a weights file: bu.L.w1, … predict level L from the level below,
// td.L.w1, … level L from the level above, mix holds the logits of the mixing weights. The header
// carries the Config.
func (m *Model) AddTo(f *weights.File) error { return f.Add(weights.Model, m.cfg, m.tensors()) }

// Save writes a weights file with the model alone.
func (m *Model) Save(w io.Writer) error {
	var f weights.File
	if err := m.AddTo(&f); err != nil {
		return err
	}
	return f.Write(w)
}

// Load reads the model of a weights file, whatever else the file has. Everything is checked: a
// file that is cut off, has tensors of other shapes or numbers that are not finite is an error,
// and takes little more memory than its own size. r must end.
func Load(r io.Reader) (*Model, error) {
	f, err := weights.Read(r)
	if err != nil {
		return nil, err
	}
	return FromFile(f)
}

// FromFile returns the model of a weights file.
func FromFile(f *weights.File) (*Model, error) {
	var cfg Config
	if err := f.Config(weights.Model, &cfg); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("load weights: configuration in the header: %w", err)
	}
	if err := f.Room(cfg.size()); err != nil {
		return nil, err
	}
	m, err := newModel(cfg)
	if err != nil {
		return nil, err
	}
	if err := f.Fill(weights.Model, m.tensors()); err != nil {
		return nil, err
	}
	m.Changed()
	return m, nil
}
