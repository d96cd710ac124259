package eval

import (
	"fmt"
	"image/color"
	"path/filepath"
	"regexp"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// PlotNames returns the files that WritePlots may write for these sets, and the lock curve.
func PlotNames(sets []Set, lock bool) []string {
	var names []string
	for _, s := range sets {
		if len(s.Sequences) > 1 {
			names = append(names, plotName(s.Name, barsFile), plotName(s.Name, speedFile))
		}
	}
	if lock {
		names = append(names, lockFile)
	}
	return names
}

const (
	barsFile  = "sequences.png"
	speedFile = "speed.png"
	lockFile  = "lock.png"
)

// plotName is the name of a plot of a set.
func plotName(set, kind string) string {
	return regexp.MustCompile(`[^\w.-]+`).ReplaceAllString(set, "_") + "-" + kind
}

// WritePlots draws the report as PNG files into the folder dir, which exists: for each set of
// several sequences the scores of each (SET-sequences.png) and IoU against the speed of the
// objects (SET-speed.png), and the lock curve (lock.png). It returns the names of the files.
func (r *Report) WritePlots(dir string) ([]string, error) {
	var files []string
	save := func(p *plot.Plot, w, h vg.Length, name string) error {
		path := filepath.Join(dir, name)
		if err := p.Save(w, h, path); err != nil {
			return fmt.Errorf("write %q: %w", path, bare(err))
		}
		files = append(files, path)
		return nil
	}
	object := max(0, r.Model.Levels-2)
	for i := range r.Sets {
		s := &r.Sets[i]
		if len(s.Sequences) < 2 {
			continue
		}
		p, err := s.bars(object)
		if err != nil {
			return files, err
		}
		wide := vg.Length(max(8, len(s.Sequences)/2)) * vg.Centimeter * 1.6
		if err := save(p, wide, 11*vg.Centimeter, plotName(s.Name, barsFile)); err != nil {
			return files, err
		}
		if p, err = s.againstSpeed(object); err != nil {
			return files, err
		}
		if p == nil {
			continue
		}
		if err := save(p, 16*vg.Centimeter, 11*vg.Centimeter, plotName(s.Name, speedFile)); err != nil {
			return files, err
		}
	}
	if r.Lock != nil {
		p, err := r.Lock.plot()
		if err != nil {
			return files, err
		}
		if err := save(p, 16*vg.Centimeter, 11*vg.Centimeter, lockFile); err != nil {
			return files, err
		}
	}
	return files, nil
}

// colours of Okabe and Ito, which colour-blind eyes tell apart.
func colour(i int) color.Color {
	all := []color.NRGBA{
		{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255}, {86, 180, 233, 255}, {230, 159, 0, 255},
	}
	return all[i%len(all)]
}

// series is a score that is drawn.
type series struct {
	title string
	like  Row
	score string
}

// drawn are the scores of a set that are drawn.
func (s *SetReport) drawn(level int) []series {
	var out []series
	for _, row := range s.Mean {
		if row.Task == taskDivision && row.Method == GLOM && row.Level != nil && *row.Level == level && row.Truth != "" {
			out = append(out, series{"best island, object level, against " + row.Truth, row, "best_j"})
		}
	}
	for _, v := range []series{
		{"salient", Row{Task: taskSalient, Method: GLOM}, "j"},
		{"followed", Row{Task: taskFollow, Method: GLOM}, "j"},
	} {
		if find(s.Mean, v.like) != nil {
			out = append(out, v)
		}
	}
	return out
}

func (s *SetReport) bars(level int) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = s.Name
	p.Y.Label.Text = "IoU"
	p.Y.Min, p.Y.Max = 0, 1
	p.Legend.Top = true
	all := s.drawn(level)
	width := vg.Centimeter * 0.55 / vg.Length(max(1, len(all)))
	for k, v := range all {
		values := make(plotter.Values, len(s.Sequences))
		for i, q := range s.Sequences {
			if r := find(q.Rows, v.like); r != nil {
				values[i] = r.Scores[v.score]
			}
		}
		b, err := plotter.NewBarChart(values, width)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", v.title, err)
		}
		b.Color, b.LineStyle.Width = colour(k), 0
		b.Offset = width * (vg.Length(k) - vg.Length(len(all)-1)/2)
		p.Add(b)
		p.Legend.Add(v.title, b)
	}
	var names []string
	for _, q := range s.Sequences {
		names = append(names, q.Name)
	}
	p.NominalX(names...)
	p.X.Tick.Label.Rotation = 0.9
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
	return p, nil
}

// againstSpeed draws the scores of each sequence against the speed of its objects; nil if no
// sequence has a speed.
func (s *SetReport) againstSpeed(level int) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = s.Name
	p.X.Label.Text = "speed of the objects against the picture's median, locations per frame"
	p.Y.Label.Text = "IoU"
	p.Y.Min, p.Y.Max = 0, 1
	p.Legend.Top = true
	drawn := false
	for k, v := range s.drawn(level) {
		var points plotter.XYs
		for _, q := range s.Sequences {
			if r := find(q.Rows, v.like); r != nil && q.Speed > 0 {
				points = append(points, plotter.XY{X: q.Speed, Y: r.Scores[v.score]})
			}
		}
		if len(points) == 0 {
			continue
		}
		drawn = true
		d, err := plotter.NewScatter(points)
		if err != nil {
			return nil, fmt.Errorf("draw %s: %w", v.title, err)
		}
		d.Color, d.Shape, d.Radius = colour(k), draw.CircleGlyph{}, vg.Points(3)
		p.Add(d)
		p.Legend.Add(v.title, d)
	}
	if !drawn {
		return nil, nil
	}
	p.Add(plotter.NewGrid())
	return p, nil
}

func (l *LockReport) plot() (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = "Lock: one step per frame on a moving square"
	p.X.Label.Text = "speed, locations per frame"
	p.Y.Label.Text = "IoU of the best island"
	p.Y.Min, p.Y.Max = 0, 1
	p.Legend.Left = true
	p.Add(plotter.NewGrid())
	for k, c := range l.Curves {
		points := make(plotter.XYs, len(l.Speeds))
		for i, v := range l.Speeds {
			points[i] = plotter.XY{X: v, Y: c.IoU[i]}
		}
		line, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("draw the curve %s, %d: %w", c.Rule, c.Steps, err)
		}
		line.Color, line.Width, dots.Color, dots.Shape = colour(k/2), vg.Points(1.5), colour(k/2), draw.CircleGlyph{}
		if c.Steps == 2 {
			line.Dashes = []vg.Length{vg.Points(5), vg.Points(3)}
		}
		p.Add(line, dots)
		p.Legend.Add(fmt.Sprintf("%s rule, %d a frame", c.Rule, c.Steps), line, dots)
	}
	return p, nil
}
