package cli

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"glomstream/glom/train"
)

// run shows the updates from first to last, of 4 clips and 2 seconds each.
func (p *progress) run(first, last int, alarm bool) {
	for step := first; step <= last; step++ {
		time.Sleep(2 * time.Second)
		r := train.Report{Step: step, Loss: 1.5, Losses: map[string]float64{"object": 1, "part": 0.5}}
		if alarm {
			r.Health = &train.Health{Cosine: []float64{0.5, 0.99}, Rank: []float64{9, 9}}
		}
		p.show(r, train.Config{Updates: 100, Clips: 4})
	}
	p.end()
}

func TestProgressLines(t *testing.T) {
	for _, tt := range []struct {
		name        string
		first, last int
		stop        int
		alarm       bool
		lines       int
		want        []string
	}{
		{"from the beginning", 1, 10, 0, false, 4, []string{"1/100  loss 1.5000  (part 0.5000  object 1.0000)", "2.0 clips/s", "3m18s left"}},
		{"resumed", 51, 60, 0, false, 4, []string{"51/100", "2.0 clips/s", "1m38s left"}},
		{"to the end", 98, 100, 0, false, 2, []string{"100/100", "0s left"}},
		{"to a stop", 1, 4, 4, false, 2, []string{"4/100", "6s left", "0s left"}},
		{"collapsed", 1, 2, 0, true, 4, []string{"collapse: update 2, level 1: mean cosine 0.990"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				newProgress(&out, tt.stop).run(tt.first, tt.last, tt.alarm)
				if n := strings.Count(out.String(), "\n"); n != tt.lines {
					t.Errorf("%d lines, want %d: %q", n, tt.lines, out.String())
				}
				for _, want := range tt.want {
					if !strings.Contains(out.String(), want) {
						t.Errorf("got %q, want %q in it", out.String(), want)
					}
				}
			})
		})
	}
}

// On a terminal there is a bar with speed and time left, then the latest update in its place.
func TestProgressBar(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, 0)
		p.drawn = true
		p.run(51, 60, false)
		text := out.String()
		for _, want := range []string{"60/100  loss 1.5000", "2 clips/s", "18s:1m20s"} {
			if !strings.Contains(text, want) {
				t.Errorf("got %q, want %q in it", text, want)
			}
		}
		if want := fmt.Sprintf("\r%s\n", p.latest); !strings.HasSuffix(text, want) || strings.Count(text, "\n") != 1 {
			t.Errorf("got %q, want one line in the end, %q", text, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, 1)
		p.drawn = true
		p.run(1, 1, true) // nothing is left to count
		if !strings.Contains(out.String(), "collapse: update 1, level 1") {
			t.Errorf("got %q, want an alarm", out.String())
		}
	})
}
