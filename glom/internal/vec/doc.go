// Package vec holds the vector kernels of the model and of its training: the innermost loops,
// forward and backward, and the matrix product.
//
// Each is written once as a plain loop over float32 or float64 (loops.go, back.go). For float32,
// where the build and the processor have vector instructions, a vector form stands in (simd.go,
// avx512.go); tests compare both. So the code above this package is the same for both types: it
// runs in float32, and its gradients are checked in float64.
//
// Shapes: D length of a vector, K keys, N rows. Kernels write to what comes first, allocate
// nothing, and functions whose name begins with Add or ends in Back add to their gradients unless
// they say that they write.
package vec
