package cli

import (
	"fmt"
	"io"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"glomstream/glom/train"
)

// window is the number of updates over which a curve is smoothed, as a share of all.
const window = 1.0 / 50

// curve picks a number out of a report, if it has it.
type curve struct {
	name string
	of   func(train.Report) (v float64, ok bool)
}

// drawCurves draws the curves of a log into a PNG file: the losses, the length of the gradient and,
// level by level, how far the vectors are from collapse. All are means over some updates.
func drawCurves(logName, pngName string) error {
	f, err := os.Open(logName)
	if err != nil {
		return fmt.Errorf("draw curves: %w", err)
	}
	defer f.Close()
	reports, err := train.ReadLog(f)
	if err != nil {
		return fmt.Errorf("draw curves of %q: %w", logName, err)
	}
	if len(reports) < 2 { // a point is no curve
		return nil
	}
	var losses []curve
	for _, name := range train.LossNames() {
		losses = append(losses, curve{name, func(r train.Report) (float64, bool) { v, ok := r.Losses[name]; return v, ok }})
	}
	gradient := []curve{{"", func(r train.Report) (float64, bool) { return r.Norm, true }}}
	plots := [][]*plot.Plot{
		{panel("loss, weighted", true, losses, reports), panel("length of the gradient", true, gradient, reports)},
		{
			panel("mean cosine", false, byLevel(reports, func(h *train.Health) []float64 { return h.Cosine }), reports),
			panel("effective rank", true, byLevel(reports, func(h *train.Health) []float64 { return h.Rank }), reports),
		},
	}
	canvas := vgimg.New(30*vg.Centimeter, 20*vg.Centimeter)
	tiles := draw.Tiles{Rows: 2, Cols: 2, PadX: vg.Centimeter, PadY: vg.Centimeter, PadTop: vg.Points(6), PadRight: vg.Points(6)}
	for r, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		for c, tile := range row {
			plots[r][c].Draw(tile)
		}
	}
	return train.ReplaceFile(pngName, func(w io.Writer) error {
		_, err := vgimg.PngCanvas{Canvas: canvas}.WriteTo(w)
		return err
	})
}

// byLevel returns a curve for each level of a measure of health.
func byLevel(reports []train.Report, of func(*train.Health) []float64) []curve {
	levels := 0
	for _, r := range reports {
		if r.Health != nil {
			levels = max(levels, len(of(r.Health)))
		}
	}
	var list []curve
	for l := range levels {
		list = append(list, curve{fmt.Sprintf("level %d", l), func(r train.Report) (float64, bool) {
			if r.Health == nil || l >= len(of(r.Health)) {
				return 0, false
			}
			return of(r.Health)[l], true
		}})
	}
	return list
}

// panel draws curves, if asked on a scale of powers of ten.
func panel(title string, powers bool, curves []curve, reports []train.Report) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "update", title
	drawn := 0
	for k, c := range curves {
		points := smooth(reports, c, powers)
		if len(points) < 2 {
			continue
		}
		line := &plotter.Line{XYs: points, LineStyle: plotter.DefaultLineStyle}
		line.Color, line.Dashes = plotutil.Color(k), plotutil.Dashes(k/7)
		p.Add(line)
		if c.name != "" {
			p.Legend.Add(c.name, line)
		}
		drawn++
	}
	if drawn == 0 { // a scale without values cannot be drawn
		p.HideAxes()
		return p
	}
	p.Legend.Top = true // in the room that is left above the curves
	if powers {
		p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
		p.Y.Max *= 5
	} else {
		p.Y.Max += 0.4 * (p.Y.Max - p.Y.Min)
	}
	return p
}

// smooth returns the means of a curve over groups of updates, if powers are asked for without those
// that are not above 0, which a logarithm cannot show.
func smooth(reports []train.Report, c curve, powers bool) plotter.XYs {
	group := max(1, int(window*float64(len(reports))))
	var points plotter.XYs
	for first := 0; first+group <= len(reports); first += group {
		var sum, n float64
		for _, r := range reports[first : first+group] {
			if v, ok := c.of(r); ok {
				sum, n = sum+v, n+1
			}
		}
		if mean := sum / n; n > 0 && (mean > 0 || !powers) {
			points = append(points, plotter.XY{X: float64(reports[first+group-1].Step), Y: mean})
		}
	}
	return points
}
