// Package eval runs the pipeline over videos and pictures whose islands are known and scores what
// it finds, beside what other methods find on the same frames.
//
//	set, err := eval.OpenSet("davis-dev")
//	report, err := eval.Run(ctx, eval.Config{Model: model, FrontEnd: frontEnd}, set)
//	err = report.WriteTable(os.Stdout)
//
// # What is compared
//
// Every level of the model is compared with every granularity of the truth (parts, objects, …),
// on the pixels of the truth, after the read-out at pixel size. Other methods divide each frame
// into as many regions as the object level has islands in that frame. No method sees the truth;
// where a score picks the best island of an object, that is an oracle, and the name says so.
//
// # Scores
//
// [Measures] lists all of them with their meaning. A score that is not defined for a sequence (the
// identity of islands in a single picture, say) is absent; numbers are always finite. The
// mean of a set is over the sequences that have the score.
//
// Packages metrics and pipeline do the work; this one decides what is added up over what.
package eval
