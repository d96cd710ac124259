package conv

import (
	"fmt"

	"glomstream/glom/weights"
)

// Part is the name of the front end in a weights file.
const Part = "frontend"

func (n *Net) tensors() []weights.Tensor {
	var list []weights.Tensor
	for k, l := range n.layers {
		name := fmt.Sprintf("%s.%d", Part, k)
		list = append(list,
			weights.Tensor{Name: name + ".w", Shape: []int{l.out, l.in, 3, 3}, Data: l.w},
			weights.Tensor{Name: name + ".gain", Shape: []int{l.out}, Data: l.gain},
			weights.Tensor{Name: name + ".bias", Shape: []int{l.out}, Data: l.bias})
	}
	return list
}

// AddTo adds the net to a weights file.
func (n *Net) AddTo(f *weights.File) error { return f.Add(Part, n.cfg, n.tensors()) }

// FromFile returns the net of a weights file, or weights.ErrNoPart if it has none.
func FromFile(f *weights.File) (*Net, error) {
	var cfg Config
	if err := f.Config(Part, &cfg); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("load weights: front end's configuration in the header: %w", err)
	}
	if err := f.Room(cfg.params()); err != nil {
		return nil, err
	}
	n, err := newNet(cfg)
	if err != nil {
		return nil, err
	}
	if err := f.Fill(Part, n.tensors()); err != nil {
		return nil, err
	}
	n.Changed()
	return n, nil
}
