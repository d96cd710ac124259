// Package camera tells the motion of the camera from the motion of things: it brings optical flow to
// the grid of locations and fits what a moving camera gives to a flat scene to most of it.
package camera
