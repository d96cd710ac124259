package eval

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// WriteTable writes the means of all sets as tables for a terminal or a Markdown page: one of what
// is judged against each granularity, one of the divisions themselves, one each for salient and
// followed objects, and for several granularities how well each level fits each of them.
func (r *Report) WriteTable(w io.Writer) error {
	b := bufio.NewWriter(w)
	for i := range r.Sets {
		writeSet(b, &r.Sets[i], r.Model.Levels)
	}
	if r.Lock != nil {
		r.Lock.write(b)
	}
	return b.Flush()
}

// WritePage writes the tables as a Markdown page that says how it was made, what the columns are,
// and shows the plots.
func (r *Report) WritePage(w io.Writer, command string, plots []string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Results\n\nMade by `%s`", command)
	if r.Version != "" {
		fmt.Fprintf(b, ", version %s", r.Version)
	}
	c := &r.Model
	fmt.Fprintf(b, ".\n\nModel: weights %s, %d levels of %d dimensions, order %s, query %s, %s attention; one settling step per frame unless it says otherwise.\nMethods other than glom divide each frame into as many regions as the object level has islands. Scores that pick the best island are an oracle's, frame by frame; salient objects are found without one.\n\n",
		r.Weights, c.Levels, c.Dim, c.Order, c.Query, c.Attention)
	for _, p := range plots {
		fmt.Fprintf(b, "![%s](%s)\n", strings.TrimSuffix(p, ".png"), p)
	}
	if len(plots) > 0 {
		fmt.Fprintln(b)
	}
	if err := r.WriteTable(b); err != nil {
		return err
	}
	fmt.Fprintf(b, "## The columns\n\n")
	for _, m := range Measures() {
		arrow := ""
		if m.Lower {
			arrow = " (less is better)"
		}
		fmt.Fprintf(b, "- **%s**%s: %s\n", m.Title, arrow, m.Text)
	}
	return b.Flush()
}

func writeSet(w io.Writer, s *SetReport, levels int) {
	if len(s.Sequences) == 0 {
		return
	}
	frames, labelled := 0, 0
	for _, q := range s.Sequences {
		frames += q.Frames
		labelled += q.Labelled
	}
	fmt.Fprintf(w, "## %s\n\n%s, %s, %d of them with a truth.\n\n", s.Name,
		plural(len(s.Sequences), "sequence"), plural(frames, "frame"), labelled)
	var grains []string
	for _, row := range s.Mean {
		if row.Truth != "" && !slices.Contains(grains, row.Truth) {
			grains = append(grains, row.Truth)
		}
	}
	if len(grains) > 1 {
		writeMatrix(w, s.Mean, grains, levels)
	}
	for _, g := range grains {
		writeRows(w, "Against "+g, s.Mean, func(r *Row) bool { return r.Task == taskDivision && r.Truth == g })
	}
	writeRows(w, "Without a truth", s.Mean, func(r *Row) bool { return r.Task == taskDivision && r.Truth == "" })
	writeRows(w, "Salient objects, no oracle", s.Mean, func(r *Row) bool { return r.Task == taskSalient })
	writeRows(w, "Followed from the first mask", s.Mean, func(r *Row) bool { return r.Task == taskFollow })
	if len(s.Sequences) > 1 {
		writeSequences(w, s, grains[len(grains)-1], max(0, levels-2))
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// writeRows writes the rows that match, with a column for each measure that any of them has.
func writeRows(w io.Writer, title string, rows []Row, match func(*Row) bool) {
	var chosen []*Row
	for i := range rows {
		if match(&rows[i]) {
			chosen = append(chosen, &rows[i])
		}
	}
	if len(chosen) == 0 {
		return
	}
	var cols []Measure
	for _, m := range Measures() {
		if slices.ContainsFunc(chosen, func(r *Row) bool { _, ok := r.Scores[m.Name]; return ok }) {
			cols = append(cols, m)
		}
	}
	t := table{head: []string{"method"}}
	for _, m := range cols {
		t.head = append(t.head, m.Title)
	}
	for _, r := range chosen {
		line := []string{r.title()}
		for _, m := range cols {
			line = append(line, cell(r.Scores, m.Name))
		}
		t.rows = append(t.rows, line)
	}
	t.write(w, title)
}

// cell is a score as text.
func cell(scores map[string]float64, name string) string {
	v, ok := scores[name]
	if !ok {
		return ""
	}
	return number(v)
}

func number(v float64) string {
	switch {
	case v >= 100 || v <= -100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10 || v <= -10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// writeMatrix writes how well each level fits each granularity, the best of a column marked.
func writeMatrix(w io.Writer, rows []Row, grains []string, levels int) {
	for _, m := range []struct{ name, title string }{{"best_j", "Level against granularity, best-island J"}, {"fg_ari", "Level against granularity, FG-ARI"}} {
		t := table{head: append([]string{"level"}, grains...)}
		best := make([]float64, len(grains))
		values := make([][]string, levels)
		at := make([]int, len(grains))
		for l := range levels {
			values[l] = []string{strconv.Itoa(l)}
			for g, grain := range grains {
				text := ""
				if r := find(rows, Row{Task: taskDivision, Method: GLOM, Level: &l, Truth: grain}); r != nil {
					text = cell(r.Scores, m.name)
					if v, ok := r.Scores[m.name]; ok && (l == 0 || v > best[g]) {
						best[g], at[g] = v, l
					}
				}
				values[l] = append(values[l], text)
			}
		}
		for g := range grains {
			if s := &values[at[g]][g+1]; *s != "" {
				*s = "**" + *s + "**"
			}
		}
		t.rows = values
		t.write(w, m.title)
	}
}

// writeSequences writes a line for each sequence with the scores that the means are made of.
func writeSequences(w io.Writer, s *SetReport, grain string, level int) {
	t := table{head: []string{"sequence", "frames", "frames/s"}}
	type column struct {
		title string
		like  Row
		score string
	}
	columns := []column{
		{"best J", Row{Task: taskDivision, Method: GLOM, Level: &level, Truth: grain}, "best_j"},
		{"ARI", Row{Task: taskDivision, Method: GLOM, Level: &level, Truth: grain}, "ari"},
		{"AUC", Row{Task: taskDivision, Method: GLOM, Level: &level, Truth: grain}, "auc"},
		{"salient J", Row{Task: taskSalient, Method: GLOM}, "j"},
		{"follow J", Row{Task: taskFollow, Method: GLOM}, "j"},
	}
	columns = slices.DeleteFunc(columns, func(c column) bool { return find(s.Mean, c.like) == nil })
	for _, c := range columns {
		t.head = append(t.head, c.title)
	}
	for _, q := range s.Sequences {
		line := []string{q.Name, strconv.Itoa(q.Frames), number(q.FPS)}
		for _, c := range columns {
			text := ""
			if r := find(q.Rows, c.like); r != nil {
				text = cell(r.Scores, c.score)
			}
			line = append(line, text)
		}
		t.rows = append(t.rows, line)
	}
	t.write(w, fmt.Sprintf("Each sequence, level %d against %s", level, grain))
}

// table is text in columns, the first on the left and the others on the right.
type table struct {
	head []string
	rows [][]string
}

// write writes the table as Markdown that is aligned, so that it reads well as it is.
func (t *table) write(w io.Writer, title string) {
	wide := make([]int, len(t.head))
	for _, row := range append([][]string{t.head}, t.rows...) {
		for i, s := range row {
			wide[i] = max(wide[i], len(s))
		}
	}
	line := func(row []string) {
		for i, s := range row {
			pad := strings.Repeat(" ", wide[i]-len(s))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s ", s, pad)
			} else {
				fmt.Fprintf(w, "| %s%s ", pad, s)
			}
		}
		fmt.Fprintln(w, "|")
	}
	fmt.Fprintf(w, "%s:\n\n", title)
	line(t.head)
	for i, n := range wide {
		if i == 0 {
			fmt.Fprintf(w, "|%s", strings.Repeat("-", n+2))
		} else {
			fmt.Fprintf(w, "|%s:", strings.Repeat("-", n+1))
		}
	}
	fmt.Fprintln(w, "|")
	for _, r := range t.rows {
		line(r)
	}
	fmt.Fprintln(w)
}
