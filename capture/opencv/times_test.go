package opencv

import (
	"math"
	"slices"
	"testing"
	"time"
)

func ms(v ...int) []time.Duration {
	d := make([]time.Duration, len(v))
	for i := range v {
		d[i] = time.Duration(v[i]) * time.Millisecond
	}
	return d
}

func TestClock(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name   string
		live   bool
		stamps []float64 // ms; a frame is read every 40 ms
		known  []time.Duration
		want   []time.Duration
	}{
		{"even", false, []float64{0, 40, 80}, nil, ms(0, 40, 80)},
		{"varying", false, []float64{0, 248, 351, 400}, nil, ms(0, 248, 351, 400)},
		{"later start", false, []float64{500, 540}, nil, ms(500, 540)},
		{"decoding time below zero", false, []float64{-33, 33, 66}, nil, ms(0, 33, 66)},
		{"no times", false, []float64{0, 0, 0}, nil, ms(0, 50, 100)},
		{"nonsense", false, []float64{-1e300, nan, math.Inf(1)}, nil, ms(0, 50, 100)},
		{"standing and backwards", false, []float64{0, 40, 40, 30, 120}, nil, ms(0, 40, 41, 42, 120)},
		{"drained", false, []float64{0, 30, 60, 0, 0}, nil, ms(0, 30, 60, 90, 120)},
		{"drained, times known", false, []float64{0, 30, 60, 0, 0, 0}, ms(60, 95, 150), ms(0, 30, 60, 95, 150, 205)},
		{"one frame", false, []float64{0}, nil, ms(0)},
		{"live", true, []float64{7000, 7033, 7066}, nil, ms(0, 33, 66)},
		{"live without times", true, []float64{0, 0, 0}, nil, ms(0, 40, 80)},
		{"live with a jump", true, []float64{0, 33, 90000, 90033}, nil, ms(0, 33, 73, 106)},
		{"live set back", true, []float64{9000, 9033, 12, 45}, nil, ms(0, 33, 73, 106)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := clock{live: test.live, interval: 50 * time.Millisecond}
			calls := 0
			if test.known != nil {
				c.times = func(time.Duration) []time.Duration { calls++; return test.known }
			}
			now := time.Now()
			var got []time.Duration
			for _, stamp := range test.stamps {
				got = append(got, c.next(stamp, now))
				now = now.Add(40 * time.Millisecond)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if calls > 1 {
				t.Errorf("asked for the times %d times", calls)
			}
		})
	}
}

func TestPlausible(t *testing.T) {
	tests := []struct {
		name   string
		s      stated
		fps    float64
		frames int
		length time.Duration
	}{
		{"plain", stated{fps: 25, frames: 50}, 25, 50, 2 * time.Second},
		{"no frames", stated{fps: 25}, 25, 0, 0},
		{"negative", stated{fps: 24, frames: -1.8e14}, 24, 0, 0},
		{"lowest number", stated{fps: 1.2e6, frames: math.MinInt64}, 0, 0, 0},
		{"huge", stated{fps: 25, frames: 1e15}, 25, 0, 0},
		{"nan", stated{fps: math.NaN(), frames: math.NaN()}, 0, 0, 0},
		{"slow", stated{fps: 0.263, frames: 10}, 0, 0, 0},
		{"time base for a rate", stated{fps: 90000, frames: 10}, 0, 0, 0},
		{"bounds", stated{fps: 240, frames: 1}, 240, 1, time.Second / 240},
	}
	for _, test := range tests {
		fps, frames, length := plausible(test.s)
		if fps != test.fps || frames != test.frames || (length-test.length).Abs() > time.Microsecond {
			t.Errorf("%s: got %v, %v, %v", test.name, fps, frames, length)
		}
	}
}
