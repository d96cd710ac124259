package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"glomstream/glom/clips"
	"glomstream/glom/compose"
)

// data says what clips are made of.
type data struct {
	stores        []string // clip stores; none: everything is painted
	frames, h, w  int
	share         float64 // of composite scenes where a store has videos
	seed          uint64
	exactFlow     bool
	cacheMegabyte int
}

// open returns the source and how to close it. What is made depends on the flags alone.
func (d data) open() (src clips.Source, closeAll func() error, err error) {
	var opened []*clips.Store
	closeOpened := func() error {
		var errs []error
		for _, s := range opened {
			errs = append(errs, s.Close())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeOpened())
		}
	}()
	if len(d.stores) == 0 {
		c, err := compose.New(compose.Config{T: d.frames, H: d.h, W: d.w, Seed: d.seed, ExactFlow: d.exactFlow})
		return painted{c}, closeOpened, err
	}
	var list rotation
	for i, name := range d.stores {
		store, err := clips.Open(name, int64(d.cacheMegabyte)<<20/int64(len(d.stores)))
		if err != nil {
			return nil, nil, err
		}
		opened = append(opened, store)
		s, err := d.of(store, d.seed+uint64(i))
		if err != nil {
			return nil, nil, err
		}
		list = append(list, s)
	}
	return list, closeOpened, nil
}

// of returns the clips of one store.
func (d data) of(store *clips.Store, seed uint64) (clips.Source, error) {
	composer, err := compose.New(compose.Config{T: d.frames, H: d.h, W: d.w, Seed: seed, Store: store, ExactFlow: d.exactFlow})
	if err != nil || store.Videos() == 0 {
		return painted{composer}, err
	}
	videos, err := clips.NewReal(store, clips.RealConfig{T: d.frames, H: d.h, W: d.w, Seed: seed})
	if err != nil {
		return nil, err
	}
	if store.Photos() == 0 && d.share == 0 {
		return videos, nil
	}
	return &clips.Mix{Composite: painted{composer}, Real: videos, Share: d.share, Seed: seed}, nil
}

// painted takes the common name of all painted scenes away: they are as many scenes as clips.
type painted struct{ clips.Source }

// Clip implements clips.Source.
func (p painted) Clip(dst *clips.Clip, n uint64) error {
	err := p.Source.Clip(dst, n)
	if dst.Source == "painted" {
		dst.Source = ""
	}
	return err
}

// rotation takes clips from its sources in turn.
type rotation []clips.Source

// Clip implements clips.Source.
func (r rotation) Clip(dst *clips.Clip, n uint64) error {
	return r[n%uint64(len(r))].Clip(dst, n/uint64(len(r)))
}

// String says what the clips are; the folders of the stores do not matter.
func (d data) String() string {
	names := []string{}
	for _, s := range d.stores {
		names = append(names, filepath.Base(s))
	}
	if len(names) == 0 {
		names = []string{"painted scenes"}
	}
	flow := "as seen"
	if d.exactFlow {
		flow = "exact"
	}
	return fmt.Sprintf("%s: %d frames of %dx%d, %v composite, flow %s, seed %d", strings.Join(names, ", "), d.frames, d.w, d.h, d.share, flow, d.seed)
}
