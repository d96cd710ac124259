package capture

import (
	"context"
	"io"
	"testing"
	"time"
)

// counter is a source of so many frames, which states its length by info.
type counter struct {
	info   Info
	frames int
}

func (c *counter) Info() Info   { return c.info }
func (c *counter) Close() error { return nil }

func (c *counter) Next(context.Context) (Frame, error) {
	if c.frames == 0 {
		return Frame{}, io.EOF
	}
	c.frames--
	return Frame{}, nil
}

func TestLimit(t *testing.T) {
	for _, tt := range []struct {
		name             string
		info             Info
		frames, limit    int
		expected, passed int
	}{
		{"unknown length", Info{}, 9, 4, 4, 4},
		{"longer", Info{Frames: 9}, 9, 4, 4, 4},
		{"shorter", Info{Frames: 3}, 3, 4, 3, 3},
		{"length in time", Info{Duration: 2 * time.Second, FPS: 25}, 50, 80, 50, 50},
		{"shorter than it says", Info{Frames: 9}, 2, 4, 4, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src := Limit(&counter{tt.info, tt.frames}, tt.limit)
			if got := src.Info().Expected(); got != tt.expected {
				t.Errorf("%d frames expected, want %d", got, tt.expected)
			}
			n := 0
			for {
				_, err := src.Next(t.Context())
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if n != tt.passed {
				t.Errorf("%d frames, want %d", n, tt.passed)
			}
		})
	}
}
