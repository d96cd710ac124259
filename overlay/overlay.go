package overlay

import (
	"fmt"
	"sync"

	"glomstream/capture"
)

// View is what a Drawer draws.
type View int

// The views.
const (
	Islands   View = iota // coloured islands with outlines
	Agreement             // heat map of the agreement at each location
	Flow                  // optical flow as hue and strength
	Unsettled             // heat map of how much faster each location changes than it can settle
)

// String returns the name that ParseView understands.
func (v View) String() string {
	switch v {
	case Islands:
		return "islands"
	case Agreement:
		return "agreement"
	case Flow:
		return "flow"
	case Unsettled:
		return "unsettled"
	}
	return fmt.Sprintf("View(%d)", int(v))
}

// ParseView returns the view called name: "islands", "agreement", "flow" or "unsettled".
func ParseView(name string) (View, error) {
	for _, v := range []View{Islands, Agreement, Flow, Unsettled} {
		if name == v.String() {
			return v, nil
		}
	}
	return 0, fmt.Errorf("view %q: unknown, use islands, agreement, flow or unsettled", name)
}

// Config says what to draw. The zero value draws the islands of level 0.
type Config struct {
	View    View
	Level   int     // the level to draw, 0 = finest, below Levels
	All     bool    // draw the source and all levels side by side instead; not with Flow
	Levels  int     // how many levels the scenes have, 1 to 32; 0 means 5
	Opacity float64 // of the drawing over the picture, up to 1; 0 means 0.45 for islands, 0.7 for heat map and flow
	NoHUD   bool    // no text and no legends
}

// Scene is one frame and what is known about it. Draw only reads it.
type Scene struct {
	Frame  *capture.Frame
	Levels int     // how many levels there are; 0 means what Config.Levels says
	FPS    float64 // frame rate to show; none is shown unless it is above 0

	Cut       bool    // the scene changed since the frame before, and the text says so
	Unsettled float64 // 0 to 1; the text warns from 0.25 on

	Labels [][]uint16 // (L, H*W) island id of each pixel of Frame, 0 = none; a nil or missing level was not read

	Rows, Cols int         // size of the location grid
	Agreement  [][]float32 // (L, Rows*Cols) 0 to 1; a nil or missing level was not read

	Unrest [][]float32 // (L, Rows*Cols) 0 to 1, what the view Unsettled shows; as Agreement

	FlowW, FlowH int
	Flow         []float32 // (FlowH, FlowW, 2) motion dx, dy in flow pixels per frame; nil if there is none
}

// Drawer draws scenes. Make one with New.
type Drawer struct {
	cfg     Config
	styles  [paletteSize]style
	heat    [256]bgr  // the colours of the heat map from 0 to 1
	washes  [256]wash // the same, to draw with
	wheel   *wheel
	faces   []face    // smallest first
	names   []string  // (L) "level 3 object"
	scratch sync.Pool // of *scratch
}

// New returns a drawer, or an error if the configuration makes no sense.
func New(c Config) (*Drawer, error) {
	if c.Levels == 0 {
		c.Levels = 5
	}
	switch {
	case c.View < Islands || c.View > Unsettled:
		return nil, fmt.Errorf("overlay view %d: unknown", int(c.View))
	case c.Levels < 1 || c.Levels > 32:
		return nil, fmt.Errorf("overlay of %d levels: want 1 to 32", c.Levels)
	case c.Level < 0 || c.Level >= c.Levels:
		return nil, fmt.Errorf("overlay of level %d: there are levels 0 to %d", c.Level, c.Levels-1)
	case c.All && c.View == Flow:
		return nil, fmt.Errorf("overlay of flow at all levels: flow has no levels, draw it alone")
	case !(c.Opacity >= 0 && c.Opacity <= 1):
		return nil, fmt.Errorf("overlay opacity %v: want 0 to 1", c.Opacity)
	}
	if c.Opacity == 0 {
		c.Opacity = defaultOpacity(c.View)
	}
	d := &Drawer{cfg: c, heat: heatColours(), wheel: newWheel(c.Opacity)}
	for i := range d.styles {
		d.styles[i] = newStyle(colourBGR(uint16(i+1)), c.Opacity)
	}
	for i, colour := range d.heat {
		d.washes[i] = newWash(colour, weightOf(c.Opacity))
	}
	for l := range c.Levels {
		d.names = append(d.names, fmt.Sprintf("level %d %s", l, LevelName(l, c.Levels)))
	}
	d.scratch.New = func() any { return new(scratch) }
	var err error
	if d.faces, err = newFaces(); err != nil {
		return nil, fmt.Errorf("overlay font: %w", err)
	}
	return d, nil
}

// Config returns what d draws, with the defaults filled in.
func (d *Drawer) Config() Config { return d.cfg }

func defaultOpacity(v View) float64 {
	if v == Islands {
		return 0.45
	}
	return 0.7
}

// LevelName names level l of a model with that many levels: "primary" is the finest and "scene" the
// coarsest. Levels that are neither have the names of the five-level model, counted from the top.
func LevelName(l, levels int) string {
	switch {
	case l == 0:
		return "primary"
	case l == levels-1:
		return "scene"
	case l == levels-2:
		return "object"
	case l == levels-3:
		return "part"
	}
	return "sub-part"
}

// Draw draws s on all of canvas, which is Size of s.Frame and shares no memory with it. Only the
// pixels of canvas are written. What the scene does not have is not drawn, and the text says so.
// It panics if sizes do not fit together.
func (d *Drawer) Draw(canvas *capture.Frame, s *Scene) {
	d.check(canvas, s)
	if d.cfg.All {
		d.drawAll(canvas, s)
		return
	}
	switch l := d.cfg.Level; d.cfg.View {
	case Islands:
		labels := level(s.Labels, l)
		d.drawIslands(canvas, s.Frame, labels)
		d.title(canvas, d.names[l], note(labels != nil), s.status())
	case Agreement, Unsettled:
		v := level(d.values(s), l)
		d.drawHeat(canvas, s.Frame, s, v)
		d.title(canvas, d.names[l], note(v != nil), s.status())
		d.heatLegend(canvas)
	case Flow:
		d.drawFlow(canvas, s)
		d.title(canvas, "flow", note(s.Flow != nil), s.status())
		d.flowLegend(canvas)
	}
}

// level returns x[l], nil if there is no such level.
func level[T any](x [][]T, l int) []T {
	if l >= len(x) {
		return nil
	}
	return x[l]
}

// note says of what is not known that it is not.
func note(known bool) string {
	if known {
		return ""
	}
	return ": not read"
}

// check panics unless everything that Draw will read and write has the size that it should.
func (d *Drawer) check(canvas *capture.Frame, s *Scene) {
	checkFrame("frame", s.Frame)
	checkFrame("canvas", canvas)
	if w, h := d.Size(s.Frame.W, s.Frame.H); canvas.W != w || canvas.H != h {
		panic(fmt.Sprintf("overlay: canvas is %dx%d, want %dx%d", canvas.W, canvas.H, w, h))
	}
	if s.Levels != 0 && s.Levels != d.cfg.Levels {
		panic(fmt.Sprintf("overlay: scene has %d levels, Config.Levels is %d", s.Levels, d.cfg.Levels))
	}
	checkLevels("labels", s.Labels, s.Frame.W, s.Frame.H)
	checkLevels("agreement", s.Agreement, s.Cols, s.Rows)
	checkLevels("unrest", s.Unrest, s.Cols, s.Rows)
	if s.Flow != nil && (s.FlowW < 1 || s.FlowH < 1 || len(s.Flow) != 2*s.FlowW*s.FlowH) {
		panic(fmt.Sprintf("overlay: flow has %d values, want 2 for each of %dx%d", len(s.Flow), s.FlowW, s.FlowH))
	}
}

func checkFrame(name string, f *capture.Frame) {
	if f.W < 1 || f.H < 1 || f.Stride < 3*f.W || len(f.Pix) < (f.H-1)*f.Stride+3*f.W {
		panic(fmt.Sprintf("overlay: %s of %dx%d, stride %d has %d bytes", name, f.W, f.H, f.Stride, len(f.Pix)))
	}
}

func checkLevels[T any](name string, x [][]T, w, h int) {
	for l, v := range x {
		if v != nil && (w < 1 || h < 1 || len(v) != w*h) {
			panic(fmt.Sprintf("overlay: %s of level %d have length %d, want %dx%d", name, l, len(v), w, h))
		}
	}
}
