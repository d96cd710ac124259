package scene

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"testing"

	"glomstream/capture"
)

// TestGolden holds the checksum of pixels and truth of one frame of each scene. It must be the
// same on every machine: also with GOAMD64=v3, which fuses multiply-add, and on 32 bits.
func TestGolden(t *testing.T) {
	want := map[string]uint32{
		"demo":      0x2cc76b19,
		"sprites":   0x49adf6a5,
		"twotone":   0xecc977ef,
		"twins":     0x536e2932,
		"occlusion": 0x77e5d09d,
		"pan":       0xcfc15ba2,
		"cut":       0x478b2193,
		"potato":    0x2455815b,
		"lock":      0x210418e4,
		"still":     0xb11c5d36,
	}
	for _, name := range Names() {
		f := small(t, Config{Name: name, Seed: 5}).frame(37)
		h := crc32.NewIEEE()
		h.Write(f.Pix)
		for _, v := range []any{f.Truth.Levels[0], f.Truth.Levels[3], f.Truth.Flow} {
			if err := binary.Write(h, binary.LittleEndian, v); err != nil {
				t.Fatal(err)
			}
		}
		if got := h.Sum32(); got != want[name] {
			t.Errorf("%q: %#08x, // want %#08x", name, got, want[name])
		}
	}
}

// TestNesting checks on the pixels that an island lies in one island of the level above it, and
// that this parent never changes.
func TestNesting(t *testing.T) {
	for _, name := range Names() {
		s := small(t, Config{Name: name, Seed: 2})
		parent := [Levels]map[uint16]uint16{}
		for l := range parent {
			parent[l] = map[uint16]uint16{}
		}
		for n := 0; n < 240; n += 8 {
			levels := s.frame(uint64(n)).Truth.Levels
			for l := range Levels - 1 {
				for i, id := range levels[l] {
					up := levels[l+1][i]
					if i > 0 && id == levels[l][i-1] && up == levels[l+1][i-1] {
						continue
					}
					if p, known := parent[l][id]; known && p != up {
						t.Fatalf("%s frame %d: island %d of level %d lies in %d and in %d", name, n, id, l, p, up)
					}
					parent[l][id] = up
				}
			}
		}
		for l := range Levels - 1 {
			if l > 0 && len(parent[l]) > len(parent[l-1]) {
				t.Errorf("%s: level %d has more islands (%d) than level %d (%d)", name, l, len(parent[l]), l-1, len(parent[l-1]))
			}
		}
		if n := len(parent[3]); n < 3 {
			t.Errorf("%s: %d objects seen, want at least a thing and two regions", name, n)
		}
		if len(parent[0]) <= len(parent[3]) && name != "lock" { // whose things have one tone
			t.Errorf("%s: level 0 is no finer than level 3", name)
		}
	}
}

// at returns the index of the pixel that flow says pixel (x, y) was at, or false if that is outside.
func at(t *capture.Truth, x, y, w, h int) (int, bool) {
	i := y*w + x
	qx := int(math.Floor(float64(x) + 0.5 - float64(t.Flow[2*i])))
	qy := int(math.Floor(float64(y) + 0.5 - float64(t.Flow[2*i+1])))
	return qy*w + qx, qx >= 1 && qy >= 1 && qx < w-1 && qy < h-1
}

// near tells whether an id occurs in the 3 by 3 pixels around i.
func near(ids []uint16, i, w int, id uint16) bool {
	for _, d := range []int{-w - 1, -w, -w + 1, -1, 0, 1, w - 1, w, w + 1} {
		if ids[i+d] == id {
			return true
		}
	}
	return false
}

// slowID finds the level-0 island at a point of the picture, not only at a pixel centre, by asking
// every shape.
func slowID(s *stage, poses []affine, scene uint16, x, y float64) uint16 {
	for i := len(s.shapes) - 1; i >= 0; i-- {
		sh := &s.shapes[i]
		if sh.scene != scene || sh.first == 0 {
			continue
		}
		u, v := poses[sh.node].inverse().apply(x, y)
		if sh.form.dist(u, v) <= 0 {
			patch, _ := sh.paint.at(u, v, 1)
			return sh.first + uint16(patch)
		}
	}
	return 0
}

// TestTruthAtCentres checks the fast renderer's truth, with its bounds and its order, against slowID.
func TestTruthAtCentres(t *testing.T) {
	for _, name := range Names() {
		s := small(t, Config{Name: name, Seed: 3, W: 320, H: 180})
		for _, n := range []int{0, 44, 125} {
			ids, poses := s.frame(uint64(n)).Truth.Levels[0], s.stage.poses(n)
			for i := n; i < len(ids); i += 13 {
				x, y := float64(i%320)+0.5, float64(i/320)+0.5
				if want := slowID(s.stage, poses, s.stage.current(n), x, y); ids[i] != want {
					t.Fatalf("%s frame %d at (%v, %v): got id %d, want %d", name, n, x, y, ids[i], want)
				}
			}
		}
	}
}

// TestFlowWarpsIds follows the flow back to the exact point: what stays in view carries its id
// along. A pixel counts as staying if its id occurs around the pixel where it came from.
func TestFlowWarpsIds(t *testing.T) {
	const w, h, every = 640, 360, 31
	for _, name := range Names() {
		for _, seed := range []uint64{0, 1} {
			s := small(t, Config{Name: name, Seed: seed, W: w, H: h}).stage
			for _, n := range []int{1, 90, 119, 239} {
				before, now := s.render(make([]byte, 3*w*h), n-1), s.render(make([]byte, 3*w*h), n)
				poses := s.poses(n - 1)
				var stay, agree [Levels]float64
				for i := 0; i < w*h; i += every {
					q, in := at(now, i%w, i/w, w, h)
					if !in {
						continue
					}
					x, y := float64(i%w)+0.5-float64(now.Flow[2*i]), float64(i/w)+0.5-float64(now.Flow[2*i+1])
					old := slowID(s, poses, s.current(n-1), x, y)
					for l := range Levels {
						if id := now.Levels[l][i]; near(before.Levels[l], q, w, id) {
							stay[l]++
							if s.up[l][old] == id {
								agree[l]++
							}
						}
					}
				}
				for l := range Levels {
					if stay[l]*every < 0.75*w*h || agree[l] < 0.99*stay[l] {
						t.Errorf("%s seed %d frame %d level %d: %v pixels stay, %.4f of them agree",
							name, seed, n, l, stay[l]*every, agree[l]/stay[l])
					}
				}
			}
		}
	}
}

// TestFlowWarpsPicture checks the flow against the picture: where the surface moves, the colour
// comes from where the flow says, and not from the same pixel.
func TestFlowWarpsPicture(t *testing.T) {
	const w, h = 640, 360
	for _, name := range Names() {
		if name == "still" {
			continue
		}
		s := small(t, Config{Name: name, W: w, H: h})
		var warped, unwarped, count float64
		for _, n := range []int{20, 110, 200} {
			old, pix := make([]byte, 3*w*h), make([]byte, 3*w*h)
			before, now := s.stage.render(old, n-1), s.stage.render(pix, n)
			for i, id := range now.Levels[1] {
				q, in := at(now, i%w, i/w, w, h)
				dx, dy := now.Flow[2*i], now.Flow[2*i+1]
				if !in || dx*dx+dy*dy < 1 || before.Levels[1][q] != id {
					continue
				}
				x, y := float64(i%w)-float64(dx), float64(i/w)-float64(dy)
				for c := range 3 {
					warped += math.Abs(float64(pix[3*i+c]) - bilinear(old, w, x, y, c))
					unwarped += math.Abs(float64(pix[3*i+c]) - float64(old[3*i+c]))
					count++
				}
			}
		}
		if warped /= count; count < 1000 || warped > 2.5 || unwarped/count < 2*warped {
			t.Errorf("%s: mean difference along the flow %.2f, without it %.2f (%v values)", name, warped, unwarped/count, count)
		}
	}
}

func bilinear(pix []byte, w int, x, y float64, c int) float64 {
	i, j := int(x), int(y)
	fx, fy := x-float64(i), y-float64(j)
	p := func(dx, dy int) float64 { return float64(pix[3*((j+dy)*w+i+dx)+c]) }
	return (1-fy)*((1-fx)*p(0, 0)+fx*p(1, 0)) + fy*((1-fx)*p(0, 1)+fx*p(1, 1))
}

// track is the area and the centre of an object in each frame.
type track struct{ area, x, y float64 }

func tracks(s *Source, id uint16, frames int) []track {
	tr := make([]track, frames)
	for n := range tr {
		for i, v := range s.frame(uint64(n)).Truth.Levels[3] {
			if v == id {
				tr[n].area++
				tr[n].x += float64(i % s.cfg.W)
				tr[n].y += float64(i / s.cfg.W)
			}
		}
		tr[n].x /= tr[n].area
		tr[n].y /= tr[n].area
	}
	return tr
}

// TestTwins checks that two equal figures keep their ids when they cross.
func TestTwins(t *testing.T) {
	s := small(t, Config{Name: "twins"})
	a, b := tracks(s, 3, 240), tracks(s, 4, 240)
	crossings := 0
	for n := 1; n < 240; n++ {
		if (a[n].x < b[n].x) != (a[n-1].x < b[n-1].x) {
			crossings++
		}
		path := 0.25 * swing(float64(n)/30, 190, 6, 0.25) // pixels right of the middle for the second
		if d := math.Abs(a[n].x - 80 + path); d > 12 || a[n].area == 0 {
			t.Errorf("frame %d: the first twin is %.1f pixels from its path (area %v)", n, d, a[n].area)
		}
		if d := math.Abs(b[n].x - 80 - path); d > 12 || b[n].area == 0 {
			t.Errorf("frame %d: the second twin is %.1f pixels from its path (area %v)", n, d, b[n].area)
		}
	}
	if crossings < 2 {
		t.Errorf("twins cross %d times, want at least 2", crossings)
	}
	var shapes [2][]shape
	for _, sh := range s.stage.shapes {
		if sh.first > 0 && s.stage.up[3][sh.first] >= 3 {
			o := s.stage.up[3][sh.first] - 3
			sh.first, sh.node = 0, 0
			shapes[o] = append(shapes[o], sh)
		}
	}
	for i, x := range shapes[0] {
		y := shapes[1][i]
		if x.form != y.form || x.paint.tu != y.paint.tu || x.paint.tones[0] != y.paint.tones[0] || x.paint.n != y.paint.n {
			t.Errorf("shape %d: twins differ: %+v and %+v", i, x, y)
		}
	}
}

// TestOcclusion checks that the figure is wholly hidden for a while and comes back by its id.
func TestOcclusion(t *testing.T) {
	tr := tracks(small(t, Config{Name: "occlusion"}), 3, 240)
	hidden, returns := 0, 0
	for n := 1; n < len(tr); n++ {
		if tr[n].area == 0 {
			hidden++
		} else if tr[n-1].area == 0 {
			returns++
		}
	}
	if hidden < 10 || returns < 2 || tr[0].area == 0 {
		t.Errorf("hidden for %d frames, comes back %d times, area at first %v", hidden, returns, tr[0].area)
	}
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		frames int
		cuts   []uint64
	}{{240, []uint64{120}}, {7, []uint64{3}}, {1, nil}, {2, []uint64{1}}, {-1, []uint64{120, 240}}} {
		s := small(t, Config{Name: "cut", W: 32, H: 18, Frames: tt.frames})
		var cuts []uint64
		for range 250 {
			f, err := s.Next(t.Context())
			if err != nil {
				break
			}
			if f.Truth.Cut {
				cuts = append(cuts, f.Seq)
			}
			if (f.Truth.Flow == nil) != (f.Truth.Cut || f.Seq == 0) {
				t.Errorf("%d frames, frame %d: cut %v, flow nil %v", tt.frames, f.Seq, f.Truth.Cut, f.Truth.Flow == nil)
			}
			f.Release()
		}
		if len(cuts) != len(tt.cuts) || len(cuts) > 0 && cuts[0] != tt.cuts[0] {
			t.Errorf("%d frames: cuts at %v, want %v", tt.frames, cuts, tt.cuts)
		}
	}
	s := small(t, Config{Name: "cut"})
	before := map[uint16]bool{}
	for _, id := range s.frame(119).Truth.Levels[3] {
		before[id] = true
	}
	for _, id := range s.frame(120).Truth.Levels[3] {
		if before[id] {
			t.Fatalf("object %d is in view before and after the cut", id)
		}
	}
}

// TestLockSpeed checks that the square moves by exactly Speed in every frame, also where it turns back.
func TestLockSpeed(t *testing.T) {
	for _, speed := range []float64{0.1, 0.5, 2, 7.3, 40} {
		for _, fps := range []float64{10, 30} {
			s := small(t, Config{Name: "lock", W: 320, H: 180, Speed: speed, FPS: fps, Seed: uint64(fps)})
			for n := 1; n < 150; n += 3 {
				truth := s.frame(uint64(n)).Truth
				for i, id := range truth.Levels[3] {
					dx, dy := float64(truth.Flow[2*i]), float64(truth.Flow[2*i+1])
					want := 0.0
					if id == 3 {
						want = speed
					}
					if d := math.Hypot(dx, dy); math.Abs(d-want) > 1e-5 {
						t.Fatalf("speed %v frame %d object %d: moves by %v", speed, n, id, d)
					}
				}
			}
		}
	}
}

func TestStill(t *testing.T) {
	s := small(t, Config{Name: "still"})
	first := s.frame(0)
	for _, n := range []uint64{1, 100, 239} {
		f := s.frame(n)
		if !bytes.Equal(f.Pix, first.Pix) {
			t.Errorf("frame %d differs from the first", n)
		}
		for i, v := range f.Truth.Flow {
			if v != 0 {
				t.Fatalf("frame %d: flow %v at %d", n, v, i)
			}
		}
	}
}

// TestPan checks that all but the dog share one motion, which is not zero.
func TestPan(t *testing.T) {
	s := small(t, Config{Name: "pan"})
	for _, n := range []uint64{5, 77, 140} {
		truth := s.frame(n).Truth
		dx, dog := truth.Flow[0], 0
		for i, id := range truth.Levels[3] {
			if int(id) == int(s.stage.objects) {
				dog++
			} else if math.Hypot(float64(truth.Flow[2*i]-dx), float64(truth.Flow[2*i+1])) > 1e-5 {
				t.Fatalf("frame %d: object %d moves by itself", n, id)
			}
		}
		if dx == 0 || dog == 0 && n == 5 {
			t.Errorf("frame %d: camera moves by %v, the dog has %d pixels", n, dx, dog)
		}
	}
}

// TestPotatoSpeedsUp checks that the blob turns ever faster, and by how much.
func TestPotatoSpeedsUp(t *testing.T) {
	s := small(t, Config{Name: "potato"})
	last := 0.0
	for n := 10; n < 240; n += 10 {
		truth := s.frame(uint64(n)).Truth
		fastest := 0.0
		for i := range truth.Levels[0] {
			fastest = max(fastest, math.Hypot(float64(truth.Flow[2*i]), float64(truth.Flow[2*i+1])))
		}
		if fastest < last*0.9 {
			t.Errorf("frame %d: fastest pixel %.2f, was %.2f", n, fastest, last)
		}
		last = fastest
	}
	if last < 4 {
		t.Errorf("at the end the fastest pixel moves by %.2f, want at least 4", last)
	}
}

// TestDemoLoops checks that the demo starts again after 8 s without a seam.
func TestDemoLoops(t *testing.T) {
	s := small(t, Config{Frames: -1})
	a, b := make([]byte, 3*160*90), make([]byte, 3*160*90)
	s.stage.render(a, 0)
	s.stage.render(b, 240)
	for i := range a {
		if d := int(a[i]) - int(b[i]); d < -2 || d > 2 {
			t.Fatalf("byte %d: %d at first, %d after a loop", i, a[i], b[i])
		}
	}
}
