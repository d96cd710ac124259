package cli

import (
	"errors"
	"fmt"
	"io"
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
	flow          string // of composite scenes: measured, imitated or exact
	media         Media
	cacheMegabyte int
}

// The motion that composite scenes have.
const (
	measured = "measured"
	imitated = "imitated"
	exact    = "exact"
)

func (d data) defaultFlow() string {
	if d.media.NewFlow != nil {
		return measured
	}
	return imitated
}

// open returns the source and how to close it. What is made depends on the flags alone.
func (d data) open() (clips.Source, func() error, error) {
	o := opening{data: d}
	src, err := o.source()
	if err != nil {
		return nil, nil, errors.Join(err, o.close())
	}
	return src, o.close, nil
}

// opening is data and what was opened for it.
type opening struct {
	data
	opened []io.Closer
}

func (o *opening) close() error {
	var errs []error
	for _, c := range o.opened {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

func (o *opening) source() (clips.Source, error) {
	if len(o.stores) == 0 {
		return o.composite(nil, o.seed)
	}
	var list rotation
	for i, name := range o.stores {
		store, err := clips.Open(name, int64(o.cacheMegabyte)<<20/int64(len(o.stores)))
		if err != nil {
			return nil, err
		}
		o.opened = append(o.opened, store)
		s, err := o.of(store, o.seed+uint64(i))
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// of returns the clips of one store.
func (o *opening) of(store *clips.Store, seed uint64) (clips.Source, error) {
	composite, err := o.composite(store, seed)
	if err != nil || store.Videos() == 0 {
		return composite, err
	}
	videos, err := clips.NewReal(store, clips.RealConfig{T: o.frames, H: o.h, W: o.w, Seed: seed})
	if err != nil {
		return nil, err
	}
	if store.Photos() == 0 && o.share == 0 {
		return videos, nil
	}
	return &clips.Mix{Composite: composite, Real: videos, Share: o.share, Seed: seed}, nil
}

// composite returns scenes made of the photos of a store, or painted ones.
func (o *opening) composite(store *clips.Store, seed uint64) (clips.Source, error) {
	c, err := compose.New(compose.Config{T: o.frames, H: o.h, W: o.w, Seed: seed, Store: store, ExactFlow: o.flow != imitated})
	if err != nil {
		return nil, err
	}
	if o.flow != measured {
		return painted{c}, nil
	}
	m := clips.NewMeasured(painted{c}, o.media.NewFlow)
	o.opened = append(o.opened, m)
	return m, nil
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
	return fmt.Sprintf("%s: %d frames of %dx%d, %v composite, flow %s, seed %d", strings.Join(names, ", "), d.frames, d.w, d.h, d.share, d.flow, d.seed)
}
