package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"strconv"

	"glomstream/glom/islands"
	"glomstream/overlay"
	"glomstream/pipeline"
)

// lines writes one JSON object per frame and flushes it.
type lines struct {
	name string
	file io.Closer // nil for the standard output
	buf  *bufio.Writer
}

func newLines(name string, stdout io.Writer) (*lines, error) {
	if name == "-" {
		return &lines{name: "standard output", buf: bufio.NewWriter(stdout)}, nil
	}
	file, err := os.Create(name)
	if err != nil {
		return nil, fmt.Errorf("create %q: %w", name, bare(err))
	}
	return &lines{name: strconv.Quote(name), file: file, buf: bufio.NewWriter(file)}, nil
}

// frameSchema names the schema of a frameLine. What it means is told in docs/schema.md, for
// programs in docs/schema/frame-2.json. New fields may come under the same name; a change of what
// is there needs a new number.
const frameSchema = "glomstream.frame/2"

// frameLine is the parse tree of a frame, one line of --json. Positions and areas are in pixels of
// the frame, y downward, as precise as the grid of locations.
type frameLine struct {
	Schema    string      `json:"schema"`
	Frame     uint64      `json:"frame"`  // number from 0; a gap is a frame that was dropped
	Time      float64     `json:"time_s"` // presentation time in seconds
	Width     int         `json:"width"`
	Height    int         `json:"height"`
	Dropped   int         `json:"dropped"`   // frames dropped so far
	Cut       bool        `json:"cut"`       // the scene changed since the frame before: ids start anew
	Steps     int         `json:"steps"`     // settling steps taken on this frame
	Unsettled float64     `json:"unsettled"` // how much faster the frame changes than it can settle, 0 to 1
	Levels    []levelLine `json:"levels"`    // the finest first
}

type levelLine struct {
	Level     int          `json:"level"`
	Name      string       `json:"name"`
	Nesting   float64      `json:"nesting,omitzero"` // mean over all locations; absent at the top
	Agreement float64      `json:"agreement"`
	Events    []eventLine  `json:"events,omitempty"` // what happened to its islands since the frame before
	Islands   []islandLine `json:"islands"`
}

type eventLine struct {
	Kind  string `json:"kind"` // birth, split, merge, lost, found or death
	ID    uint16 `json:"id"`
	Other uint16 `json:"other,omitempty"` // what it split from or merged into
}

type islandLine struct {
	ID         uint16      `json:"id"`               // the same from frame to frame
	Parent     uint16      `json:"parent,omitempty"` // id one level up; absent at the top
	Nesting    float64     `json:"nesting,omitzero"` // do its vectors end with its parent, 0 to 1; absent at the top
	Area       float64     `json:"area"`
	Box        [4]float64  `json:"box"`      // x, y, width, height
	Centroid   [2]float64  `json:"centroid"` // x, y
	Outline    [][]float64 `json:"outline"`  // rings x, y, x, y, …, filled by the even-odd rule
	Norm       float64     `json:"norm"`
	Spread     float64     `json:"spread"`
	Agreement  float64     `json:"agreement"`
	Age        int         `json:"age"` // frames since it was born
	Confidence float64     `json:"confidence"`
}

func (l *lines) Write(r *pipeline.Result) error {
	err := json.NewEncoder(l.buf).Encode(describe(r))
	if err == nil {
		err = l.buf.Flush()
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", l.name, bare(err))
	}
	return nil
}

func (l *lines) Close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// describe returns the parse tree of a frame in pixels.
func describe(r *pipeline.Result) frameLine {
	line := frameLine{
		Schema: frameSchema, Frame: r.Frame.Seq, Time: round(r.Frame.PTS.Seconds(), 1e6), Width: r.Frame.W, Height: r.Frame.H,
		Dropped: r.Dropped, Cut: r.Cut, Steps: r.Steps, Unsettled: round(r.Unsettled, 1e4), Levels: make([]levelLine, len(r.Islands)),
	}
	for k := range r.Islands {
		in := &r.Islands[k]
		s := scale{float64(r.Frame.W) / float64(in.Cols), float64(r.Frame.H) / float64(in.Rows)}
		out := &line.Levels[k]
		*out = levelLine{
			Level: k, Name: overlay.LevelName(k, len(r.Islands)),
			Nesting: round(in.Nesting, 1e4), Agreement: round(in.Agreement, 1e4),
			Islands: make([]islandLine, len(in.Islands)),
		}
		for _, e := range in.Events {
			out.Events = append(out.Events, eventLine{Kind: e.Kind.String(), ID: e.ID, Other: e.Other})
		}
		for i := range in.Islands {
			out.Islands[i] = s.island(&in.Islands[i])
		}
	}
	return line
}

// scale is the size of a location in pixels.
type scale struct{ x, y float64 }

func (c scale) island(s *islands.Island) islandLine {
	b := s.Box
	out := islandLine{
		ID: s.ID, Parent: s.Parent, Nesting: round(s.Nesting, 1e4),
		Area: round(float64(s.Area)*c.x*c.y, 1),
		Box: [4]float64{
			round(float64(b.Min.X)*c.x, 10), round(float64(b.Min.Y)*c.y, 10),
			round(float64(b.Dx())*c.x, 10), round(float64(b.Dy())*c.y, 10),
		},
		Centroid: [2]float64{round((s.X+0.5)*c.x, 10), round((s.Y+0.5)*c.y, 10)},
		Outline:  make([][]float64, len(s.Outline)),
		Norm:     round(s.Norm, 1e4), Spread: round(s.Spread, 1e4), Agreement: round(s.Agreement, 1e4),
		Age: s.Age, Confidence: round(s.Confidence, 1e4),
	}
	for i, ring := range s.Outline {
		out.Outline[i] = c.ring(ring)
	}
	return out
}

func (c scale) ring(ring []image.Point) []float64 {
	out := make([]float64, 0, 2*len(ring))
	for _, p := range ring {
		out = append(out, round(float64(p.X)*c.x, 10), round(float64(p.Y)*c.y, 10))
	}
	return out
}

// round rounds to 1/unit. What is not finite, which JSON cannot say, becomes 0.
func round(v, unit float64) float64 {
	if r := math.Round(v*unit) / unit; !math.IsNaN(r) && !math.IsInf(r, 0) {
		return r + 0 // never -0
	}
	return 0
}
