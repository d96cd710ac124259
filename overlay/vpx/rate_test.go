//go:build cgo && !novpx

package vpx

import (
	"fmt"
	"testing"
	"time"
)

// TestRate counts the bits of some seconds, at one bitrate and then at three times or a third of it.
// The first second behind a change does not count.
func TestRate(t *testing.T) {
	long(t)
	for name, cfg := range every() {
		t.Run(name, func(t *testing.T) {
			cfg.W, cfg.H = 160, 90
			frames := film(t, cfg.W, cfg.H, 40)
			for _, change := range [][2]int{{100_000, 300_000}, {300_000, 100_000}} {
				cfg.Bitrate = change[0]
				e := open(t, cfg)
				i := 0
				for _, bps := range change {
					if err := e.SetBitrate(bps); err != nil {
						t.Fatal(err)
					}
					bits, out := 0.0, 0
					const seconds = 6
					for range (1 + seconds) * 30 {
						p := encode(t, e, play(frames, i), false)
						if i++; i%((1+seconds)*30) > 30 {
							bits += 8 * float64(len(p.Data))
						}
						if len(p.Data) == 0 {
							out++
						}
					}
					if got := bits / seconds; got < 0.9*float64(bps) || got > 1.1*float64(bps) {
						t.Errorf("%.0f bit/s from %d, want %d", got, cfg.Bitrate, bps)
					}
					if out > 15 {
						t.Errorf("%d frames were left out at %d bit/s from %d", out, bps, cfg.Bitrate)
					}
				}
			}
		})
	}
}

// TestTooLittle has a bitrate that even the coarsest pictures are too large for. What is sent must
// still be pictures of the frames.
func TestTooLittle(t *testing.T) {
	long(t)
	for name, cfg := range every() {
		t.Run(name, func(t *testing.T) {
			cfg.W, cfg.H, cfg.Bitrate, cfg.KeyEvery = 160, 90, 7_000, time.Hour
			frames := film(t, cfg.W, cfg.H, 40)
			e, d := open(t, cfg), opened(t, cfg.Codec)
			const seconds = 20
			bits, n := 0.0, 0
			for i := range 30 * seconds {
				f := play(frames, i)
				p := encode(t, e, f, i == 15*seconds)
				if len(p.Data) > 0 {
					bits += 8 * float64(len(p.Data))
					n++
					if db := psnr(d.picture(p).Y, slowI420(f).Y); db < 20 {
						t.Errorf("frame %d: PSNR %.1f dB", i, db)
					}
				}
				if i == 15*seconds && !p.Key {
					t.Error("the key frame was left out")
				}
			}
			if bits > 1.15*seconds*7_000 || n < 2*seconds || n > 29*seconds {
				t.Errorf("%d packets of %d frames, %.0f bit/s", n, 30*seconds, bits/seconds)
			}
		})
	}
}

// TestTimes gives frames at times that no camera should have. Whatever they are, no frame may be
// huge, hardly any may be missing, and the bits must be those of the time that passed.
func TestTimes(t *testing.T) {
	long(t)
	const ms = time.Millisecond
	for _, tt := range []struct {
		name string
		at   func(i int) time.Duration
		fps  float64 // that the times mean
		out  int     // of 300 frames, how many may be left out
	}{
		{"even", func(i int) time.Duration { return time.Duration(i) * frame }, 30, 0},
		{"late start", func(i int) time.Duration { return 1e6*time.Hour + time.Duration(i)*frame }, 30, 0},
		{"equal", func(int) time.Duration { return 5 * time.Second }, 30, 0},
		{"backward", func(i int) time.Duration { return time.Duration(-i) * time.Second }, 30, 0},
		{"half", func(i int) time.Duration { return time.Duration(i) * 2 * frame }, 15, 0},
		{"slow", func(i int) time.Duration { return time.Duration(i) * 200 * ms }, 5, 0},
		{"double", func(i int) time.Duration { return time.Duration(i) * frame / 2 }, 60, 0},
		{"bursts", func(i int) time.Duration { return time.Duration(i/5)*5*frame + time.Duration(i%5)*ms }, 30, 15},
		{"loops", func(i int) time.Duration { return time.Duration(i%100) * frame }, 30, 0},
		{"pauses", func(i int) time.Duration { return time.Duration(i)*frame + time.Duration(i/100)*time.Hour }, 30, 0},
		{"wild", func(i int) time.Duration {
			return time.Duration(i)*frame + []time.Duration{0, 1 << 62, -1 << 62}[i/100%3]
		}, 30, 0},
	} {
		for _, layers := range []int{1, 3} {
			t.Run(fmt.Sprint(tt.name, " layers ", layers), func(t *testing.T) {
				const bitrate, n = 120_000, 300
				frames := film(t, 160, 90, 40)
				e := open(t, Config{W: 160, H: 90, Bitrate: bitrate, Layers: layers, KeyEvery: 1e6 * time.Hour})
				bits, out := 0.0, 0
				for i := range n {
					f := play(frames, i)
					f.PTS = tt.at(i)
					p := encode(t, e, f, false)
					if p.PTS != f.PTS {
						t.Fatalf("packet %d has time %v, its frame %v", i, p.PTS, f.PTS)
					}
					if len(p.Data) == 0 {
						out++
					}
					size := 8 * float64(len(p.Data))
					// A frame of layer 0 of three has 1.6 times the mean.
					if limit := bitrate / tt.fps * 6; i > 0 && size > limit {
						t.Errorf("frame %d has %.0f bits, more than %.0f", i, size, limit)
					}
					bits += size
				}
				if out > tt.out {
					t.Errorf("%d frames were left out", out)
				}
				if got := bits / n * tt.fps; got < 0.8*bitrate || got > 1.2*bitrate {
					t.Errorf("%.0f bit/s, want %d", got, bitrate)
				}
			})
		}
	}
}
