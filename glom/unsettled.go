package glom

import "math"

// An embedding counts as settled while its cosine distance from what was there before is at most
// few, which a border leaves that moves by part of a location, and as unsettled altogether at
// far: there, another island (islands are kept apart from a distance of 0.3 on).
const (
	few = 0.1
	far = 0.4
)

// patch is the side in locations of the smallest thing that makes a frame unsettled by itself.
const patch = 4

// Unsettled tells how much faster the embeddings change than one step can settle, 0 to 1 (paper,
// section 11). It writes into dst (L, N), for each level l and location i,
//
//	u_l(i) = clamp((c - 0.1) / 0.3),  c = min_j 1 - x_l(i)·x'_l(j)
//
// with x the state after the last step and x' the one before it, j over the 3 by 3 locations
// around where the occupant of i was: i - motion(i), motion (N, 2) in locations as camera.Coarsen
// has it, nil for none. So what moves by less than a location, or moves as the flow says, is
// settled; what turns, tears or jumps faster is not, and neither is what enters the picture, or a new
// scene to which the state of an old one still has to give way. The result is the mean of u over the patch of 4 by 4
// locations, at the level, where it is largest: an object of that size is not outvoted by a still
// background.
//
// The step before must have been one of s itself: CopyFrom does not bring x'. Without a step since
// Reset nothing is settled, and all is 1.
func (s *State) Unsettled(dst, motion []float32) float64 {
	N, D := s.Rows*s.Cols, s.Dim
	if len(dst) != s.Levels*N || motion != nil && len(motion) != 2*N {
		panic("glom: Unsettled: shapes do not fit")
	}
	if s.Steps == 0 {
		for i := range dst {
			dst[i] = 1
		}
		return 1
	}
	worst := 0.0
	for l := range s.Levels {
		moved := false
		x, before, u := s.Level(l), s.next[l*N*D:][:N*D], dst[l*N:][:N]
		for i := range u {
			r, c := i/s.Cols, i%s.Cols
			if motion != nil {
				r, c = nearest(float32(r)-motion[2*i+1], s.Rows), nearest(float32(c)-motion[2*i], s.Cols)
			}
			u[i] = clamp((change(x[i*D:][:D], before, r, c, s.Rows, s.Cols) - few) / (far - few))
			moved = moved || u[i] > 0
		}
		if moved {
			worst = max(worst, worstPatch(u, s.Rows, s.Cols))
		}
	}
	return min(worst, 1) // or rounding might exceed it
}

// clamp returns v between 0 and 1, and 1 for what is not a number.
func clamp(v float32) float32 {
	switch {
	case v <= 0:
		return 0
	case v < 1:
		return v
	}
	return 1
}

// change returns the cosine distance between x and the most similar of the vectors of before
// (rows*cols, D) in the 3 by 3 locations around (row, col). It may return any distance up to few
// when that is not more than few.
func change(x, before []float32, row, col, rows, cols int) float32 {
	D := len(x)
	least := 1 - Dot(x, before[(row*cols+col)*D:][:D])
	if least <= few {
		return least // most locations end here
	}
	for r := max(0, row-1); r <= min(rows-1, row+1); r++ {
		for c := max(0, col-1); c <= min(cols-1, col+1); c++ {
			least = min(least, 1-Dot(x, before[(r*cols+c)*D:][:D]))
		}
	}
	return least
}

// nearest rounds v to the range from 0 to n-1.
func nearest(v float32, n int) int {
	if !(v > 0) { // NaN, too
		return 0
	}
	return int(math.Round(float64(min(v, float32(n-1)))))
}

// worstPatch returns the largest mean of u (rows, cols) over a patch.
func worstPatch(u []float32, rows, cols int) float64 {
	h, w := min(patch, rows), min(patch, cols)
	var worst float32
	for r := range rows - h + 1 {
		for c := range cols - w + 1 {
			var sum float32
			for y := r; y < r+h; y++ {
				for _, v := range u[y*cols+c:][:w] {
					sum += v
				}
			}
			worst = max(worst, sum)
		}
	}
	return float64(worst) / float64(h*w)
}
