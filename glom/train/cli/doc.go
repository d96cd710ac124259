// Package cli is the command line of a training run, for the small program glomtrain, which
// needs no OpenCV, and for glom train.
package cli
