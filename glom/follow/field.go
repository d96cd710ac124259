package follow

import (
	"math"

	"glomstream/glom/camera"
)

// sub is the number of cells along a side of a location. The flow knows more than the locations
// do, and what is moved by it anew in every frame blurs by a part of a cell each time.
const sub = 2

// location returns the location that a cell lies in.
func (f *Follower) location(cell int) int {
	w := sub * f.cols
	return cell/w/sub*f.cols + cell%w/sub
}

// plant fills the field with the share of each label in the pixels of each cell.
func (f *Follower) plant(seed []uint8, w, h int) {
	var label [256]int
	for r, g := range f.grey {
		label[g] = r
	}
	rows, cols := sub*f.rows, sub*f.cols
	cells := rows * cols
	f.field, f.moved = resize(f.field, f.labels*cells), resize(f.moved, f.labels*cells)
	clear(f.field)
	for i := range cells {
		y0, x0 := i/cols*h/rows, i%cols*w/cols
		y1, x1 := max((i/cols+1)*h/rows, y0+1), max((i%cols+1)*w/cols, x0+1) // a small picture has fewer pixels than cells
		share := 1 / float32((y1-y0)*(x1-x0))
		for y := y0; y < y1; y++ {
			for _, g := range seed[y*w+x0 : y*w+x1] {
				f.field[label[g]*cells+i] += share
			}
		}
	}
}

// warp moves the field along the flow. Without flow, as after a cut, a cell belongs to each label
// as often as all cells did: places tell nothing, looks must.
func (f *Follower) warp(in *Frame) {
	rows, cols := sub*f.rows, sub*f.cols
	cells := rows * cols
	if in.Flow == nil {
		for r := range f.labels {
			fill(f.field[r*cells:][:cells], float32(f.area[r]/float64(cells)))
		}
		return
	}
	f.motion = camera.Coarsen(f.motion, in.Flow, in.W, in.H, rows, cols)
	for y := range rows {
		for x := range cols {
			i := y*cols + x
			at, w := between(float32(x)-f.motion[2*i], float32(y)-f.motion[2*i+1], rows, cols)
			for r := range f.labels {
				s := f.field[r*cells:][:cells]
				f.moved[r*cells+i] = w[0]*s[at[0]] + w[1]*s[at[1]] + w[2]*s[at[2]] + w[3]*s[at[3]]
			}
		}
	}
	f.field, f.moved = f.moved, f.field
}

// hope fills chance. A region as long as half of it is in sight has none: looks that agree frame
// after frame outgrow any prior, and a twin of the region would join it. One that is out of sight
// may come back wherever it is seen. The rest always has some: it comes out behind what moves,
// where the flow has it that the region is still there.
func (f *Follower) hope() {
	const behind = 0.01
	f.chance = resize(f.chance, f.labels)
	f.chance[0] = behind
	for r := 1; r < f.labels; r++ {
		f.chance[r] = float32(f.cfg.Return * max(0, 1-2*f.area[r]/max(f.usual[r], 1)))
	}
}

// fuse multiplies what the place says by what the looks say:
//
//	field_r ∝ (field_r + chance_r) looks_r
//
// chance_r lets a label begin anew, anywhere.
func (f *Follower) fuse() {
	n := f.rows * f.cols
	cells := n * sub * sub
	rows, cols := sub*f.rows, sub*f.cols
	for y := range rows {
		for x := range cols {
			i := y*cols + x
			at, w := between((float32(x)+0.5)/sub-0.5, (float32(y)+0.5)/sub-0.5, f.rows, f.cols)
			var sum float32
			for r := range f.labels {
				l := f.looks[r*n:][:n]
				v := (f.field[r*cells+i] + f.chance[r]) * (w[0]*l[at[0]] + w[1]*l[at[1]] + w[2]*l[at[2]] + w[3]*l[at[3]])
				f.field[r*cells+i] = v
				sum += v
			}
			for r := range f.labels {
				f.field[r*cells+i] /= max(sum, math.SmallestNonzeroFloat32)
			}
		}
	}
}

// pool measures the area of the labels and their mean over each location.
func (f *Follower) pool() {
	n := f.rows * f.cols
	cells := n * sub * sub
	f.mean = resize(f.mean, f.labels*n)
	f.area = resize(f.area, f.labels)
	clear(f.mean)
	clear(f.area)
	for r := range f.labels {
		mean := f.mean[r*n:][:n]
		for i, v := range f.field[r*cells:][:cells] {
			mean[f.location(i)] += v / (sub * sub)
			f.area[r] += float64(v)
		}
	}
}

// between returns the four places about x, y of a grid and the weights of bilinear interpolation.
// Outside, the border counts.
func between(x, y float32, rows, cols int) (at [4]int, w [4]float32) {
	x, y = min(max(x, 0), float32(cols-1)), min(max(y, 0), float32(rows-1))
	x0, y0 := int(x), int(y)
	x1, y1 := min(x0+1, cols-1), min(y0+1, rows-1)
	fx, fy := x-float32(x0), y-float32(y0)
	return [4]int{y0*cols + x0, y0*cols + x1, y1*cols + x0, y1*cols + x1},
		[4]float32{(1 - fy) * (1 - fx), (1 - fy) * fx, fy * (1 - fx), fy * fx}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func fill(s []float32, v float32) {
	for i := range s {
		s[i] = v
	}
}
