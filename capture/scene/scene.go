package scene

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"glomstream/capture"
)

// Levels is the number of island levels in the Truth of a frame: patch, shape, part, object, scene.
const Levels = 5

const (
	minSize, maxSize = 16, 4096 // pixels
	maxSpeed         = 64
)

// Config describes a scene. Zero fields stand for the defaults.
type Config struct {
	Name   string  // one of Names; default demo
	Seed   uint64  // textures, sensor noise, and what else the scene leaves to chance
	W, H   int     // picture, 16 to 4096 pixels each; default 640 by 360 (both or neither)
	FPS    float64 // frames per second, 1 to 240; default 30
	Frames int     // frames in all, < 0 for no end; default 240
	Speed  float64 // up to 64; lock: pixels per frame, default 2; else a factor on all motion, default 1
}

// Parse reads a description such as
//
//	lock?seed=3&frames=100&size=640x360&fps=30&speed=2.5
//
// Each key may be left out; frames=-1 has no end. What is not given stays zero, which New fills in.
// An error says what is allowed instead.
func Parse(query string) (Config, error) {
	name, rest, _ := strings.Cut(query, "?")
	c := Config{Name: name}
	values, err := url.ParseQuery(rest)
	if err != nil {
		return Config{}, fmt.Errorf("synthetic scene %q: %w; write NAME?key=value&key=value", query, err)
	}
	for key, v := range values {
		if len(v) != 1 {
			return Config{}, fmt.Errorf("synthetic scene %q: %s is given %d times; give it once", query, key, len(v))
		}
		if err := c.set(key, v[0]); err != nil {
			return Config{}, fmt.Errorf("synthetic scene %q: %w", query, err)
		}
	}
	if _, err := c.complete(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// set takes one key of a query. A zero is refused, since it would silently mean the default.
func (c *Config) set(key, value string) (err error) {
	zero := false
	switch key {
	case "seed":
		c.Seed, err = strconv.ParseUint(value, 10, 64)
	case "frames":
		c.Frames, err = strconv.Atoi(value)
		zero = c.Frames == 0
	case "fps":
		c.FPS, err = strconv.ParseFloat(value, 64)
		zero = c.FPS == 0
	case "speed":
		c.Speed, err = strconv.ParseFloat(value, 64)
		zero = c.Speed == 0
	case "size":
		w, h, _ := strings.Cut(value, "x")
		if c.W, err = strconv.Atoi(w); err == nil {
			c.H, err = strconv.Atoi(h)
		}
		zero = c.W == 0 && c.H == 0
	default:
		return fmt.Errorf("unknown key %q; use seed, frames, size, fps or speed", key)
	}
	if err != nil || zero {
		return fmt.Errorf("%s=%q is not possible; use for example "+
			"seed=3, frames=100 (-1: no end), size=640x360, fps=30, speed=2", key, value)
	}
	return nil
}

// complete returns c with the defaults filled in, or what is wrong with it.
func (c Config) complete() (Config, error) {
	if c.Name == "" {
		c.Name = "demo"
	}
	if c.W == 0 && c.H == 0 {
		c.W, c.H = 640, 360
	}
	if c.FPS == 0 {
		c.FPS = 30
	}
	if c.Frames == 0 {
		c.Frames = 240
	}
	if c.Speed == 0 {
		c.Speed = 1
		if c.Name == "lock" {
			c.Speed = 2
		}
	}
	switch {
	case director(c.Name) == nil:
		return c, fmt.Errorf("unknown synthetic scene %q; use one of %s", c.Name, strings.Join(Names(), ", "))
	case c.W < minSize || c.H < minSize || c.W > maxSize || c.H > maxSize:
		return c, fmt.Errorf("synthetic scene %s: size %dx%d is out of range; use %d to %d pixels each",
			c.Name, c.W, c.H, minSize, maxSize)
	case !(c.FPS >= 1 && c.FPS <= 240):
		return c, fmt.Errorf("synthetic scene %s: fps %v is out of range; use 1 to 240", c.Name, c.FPS)
	case !(c.Speed > 0 && c.Speed <= maxSpeed):
		return c, fmt.Errorf("synthetic scene %s: speed %v is out of range; use more than 0 up to %d",
			c.Name, c.Speed, maxSpeed)
	case c.Name == "lock" && c.Speed > lockLimit(c.W, c.H):
		return c, fmt.Errorf("synthetic scene lock: speed %v leaves a %dx%d picture at once; use up to %.3g",
			c.Speed, c.W, c.H, lockLimit(c.W, c.H))
	}
	return c, nil
}

// Source renders one scene. It implements capture.Source; see the package comment for its Truth.
type Source struct {
	cfg    Config
	stage  *stage
	pool   *capture.Pool
	noise  []int8 // sensor noise in 8-bit levels, see grain; nil for none
	next   uint64
	closed bool
}

var _ capture.Source = (*Source)(nil)

// New builds the scene that c describes. An error says which field is out of range.
func New(c Config) (*Source, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	s := &Source{cfg: c, stage: newStage(c), pool: capture.NewPool(8)}
	director(c.Name)(s.stage)
	if c.Name != "still" {
		s.noise = sensorNoise(c.Seed)
	}
	return s, nil
}

// Next renders the next frame, with its Truth. After the last it returns io.EOF.
func (s *Source) Next(ctx context.Context) (capture.Frame, error) {
	if s.closed {
		return capture.Frame{}, fmt.Errorf("read %s: %w", s.name(), os.ErrClosed)
	}
	if err := ctx.Err(); err != nil {
		return capture.Frame{}, fmt.Errorf("read %s: %w", s.name(), err)
	}
	if s.cfg.Frames > 0 && s.next >= uint64(s.cfg.Frames) {
		return capture.Frame{}, io.EOF
	}
	f := s.frame(s.next)
	s.next++
	return f, nil
}

// frame renders frame n.
func (s *Source) frame(n uint64) capture.Frame {
	f := s.pool.Frame(s.cfg.W, s.cfg.H)
	f.Seq = n
	f.PTS = s.time(n)
	f.Truth = s.stage.render(f.Pix, int(n))
	s.expose(&f)
	f.Captured = time.Now()
	return f
}

// time is when frame n begins.
func (s *Source) time(n uint64) time.Duration {
	return time.Duration(math.Round(float64(n) / s.cfg.FPS * float64(time.Second)))
}

func (s *Source) name() string { return "synthetic:" + s.cfg.Name }

// Info returns what is known about the source; Frames and Duration are 0 if it has no end.
func (s *Source) Info() capture.Info {
	i := capture.Info{Name: s.name(), W: s.cfg.W, H: s.cfg.H, FPS: s.cfg.FPS}
	if s.cfg.Frames > 0 {
		i.Frames, i.Duration = s.cfg.Frames, s.time(uint64(s.cfg.Frames))
	}
	return i
}

// Close ends the source; Next fails from then on.
func (s *Source) Close() error {
	s.closed = true
	return nil
}
