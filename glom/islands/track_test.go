package islands

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unicode"
)

// draw returns the Level that a Reader would give for a picture of letters, one row per string.
// Islands are alike if their letters differ in case only; a blank is an island like no other.
func draw(rows ...string) *Level {
	l := &Level{Rows: len(rows), Cols: len(rows[0])}
	byLetter := map[rune]uint16{}
	for y, row := range rows {
		for x, c := range row {
			if byLetter[c] == 0 {
				vector := make([]float32, 27)
				vector[unicode.ToLower(c)%32%27] = 1
				l.Islands = append(l.Islands, Island{ID: uint16(len(l.Islands) + 1), Vector: vector})
				byLetter[c] = l.Islands[len(l.Islands)-1].ID
			}
			l.ID = append(l.ID, byLetter[c])
			s := &l.Islands[byLetter[c]-1]
			s.X = (s.X*float64(s.Area) + float64(x)) / float64(s.Area+1)
			s.Y = (s.Y*float64(s.Area) + float64(y)) / float64(s.Area+1)
			s.Area++
		}
	}
	return l
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

// TestTrackWraps lets nearly all islands die in every frame until the ids have run out.
func TestTrackWraps(t *testing.T) {
	const cols = 600
	m := Tracker{Keep: 3}
	last := make([]uint16, cols)
	for frame := range 400 {
		l := &Level{Rows: 1, Cols: cols}
		size := 2 + frame%2*15 // 2 of 17 is too little overlap
		for i := range cols {
			if i%size == 0 {
				vector := []float32{float32(frame % 2), float32(1 - frame%2)}
				l.Islands = append(l.Islands, Island{ID: uint16(i/size + 1), Vector: vector})
			}
			l.ID = append(l.ID, uint16(i/size+1))
			l.Islands[i/size].Area++
		}
		m.Track(l, nil)
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
	if m.used > maxID/2 {
		t.Fatalf("the last id is %d: the test does not reach the end", m.used)
	}
}

func TestTrackAllocates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	levels := make([]*Level, 4)
	for k := range levels {
		x, _ := noisyField(rng, 22, 40, 16, 30, .9, .1)
		levels[k] = new(Level)
		NewReader(Config{Steps: -1}).Read(levels[k], x, nil, 22, 40, 16)
	}
	var m Tracker
	var l Level
	k := 0
	match := func() {
		from := levels[k%len(levels)]
		k++
		l.Rows, l.Cols = from.Rows, from.Cols
		l.ID, l.Islands = append(l.ID[:0], from.ID...), append(l.Islands[:0], from.Islands...)
		m.Track(&l, nil)
	}
	for range 400 { // until every slot has had its largest island
		match()
	}
	if got := testing.AllocsPerRun(20, match); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}
