package eval

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"glomstream/capture"
)

// openStills finds pictures and the folders of region maps beside them.
func openStills(dir string) ([]Sequence, error) {
	grains, err := grainFolders(dir)
	if err != nil {
		return nil, err
	}
	spec, err := capture.ParseSpec(filepath.Join(dir, "images"))
	if err != nil {
		return nil, err
	}
	maps := make([]map[string][]string, len(grains)) // (grains) paths of the maps of each id
	for g, name := range grains {
		if maps[g], err = mapsByID(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	var all []Sequence
	for _, picture := range spec.Files {
		id := stem(picture)
		still := &still{maps: make([][]string, len(grains))}
		found := false
		for g := range grains {
			still.maps[g] = maps[g][id]
			found = found || len(still.maps[g]) > 0
		}
		if !found {
			continue // a picture that nobody labelled
		}
		one, err := capture.ParseSpec(picture)
		if err != nil {
			return nil, err
		}
		s := Sequence{
			Name: id, Frames: 1, Still: true, Grains: grains,
			open:  func(context.Context) (capture.Source, error) { return capture.OpenImages(one, 0) },
			truth: still.truth,
		}
		for _, name := range grains {
			fromTop := 1
			if name == "parts" {
				fromTop = 2
			}
			s.FromTop = append(s.FromTop, fromTop)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("open %q: no map has the name of a picture: images/7.jpg belongs to %s/7.png", dir, grains[0])
	}
	return all, nil
}

// grainFolders returns the folders beside images that hold PNGs, parts first.
func grainFolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, bare(err))
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "images" {
			continue
		}
		if found, _ := filepath.Glob(filepath.Join(dir, e.Name(), "*.png")); len(found) > 0 {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("open %q: there is no folder of PNG region maps beside images", dir)
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	return names, nil
}

// rank orders granularities, fine to coarse.
func rank(grain string) int {
	if grain == "parts" {
		return 0
	}
	return 1
}

func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// mapsByID lists the maps <id>.png and <id>_<k>.png of a folder.
func mapsByID(dir string) (map[string][]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil {
		return nil, fmt.Errorf("open %q: %w", dir, err)
	}
	m := make(map[string][]string)
	for _, p := range paths {
		id := stem(p)
		m[id] = append(m[id], p)
		if whole, _, ok := strings.Cut(id, "_"); ok {
			m[whole] = append(m[whole], p)
		}
	}
	return m, nil
}

// still is one picture with region maps.
type still struct {
	maps [][]string // (grains) paths
}

func (s *still) truth(dst *Truth, f *capture.Frame) error {
	dst.reset(len(s.maps))
	var m mask
	for g, paths := range s.maps {
		for _, path := range paths {
			if err := m.read(path); err != nil {
				return err
			}
			if err := m.fits(path, f); err != nil {
				return err
			}
			copy(dst.add(g, len(m.id)), m.id)
		}
	}
	return nil
}
