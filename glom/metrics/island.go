package metrics

import (
	"math"
	"slices"
)

// Islands says how clear-cut the islands of a level are.
type Islands struct {
	// Purity is the mean cosine of the pairs of locations inside an island, the mean over islands
	// weighted by their size, over those of two locations and more. Range -1 to 1.
	Purity float64
	// Separation is the mean cosine of the pairs of locations across two islands that touch (by
	// four neighbours), the mean over such pairs of islands. Range -1 to 1; good islands have it
	// well below Purity.
	Separation float64
	Count      int
	Effective  float64 // exp(H(sizes)), the number of islands of equal size with the same entropy
}

// MeasureIslands measures the islands that labels (rows, cols) make of the unit vectors x (rows, cols,
// dim). Every label is an island, [Ignore] and 0 too. Purity is 0 if all islands are single
// locations, Separation if there is only one island.
func MeasureIslands(x []float32, labels []uint16, rows, cols, dim int) Islands {
	n := rows * cols
	if len(labels) != n || len(x) != n*dim {
		panic("metrics: MeasureIslands: shapes do not fit")
	}
	ids := slices.Clone(labels)
	slices.Sort(ids)
	ids = slices.Compact(ids)

	sums := make([]float64, len(ids)*dim) // (islands, dim)
	squares := make([]float64, len(ids))
	sizes := make([]float64, len(ids))
	index := make([]int, n)
	for i, l := range labels {
		k, _ := slices.BinarySearch(ids, l)
		index[i] = k
		squares[k] += accumulate(sums[k*dim:(k+1)*dim], x[i*dim:(i+1)*dim])
		sizes[k]++
	}

	var inside, weight float64
	for k, m := range sizes {
		if m > 1 {
			inside += (square(sums[k*dim:(k+1)*dim]) - squares[k]) / (m - 1) // m times the mean
			weight += m
		}
	}
	var across float64
	pairs := neighbours(index, rows, cols)
	for _, p := range pairs {
		var s float64
		for c, v := range sums[p[0]*dim : (p[0]+1)*dim] {
			s += v * sums[p[1]*dim+c]
		}
		across += s / (sizes[p[0]] * sizes[p[1]])
	}
	return Islands{
		Purity:     ratio(inside, weight),
		Separation: ratio(across, float64(len(pairs))),
		Count:      len(ids),
		Effective:  effective(sizes),
	}
}

// neighbours returns the pairs of islands that touch, each once, in ascending order.
func neighbours(index []int, rows, cols int) [][2]int {
	var pairs [][2]int
	add := func(i, j int) {
		if a, b := index[i], index[j]; a != b {
			pairs = append(pairs, [2]int{min(a, b), max(a, b)})
		}
	}
	eachEdge(rows, cols, add)
	slices.SortFunc(pairs, func(p, q [2]int) int { return slices.Compare(p[:], q[:]) })
	return slices.Compact(pairs)
}

// EffectiveCount returns exp of the entropy, in nats, of the sizes of the labels: the number of labels
// of equal size with the same entropy. Range 1 to the number of labels; 0 without pixels.
func EffectiveCount(labels []uint16) float64 {
	sorted := slices.Clone(labels)
	slices.Sort(sorted)
	var sizes []float64
	for i, l := range sorted {
		if i == 0 || l != sorted[i-1] {
			sizes = append(sizes, 0)
		}
		sizes[len(sizes)-1]++
	}
	return effective(sizes)
}

// TotalVariation returns the mean of ‖x_i - x_j‖ over all pairs of four-neighbours of the unit vectors
// x (rows, cols, dim). Range 0 to 2; islands of equal vectors have little, and so has collapse. 0
// for a single location.
func TotalVariation(x []float32, rows, cols, dim int) float64 {
	checkVectors(x, rows*cols, dim)
	var sum float64
	var n int
	eachEdge(rows, cols, func(i, j int) {
		var d2 float64
		q := x[j*dim : (j+1)*dim]
		for c, v := range x[i*dim : (i+1)*dim] {
			d := float64(v) - float64(q[c])
			d2 += d * d
		}
		sum += math.Sqrt(d2)
		n++
	})
	return ratio(sum, float64(n))
}

// eachEdge calls do for each pair of four-neighbours of the grid.
func eachEdge(rows, cols int, do func(i, j int)) {
	for r := range rows {
		for c := range cols {
			i := r*cols + c
			if c+1 < cols {
				do(i, i+1)
			}
			if r+1 < rows {
				do(i, i+cols)
			}
		}
	}
}
