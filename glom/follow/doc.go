// Package follow follows regions of a first frame through a video by the vectors of their parts
// and objects.
package follow
