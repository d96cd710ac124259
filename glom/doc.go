// Package glom implements the settling of Hinton's GLOM ("How to represent part-whole
// hierarchies in a neural network", arXiv:2102.12627) on the frames of a video.
//
// Every location of a grid carries one embedding, a unit vector, at each of a few levels, from
// sub-part to scene. A settling step makes each embedding the weighted mean of a bottom-up
// prediction from the level below, a top-down prediction from the level above, its previous
// value, and an attention-weighted mean of its neighbours at the same level. Islands of nearly
// identical vectors form; they are the nodes of a parse tree. On video one step per frame
// suffices, and the islands follow what moves.
//
// A [Model] holds the weights and the rule, a [State] the embeddings of one video:
//
//	m, err := glom.New(glom.Config{})     // five levels of 64 dimensions, untrained
//	s, err := m.NewState(22, 40)          // a grid of 22 by 40 locations
//	for each frame {
//		m.Step(s, evidence)               // (880, 64) unit vectors from the front end
//		object := s.Level(3)              // (880, 64)
//	}
//
// To learn, [Model.StepTape] records steps on a [Tape] and [Backprop] goes back through them;
// package train does the rest.
//
// Sizes in shape comments: N locations, row-major; L levels, 0 the lowest; D embedding
// dimension; H hidden units; P position features; K sampled offsets; T steps. All arrays are
// row-major float32 in one slice. A Model may be used by many goroutines at once, a State by one
// at a time. Results depend on the inputs alone, not on the number of processors.
//
// Large products go through gonum's blas32; package glom/onednn makes them fast.
package glom
