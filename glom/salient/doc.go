// Package salient finds the things that move by themselves in a video whose camera may move too.
package salient
