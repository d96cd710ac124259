package live

import (
	"image/color"
	"sync"

	"glomstream/capture"
	"glomstream/glom/islands"
	"glomstream/overlay"
	"glomstream/overlay/meta"
)

// drawers makes a drawer for each level when it is needed.
type drawers struct {
	mu   sync.Mutex
	base overlay.Config
	made map[int]*overlay.Drawer
}

// level returns the drawer of a level, -1 for what is shown to all.
func (d *drawers) level(l int) (*overlay.Drawer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made[l] != nil {
		return d.made[l], nil
	}
	c := d.base
	if l >= 0 {
		c.Level, c.All = l, false
	}
	made, err := overlay.New(c)
	if err == nil {
		d.made[l] = made
	}
	return made, err
}

// change has another level or opacity drawn from now on; nil leaves it as it is.
func (d *drawers) change(level *int, opacity *float64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if level != nil {
		d.base.Level, d.base.All = *level, false
	}
	if opacity != nil {
		d.base.Opacity = *opacity
	}
	d.made = map[int]*overlay.Drawer{}
}

// now tells what is shown to all.
func (d *drawers) now() *meta.Drawn {
	drawer, err := d.level(-1)
	if err != nil {
		return nil // New has tried it
	}
	c := drawer.Config()
	return &meta.Drawn{Level: c.Level, All: c.All, Opacity: c.Opacity}
}

// painter draws shots. It keeps its memory, and is for one goroutine at a time.
type painter struct {
	ups    islands.Upsampler
	labels [][]uint16 // (L) of (H, W)
}

// paint draws the islands of s at a level, -1 for what is shown to all, on a canvas from the pool.
func (p *painter) paint(d *drawers, level int, s *shot, pool *capture.Pool) (capture.Frame, error) {
	drawer, err := d.level(level)
	if err != nil {
		return capture.Frame{}, err
	}
	canvas := pool.Frame(drawer.Size(s.frame.W, s.frame.H))
	scene := s.scene(p.read(drawer.Config(), s))
	drawer.Draw(&canvas, &scene)
	if s.followed != nil && canvas.W == s.frame.W && canvas.H == s.frame.H { // side by side the levels have another size
		overlay.Outline(&canvas, s.mask, color.RGBA{255, 255, 255, 255})
	}
	return canvas, nil
}

// read finds the labels that are drawn.
func (p *painter) read(c overlay.Config, s *shot) [][]uint16 {
	if len(p.labels) != len(s.levels) {
		p.labels = make([][]uint16, len(s.levels))
	}
	if c.View != overlay.Islands {
		return nil
	}
	f := &s.frame
	out := make([][]uint16, len(s.levels))
	for l := range s.levels {
		if !c.All && l != c.Level {
			continue
		}
		if cap(p.labels[l]) < f.W*f.H {
			p.labels[l] = make([]uint16, f.W*f.H)
		}
		out[l] = p.labels[l][:f.W*f.H]
		p.ups.Labels(out[l], f.W, f.H, &s.levels[l], f.Pix, f.Stride)
	}
	return out
}

// signed writes a sign across a picture, if there is one.
func (d *drawers) signed(f *capture.Frame, sign string) {
	if sign == "" {
		return
	}
	if drawer, err := d.level(-1); err == nil {
		drawer.Sign(f, sign)
	}
}
