package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"glomstream/glom/train"
)

// progress shows how far a run is: a bar on a terminal, else a line for the first update and then
// every few seconds. Alarms are shown at once.
type progress struct {
	out   io.Writer
	drawn bool // as a bar
	stop  int  // the run ends after so many updates, 0 for the whole schedule

	bar         *progressbar.ProgressBar // from the first update on
	began, last time.Time
	first       int    // updates before the first that was shown
	latest      string // line of the latest update
}

func newProgress(out io.Writer, stop int) *progress {
	f, ok := out.(*os.File)
	return &progress{out: out, stop: stop, drawn: ok && term.IsTerminal(int(f.Fd())), began: time.Now()}
}

func (p *progress) show(r train.Report, c train.Config) {
	end := c.Updates
	if p.stop > 0 {
		end = min(end, p.stop)
	}
	if p.last.IsZero() {
		p.first = r.Step - 1
	}
	now := time.Now()
	each := now.Sub(p.began) / time.Duration(r.Step-p.first)
	p.latest = fmt.Sprintf("%d/%d  loss %.4f  (%s)  norm %.2f  %.1f clips/s", r.Step, c.Updates, r.Loss, parts(r), r.Norm, float64(c.Clips)/each.Seconds())
	var alarms []string
	if r.Health != nil {
		alarms = r.Health.Alarms()
	}
	switch {
	case p.drawn:
		p.draw(r, c, end)
	case now.Sub(p.last) >= 5*time.Second || r.Step == end || len(alarms) > 0:
		fmt.Fprintf(p.out, "%s  %v left\n", p.latest, (each * time.Duration(end-r.Step)).Round(time.Second))
	default:
		return
	}
	p.last = now
	for _, a := range alarms {
		p.clear()
		fmt.Fprintf(p.out, "collapse: update %d, %s\n", r.Step, a)
	}
}

// parts tells the losses one by one.
func parts(r train.Report) string {
	var list []string
	for _, name := range train.LossNames() {
		if v, ok := r.Losses[name]; ok {
			list = append(list, fmt.Sprintf("%s %.4f", name, v))
		}
	}
	return strings.Join(list, "  ")
}

// draw draws the bar, which counts the clips after the first update that it saw: how long that
// took is not known to it.
func (p *progress) draw(r train.Report, c train.Config, end int) {
	if p.bar == nil {
		p.bar = progressbar.NewOptions(max(1, (end-r.Step)*c.Clips),
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetItsString("clips"), progressbar.OptionShowIts(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionSetElapsedTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(20))
	}
	_ = p.bar.Set((r.Step - p.first - 1) * c.Clips) // a bar that cannot be drawn is no reason to stop
	p.bar.Describe(fmt.Sprintf("%d/%d  loss %.4f", r.Step, c.Updates, r.Loss))
}

func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// end leaves the latest update in the place of the bar.
func (p *progress) end() {
	if p.bar != nil {
		p.clear()
		fmt.Fprintln(p.out, p.latest)
	}
}
