package eval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glomstream/capture"
	"glomstream/glom/metrics"
)

// Set is a collection of sequences that are reported together.
type Set struct {
	Name      string
	Sequences []Sequence
}

// Sequence is a video, or a single picture, whose islands are known.
type Sequence struct {
	Name   string
	Frames int  // 0 if unknown
	Still  bool // a single picture
	// Grains names the granularities of the truth, fine to coarse.
	Grains []string
	// Levels is the level of the model that each granularity belongs to, counted from the top:
	// 1 is the one below the highest, which is the object level.
	FromTop []int
	// Binary tells that the truth has one granularity, of a background 0 and objects, so that
	// what is salient and what is followed can be judged.
	Binary bool

	open  func(ctx context.Context) (capture.Source, error)
	truth func(dst *Truth, f *capture.Frame) error
}

// Truth is what is known of one frame.
type Truth struct {
	// Maps holds, for each granularity, the label maps (H*W) of the frame, metrics.Ignore where
	// nothing is known: none for a frame without a label, several if several people labelled it.
	Maps [][][]uint16
	// Things tells which ids of the granularity of objects are figures, to be tracked; nil: all
	// but 0.
	Things map[uint16]bool

	memory [][]uint16
}

// reset empties the truth for G granularities and keeps its memory.
func (t *Truth) reset(G int) {
	for g := range t.Maps {
		t.memory = append(t.memory, t.Maps[g]...)
		t.Maps[g] = t.Maps[g][:0]
	}
	for len(t.Maps) < G {
		t.Maps = append(t.Maps, nil)
	}
	t.Maps = t.Maps[:G]
	t.Things = nil
}

// add returns a new label map of n pixels at granularity g.
func (t *Truth) add(g, n int) []uint16 {
	var m []uint16
	if k := len(t.memory); k > 0 {
		m, t.memory = t.memory[k-1], t.memory[:k-1]
	}
	if cap(m) < n {
		m = make([]uint16, n)
	}
	t.Maps[g] = append(t.Maps[g], m[:n])
	return m[:n]
}

// OpenSet finds the sequences in dir, which is one of
//
//	DIR/<name>/frames/*.jpg  DIR/<name>/masks/*.png      videos
//	DIR/frames/*.jpg  DIR/masks/*.png                    one video
//	DIR/images/<id>.jpg  DIR/<grain>/<id>[_<k>].png      pictures with region maps
//
// In a video the pixel value is the id of the object, 0 the background; 255 is not judged, unless
// the masks of the sequence hold nothing but 0 and 255: then 255 is the object. A frame without a
// mask is not judged. In region maps every value is a region and 0, if it occurs, the background;
// several maps of a picture at one granularity are the opinions of several people, and the scores
// their mean.
// The granularity of parts is called parts; all others count as objects.
func OpenSet(dir string) (Set, error) {
	set := Set{Name: filepath.Base(filepath.Clean(dir))}
	var err error
	switch {
	case isFolder(dir, "frames"):
		var s Sequence
		if s, err = openVideo(dir); err == nil {
			set.Sequences = []Sequence{s}
		}
	case isFolder(dir, "images"):
		set.Sequences, err = openStills(dir)
	default:
		set.Sequences, err = openVideos(dir)
	}
	return set, err
}

func isFolder(names ...string) bool {
	st, err := os.Stat(filepath.Join(names...))
	return err == nil && st.IsDir()
}

func openVideos(dir string) ([]Sequence, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, bare(err))
	}
	var all []Sequence
	for _, e := range entries {
		if !isFolder(dir, e.Name(), "frames") {
			continue
		}
		s, err := openVideo(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("open %q: neither NAME/frames with NAME/masks nor images is in it: see glom help eval", dir)
	}
	return all, nil
}

// bare drops the path of a file error, for texts that name the file already.
func bare(err error) error {
	if p, ok := errors.AsType[*os.PathError](err); ok {
		return p.Err
	}
	return err
}

// video is a folder with frames and masks.
type video struct {
	name   string
	masks  []string // (frames) path of the mask, "" if there is none
	binary bool     // 255 is the object
}

// openVideo reads all masks once, to learn what 255 means and that all of them can be read.
func openVideo(dir string) (Sequence, error) {
	frames := filepath.Join(dir, "frames")
	spec, err := capture.ParseSpec(frames)
	if err != nil {
		return Sequence{}, err
	}
	if !isFolder(dir, "masks") {
		return Sequence{}, fmt.Errorf("open %q: there is no folder masks beside frames", dir)
	}
	v := &video{name: dir, binary: true}
	var m mask
	for _, f := range spec.Files {
		base := filepath.Base(f)
		path := filepath.Join(dir, "masks", strings.TrimSuffix(base, filepath.Ext(base))+".png")
		if err := m.read(path); errors.Is(err, os.ErrNotExist) {
			path = ""
		} else if err != nil {
			return Sequence{}, err
		} else {
			v.binary = v.binary && m.binary()
		}
		v.masks = append(v.masks, path)
	}
	if !slices.ContainsFunc(v.masks, func(s string) bool { return s != "" }) {
		return Sequence{}, fmt.Errorf("open %q: no mask has the name of a frame: frames/00000.jpg belongs to masks/00000.png", dir)
	}
	return Sequence{
		Name: filepath.Base(dir), Frames: len(spec.Files), Still: len(spec.Files) == 1,
		Grains: []string{"objects"}, FromTop: []int{1}, Binary: true,
		open:  func(context.Context) (capture.Source, error) { return capture.OpenImages(spec, 0) },
		truth: v.truth,
	}, nil
}

func (v *video) truth(dst *Truth, f *capture.Frame) error {
	dst.reset(1)
	path := v.masks[f.Seq]
	if path == "" {
		return nil
	}
	var m mask
	if err := m.read(path); err != nil {
		return err
	}
	if err := m.fits(path, f); err != nil {
		return err
	}
	for i, id := range m.id {
		switch {
		case id != 255:
		case v.binary:
			m.id[i] = 1
		default:
			m.id[i] = metrics.Ignore
		}
	}
	copy(dst.add(0, len(m.id)), m.id)
	return nil
}
