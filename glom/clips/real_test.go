package clips_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"glomstream/glom/clips"
)

func newReal(t testing.TB, s *clips.Store, cfg clips.RealConfig) *clips.Real {
	t.Helper()
	r, err := clips.NewReal(s, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRealFlowCarriesPictures moves each picture by the flow to where the next one has it: the clips
// are mirrored, scaled and sped up, and the flow must follow.
func TestRealFlowCarriesPictures(t *testing.T) {
	s := open(t, write(t, nil, []*clips.Video{film("a", 16, 88, 120), film("b", 20, 64, 96)}), 0)
	r := newReal(t, s, clips.RealConfig{T: 4, H: 64, W: 96, Seed: 1})
	var c clips.Clip
	speeds := map[float64]bool{}
	left, right := false, false
	for n := range uint64(60) {
		if err := r.Clip(&c, n); err != nil {
			t.Fatal(err)
		}
		if c.Labels[clips.Object] != nil || c.Source != "a" && c.Source != "b" {
			t.Fatalf("clip %d has labels, or stems from %q", n, c.Source)
		}
		size := c.H * c.W
		var moved, stayed float64
		count := 0.0
		for i := range size {
			if c.Flow[2*i] != 0 || c.Flow[2*i+1] != 0 {
				t.Fatalf("clip %d: frame 0 has flow", n)
			}
		}
		for i := size; i < c.T*size; i++ {
			x, y := float64(i%c.W)-float64(c.Flow[2*i]), float64(i/c.W%c.H)-float64(c.Flow[2*i+1])
			x0, y0 := int(math.Round(x)), int(math.Round(y))
			if x0 < 0 || y0 < 0 || x0 >= c.W || y0 >= c.H {
				continue
			}
			j := i - i%size - size + y0*c.W + x0
			moved += math.Abs(float64(c.Pix[3*i]) - float64(c.Pix[3*j]))
			stayed += math.Abs(float64(c.Pix[3*i]) - float64(c.Pix[3*(i-size)]))
			count++
		}
		if moved/count > 9 || moved > stayed/2 {
			t.Errorf("clip %d: pixels differ by %.1f after the flow, %.1f without it", n, moved/count, stayed/count)
		}
		f := float64(c.Flow[2*(size+size/2)])
		left, right = left || f < 0, right || f > 0
		speeds[math.Round(math.Abs(f))] = true
	}
	if !left || !right || len(speeds) < 3 {
		t.Errorf("mirrored %v, not mirrored %v, speeds %v: too little variation", left, right, speeds)
	}
}

func TestRealIsAFunctionOfSeedAndNumber(t *testing.T) {
	s := open(t, write(t, nil, []*clips.Video{film("a", 16, 88, 120)}), 0)
	cfg := clips.RealConfig{T: 3, H: 32, W: 40, Seed: 9}
	r := newReal(t, s, cfg)
	var a, b clips.Clip
	if err := r.Clip(&a, 5); err != nil {
		t.Fatal(err)
	}
	b.Reshape(7, 64, 64, true)
	for _, n := range []uint64{4, 6, 5} {
		if err := newReal(t, s, cfg).Clip(&b, n); err != nil {
			t.Fatal(err)
		}
		same := slices.Equal(a.Pix, b.Pix) && slices.Equal(a.Flow, b.Flow)
		if same != (n == 5) {
			t.Errorf("clip %d is clip 5: %v", n, same)
		}
	}
	if got := testing.AllocsPerRun(20, func() {
		if err := r.Clip(&a, 5); err != nil {
			t.Fatal(err)
		}
	}); got > 0 {
		t.Errorf("%v allocations a clip, want none", got)
	}
}

func TestNewRealRefuses(t *testing.T) {
	s := open(t, write(t, nil, []*clips.Video{film("a", 5, 16, 16)}), 0)
	for _, cfg := range []clips.RealConfig{
		{}, {T: 2, H: 12, W: 16}, {T: 2, H: 16, W: 16, MaxStride: -1}, {T: 6, H: 16, W: 16},
	} {
		if _, err := clips.NewReal(s, cfg); err == nil {
			t.Errorf("NewReal(%+v) made a source", cfg)
		}
	}
}

// numbered is a source whose clips hold its value.
type numbered byte

func (v numbered) Clip(dst *clips.Clip, n uint64) error {
	dst.Reshape(1, 8, 8, v == 1)
	for i := range dst.Pix {
		dst.Pix[i] = byte(v) + byte(n)
	}
	return nil
}

func TestMix(t *testing.T) {
	m := &clips.Mix{Composite: numbered(1), Real: numbered(101), Share: 0.75, Seed: 3}
	var c, again clips.Clip
	composite := 0
	for n := range uint64(1000) {
		if err := m.Clip(&c, n%100); err != nil {
			t.Fatal(err)
		}
		if err := m.Clip(&again, n%100); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(c.Pix, again.Pix) {
			t.Fatalf("clip %d differs from itself", n)
		}
		if c.Pix[0] < 101 != (c.Labels[clips.Part] != nil) {
			t.Fatal("labels of the other source")
		}
	}
	for n := range uint64(1000) {
		if err := m.Clip(&c, n); err != nil {
			t.Fatal(err)
		}
		if c.Labels[clips.Part] != nil {
			composite++
		}
	}
	if composite < 700 || composite > 800 {
		t.Errorf("%d of 1000 clips are composite, want about 750", composite)
	}
	if got := testing.AllocsPerRun(50, func() {
		for n := range uint64(10) {
			if err := m.Clip(&c, n); err != nil {
				t.Fatal(err)
			}
		}
	}); got > 0 {
		t.Errorf("%v allocations a clip, want none", got)
	}
}

func TestReshape(t *testing.T) {
	for _, s := range [][3]int{{0, 8, 8}, {1, 4, 8}, {1, 8, -8}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Reshape%v did not panic", s)
				}
			}()
			new(clips.Clip).Reshape(s[0], s[1], s[2], true)
		}()
	}
}

func BenchmarkReal(b *testing.B) {
	s := open(b, write(b, nil, []*clips.Video{film("a", 20, 176, 320)}), 0)
	for _, size := range [][3]int{{6, 96, 160}, {6, 176, 320}} {
		b.Run(fmt.Sprintf("%dx%dx%d", size[0], size[1], size[2]), func(b *testing.B) {
			r := newReal(b, s, clips.RealConfig{T: size[0], H: size[1], W: size[2]})
			var c clips.Clip
			n := uint64(0)
			for b.Loop() {
				if err := r.Clip(&c, n); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "clips/s")
		})
	}
}

func Example() {
	// A store usually comes from glom train prepare.
	dir, err := os.MkdirTemp("", "clips-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "a.clips")
	w, err := clips.Create(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Close()
	if err := w.AddVideo(film("a film", 12, 64, 96)); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Commit(); err != nil {
		fmt.Println(err)
		return
	}

	store, err := clips.Open(name, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	real, err := clips.NewReal(store, clips.RealConfig{T: 4, H: 32, W: 48, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	var c clips.Clip
	if err := real.Clip(&c, 0); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Source, len(c.Pix), len(c.Flow))
	// Output: a film 18432 12288
}
