package conv

import (
	"slices"

	"glomstream/glom/internal/vec"
)

// Frame keeps what the way back needs of one picture: the input of each layer and the lengths
// before the projection. Its zero value is ready, and it keeps its memory.
type Frame struct{ frame[float32] }

type frame[T vec.Float] struct {
	h, w   int
	planes [][]T // by layer: its input (I, H+2, W+2), see geometry
	inv    []T   // (N) 1/length before the projection
	x      []T   // (N, D) the result, the caller's
}

// Pass holds the scratch space to run a net forward and backward. Its zero value is ready; one
// goroutine uses it at a time.
type Pass struct{ pass[float32] }

type pass[T vec.Float] struct {
	col    []T // (9I, oh*ow) what each output sees
	out    []T // (O, oh*ow)
	planes []T // (I, H+2, W+2) gradient of a layer's input
}

// Forward writes the unit vectors x (N, D) of a picture of h by w pixels, multiples of 8 and at
// least 16. in is (C, h, w), see Input. f keeps what Backward needs, x among it.
func (p *Pass) Forward(n *Net, x, in []float32, h, w int, f *Frame) {
	if h%Stride != 0 || w%Stride != 0 || h < 2*Stride || w < 2*Stride ||
		len(in) != n.cfg.Channels*h*w || len(x) != h/Stride*(w/Stride)*n.cfg.Dim {
		panic("conv: sides must be multiples of 8, at least 16, and the slices have their shape")
	}
	p.forward(&n.net, x, in, h, w, &f.frame)
}

// Backward undoes Forward: from dx (N, D), which it overwrites, it adds to grad, of the length of
// Params, the gradient with respect to the standardised weights and the biases. See Unstandardise.
func (p *Pass) Backward(n *Net, grad, dx []float32, f *Frame) {
	p.backward(&n.net, grad, dx, nil, &f.frame)
}

func (p *pass[T]) forward(n *net[T], x, in []T, h, w int, f *frame[T]) {
	f.h, f.w, f.x = h, w, x
	f.planes = grow(f.planes, len(n.layers))
	g := n.layers[0].at(h, w)
	f.planes[0] = grow(f.planes[0], g.in*g.plane())
	fill(g, f.planes[0], in)
	for k, l := range n.layers {
		g := l.at(h, w)
		p.col = grow(p.col, g.taps()*g.places())
		columns(g, p.col, f.planes[k])
		col := vec.Mat(p.col, g.taps(), g.places())
		if k == len(n.layers)-1 { // by location instead of by channel
			for o := 0; o < len(x); o += l.out {
				copy(x[o:o+l.out], l.bias)
			}
			vec.Gemm(vec.Yes, vec.Yes, 1, col, vec.Mat(l.eff, l.out, g.taps()), 1, vec.Mat(x, g.places(), l.out))
			f.inv = grow(f.inv, g.places())
			vec.UnitRows(x, f.inv, g.places(), l.out)
			break
		}
		p.out = grow(p.out, l.out*g.places())
		vec.Gemm(vec.No, vec.No, 1, vec.Mat(l.eff, l.out, g.taps()), col, 0, vec.Mat(p.out, l.out, g.places()))
		for o, b := range l.bias {
			vec.BiasRelu(p.out[o*g.places():(o+1)*g.places()], b)
		}
		h, w = g.oh, g.ow
		next := n.layers[k+1].at(h, w)
		f.planes[k+1] = grow(f.planes[k+1], next.in*next.plane())
		fill(next, f.planes[k+1], p.out)
	}
}

// fill writes in (I, H, W) into planes.
func fill[T vec.Float](g geometry, planes, in []T) {
	for i := range g.in {
		for y := range g.h {
			fillRow(g, planes[i*g.plane()+(y+1)*g.row():][:g.row()], in[(i*g.h+y)*g.w:][:g.w])
		}
	}
	reflectRows(g, planes)
}

// fold undoes fill: it writes the gradient into in (I, H, W). planes is spoilt.
func fold[T vec.Float](g geometry, in, planes []T) {
	foldRows(g, planes)
	for i := range g.in {
		for y := range g.h {
			foldRow(g, in[(i*g.h+y)*g.w:][:g.w], planes[i*g.plane()+(y+1)*g.row():][:g.row()])
		}
	}
}

// backward undoes forward. din (C, H, W), if not nil, receives the gradient of the input.
func (p *pass[T]) backward(n *net[T], grad, dx, din []T, f *frame[T]) {
	d := views(n.cfg, grad)
	var sides [maxLayers]geometry
	h, w := f.h, f.w
	for k, l := range n.layers {
		sides[k] = l.at(h, w)
		h, w = sides[k].oh, sides[k].ow
	}
	for k, l := range slices.Backward(n.layers) {
		g, P := sides[k], sides[k].places()
		K := g.taps()
		eff, deff := vec.Mat(l.eff, l.out, K), vec.Mat(d[k].w, l.out, K)
		p.col = grow(p.col, K*P)
		columns(g, p.col, f.planes[k])
		col := vec.Mat(p.col, K, P)
		last := k == len(n.layers)-1
		var dout vec.Matrix[T] // (N, D) for the last, else (O, oh*ow)
		if last {
			dout = vec.Mat(dx, P, l.out)
			for i := range P {
				v := dx[i*l.out:][:l.out]
				vec.UnitBack(v, v, f.x[i*l.out:][:l.out], f.inv[i])
				vec.Axpy(d[k].bias, 1, v)
			}
			vec.Gemm(vec.Yes, vec.Yes, 1, dout, col, 1, deff)
		} else {
			dout = vec.Mat(p.out[:l.out*P], l.out, P)
			// BiasRelu: the border only repeats what is inside, so it is cut off alike.
			vec.Mask(p.planes, f.planes[k+1])
			fold(sides[k+1], dout.Data, p.planes)
			for o := range d[k].bias {
				d[k].bias[o] += vec.Sum(dout.Data[o*P : o*P+P])
			}
			vec.Gemm(vec.No, vec.Yes, 1, dout, col, 1, deff)
		}
		if k == 0 && din == nil {
			return
		}
		if last {
			vec.Gemm(vec.Yes, vec.Yes, 1, eff, dout, 0, col)
		} else {
			vec.Gemm(vec.Yes, vec.No, 1, eff, dout, 0, col)
		}
		p.planes = grow(p.planes, g.in*g.plane())
		clear(p.planes)
		addColumns(g, p.planes, p.col)
		if k > 0 {
			p.out = grow(p.out, g.in*g.h*g.w)
		}
	}
	fold(sides[0], din, p.planes)
}

// grow returns s with length n, in new memory only if it does not fit.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
