package baseline

import (
	"slices"
	"testing"
)

// letters gives the letters of a row numbers from 1 in the order of a scan.
func letters(row string) (labels []uint16, n int) {
	number := map[rune]uint16{}
	for _, c := range row {
		if number[c] == 0 {
			n++
			number[c] = uint16(n)
		}
		labels = append(labels, number[c])
	}
	return labels, n
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name   string
		frames []string
		dx     float32 // motion of all pixels into the last frame
		want   []uint16
	}{
		{"first frame", []string{"aabbb"}, 0, []uint16{1, 1, 2, 2, 2}},
		{"a region that comes before", []string{"aaab", "caab"}, 0, []uint16{3, 1, 1, 2}},
		{"what splits off is new", []string{"aaaaaa", "bbaaaa"}, 0, []uint16{2, 2, 1, 1, 1, 1}},
		{"of two that merge the larger lives on", []string{"abbb", "aaaa"}, 0, []uint16{2, 2, 2, 2}},
		{"an id that died does not come back", []string{"aabb", "aaaa", "aabb"}, 0, []uint16{1, 1, 3, 3}},
		{"an eighth is too little", []string{"aaaaaaaa", "abcdefgh"}, 0, []uint16{2, 3, 4, 5, 6, 7, 8, 9}},
		{"the better overlap wins", []string{"aaaaaaaabb", "aabbbbbbbb"}, 0, []uint16{3, 3, 1, 1, 1, 1, 1, 1, 1, 1}},
		{"flow takes ids along", []string{"aabbcc...", "...aabbcc"}, 3, []uint16{5, 5, 5, 1, 1, 2, 2, 3, 3}},
		{"half a pixel rounds up", []string{"abcd", "xabc"}, 0.5, []uint16{5, 1, 2, 3}},
		{"flow from outside", []string{"aabb", "aabb"}, 4, []uint16{3, 3, 4, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s names
			var got []uint16
			for i, row := range c.frames {
				labels, n := letters(row)
				v := &view{w: len(labels), h: 1}
				if i == len(c.frames)-1 {
					v.flow = make([]float32, 2*len(labels))
					for k := range labels {
						v.flow[2*k] = c.dx
					}
				}
				s.keep(labels, n, v)
				got = labels
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestNamesWrap lets all regions die in every frame until the ids have run out.
func TestNamesWrap(t *testing.T) {
	const w = 1000
	var s names
	last := make([]uint16, w)
	for frame := range 400 {
		size := 2 + frame%2*5 // 2 of 7 is too little overlap
		labels := make([]uint16, w)
		for i := range labels {
			labels[i] = uint16(i/size + 1)
		}
		n := int(labels[w-1])
		s.keep(labels, n, &view{w: w, h: 1})
		sorted := slices.Clone(labels)
		slices.Sort(sorted)
		sorted = slices.Compact(sorted)
		if len(sorted) != n || sorted[0] == 0 {
			t.Fatalf("frame %d: %d ids for %d regions, the least %d", frame, len(sorted), n, sorted[0])
		}
		kept := 0
		for _, id := range labels {
			if slices.Contains(last, id) {
				kept++
			}
		}
		if frame > 0 && kept > size { // the last region is cut off and may overlap enough
			t.Fatalf("frame %d: %d pixels have ids of the frame before", frame, kept)
		}
		copy(last, labels)
	}
	if s.used != maxID {
		t.Fatalf("used %d ids: the test does not reach the end", s.used)
	}
}
