package eval

import (
	"context"
	"errors"
	"strings"

	"glomstream/capture"
	"glomstream/capture/scene"
)

// Scene returns the set of one synthetic scene, as in "synthetic:twins?seed=2".
func Scene(name string) (Set, error) {
	c, err := scene.Parse(strings.TrimPrefix(name, "synthetic:"))
	if err != nil {
		return Set{}, err
	}
	if c.Frames < 0 {
		return Set{}, errors.New("evaluate " + name + ": it has no end; give frames=N")
	}
	s := sceneSequence(name, c)
	return Set{Name: name, Sequences: []Sequence{s}}, nil
}

func sceneSequence(name string, c scene.Config) Sequence {
	return Sequence{
		Name: name, Frames: c.Frames,
		Grains: []string{"patches", "shapes", "parts", "objects", "scenes"}, FromTop: []int{4, 3, 2, 1, 0},
		open:  func(context.Context) (capture.Source, error) { return scene.New(c) },
		truth: sceneTruth,
	}
}

func sceneTruth(dst *Truth, f *capture.Frame) error {
	const parts, objects = 2, 3
	dst.reset(scene.Levels)
	for l, labels := range f.Truth.Levels {
		copy(dst.add(l, len(labels)), labels)
	}
	// A figure has several parts; the sky and the ground have one.
	first := make(map[uint16]uint16) // a part of each object
	dst.Things = make(map[uint16]bool)
	for i, o := range f.Truth.Levels[objects] {
		p := f.Truth.Levels[parts][i]
		switch q, ok := first[o]; {
		case !ok:
			first[o] = p
		case p != q:
			dst.Things[o] = true
		}
	}
	return nil
}
