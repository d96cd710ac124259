package glom

import "glomstream/glom/internal/vec"

// Dot returns a·b, summed over the length of a; b is at least as long.
func Dot(a, b []float32) float32 { return vec.Dot(a, b) }

// Kernels names the form of the hot loops that this build and processor use.
func Kernels() string { return vec.Kernels() }
