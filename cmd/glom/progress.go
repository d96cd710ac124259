package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"glomstream/capture"
	"glomstream/pipeline"
)

// progress shows how far a run is: a bar on a terminal, else one JSON line a second.
type progress struct {
	out   io.Writer // nil: show nothing
	bar   *progressbar.ProgressBar
	total int // frames, 0 = unknown
	began time.Time
	last  time.Time // of the last line
}

func newProgress(quiet bool, info capture.Info, out io.Writer) *progress {
	p := &progress{total: info.Expected(), began: time.Now()}
	if info.Live {
		p.total = 0
	}
	p.last = p.began
	if quiet {
		return p
	}
	p.out = out
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		length := -1 // unknown
		if p.total > 0 {
			length = p.total
		}
		p.bar = progressbar.NewOptions(length,
			progressbar.OptionSetWriter(out), progressbar.OptionSetDescription(shorten(info.Name, 30)),
			progressbar.OptionSetItsString("frames"), progressbar.OptionShowIts(), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(p.total > 0), progressbar.OptionSetElapsedTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	return p
}

// shorten keeps the end of a name, which tells more than its beginning.
func shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return "…" + string(r[len(r)-n+1:])
}

// progressLine is one line of progress for programs.
type progressLine struct {
	Frame   int      `json:"frame"`
	Frames  int      `json:"frames,omitempty"` // in all; absent if unknown
	FPS     float64  `json:"fps"`
	ETA     *float64 `json:"eta_s,omitempty"`
	Dropped int      `json:"dropped"`
	Done    bool     `json:"done"`
}

func (p *progress) line(s pipeline.Stats, done bool) progressLine {
	l := progressLine{Frame: s.Frames, Frames: max(p.total, 0), Dropped: s.Dropped, Done: done}
	if t := time.Since(p.began).Seconds(); t > 0 {
		l.FPS = round(float64(s.Frames)/t, 10)
	}
	if p.total > 0 && l.FPS > 0 && !done {
		eta := round(float64(max(p.total-s.Frames, 0))/l.FPS, 10)
		l.ETA = &eta
	}
	return l
}

func (p *progress) update(s pipeline.Stats) {
	switch {
	case p.bar != nil:
		_ = p.bar.Set(min(s.Frames, max(p.total, s.Frames))) // a bar that cannot be drawn is no reason to stop
	case p.out != nil && time.Since(p.last) >= time.Second:
		p.last = time.Now()
		p.print(p.line(s, false))
	}
}

func (p *progress) print(l progressLine) {
	b, err := json.Marshal(l)
	if err != nil {
		panic(err) // plain numbers
	}
	fmt.Fprintf(p.out, "%s\n", b)
}

// count shows that so many frames of a longer job are done.
func (p *progress) count(what string, frames int) {
	if p.bar != nil {
		p.bar.Describe(shorten(what, 30))
	}
	p.update(pipeline.Stats{Frames: frames})
}

// clear takes the bar away.
func (p *progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// end takes the bar away. err is why the run ended.
func (p *progress) end(s pipeline.Stats, err error) {
	switch {
	case p.bar != nil:
		_ = p.bar.Clear()
	case p.out != nil && (err == nil || s.Frames > 0):
		p.print(p.line(s, err == nil))
	}
}

// summary says on a terminal what was done.
func (p *progress) summary(s pipeline.Stats, where string) error {
	if p.bar == nil {
		return nil
	}
	dropped := ""
	if s.Dropped > 0 {
		dropped = fmt.Sprintf(", %d dropped", s.Dropped)
	}
	_, err := fmt.Fprintf(p.out, "%d frames%s in %.1f s (%.1f frames/s): %s\n",
		s.Frames, dropped, s.Wall.Seconds(), float64(s.Frames)/s.Wall.Seconds(), where)
	return err
}
