package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"glomstream/overlay"
)

// drawFlags say what is drawn.
type drawFlags struct {
	level, view string
	opacity     float64
}

func (f *drawFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.level, "level", "", "level to draw: 0 to 4, a name (primary, sub-part, part, object, scene) or all side by side (default object)")
	fs.StringVar(&f.view, "view", "islands", "what to draw: islands, agreement, unsettled (heat maps) or flow")
	fs.Float64Var(&f.opacity, "opacity", 0, "opacity of the drawing, over 0 up to 1 (default 0.45, heat map and flow 0.7)")
}

// config is what the flags say, for a model of so many levels.
func (f *drawFlags) config(levels int) (overlay.Config, error) {
	view, err := overlay.ParseView(f.view)
	if err != nil {
		return overlay.Config{}, err
	}
	if !(f.opacity >= 0 && f.opacity <= 1) {
		return overlay.Config{}, fmt.Errorf("--opacity %v: want over 0 up to 1", f.opacity)
	}
	c := overlay.Config{View: view, Levels: levels, Opacity: f.opacity}
	switch f.level {
	case "all":
		c.All = true
	case "":
		c.Level = max(0, levels-2) // object, if the model has that many
	default:
		if c.Level, err = parseLevel(f.level, levels); err != nil {
			return overlay.Config{}, err
		}
	}
	return c, nil
}

// drawing is what to draw, and the levels that it needs at pixel size.
type drawing struct {
	drawer *overlay.Drawer
	levels []int
}

func (f *drawFlags) drawing(levels int) (drawing, error) {
	c, err := f.config(levels)
	if err != nil {
		return drawing{}, err
	}
	d := drawing{levels: []int{c.Level}}
	if c.All {
		d.levels = all(levels)
	}
	if c.View != overlay.Islands {
		d.levels = nil
	}
	d.drawer, err = overlay.New(c)
	return d, err
}

// parseLevel takes a number or a name.
func parseLevel(s string, levels int) (int, error) {
	var names []string
	for l := range levels {
		name := overlay.LevelName(l, levels)
		if s == name || s == strconv.Itoa(l) {
			return l, nil
		}
		names = append(names, name)
	}
	return 0, fmt.Errorf("--level %q: want 0 to %d, a name (%s) or all", s, levels-1, strings.Join(names, ", "))
}

func all(n int) []int {
	v := make([]int, n)
	for i := range v {
		v[i] = i
	}
	return v
}
