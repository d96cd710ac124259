package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"

	"glomstream/glom"
)

// Schema names the form of the JSON of a Report. Fields may be added under the same name; a change of what one means
// takes a new one. In glomstream.eval/1 parents were judged by the part with most of a child.
const Schema = "glomstream.eval/2"

// Report is what Run found. As JSON it never holds a number that is not finite.
type Report struct {
	Schema  string      `json:"schema"`
	Version string      `json:"version,omitempty"` // of the program
	Weights string      `json:"weights,omitempty"`
	Model   glom.Config `json:"model"`
	Sets    []SetReport `json:"sets"`
	Lock    *LockReport `json:"lock,omitempty"`
}

// SetReport is what was found on a set.
type SetReport struct {
	Name      string           `json:"name"`
	Mean      []Row            `json:"mean"` // over the sequences that have the score
	Sequences []SequenceReport `json:"sequences"`
}

// SequenceReport is what was found on a sequence.
type SequenceReport struct {
	Name     string  `json:"name"`
	Frames   int     `json:"frames"`
	Labelled int     `json:"labelled"`        // frames with a truth
	FPS      float64 `json:"frames_per_s"`    // of processor time of the model with front end and read-out of all levels
	Speed    float64 `json:"speed,omitempty"` // of the objects against the median of the picture, locations per frame
	Rows     []Row   `json:"rows"`
}

// Row holds the scores of one method. Task is one of
//
//	division  how it divides the frames, against the granularity Truth, or without if that is empty
//	salient   its mask of what is salient
//	follow    its masks of what it follows
type Row struct {
	Task   string             `json:"task"`
	Method string             `json:"method"`
	Level  *int               `json:"level,omitempty"` // of the model
	Truth  string             `json:"truth,omitempty"`
	Scores map[string]float64 `json:"scores"` // by the names of Measures
}

// tasks of a row.
const (
	taskDivision = "division"
	taskSalient  = "salient"
	taskFollow   = "follow"
)

// GLOM is the name of the model among the methods.
const GLOM = "glom"

// title names the row in a table.
func (r *Row) title() string {
	if r.Level == nil {
		return r.Method
	}
	return fmt.Sprintf("%s, level %d", r.Method, *r.Level)
}

// same tells whether two rows of different sequences belong together.
func (r *Row) same(o *Row) bool {
	level := func(r *Row) int {
		if r.Level == nil {
			return -1
		}
		return *r.Level
	}
	return r.Task == o.Task && r.Method == o.Method && r.Truth == o.Truth && level(r) == level(o)
}

// average returns the rows of all sequences, each the mean of those that have the score.
func average(seqs []SequenceReport) []Row {
	var rows []Row
	var sums []means
	for _, s := range seqs {
		for i := range s.Rows {
			r := &s.Rows[i]
			k := 0
			for k < len(rows) && !rows[k].same(r) {
				k++
			}
			if k == len(rows) {
				rows = append(rows, Row{Task: r.Task, Method: r.Method, Level: r.Level, Truth: r.Truth})
				sums = append(sums, make(means))
			}
			for name, v := range r.Scores {
				sums[k].add(name, v)
			}
		}
	}
	for k := range rows {
		rows[k].Scores = sums[k].scores()
	}
	return rows
}

// find returns the row of a method, nil if there is none.
func find(rows []Row, like Row) *Row {
	for i := range rows {
		if rows[i].same(&like) {
			return &rows[i]
		}
	}
	return nil
}

// Empty tells that nothing was measured.
func (r *Report) Empty() bool {
	for _, s := range r.Sets {
		if len(s.Sequences) > 0 {
			return false
		}
	}
	return r.Lock == nil
}

// WriteJSON writes the report as one indented JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(r)
}

// report returns the rows of a sequence.
func (s *scorer) report() SequenceReport {
	out := SequenceReport{Name: s.seq.Name, Frames: s.frames, Labelled: s.labelled}
	if s.speed.n > 0 {
		out.Speed = s.speed.sum / float64(s.speed.n)
	}
	add := func(task, method string, level *int, truth string, scores ...map[string]float64) {
		r := Row{Task: task, Method: method, Level: level, Truth: truth, Scores: make(map[string]float64)}
		for _, m := range scores {
			maps.Copy(r.Scores, m)
		}
		if len(r.Scores) > 0 {
			out.Rows = append(out.Rows, r)
		}
	}
	for i := range s.levels {
		v := &s.levels[i]
		var nesting map[string]float64
		if i < len(s.pairs) {
			nesting = s.pairs[i].scores()
		}
		add(taskDivision, GLOM, &v.level, "", v.labels.scores(s.seq.Still), nesting)
		for g, d := range v.divisions {
			add(taskDivision, GLOM, &v.level, s.seq.Grains[g], d.scores(), v.auc[g].scores())
		}
	}
	for _, o := range s.others {
		if o.failed != nil {
			continue
		}
		speed := map[string]float64{"fps": float64(s.frames) / max(o.busy.Seconds(), 1e-9)}
		add(taskDivision, o.name, nil, "", o.labels.scores(s.seq.Still), speed)
		for g, d := range o.divisions {
			add(taskDivision, o.name, nil, s.seq.Grains[g], d.scores())
		}
	}
	for _, o := range s.finders {
		add(taskSalient, o.name, nil, "", o.scores())
	}
	for _, o := range s.follow {
		add(taskFollow, o.name, nil, "", o.scores())
	}
	return out
}
