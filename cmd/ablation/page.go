package main

import (
	"bytes"
	"fmt"
	"io"

	"glomstream/pipeline/eval"
)

// column is a score of the table.
type column struct {
	title, score string
	task, truth  string
	level        bool // of the object level
	best         bool // more is better, and the most is marked
}

func columns() []column {
	const division = "division"
	return []column{
		{title: "AUC", score: "auc", task: division, truth: "objects", level: true, best: true},
		{title: "best J", score: "best_j", task: division, truth: "objects", level: true, best: true},
		{title: "ARI", score: "ari", task: division, truth: "objects", level: true, best: true},
		{title: "salient J", score: "j", task: "salient", best: true},
		{title: "follow J", score: "j", task: "follow", best: true},
		{title: "islands", score: "islands", task: division, level: true},
	}
}

// of returns the score of a variant.
func (c *column) of(v *variant) (score float64, ok bool) {
	for _, r := range v.report.Sets[0].Mean {
		object := r.Level != nil && *r.Level == v.report.Model.Levels-2
		if r.Task == c.task && r.Truth == c.truth && r.Method == eval.GLOM && object == c.level {
			score, ok = r.Scores[c.score]
			return score, ok
		}
	}
	return 0, false
}

// write writes the page.
func write(w io.Writer, list []variant, base []byte) {
	fmt.Fprintf(w, `# What each piece is worth

Made by `+"`make ablation`"+`. Each variant was trained anew, with the same clips and for as long:
%s.
It differs from the first line in what its settings below say. Then `+"`glom eval`"+` measured it on
%s, one settling step per frame, with its own rule and weights.

`, list[0].budget(), list[0].measured())
	cols := columns()
	fmt.Fprint(w, "| variant |")
	for _, c := range cols {
		fmt.Fprintf(w, " %s |", c.title)
	}
	fmt.Fprint(w, "\n|---|")
	for range cols {
		fmt.Fprint(w, "---:|")
	}
	fmt.Fprintln(w)
	for i := range list {
		fmt.Fprintf(w, "| %s |", list[i].name)
		for _, c := range cols {
			fmt.Fprintf(w, " %s |", c.cell(&list[i], list))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, `
AUC, best-island J and ARI are those of the object level against the objects, islands those of a
frame at that level; [results.md](results.md) says what the scores are. Without flow the evidence has
no motion, in training and here; ids, salient objects and following still use the flow.

`)
	fmt.Fprintf(w, "## Settings\n\nOf all:\n\n%s", code(base))
	for i := range list {
		fmt.Fprintf(w, "\n%s:\n\n%s", list[i].name, code(list[i].changes))
	}
}

// cell is a score as text, in bold if none of the list is better.
func (c *column) cell(v *variant, list []variant) string {
	score, ok := c.of(v)
	if !ok {
		return ""
	}
	text := fmt.Sprintf("%.3f", score)
	if !c.best {
		return fmt.Sprintf("%.1f", score)
	}
	for i := range list {
		if other, ok := c.of(&list[i]); ok && other > score {
			return text
		}
	}
	return "**" + text + "**"
}

func code(text []byte) string { return "```json\n" + string(bytes.TrimSpace(text)) + "\n```\n" }
