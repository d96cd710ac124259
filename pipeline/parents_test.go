package pipeline

import (
	"io"
	"slices"
	"testing"

	"glomstream/glom/islands"
	"glomstream/glom/metrics"
)

// TestParentsOfExactIslands makes islands of the truth at the middle of each location: the parent
// that the tree gives an island is the one that the scene knows.
func TestParentsOfExactIslands(t *testing.T) {
	for _, query := range []string{"demo?frames=40", "twins?frames=40", "sprites?frames=40&seed=3", "twotone?frames=40"} {
		src := newScene(t, query+"&size=640x360")
		var linker islands.Linker
		right, pairs := 0, 0
		for {
			f, err := src.Next(t.Context())
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			const rows, cols = 22, 40
			levels := make([]islands.Level, len(f.Truth.Levels))
			parent := make([]map[uint16]uint16, len(levels)) // in the truth
			for l, ids := range f.Truth.Levels {
				levels[l] = exactLevel(ids, f.W, f.H, rows, cols)
				parent[l] = make(map[uint16]uint16)
				for i, id := range ids {
					if l+1 < len(levels) {
						parent[l][id] = f.Truth.Levels[l+1][i]
					}
				}
			}
			linker.Link(levels)
			for l := range len(levels) - 1 {
				for _, s := range levels[l].Islands {
					pairs++
					if s.Parent == parent[l][s.ID] {
						right++
					}
				}
			}
			f.Release()
		}
		if right != pairs || pairs < 1000 {
			t.Errorf("%s: %d of %d parents are right", query, right, pairs)
		}
	}
}

// exactLevel takes the ids at the middle of the locations.
func exactLevel(ids []uint16, w, h, rows, cols int) islands.Level {
	l := islands.Level{Rows: rows, Cols: cols}
	index := make(map[uint16]int)
	for r := range rows {
		for c := range cols {
			id := ids[(2*r+1)*h/(2*rows)*w+(2*c+1)*w/(2*cols)]
			k, ok := index[id]
			if !ok {
				k = len(l.Islands)
				index[id] = k
				l.Islands = append(l.Islands, islands.Island{ID: id})
			}
			l.Islands[k].Area++
			l.ID = append(l.ID, id)
		}
	}
	return l
}

// TestParentsOfExactVectors reads islands from vectors made of the truth, mixed where a location is, and measures the
// parents as glom eval does: that is what the grid and the read-out leave of a perfect model.
func TestParentsOfExactVectors(t *testing.T) {
	const rows, cols, dim = 22, 40, 512
	reader := islands.NewReader(islands.Config{})
	var ups islands.Upsampler
	for _, query := range []string{"demo", "twins", "sprites", "occlusion", "twotone"} {
		src := newScene(t, query+"?frames=60&size=640x360")
		var parents [4]metrics.Parents
		for n := 0; ; n++ {
			f, err := src.Next(t.Context())
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if n%3 == 0 {
				levels := make([]islands.Level, len(f.Truth.Levels))
				labels := make([][]uint16, len(levels))
				var above *islands.Level
				for l, ids := range slices.Backward(f.Truth.Levels) {
					x := make([]float32, rows*cols*dim)
					for i, id := range ids {
						x[(i/f.W*rows/f.H*cols+i%f.W*cols/f.W)*dim+int(id)]++
					}
					reader.Read(&levels[l], above, x, nil, rows, cols, dim)
					above = &levels[l]
					labels[l] = make([]uint16, f.W*f.H)
					ups.Labels(labels[l], f.W, f.H, above, f.Pix, f.Stride)
				}
				for l := range parents {
					parents[l].Add(labels[l], labels[l+1], f.Truth.Levels[l], f.Truth.Levels[l+1])
				}
			}
			f.Release()
		}
		for l := range parents {
			t.Logf("%s, level %d: %.3f of %d", query, l, parents[l].Rate(), parents[l].Pairs())
			if !(parents[l].Rate() >= 0.95) {
				t.Errorf("%s, level %d: %.3f of the parents are right, want 0.95", query, l, parents[l].Rate())
			}
		}
	}
}
