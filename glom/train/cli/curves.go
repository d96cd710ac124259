package cli

import (
	"fmt"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"

	"glomstream/glom/train"
)

// window is the number of updates over which a curve is smoothed, as a share of all.
const window = 1.0 / 50

// drawCurves draws the losses of a log, each by its mean over some updates, into a PNG file.
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
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "update", "loss, weighted"
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top = true // in the room that is left above the curves
	drawn := 0
	for k, name := range train.LossNames() {
		points := smooth(reports, name)
		if len(points) < 2 {
			continue
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			return fmt.Errorf("draw curves: %w", err)
		}
		line.Color, line.Dashes = plotutil.Color(k), plotutil.Dashes(k/7)
		p.Add(line)
		p.Legend.Add(name, line)
		drawn++
	}
	if drawn == 0 { // a scale without values cannot be drawn
		return nil
	}
	p.Y.Max *= 5
	if err := p.Save(18*vg.Centimeter, 12*vg.Centimeter, pngName); err != nil {
		return fmt.Errorf("draw curves: %w", err)
	}
	return nil
}

// smooth returns the means of one loss over groups of updates, without those that are not above 0,
// which a logarithm cannot show.
func smooth(reports []train.Report, name string) plotter.XYs {
	group := max(1, int(window*float64(len(reports))))
	var points plotter.XYs
	for first := 0; first+group <= len(reports); first += group {
		var sum float64
		for _, r := range reports[first : first+group] {
			sum += r.Losses[name] / float64(group)
		}
		if sum > 0 {
			points = append(points, plotter.XY{X: float64(reports[first+group-1].Step), Y: sum})
		}
	}
	return points
}
