// Package onednn lets gonum's blas32 multiply matrices with oneDNN (Debian: libdnnl-dev), which
// is about ten times as fast as gonum's portable loops on a current processor.
//
//	onednn.Use()
//
// It is the only package that links libdnnl. oneDNN's own threads are kept at one per call,
// since callers here split their work over goroutines themselves.
package onednn
