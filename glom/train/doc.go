// Package train learns the weights of the model and of its front end from short clips.
//
// A [Trainer] takes updates: each draws a number of clips from a [clips.Source], runs front end
// and settling steps forward over the frames of each, adds up the losses of [Losses], and goes
// back through all of it; AdamW changes the weights. The forward pass is [glom.Model.StepTape],
// which is what the product runs.
//
//	t, err := train.New(train.Config{Updates: 1000})
//	for t.Step() < 1000 {
//		report, err := t.Update(ctx, source)
//	}
//	model, frontEnd := t.Averaged()
//
// First all clips go forward, then, with each other's vectors at hand, all go back. They are
// shared out among as many goroutines as there are processors, one clip to one
// goroutine. Each clip's gradient has its own memory and they are added in the order of the
// clips, so that the result does not depend on the number of processors. A clip is a function of
// its number and everything drawn at random of the seed and that number: a run that is saved and
// resumed gives the same bits as one that was not.
//
// [Run] is the whole of a training run, with its files: weights, checkpoints and log.
package train
