//go:build !(amd64 && goexperiment.simd)

package glom

func dot(a, b []float32) float32               { return dotLoop(a, b) }
func addPrior(s, rows, cols []float32) float32 { return addPriorLoop(s, rows, cols) }
func expSum(s []float32, top float32) float32  { return expSumLoop(s, top) }
func geluBias(h, b []float32)                  { geluBiasLoop(h, b) }
func scale(y []float32, s float32)             { scaleLoop(y, s) }
func mix(y, bu, td, prev, att []float32, wBU, wTD, wPrev, wAtt float32) float32 {
	return mixLoop(y, bu, td, prev, att, wBU, wTD, wPrev, wAtt)
}

func attendKeys(att, logits, q, x []float32, keys []int32, beta float32) float32 {
	return attendKeysLoop(att, logits, q, x, keys, beta)
}

// Kernels names the form of the hot loops that this build and processor use.
func Kernels() string { return "portable loops" }
