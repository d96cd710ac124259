package islands

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// draw returns the Level that a Reader would give for a picture of letters, one row per string.
func draw(rows ...string) *Level {
	l := &Level{Rows: len(rows), Cols: len(rows[0])}
	byLetter := map[rune]uint16{}
	for _, row := range rows {
		for _, c := range row {
			if byLetter[c] == 0 {
				l.Islands = append(l.Islands, Island{ID: uint16(len(l.Islands) + 1)})
				byLetter[c] = l.Islands[len(l.Islands)-1].ID
			}
			l.ID = append(l.ID, byLetter[c])
			l.Islands[byLetter[c]-1].Area++
		}
	}
	return l
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		name   string
		frames []*Level
		want   []uint16 // ids of the last frame
	}{
		{"first frame keeps scan order", []*Level{draw("aab", "acc")}, []uint16{1, 1, 2, 1, 3, 3}},
		{
			"islands keep ids when scan order changes",
			[]*Level{draw("aaab", "ccbb"), draw("caab", "ccbb")},
			[]uint16{3, 1, 1, 2, 3, 3, 2, 2},
		},
		{
			"what splits off gets a new id",
			[]*Level{draw("aaaaaa"), draw("bbaaaa")},
			[]uint16{2, 2, 1, 1, 1, 1},
		},
		{
			"of two that merge the larger lives on",
			[]*Level{draw("abbb"), draw("aaaa")},
			[]uint16{2, 2, 2, 2},
		},
		{
			"an id that died does not come back",
			[]*Level{draw("aabb"), draw("aaaa"), draw("aabb")},
			[]uint16{1, 1, 3, 3},
		},
		{
			"too little overlap is a new island",
			[]*Level{draw("aaaaaaaabb"), draw("aabbbbbbbb")},
			[]uint16{3, 3, 1, 1, 1, 1, 1, 1, 1, 1}, // 2 of 8 against 6 of 10
		},
		{
			"another grid starts afresh",
			[]*Level{draw("ab"), draw("bb"), draw("ab", "bb")},
			[]uint16{1, 2, 2, 2},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m Matcher
			for _, l := range c.frames {
				m.Match(l)
			}
			last := c.frames[len(c.frames)-1]
			if !slices.Equal(last.ID, c.want) {
				t.Errorf("got %v, want %v", last.ID, c.want)
			}
			checkLevel(t, last)
		})
	}
}

// checkLevel checks that the islands of l agree with its ids.
func checkLevel(t *testing.T, l *Level) {
	t.Helper()
	area := map[uint16]int{}
	for _, id := range l.ID {
		area[id]++
	}
	if len(area) != len(l.Islands) || area[0] > 0 {
		t.Fatalf("got %d islands for ids %v", len(l.Islands), area)
	}
	for k, s := range l.Islands {
		if k > 0 && s.ID <= l.Islands[k-1].ID {
			t.Errorf("id %d after %d", s.ID, l.Islands[k-1].ID)
		}
		if s.Area != area[s.ID] {
			t.Errorf("island %d: got area %d, want %d", s.ID, s.Area, area[s.ID])
		}
	}
}

// TestMatchWraps lets nearly all islands die in every frame until the ids have run out.
func TestMatchWraps(t *testing.T) {
	const cols = 600
	var m Matcher
	last := make([]uint16, cols)
	for frame := range 400 {
		l := &Level{Rows: 1, Cols: cols}
		size := 2 + frame%2*5 // 2 of 7 is too little overlap
		for i := range cols {
			if i%size == 0 {
				l.Islands = append(l.Islands, Island{ID: uint16(i/size + 1)})
			}
			l.ID = append(l.ID, uint16(i/size+1))
			l.Islands[i/size].Area++
		}
		m.Match(l)
		checkLevel(t, l)
		kept := 0
		for _, id := range l.ID {
			if slices.Contains(last, id) {
				kept++
			}
		}
		if frame > 0 && kept > size {
			t.Fatalf("frame %d: %d locations have ids of the frame before", frame, kept)
		}
		copy(last, l.ID)
	}
	if m.used != maxID {
		t.Fatalf("used %d ids: the test does not reach the end", m.used)
	}
}

func TestMatchAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	levels := make([]*Level, 4)
	for k := range levels {
		x, _ := noisyField(rng, 22, 40, 16, 30, .9, .1)
		levels[k] = new(Level)
		NewReader(Config{Steps: -1}).Read(levels[k], x, nil, 22, 40, 16)
	}
	var m Matcher
	var l Level
	k := 0
	match := func() {
		from := levels[k%len(levels)]
		k++
		l.Rows, l.Cols = from.Rows, from.Cols
		l.ID, l.Islands = append(l.ID[:0], from.ID...), append(l.Islands[:0], from.Islands...)
		m.Match(&l)
	}
	for range 8 {
		match()
	}
	if got := testing.AllocsPerRun(20, match); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
