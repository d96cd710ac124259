package glom

import "glomstream/glom/internal/vec"

// Backprop computes gradients back through recorded steps, the last one first (paper, section
// 12.3: backpropagation through the settling is the straightforward way to learn):
//
//	b.Begin(state, tape, grad)
//	for i := tape.Len() - 1; i >= 0; i-- {
//		// Add the gradient of the loss with respect to what step i gave to b.Level(l), b.BU(l)
//		// and b.TD(l).
//		b.Step(dEvidence[i])
//	}
//	b.End()
//
// One goroutine uses it at a time.
type Backprop struct{ backprop[float32] }

// NewBackprop returns a Backprop for states of the shape of s, one after the other.
func (m *Model) NewBackprop(s *State) *Backprop {
	return &Backprop{newBackprop(&m.core, &s.field)}
}

// ParamsOver returns views into all, which is as long as Params.All, in the shape of the model's
// weights: for a gradient, or averaged weights.
func (m *Model) ParamsOver(all []float32) *Params {
	if len(all) != len(m.Params.All) {
		panic("glom: the slice does not have the length of the weights")
	}
	p := paramsOver(m.cfg, all).export()
	return &p
}

// Rows and Cols give the grid of the states.
func (b *Backprop) Rows() int { return b.f.rows }

// Cols is the other side of the grid.
func (b *Backprop) Cols() int { return b.f.cols }

// Begin starts at the end of the tape on which s was recorded. The gradient of the weights will be
// added to grad, as long as Params.All.
func (b *Backprop) Begin(s *State, t *Tape, grad []float32) {
	if len(grad) != len(b.m.all) {
		panic("glom: the gradient does not have the length of the weights")
	}
	if s.rows != b.f.rows || s.cols != b.f.cols {
		panic("glom: the state is of another shape")
	}
	b.f = &s.field
	b.begin(&t.tape, paramsOver(b.m.cfg, grad))
}

// Level returns the gradient (N, D) with respect to the embeddings of level l after the step
// that is undone next: what later steps gave, to which the caller adds.
func (b *Backprop) Level(l int) []float32 { return plane(b.dx, l, b.size) }

// BU returns the gradient (N, D) with respect to the bottom-up predictions for level l > 0 of
// that step, zero at first.
func (b *Backprop) BU(l int) []float32 { return plane(b.dbu, l, b.size) }

// TD is BU for the top-down predictions, for all levels but the top.
func (b *Backprop) TD(l int) []float32 { return plane(b.dtd, l, b.size) }

// Step undoes one step and adds to dEvidence (N, D) the gradient with respect to its evidence.
func (b *Backprop) Step(dEvidence []float32) {
	if len(dEvidence) != b.size {
		panic("glom: the gradient does not have the shape of the evidence")
	}
	b.step(dEvidence)
}

// End finishes the gradient of the weights.
func (b *Backprop) End() { b.end() }

// backRows is how many rows go through the backward products of a net at a time, so many that the
// products are large and so few that they stay in the second-level cache.
const backRows = 256

type backprop[T vec.Float] struct {
	m    *core[T]
	f    *field[T]
	t    *tape[T]
	grad params[T]
	i    int // steps left
	size int // N*D

	dx, dprev []T          // (L, N, D) with respect to the state after and before the step
	dbu, dtd  []T          // (L, N, D) with respect to the unit predictions
	dv        []T          // (N, D) with respect to the weighted mean
	hidden    []T          // (backRows, H) activations
	slope     []T          // (H) derivatives of gelu
	dh        []T          // (backRows, H)
	dterm     [][]T        // (L-1) of (N, H) with respect to the position terms
	dmix      [][4]float64 // (L) with respect to the mixing weights

	g, dq        []T     // (K+3), (D) sampled attention
	keys         []int32 // (K)
	logits, dlog []T     // (blockRows, N) dense attention
	att          []T     // (blockRows, D)
	scale        []T     // (blockRows)
}

func newBackprop[T vec.Float](m *core[T], f *field[T]) backprop[T] {
	c, N := m.cfg, f.rows*f.cols
	full := func() []T { return make([]T, c.Levels*N*c.Dim) }
	rows := min(backRows, N)
	b := backprop[T]{
		m: m, f: f, size: N * c.Dim,
		dx: full(), dprev: full(), dbu: full(), dtd: full(),
		dv:     make([]T, N*c.Dim),
		hidden: make([]T, rows*c.Hidden), slope: make([]T, c.Hidden), dh: make([]T, rows*c.Hidden),
		dmix: make([][4]float64, c.Levels),
	}
	for range c.Levels - 1 {
		b.dterm = append(b.dterm, make([]T, N*c.Hidden))
	}
	if c.Attention == Dense {
		n := min(blockRows, N)
		b.logits, b.dlog = make([]T, n*N), make([]T, n*N)
		b.att, b.scale = make([]T, n*c.Dim), make([]T, n)
	} else {
		b.g, b.dq, b.keys = make([]T, c.Samples+3), make([]T, c.Dim), make([]int32, c.Samples)
	}
	return b
}

func (b *backprop[T]) begin(t *tape[T], grad params[T]) {
	if t.size != b.size {
		panic("glom: the tape is of another shape")
	}
	b.t, b.grad, b.i = t, grad, t.n
	clear(b.dx)
	clear(b.dprev)
	clear(b.dbu)
	clear(b.dtd)
	clear(b.dmix)
	for _, d := range b.dterm {
		clear(d)
	}
}

// step undoes one step, from the top level down: bottom-up predictions read the level below.
func (b *backprop[T]) step(dEvidence []T) {
	if b.i == 0 {
		panic("glom: no step is left to undo")
	}
	b.i--
	rec := &b.t.records[b.i]
	before := b.t.before
	if b.i > 0 {
		before = b.t.records[b.i-1].x
	}
	for l := b.f.levels - 1; l >= 0; l-- {
		b.level(rec, before, l, dEvidence)
	}
	b.dx, b.dprev = b.dprev, b.dx
	clear(b.dprev)
	clear(b.dbu)
	clear(b.dtd)
	if b.i == 0 && b.t.started {
		b.start(dEvidence)
	}
}

// level undoes one level of settle.
func (b *backprop[T]) level(rec *record[T], before []T, l int, dEvidence []T) {
	m, f, D, size := b.m, b.f, b.f.dim, b.size
	N, top := f.rows*f.cols, l == f.levels-1
	x, prev, dx, dprev := plane(rec.x, l, size), plane(before, l, size), plane(b.dx, l, size), plane(b.dprev, l, size)
	bu, dbu := rec.predictions(l, size), plane(b.dbu, l, size)
	if l == 0 {
		dbu = dEvidence
	}
	td, dtd := plane(rec.td, l, size), plane(b.dtd, l, size)
	if top {
		td = bu
	}
	wBU, wTD, wPrev, wAtt := m.mixing(l)
	// length := vec.Mix(next, bu, td, prev, att, wBU, wTD, wPrev, wAtt)
	inv := plane(rec.inv, l, N)
	var dw [3]T
	for o, r := 0, 0; r < N; o, r = o+D, r+1 {
		vec.MixBack(b.dv[o:o+D], dbu[o:o+D], dtd[o:o+D], dprev[o:o+D], dx[o:o+D], x[o:o+D],
			bu[o:o+D], td[o:o+D], prev[o:o+D], inv[r], wBU, wTD, wPrev, &dw)
	}
	// attend(att, q, prev)
	q, dq := bu, dbu
	if m.cfg.Query == QueryState {
		q, dq = prev, dprev
	}
	var dwAtt T
	if m.cfg.Attention == Dense {
		dwAtt = b.attendDenseBack(dq, dprev, q, prev, l, wAtt)
	} else {
		dwAtt = b.attendSampledBack(dq, dprev, q, prev, rec, l, wAtt)
	}
	d := &b.dmix[l]
	d[0], d[2], d[3] = d[0]+float64(dw[0]), d[2]+float64(dw[2]), d[3]+float64(dwAtt)
	if !top {
		d[1] += float64(dw[1])
		// m.topDown(td, f.level(l + 1))
		o := (l + 1) * size
		b.netBack(b.grad.td[l], m.td[l], b.dprev[o:o+size], dtd, td, before[o:o+size], plane(rec.invTD, l, N), f.posTerm[l], b.dterm[l])
	}
	if l > 0 {
		// m.bottomUp(bu, below)
		below, dbelow := rec.x, b.dx
		if m.cfg.Order == Sync {
			below, dbelow = before, b.dprev
		}
		b.netBack(b.grad.bu[l-1], m.bu[l-1], plane(dbelow, l-1, size), dbu, bu, plane(below, l-1, size), plane(rec.invBU, l, N), nil, nil)
	}
}

// start undoes the start of the state: b.dx is the gradient with respect to it.
func (b *backprop[T]) start(dEvidence []T) {
	N := b.f.rows * b.f.cols
	for l := b.f.levels - 1; l > 0; l-- {
		y, x := plane(b.t.before, l, b.size), plane(b.t.before, l-1, b.size)
		b.netBack(b.grad.bu[l-1], b.m.bu[l-1], plane(b.dx, l-1, b.size), plane(b.dx, l, b.size), y, x, plane(b.t.startInv, l, N), nil, nil)
	}
	vec.Axpy(dEvidence, 1, plane(b.dx, 0, b.size)) // copy(f.level(0), evidence)
}

// netBack undoes y = unit(x + W2 gelu(W1 x + b1) + b2): from dy (N, D), which it overwrites, it
// adds to dx (N, D) and to d. The hidden layer is computed again. term (N, H), if not nil, stands
// in place of b1, and its gradient is added to dterm.
//
//	du = (dy - y (y·dy)) / length          W2 g + ...
//	dW2 += duᵀ g,  db2 += Σ du,  dg = du W2
//	dz = dg gelu'(z)                       g = gelu(z), z = W1 x + b1
//	dW1 += dzᵀ x,  db1 += Σ dz
//	dx += du + dz W1
func (b *backprop[T]) netBack(d, net netOf[T], dx, dy, y, x, inv, term, dterm []T) {
	D, H := b.m.cfg.Dim, b.m.cfg.Hidden
	N, I := len(inv), len(net.W1)/H
	w1, dw1 := vec.Strided(net.W1, H, D, I), vec.Strided(d.W1, H, D, I)
	for i := 0; i < N; i += backRows {
		n := min(backRows, N-i)
		xs, du := vec.Mat(x[i*D:(i+n)*D], n, D), vec.Mat(dy[i*D:(i+n)*D], n, D)
		for r := range n {
			v := du.Data[r*D : r*D+D]
			vec.UnitBack(v, v, y[(i+r)*D:][:D], inv[i+r])
			vec.Axpy(d.B2, 1, v)
		}
		g, dg := vec.Mat(b.hidden[:n*H], n, H), vec.Mat(b.dh[:n*H], n, H)
		vec.Gemm(vec.No, vec.Yes, 1, xs, w1, 0, g)
		vec.Gemm(vec.No, vec.No, 1, du, vec.Mat(net.W2, D, H), 0, dg)
		for r := range n {
			o := r * H
			bias, sum := net.B1, d.B1
			if term != nil {
				bias, sum = term[(i+r)*H:][:H], dterm[(i+r)*H:][:H]
			}
			vec.GeluBoth(g.Data[o:o+H], b.slope, bias)
			vec.MulAdd(dg.Data[o:o+H], b.slope, sum)
		}
		vec.Gemm(vec.Yes, vec.No, 1, du, g, 1, vec.Mat(d.W2, D, H))
		vec.Gemm(vec.Yes, vec.No, 1, dg, xs, 1, dw1)
		dxs := vec.Mat(dx[i*D:(i+n)*D], n, D)
		vec.Axpy(dxs.Data[:n*D], 1, du.Data)
		vec.Gemm(vec.No, vec.No, 1, dg, w1, 1, dxs)
	}
}

// end undoes positionTerm and the softmax of the mixing weights.
func (b *backprop[T]) end() {
	c := b.m.cfg
	N, H, P := b.f.rows*b.f.cols, c.Hidden, c.positionDim()
	for l, dterm := range b.dterm {
		d := b.grad.td[l]
		for i := range N {
			vec.Axpy(d.B1, 1, dterm[i*H:i*H+H])
		}
		vec.Gemm(vec.Yes, vec.No, 1, vec.Mat(dterm, N, H), vec.Mat(b.f.pos, N, P), 1, vec.Strided(d.W1[c.Dim:], H, P, c.Dim+P))
	}
	for l, d := range b.dmix {
		bu, td, prev, att := b.m.mixing(l)
		w := [4]float64{float64(bu), float64(td), float64(prev), float64(att)}
		var mean float64
		for k := range w {
			mean += w[k] * d[k]
		}
		for k := range w {
			b.grad.mix[4*l+k] += T(w[k] * (d[k] - mean))
		}
	}
}

// attendSampledBack undoes w*attendSampled from b.dv and returns the gradient of w.
func (b *backprop[T]) attendSampledBack(dq, dx, q, x []T, rec *record[T], l int, w T) T {
	D, K, offsets := b.f.dim, len(rec.offsets[l]), rec.offsets[l]
	beta, att := T(b.m.cfg.Beta[l]), rec.att[l]
	var dw float64
	for i := range b.f.rows * b.f.cols {
		keys := b.f.keys(b.keys, offsets, i)
		o := i * D
		clear(b.dq) // apart from dq, which may be dx
		dw += float64(vec.AttendKeysBack(b.dq, dx, b.g, b.dv[o:o+D], att[i*K:i*K+len(keys)], q[o:o+D], x, keys, beta, w))
		vec.Axpy(dq[o:o+D], 1, b.dq)
	}
	return T(dw)
}

// attendDenseBack undoes w*attendDense from b.dv and returns the gradient of w. The weights a are
// computed again, a block of locations at a time.
//
//	g = dv xᵀ,  h = w beta a (g - Σ_j a g)
//	dq += h x,  dx += w aᵀ dv + hᵀ q
func (b *backprop[T]) attendDenseBack(dq, dx, q, x []T, l int, w T) T {
	D, N := b.f.dim, b.f.rows*b.f.cols
	beta := T(b.m.cfg.Beta[l])
	X, DX := vec.Mat(x, N, D), vec.Mat(dx, N, D)
	var dw float64
	for i := 0; i < N; i += blockRows {
		n := min(blockRows, N-i)
		Q, DQ, DV := vec.Mat(q[i*D:(i+n)*D], n, D), vec.Mat(dq[i*D:(i+n)*D], n, D), vec.Mat(b.dv[i*D:(i+n)*D], n, D)
		attendDense(b.att, b.scale, b.logits, Q.Data, x, beta, b.f.prior[l], i, n, N, D)
		A, G := vec.Mat(b.logits, n, N), vec.Mat(b.dlog, n, N)
		vec.Gemm(vec.No, vec.Yes, 1, DV, X, 0, G)
		for r := range n {
			a := A.Data[r*N : r*N+N]
			vec.Scale(a, b.scale[r])
			dw += float64(vec.SoftmaxBack(G.Data[r*N:r*N+N], a, w*beta))
		}
		vec.Gemm(vec.No, vec.No, 1, G, X, 1, DQ)
		vec.Gemm(vec.Yes, vec.No, w, A, DV, 1, DX)
		vec.Gemm(vec.Yes, vec.No, 1, G, Q, 1, DX)
	}
	return T(dw)
}
