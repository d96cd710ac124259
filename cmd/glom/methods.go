package main

import (
	"fmt"
	"slices"

	"glomstream/capture/baseline"
	"glomstream/glom/salient"
	"glomstream/pipeline"
	"glomstream/pipeline/eval"
)

// methods adds what is measured beside the levels of the model.
func (f *evalFlags) methods(c *eval.Config) {
	c.Finders = []eval.Method[eval.Finder]{{Name: eval.GLOM, New: func() (eval.Finder, error) {
		return &salientFinder{finder: salient.New(salient.Config{})}, nil
	}}}
	c.Followers = []eval.Method[eval.Follower]{{Name: eval.GLOM, New: func() (eval.Follower, error) {
		return &islandFollower{follower: pipeline.NewFollower(f.following())}, nil
	}}}
	if !f.baselines {
		return
	}
	c.Segmenters = append(c.Segmenters, eval.Evidence())
	if f.weights != unlearned { // without weights it is the front end itself
		c.Segmenters = append(c.Segmenters, eval.Fixed())
	}
	c.Segmenters = append(c.Segmenters,
		segmenter("SLIC, merged", baseline.SLIC),
		segmenter("SEEDS, merged", baseline.SEEDS),
		segmenter("k-means", baseline.KMeans))
	c.Finders = append(c.Finders, eval.Method[eval.Finder]{Name: "MOG2", New: func() (eval.Finder, error) {
		m, err := baseline.MOG2()
		if err != nil {
			return nil, err
		}
		return masker{m}, nil
	}})
	c.Followers = append(c.Followers,
		follower("mask carried by the flow", baseline.Carry),
		follower("GrabCut", baseline.GrabCut))
}

// salientFinder is what --salient does.
type salientFinder struct {
	finder *salient.Finder
	mask   []uint8
}

func (s *salientFinder) Find(dst []bool, r *pipeline.Result) error {
	in := salientFrame(r)
	s.finder.Step(&in)
	s.mask = slices.Grow(s.mask[:0], len(dst))[:len(dst)]
	s.finder.Mask(s.mask, r.Frame.W, r.Frame.H, r.Frame.Pix, r.Frame.Stride)
	for i, v := range s.mask {
		dst[i] = v != 0
	}
	return nil
}

func (s *salientFinder) Close() error { return nil }

// islandFollower is what --follow does.
type islandFollower struct {
	follower *pipeline.Follower
	mask     []uint8
}

func (s *islandFollower) Start(regions []uint16, r *pipeline.Result) error {
	s.mask = make([]uint8, len(regions))
	for i, id := range regions {
		if id > 255 {
			return fmt.Errorf("region %d: ids above 255 cannot be followed", id)
		}
		s.mask[i] = uint8(id)
	}
	s.follower.Start(r, s.mask)
	return nil
}

func (s *islandFollower) Follow(dst []uint16, r *pipeline.Result) error {
	s.follower.Step(s.mask, r)
	for i, v := range s.mask {
		dst[i] = uint16(v)
	}
	return nil
}

func (s *islandFollower) Close() error { return nil }

// segmenter adapts a baseline to the pipeline's results.
func segmenter(name string, anew func() baseline.Segmenter) eval.Method[eval.Segmenter] {
	return eval.Method[eval.Segmenter]{Name: name, New: func() (eval.Segmenter, error) { return regions{anew()}, nil }}
}

type regions struct{ baseline.Segmenter }

func (s regions) Segment(dst []uint16, r *pipeline.Result, count int) error {
	return s.Segmenter.Segment(dst, &r.Frame, &r.Evidence, count)
}

type masker struct{ baseline.Masker }

func (m masker) Find(dst []bool, r *pipeline.Result) error {
	return m.Mask(dst, &r.Frame, &r.Evidence)
}

// follower adapts a baseline that follows one mask to several regions.
func follower(name string, anew func() baseline.Follower) eval.Method[eval.Follower] {
	return eval.Method[eval.Follower]{Name: name, New: func() (eval.Follower, error) { return &regionFollower{anew: anew}, nil }}
}

type regionFollower struct {
	anew func() baseline.Follower
	ids  []uint16
	each []baseline.Follower
	mask []bool
}

func (f *regionFollower) Start(ids []uint16, r *pipeline.Result) error {
	f.mask = make([]bool, len(ids))
	seen := map[uint16]bool{0: true}
	for _, id := range ids {
		if seen[id] {
			continue
		}
		seen[id] = true
		for i, v := range ids {
			f.mask[i] = v == id
		}
		one := f.anew()
		if err := one.Start(f.mask, &r.Frame); err != nil {
			return err
		}
		f.ids, f.each = append(f.ids, id), append(f.each, one)
	}
	return nil
}

// Follow gives a pixel that several regions claim to the first of them.
func (f *regionFollower) Follow(dst []uint16, r *pipeline.Result) error {
	clear(dst)
	for k, one := range f.each {
		if err := one.Next(f.mask, &r.Frame, &r.Evidence); err != nil {
			return err
		}
		for i, in := range f.mask {
			if in && dst[i] == 0 {
				dst[i] = f.ids[k]
			}
		}
	}
	return nil
}

func (f *regionFollower) Close() error { return nil }
