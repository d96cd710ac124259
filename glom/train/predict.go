package train

import "glomstream/glom/internal/vec"

// predictor turns vectors into unit(x + W x), of the predictions of other vectors: the next
// frame's consensus, or the features of an averaged front end. With W zero it predicts that
// nothing changes.
type predictor[T vec.Float] struct {
	q, dq []T // (N, D) predictions and their gradient
	inv   []T // (N)
}

// match adds to dx (N, D) and dw (D, D) the gradient of
//
//	loss = Σ_j weight_j |q_from(j) - y_j|²,  q = unit(x + x Wᵀ)
//
// and returns the loss. y (M, D) are unit vectors, which are constants; from (M) names the vector
// that predicts each, -1 for none.
func (p *predictor[T]) match(dx, dw, w, x []T, from []int, y, weight []T, D int) float64 {
	N := len(x) / D
	p.q, p.dq, p.inv = grow(p.q, N*D), grow(p.dq, N*D), grow(p.inv, N)
	copy(p.q, x)
	X, W, DQ := vec.Mat(x, N, D), vec.Mat(w, D, D), vec.Mat(p.dq, N, D)
	vec.Gemm(vec.No, vec.Yes, 1, X, W, 1, vec.Mat(p.q, N, D))
	vec.UnitRows(p.q, p.inv, N, D)
	clear(p.dq)
	var loss float64
	for j, i := range from {
		if i < 0 {
			continue
		}
		yj := y[j*D : j*D+D]
		loss += float64(weight[j]) * (2 - 2*float64(vec.Dot(p.q[i*D:i*D+D], yj)))
		vec.Axpy(p.dq[i*D:i*D+D], -2*weight[j], yj)
	}
	for i := range N {
		d := p.dq[i*D : i*D+D]
		vec.UnitBack(d, d, p.q[i*D:i*D+D], p.inv[i])
	}
	vec.Axpy(dx[:N*D], 1, p.dq)
	vec.Gemm(vec.Yes, vec.No, 1, DQ, X, 1, vec.Mat(dw, D, D))
	vec.Gemm(vec.No, vec.No, 1, DQ, W, 1, vec.Mat(dx, N, D))
	return loss
}
