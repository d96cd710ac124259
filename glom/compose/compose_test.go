package compose_test

import (
	"fmt"
	"hash/fnv"
	"math"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"glomstream/glom/clips"
	"glomstream/glom/compose"
)

// testStore returns a store of painted photos: persons with parts, things, and plain ones.
func testStore(t testing.TB) *clips.Store {
	t.Helper()
	name := filepath.Join(t.TempDir(), "test.clips")
	w, err := clips.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for i := range 9 {
		if err := w.AddPhoto(testPhoto(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	s, err := clips.Open(name, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// testPhoto paints a figure of two parts (i%3 == 0) or of none (1), or nothing, on a wavy ground.
func testPhoto(i int) *clips.Photo {
	const w, h = 200, 260
	p := &clips.Photo{Name: fmt.Sprintf("photo %d", i), H: h, W: w, Pix: make([]byte, 3*h*w)}
	objects, parts := make([]byte, h*w), make([]byte, h*w)
	for y := range h {
		for x := range w {
			at := y*w + x
			wave := math.Sin(float64(x)/(6+float64(i))) * math.Cos(float64(y)/(9+float64(i)))
			value := 110 + 50*wave
			if x > 60 && x < 130 && y > 40 && y < 220 {
				objects[at], parts[at] = 1, 1
				value = 200 + 40*wave
				if y > 120 {
					parts[at] = 2
					value = 40 + 30*wave
				}
			}
			for k := range 3 {
				p.Pix[3*at+k] = byte(value + 5*float64(k))
			}
		}
	}
	switch i % 3 {
	case 0:
		p.Objects, p.Parts = objects, parts
	case 1:
		p.Objects = objects
	}
	return p
}

// long skips a test that composes many clips: the race detector makes them twenty times slower.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it composes many clips")
	}
}

func newComposer(t testing.TB, cfg compose.Config) *compose.Composer {
	t.Helper()
	c, err := compose.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// digest sums up all that a clip holds.
func digest(c *clips.Clip) uint64 {
	h := fnv.New64a()
	h.Write(c.Pix)
	fmt.Fprint(h, c.T, c.H, c.W, c.Source)
	for _, f := range c.Flow {
		b := math.Float32bits(f)
		h.Write([]byte{byte(b), byte(b >> 8), byte(b >> 16), byte(b >> 24)})
	}
	for _, l := range c.Labels {
		for _, id := range l {
			h.Write([]byte{byte(id), byte(id >> 8)})
		}
	}
	return h.Sum64()
}

func TestClipIsAFunctionOfSeedAndNumber(t *testing.T) {
	cfg := compose.Config{T: 4, H: 64, W: 96, Seed: 5, Store: testStore(t)}
	const n = 24
	var want [n]uint64
	var c clips.Clip
	one := newComposer(t, cfg)
	for i := range want {
		if err := one.Clip(&c, uint64(i)); err != nil {
			t.Fatal(err)
		}
		want[i] = digest(&c)
		for j := range i {
			if want[i] == want[j] {
				t.Errorf("clips %d and %d are the same", i, j)
			}
		}
	}
	// Other goroutines, another order, clips that hold something already.
	other := newComposer(t, cfg)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			var c clips.Clip
			for i := n - 1; i >= 0; i-- {
				if (i+g)%2 == 0 {
					continue
				}
				if err := other.Clip(&c, uint64(i)); err != nil {
					t.Error(err)
				} else if got := digest(&c); got != want[i] {
					t.Errorf("clip %d in goroutine %d: digest %x, want %x", i, g, got, want[i])
				}
			}
		})
	}
	wg.Wait()
	cfg.Seed++
	if err := newComposer(t, cfg).Clip(&c, 0); err != nil {
		t.Fatal(err)
	}
	if digest(&c) == want[0] {
		t.Error("another seed gives the same clip")
	}
}

// TestClipIsTheSameEverywhere compares with a digest: another machine, compiler or set of vector
// instructions must not change a bit. No store, so that no JPEG decoder has a say.
func TestClipIsTheSameEverywhere(t *testing.T) {
	c := newComposer(t, compose.Config{T: 3, H: 64, W: 96, Seed: 1})
	h := fnv.New64a()
	var clip clips.Clip
	for n := range uint64(20) {
		if err := c.Clip(&clip, n); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(h, digest(&clip))
	}
	// Scenes that are composed in another way have another digest: then this one is replaced.
	const want = 0x5cc50194fdb81f1f
	if got := h.Sum64(); got != want {
		t.Errorf("digest %#x, want %#x", got, uint64(want))
	}
}

func TestPartsNestInObjects(t *testing.T) {
	long(t)
	for _, tt := range []struct {
		name  string
		store *clips.Store
	}{{"painted", nil}, {"photos", testStore(t)}} {
		t.Run(tt.name, func(t *testing.T) {
			c := newComposer(t, compose.Config{T: 3, H: 64, W: 96, Seed: 2, Store: tt.store})
			var clip clips.Clip
			objects, parts, several, unknown := 0, 0, 0, 0
			for n := range uint64(60) {
				if err := c.Clip(&clip, n); err != nil {
					t.Fatal(err)
				}
				of, count := map[uint16]uint16{}, map[uint16]int{}
				for i, part := range clip.Labels[clips.Part] {
					object := clip.Labels[clips.Object][i]
					if scene := clip.Labels[clips.Scene][i]; scene != 1 {
						t.Fatalf("clip %d: scene %d, want 1", n, scene)
					}
					count[object]++
					if part == 0 {
						continue
					}
					if was, ok := of[part]; ok && was != object {
						t.Fatalf("clip %d: part %d lies in objects %d and %d", n, part, was, object)
					}
					of[part] = object
					if object == 0 { // at rest in a photo
						unknown++
						continue
					}
					if (part == 1) != (object == 1) {
						t.Fatalf("clip %d: part %d of object %d: the background is one part, and nothing else's", n, part, object)
					}
				}
				objects, parts = objects+len(count), parts+len(of)
				if len(of) > len(count) {
					several++
				}
			}
			if objects < 2*60 || parts <= objects*3/4 || several < 20 {
				t.Errorf("%d objects and %d parts in 60 clips, %d with objects of several parts: too few", objects, parts, several)
			}
			if (unknown > 0) != (tt.store != nil) {
				t.Errorf("%d pixels of parts of unknown objects", unknown)
			}
		})
	}
}

// TestExactFlowCarriesPictures moves each picture by the flow to where the next one has it. Where
// both show the same island, they must agree but for noise, light and resampling: in the mean, and
// nearly so in each part by itself.
func TestExactFlowCarriesPictures(t *testing.T) {
	long(t)
	c := newComposer(t, compose.Config{T: 4, H: 96, W: 160, Seed: 3, Store: testStore(t), ExactFlow: true})
	var clip clips.Clip
	var all carried
	worst := 0.0
	for k := range uint64(60) {
		if err := c.Clip(&clip, k); err != nil {
			t.Fatal(err)
		}
		parts := map[uint16]*carried{}
		for i := clip.H * clip.W; i < clip.T*clip.H*clip.W; i++ {
			part := clip.Labels[clips.Part][i]
			if parts[part] == nil {
				parts[part] = new(carried)
			}
			parts[part].add(&clip, i)
		}
		for part, p := range parts {
			all.n, all.moved, all.stayed = all.n+p.n, all.moved+p.moved, all.stayed+p.stayed
			if part == 0 || p.n < 400 {
				continue
			}
			worst = max(worst, p.moved/p.n)
			if p.moved > 9*p.n && p.moved > p.stayed/3 { // fine textures that turn lose much
				t.Errorf("clip %d, part %d: pixels differ by %.1f after the flow, by %.1f without it", k, part, p.moved/p.n, p.stayed/p.n)
			}
		}
	}
	t.Logf("mean difference %.2f grey values after the flow, %.2f without it; in the worst part %.1f", all.moved/all.n, all.stayed/all.n, worst)
	if all.n < 1e5 || all.moved > 4*all.n || all.moved > all.stayed/4 {
		t.Errorf("%v pixels differ by %.2f after the flow, by %.2f without it", all.n, all.moved/all.n, all.stayed/all.n)
	}
}

// carried sums how far pixels that move are from where they come from.
type carried struct{ n, moved, stayed float64 }

// add looks at pixel i, unless it hardly moves or lies at a border.
func (s *carried) add(c *clips.Clip, i int) {
	size := c.H * c.W
	dx, dy := float64(c.Flow[2*i]), float64(c.Flow[2*i+1])
	px, py := float64(i%c.W)-dx, float64(i/c.W%c.H)-dy
	x, y := int(math.Floor(px)), int(math.Floor(py))
	if dx*dx+dy*dy < 4 || x < 1 || y < 1 || x+2 >= c.W || y+2 >= c.H || i%c.W < 1 || i%c.W > c.W-2 {
		return
	}
	j := i - i%size - size + y*c.W + x
	for _, l := range [...]int{clips.Part, clips.Object} {
		same := true
		for _, v := range [...]int{j - 1, j + 2, j - c.W, j + 2*c.W, j, j + c.W + 1} {
			same = same && c.Labels[l][v] == c.Labels[l][i]
		}
		for _, v := range [...]int{i - 1, i + 1, max(i-c.W, 0), min(i+c.W, c.T*size-1)} {
			same = same && c.Labels[l][v] == c.Labels[l][i]
		}
		if !same {
			return
		}
	}
	fx, fy := px-float64(x), py-float64(y)
	at := func(v int) float64 { return float64(c.Pix[3*v+1]) }
	before := (1-fy)*((1-fx)*at(j)+fx*at(j+1)) + fy*((1-fx)*at(j+c.W)+fx*at(j+c.W+1))
	s.n++
	s.moved += math.Abs(before - at(i))
	s.stayed += math.Abs(at(i-size) - at(i))
}

// In one scene of eight nothing moves, and half of those show the same picture all the time.
func TestRest(t *testing.T) {
	long(t)
	c := newComposer(t, compose.Config{T: 2, H: 48, W: 80, Seed: 5, Store: testStore(t), ExactFlow: true})
	var clip clips.Clip
	var rest, same int
	for n := range uint64(400) {
		if err := c.Clip(&clip, n); err != nil {
			t.Fatal(err)
		}
		moves := slices.ContainsFunc(clip.Flow, func(v float32) bool { return v != 0 })
		half := len(clip.Pix) / 2
		equal := slices.Equal(clip.Pix[:half], clip.Pix[half:])
		if !moves {
			rest++
		}
		if equal {
			same++
		}
		if moves && equal {
			t.Errorf("clip %d moves, and its pictures are the same", n)
		}
	}
	if rest < 30 || rest > 80 || same < rest/4 || same > rest*3/4 {
		t.Errorf("%d of 400 scenes are at rest, %d show one picture; want about 50 and 25", rest, same)
	}
}

func TestSeenFlow(t *testing.T) {
	long(t)
	cfg := compose.Config{T: 4, H: 96, W: 160, Seed: 4, Store: testStore(t)}
	seen := newComposer(t, cfg)
	cfg.ExactFlow = true
	exact := newComposer(t, cfg)
	var a, b clips.Clip
	var off, speed float64
	for n := range uint64(60) {
		if err := seen.Clip(&a, n); err != nil {
			t.Fatal(err)
		}
		if err := exact.Clip(&b, n); err != nil {
			t.Fatal(err)
		}
		size := 2 * a.H * a.W
		var wrong, moved float64
		for i, f := range a.Flow {
			if i < size && (f != 0 || b.Flow[i] != 0) {
				t.Fatalf("clip %d: frame 0 has flow", n)
			}
			if math.IsNaN(float64(f)) || math.Abs(float64(f)) > 64 {
				t.Fatalf("clip %d: flow %v at %d", n, f, i)
			}
			wrong += math.Abs(float64(f - b.Flow[i]))
			moved += math.Abs(float64(b.Flow[i]))
		}
		if wrong > 0 { // most clips have the exact flow
			off, speed = off+wrong, speed+moved
		}
		a.Flow, b.Flow = b.Flow, a.Flow
		if string(a.Pix) != string(b.Pix) {
			t.Fatalf("clip %d: pictures depend on the flow that is asked for", n)
		}
	}
	t.Logf("off by %.2f of the motion", off/speed)
	if off < 0.08*speed || off > 0.3*speed {
		t.Errorf("the flow is off by %.2f of the motion, want 0.08 to 0.3", off/speed)
	}
}

func TestClipAllocatesNothing(t *testing.T) {
	long(t)
	c := newComposer(t, compose.Config{T: 3, H: 64, W: 96, Seed: 6, Store: testStore(t)})
	var clip clips.Clip
	run := func() {
		for n := range uint64(40) {
			if err := c.Clip(&clip, n); err != nil {
				t.Fatal(err)
			}
		}
	}
	run()
	if got := testing.AllocsPerRun(3, run); got > 0 {
		t.Errorf("%v allocations in 40 clips, want none", got)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, cfg := range []compose.Config{
		{},
		{T: 0, H: 64, W: 64},
		{T: 1, H: 60, W: 64},
		{T: 1, H: 64, W: -8},
		{T: 1, H: 1 << 20, W: 64},
	} {
		if _, err := compose.New(cfg); err == nil {
			t.Errorf("New(%+v) made a composer", cfg)
		}
	}
}

func TestOddSizes(t *testing.T) {
	long(t)
	for _, size := range [][3]int{{1, 8, 8}, {2, 8, 256}, {2, 200, 8}, {7, 104, 136}} {
		c := newComposer(t, compose.Config{T: size[0], H: size[1], W: size[2], Store: testStore(t)})
		var clip clips.Clip
		for n := range uint64(20) {
			if err := c.Clip(&clip, n); err != nil {
				t.Fatal(err)
			}
		}
		if len(clip.Pix) != 3*size[0]*size[1]*size[2] {
			t.Errorf("%v: %d bytes of pixels", size, len(clip.Pix))
		}
	}
}

func BenchmarkClip(b *testing.B) {
	for _, size := range [][3]int{{6, 96, 160}, {6, 176, 320}} {
		b.Run(fmt.Sprintf("%dx%dx%d", size[0], size[1], size[2]), func(b *testing.B) {
			c := newComposer(b, compose.Config{T: size[0], H: size[1], W: size[2], Store: testStore(b)})
			var clip clips.Clip
			n := uint64(0)
			for b.Loop() {
				if err := c.Clip(&clip, n); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "clips/s")
		})
	}
}

func ExampleComposer() {
	c, err := compose.New(compose.Config{T: 2, H: 64, W: 96, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	var clip clips.Clip
	if err := c.Clip(&clip, 7); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(clip.Pix), len(clip.Flow), len(clip.Labels[clips.Object]), clip.Source)
	// Output: 36864 24576 12288 painted
}
