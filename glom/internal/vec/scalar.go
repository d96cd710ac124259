//go:build !(amd64 && goexperiment.simd)

package vec

func dot(a, b []float32) float32                         { return dotLoop(a, b) }
func axpy(y []float32, s float32, x []float32)           { axpyLoop(y, s, x) }
func addPrior(s, rows, cols []float32) float32           { return addPriorLoop(s, rows, cols) }
func expSum(s []float32, top float32) float32            { return expSumLoop(s, top) }
func softmaxBack(g, a []float32, s float32) float32      { return softmaxBackLoop(g, a, s) }
func biasRelu(y []float32, b float32)                    { biasReluLoop(y, b) }
func geluBias(h, b []float32)                            { geluBiasLoop(h, b) }
func geluBoth(h, d, b []float32)                         { geluBothLoop(h, d, b) }
func logistic(g, s []float32, middle, w float32) float32 { return logisticLoop(g, s, middle, w) }
func mask(y, x []float32)                                { maskLoop(y, x) }
func sum(x []float32) float32                            { return sumLoop(x) }
func mulAdd(y, x, sum []float32)                         { mulAddLoop(y, x, sum) }
func scale(y []float32, s float32)                       { scaleLoop(y, s) }
func unitBack(dv, dy, y []float32, inv float32)          { unitBackLoop(dv, dy, y, inv) }

func mix(y, bu, td, prev, att []float32, wBU, wTD, wPrev, wAtt float32) float32 {
	return mixLoop(y, bu, td, prev, att, wBU, wTD, wPrev, wAtt)
}

func mixBack(dv, dbu, dtd, dprev, dy, y, bu, td, prev []float32, inv, wBU, wTD, wPrev float32, dw *[3]float32) {
	mixBackLoop(dv, dbu, dtd, dprev, dy, y, bu, td, prev, inv, wBU, wTD, wPrev, dw)
}

func attendKeys(att, logits, q, x []float32, keys []int32, beta float32) float32 {
	return attendKeysLoop(att, logits, q, x, keys, beta)
}

func attendKeysBack(dq, dx, g, dy, a, q, x []float32, keys []int32, beta, w float32) float32 {
	return attendKeysBackLoop(dq, dx, g, dy, a, q, x, keys, beta, w)
}

// Kernels names the form of the hot loops that this build and processor use.
func Kernels() string { return "portable loops" }
