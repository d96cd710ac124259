package islands

import (
	"fmt"
	"math"
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

// TestTrack draws islands; what is written in another case is alike.
func TestTrack(t *testing.T) {
	for _, c := range []struct {
		name   string
		frames []*Level
		want   []uint16 // ids of the last frame
		events []Event  // of the last frame
	}{
		{
			"first frame keeps scan order",
			[]*Level{draw("aab", "acc")},
			[]uint16{1, 1, 2, 1, 3, 3},
			[]Event{{Birth, 1, 0}, {Birth, 2, 0}, {Birth, 3, 0}},
		},
		{
			"islands keep ids when scan order changes",
			[]*Level{draw("aaab", "ccbb"), draw("caab", "ccbb")},
			[]uint16{3, 1, 1, 2, 3, 3, 2, 2},
			nil,
		},
		{
			"what splits off gets a new id",
			[]*Level{draw("aaaaaa"), draw("AAaaaa")},
			[]uint16{2, 2, 1, 1, 1, 1},
			[]Event{{Split, 2, 1}},
		},
		{
			"of two that merge the larger lives on",
			[]*Level{draw("abbb"), draw("BBBB")},
			[]uint16{2, 2, 2, 2},
			[]Event{{Lost, 1, 0}}, // unlike, so it is hidden
		},
		{
			"of two that are alike the smaller merges",
			[]*Level{draw("aAAA"), draw("AAAA")},
			[]uint16{2, 2, 2, 2},
			[]Event{{Merge, 1, 2}},
		},
		{
			"what merged comes back by its id",
			[]*Level{draw("aaAAAA"), draw("AAAAAA"), draw("AAAAAA"), draw("aaAAAA")},
			[]uint16{1, 1, 2, 2, 2, 2},
			[]Event{{Split, 1, 2}},
		},
		{
			"what was hidden comes back by its id",
			[]*Level{draw("aabbbb"), draw("bbbbbb"), draw("bbbbbb"), draw("aabbbb")},
			[]uint16{1, 1, 2, 2, 2, 2},
			[]Event{{Found, 1, 0}},
		},
		{
			"what comes up in its place and is unlike is new",
			[]*Level{draw("aabbbb"), draw("bbbbbb"), draw("ccbbbb")},
			[]uint16{3, 3, 2, 2, 2, 2},
			[]Event{{Split, 3, 2}},
		},
		{
			"another grid starts afresh",
			[]*Level{draw("ab"), draw("bb"), draw("ab", "bb")},
			[]uint16{3, 4, 4, 4},
			[]Event{{Death, 1, 0}, {Death, 2, 0}, {Birth, 3, 0}, {Birth, 4, 0}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m Tracker
			for _, l := range c.frames {
				m.Track(l, nil)
			}
			last := c.frames[len(c.frames)-1]
			if !slices.Equal(last.ID, c.want) {
				t.Errorf("got %v, want %v", last.ID, c.want)
			}
			if !slices.Equal(last.Events, c.events) {
				t.Errorf("got events %v, want %v", last.Events, c.events)
			}
			checkLevel(t, last)
		})
	}
}

// world draws squares of the same look on a grid of 12 by 40, each of side 4 at column x, row y,
// the later over the earlier, and the motion of each location.
func world(squares [][4]float64) (*Level, []float32) {
	const rows, cols = 12, 40
	x, motion := make([]float32, rows*cols*2), make([]float32, rows*cols*2)
	for i := range rows * cols {
		x[2*i] = 1
		for _, s := range squares {
			if dx, dy := float64(i%cols)-s[0], float64(i/cols)-s[1]; dx >= 0 && dx < 4 && dy >= 0 && dy < 4 {
				x[2*i], x[2*i+1] = 0, 1
				motion[2*i], motion[2*i+1] = float32(s[2]), float32(s[3])
			}
		}
	}
	l := new(Level)
	NewReader(Config{Steps: -1}).Read(l, nil, x, nil, rows, cols, 2)
	return l, motion
}

// TestTrackCrossing lets two squares that look the same run through each other, so that they are
// one island for a while.
func TestTrackCrossing(t *testing.T) {
	for _, speed := range []float64{0.3, 0.5, 1, 1.7} {
		for _, still := range []bool{false, true} { // the second stands
			for _, flow := range []bool{false, true} {
				t.Run(fmt.Sprintf("speed=%v/still=%v/flow=%v", speed, still, flow), func(t *testing.T) {
					cross(t, speed, still, flow)
				})
			}
		}
	}
}

func cross(t *testing.T, speed float64, still, flow bool) {
	t.Helper()
	var m Tracker
	var before [2]uint16
	one := 0
	for n := 0; float64(n)*speed < 28; n++ {
		x := 4 + speed*float64(n)
		squares := [][4]float64{{x, 3, speed, 0}, {36 - x, 4, -speed, 0}}
		if still {
			squares[1] = [4]float64{18, 4, 0, 0}
		}
		l, motion := world(squares)
		if !flow {
			motion = nil
		}
		m.Track(l, motion)
		var now [2]uint16
		for k, s := range squares {
			now[k] = l.ID[(int(s[1])+2)*l.Cols+int(s[0])+2]
		}
		switch {
		case now[0] == now[1]:
			one++
		case one == 0:
			before = now
		case now != before:
			t.Fatalf("frame %d: squares were %v, are %v", n, before, now)
		}
	}
	if one < 2 {
		t.Errorf("one island in %d frames only", one)
	}
}

// TestTrackFront lets two squares that look the same cross: while the one in front hides most of
// the other, the island of both goes by its id, whichever was there first.
func TestTrackFront(t *testing.T) {
	for _, swap := range []bool{false, true} {
		var m Tracker
		var before, after [2]uint16
		hidden := 0
		var l *Level
		for n := range 56 {
			x := 4 + 0.5*float64(n)
			squares := [][4]float64{{x, 4, 0.5, 0}, {36 - x, 4, -0.5, 0}} // the second in front
			if swap {
				squares[0], squares[1] = squares[1], squares[0]
			}
			var motion []float32
			l, motion = world(squares)
			m.Track(l, motion)
			at := func(k int) uint16 { return l.ID[6*l.Cols+int(squares[k][0])+2] }
			after = [2]uint16{at(0), at(1)}
			if n < 16 {
				before = after
			}
			if d := math.Abs(36 - 2*x); d <= 1 {
				if hidden++; after[1] != before[1] {
					t.Errorf("swap %v, frame %d: what is in front is %d, was %d (%v)", swap, n, after[1], before[1], l.Events)
				}
			}
		}
		if hidden < 2 || before[0] == before[1] || after != before {
			t.Errorf("swap %v: %d frames hidden, %v before and %v after", swap, hidden, before, after)
		}
	}
}

// TestFront asks who is in front of two that are one island, by what moves where both should be.
func TestFront(t *testing.T) {
	const rows, cols = 12, 40
	square := func(x int, vx float64) track {
		tr := track{vx: vx}
		for i := range rows * cols {
			if dx, dy := i%cols-x, i/cols-4; dx >= 0 && dx < 4 && dy >= 0 && dy < 4 {
				tr.cells = append(tr.cells, int32(i))
			}
		}
		return tr
	}
	for _, tt := range []struct {
		apart int     // columns
		moves float64 // what is seen to move between the two
		want  float64
	}{{2, 0.5, 0.9}, {2, -0.5, -0.9}, {2, 0, 0}, {3, 0.5, 0}, {6, 0.5, 0}} {
		m := Tracker{rows: rows, cols: cols}
		m.view.ids, m.view.motion = make([]uint16, rows*cols), make([]float32, 2*rows*cols)
		for i := range m.view.ids {
			m.view.ids[i], m.view.motion[2*i] = 1, float32(tt.moves)
		}
		a, b := square(10, 0.5), square(10+tt.apart, -0.5)
		got, back := m.front(&a, &b, 0), m.front(&b, &a, 0)
		if math.Abs(got-tt.want) > 0.11 || got != -back {
			t.Errorf("%d columns apart, %v there: %v and %v, want %v", tt.apart, tt.moves, got, back, tt.want)
		}
		if m.front(&a, &b, 1) != 0 {
			t.Error("where another island is says something")
		}
	}
}

// halve makes the right half of an island one of its own.
func halve(l *Level, id uint16) {
	whole := &l.Islands[id-1]
	middle := whole.X
	l.Islands = append(l.Islands, *whole)
	next := uint16(len(l.Islands))
	for i := range l.ID {
		if l.ID[i] == id && float64(i%l.Cols) > middle {
			l.ID[i] = next
		}
	}
	for k := range l.Islands {
		s := &l.Islands[k]
		s.Area, s.X, s.Y = 0, 0, 0
		for i, v := range l.ID {
			if int(v) == k+1 {
				s.Area++
				s.X += float64(i % l.Cols)
				s.Y += float64(i / l.Cols)
			}
		}
		s.X, s.Y = s.X/float64(s.Area), s.Y/float64(s.Area)
	}
}

// TestTrackPieces shows a square in two pieces at first. When they are one it is followed all the same, so
// that it is found again where it should be after it was hidden.
func TestTrackPieces(t *testing.T) {
	var m Tracker
	look := func(x, speed float64, pieces bool) (id uint16) {
		l, motion := world([][4]float64{{x, 3, speed, 0}})
		i := 5*l.Cols + int(x) + 1
		if pieces {
			halve(l, l.ID[i])
		}
		m.Track(l, motion)
		return l.ID[i]
	}
	for range 3 {
		look(4, 0, true)
	}
	look(4, 0, false)
	var before uint16
	for n := range 20 {
		before = look(4.5+0.5*float64(n), 0.5, false)
	}
	for range 12 {
		m.Track(world(nil))
	}
	if now := look(20.5, 0.5, false); now != before {
		t.Errorf("it was %d and comes back as %d", before, now)
	}
}

// TestTrackDirection lets two squares come up on both sides of where one should be that was
// hidden: it is the one that moves as it did.
func TestTrackDirection(t *testing.T) {
	for _, speed := range []float64{0.5, -0.5} {
		var m Tracker
		for n := range 20 {
			m.Track(world([][4]float64{{4 + 0.5*float64(n), 3, 0.5, 0}}))
		}
		for range 8 {
			m.Track(world(nil))
		}
		l, motion := world([][4]float64{{15, 3, speed, 0}, {21, 3, -speed, 0}})
		m.Track(l, motion)
		if got, want := l.ID[5*40+17] == 2, speed > 0; got != want {
			t.Errorf("the left one moves by %v: it is taken for the same: %v, want %v (%v)", speed, got, want, l.Events)
		}
	}
}

// TestTrackKeep hides an island for ever more frames.
func TestTrackKeep(t *testing.T) {
	for _, keep := range []int{-1, 0, 5} {
		for _, hidden := range []int{1, 4, 5, 6, 45, 46} {
			m := Tracker{Keep: keep}
			var died int
			see := func(l *Level) *Level {
				m.Track(l, nil)
				for _, e := range l.Events {
					if e == (Event{Death, 2, 0}) {
						died++
					}
				}
				return l
			}
			see(draw("bbbbaa"))
			for range hidden {
				see(draw("bbbbbb"))
			}
			l := see(draw("bbbbaa"))
			back := hidden <= keep || keep == 0 && hidden <= 45
			if got := l.ID[5] == 2; got != back || died == 1 == back {
				t.Errorf("keep %d, hidden for %d: back is %v, want %v; died %d times", keep, hidden, got, back, died)
			}
			if s := l.Islands[len(l.Islands)-1]; back && s.Age != hidden+1 || !back && s.Age != 0 {
				t.Errorf("keep %d, hidden for %d: age %d", keep, hidden, s.Age)
			}
		}
	}
}

func TestTrackCut(t *testing.T) {
	var m Tracker
	m.Track(draw("aabb"), nil)
	m.Track(draw("aaaa"), nil)
	m.Cut()
	l := draw("aabb")
	m.Track(l, nil)
	if want := []uint16{3, 3, 4, 4}; !slices.Equal(l.ID, want) {
		t.Errorf("got %v, want %v", l.ID, want)
	}
	if want := []Event{{Death, 1, 0}, {Death, 2, 0}, {Birth, 3, 0}, {Birth, 4, 0}}; !slices.Equal(l.Events, want) {
		t.Errorf("got events %v, want %v", l.Events, want)
	}
}

// TestTrackFlow moves an island further than it is wide, which only the flow can tell.
func TestTrackFlow(t *testing.T) {
	var m Tracker
	m.Track(draw("aa...Bbb"), nil)
	l := draw("...aaBbb") // a as it was, or a new one
	m.Track(l, []float32{0, 0, 0, 0, 0, 0, 3, 0, 3, 0, 0, 0, 0, 0, 0, 0})
	if l.ID[3] != 1 {
		t.Errorf("got %v", l.ID)
	}
	nan := float32(math.NaN())
	for range 3 { // a motion that is none does no harm
		l = draw("...aaBbb")
		m.Track(l, []float32{nan, 0, 0, nan, 0, 0, nan, nan, nan, 0, 1e30, 0, 0, -1e30, 0, 0})
	}
	l = draw("...aaBbb")
	m.Track(l, make([]float32, 16))
	if l.ID[3] != 1 {
		t.Errorf("after motion that is not finite: got %v", l.ID)
	}
}

// TestTrackEvents checks the life of every id over a noisy video: it begins and ends once, and
// is in the picture when the events say so.
func TestTrackEvents(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 1))
	m := Tracker{Keep: 6}
	there := map[uint16]bool{} // ids that live: whether they are in the picture
	counts := map[EventKind]int{}
	var l Level
	r := NewReader(Config{Steps: -1})
	for n := range 300 {
		x, _ := noisyField(rand.New(rand.NewPCG(uint64(n/10), 1)), 12, 20, 16, 12, .6, .1)
		for i := range x {
			x[i] += float32(0.1 * rng.NormFloat64())
		}
		r.Read(&l, nil, x, nil, 12, 20, 16)
		if n%100 == 99 {
			m.Cut()
		}
		m.Track(&l, nil)
		for _, e := range l.Events {
			counts[e.Kind]++
			in, lives := there[e.ID]
			ok := lives
			switch e.Kind {
			case Birth, Split:
				ok = !in
				there[e.ID] = true
			case Found:
				ok = lives && !in
				there[e.ID] = true
			case Merge, Lost:
				ok = in
				there[e.ID] = false
			case Death:
				delete(there, e.ID)
			}
			if !ok || (e.Kind == Split || e.Kind == Merge) != (e.Other > 0) {
				t.Fatalf("frame %d: %v of %d (%d) cannot be: lives %v, in the picture %v", n, e.Kind, e.ID, e.Other, lives, in)
			}
		}
		for _, s := range l.Islands {
			if !there[s.ID] {
				t.Fatalf("frame %d: island %d was not announced", n, s.ID)
			}
			delete(there, s.ID)
		}
		for id, in := range there {
			if in {
				t.Fatalf("frame %d: island %d is gone, which no event tells", n, id)
			}
		}
		for _, s := range l.Islands {
			there[s.ID] = true
		}
		checkLevel(t, &l)
	}
	for kind := Birth; kind <= Death; kind++ {
		if counts[kind] == 0 {
			t.Errorf("no %v: the test does not see it", kind)
		}
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

// TestTrackWraps lets nearly all islands die in every frame until the ids have run out.
func TestTrackWraps(t *testing.T) {
	const cols = 600
	m := Tracker{Keep: -1}
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
		NewReader(Config{Steps: -1}).Read(levels[k], nil, x, nil, 22, 40, 16)
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
