// Package camera tells the motion of the camera from the motion of things: it fits what a moving
// camera gives to a flat scene to the optical flow of most of the picture.
package camera
