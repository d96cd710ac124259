package train

import (
	"math/rand/v2"
	"slices"
)

// majority writes into dst (N) the id that at least three quarters of the pixels of each location
// have, or 0. labels is (8 rows, 8 cols).
func majority(dst, labels []uint16, rows, cols int) {
	const most = cell * cell * 3 / 4
	for r := range rows {
		for c := range cols {
			corner := labels[(r*cell*cols+c)*cell:]
			// Whatever has the majority survives when unlike pixels cancel in pairs.
			var id uint16
			votes := 0
			for y := range cell {
				for _, v := range corner[y*cell*cols:][:cell] {
					switch {
					case votes == 0:
						id, votes = v, 1
					case v == id:
						votes++
					default:
						votes--
					}
				}
			}
			n := 0
			for y := range cell {
				for _, v := range corner[y*cell*cols:][:cell] {
					if v == id {
						n++
					}
				}
			}
			if n < most {
				id = 0
			}
			dst[r*cols+c] = id
		}
	}
}

// picks chooses locations of known islands.
type picks struct {
	keys  []uint64 // id and location
	at    []int    // the locations, island after island
	sizes []int    // of the islands
}

// draw chooses up to n locations at random among those whose id is not 0.
func (p *picks) draw(rng *rand.Rand, ids []uint16, n int) {
	p.keys, p.at, p.sizes = p.keys[:0], p.at[:0], p.sizes[:0]
	for i, id := range ids {
		if id != 0 {
			p.keys = append(p.keys, uint64(id)<<32|uint64(i))
		}
	}
	n = min(n, len(p.keys))
	for k := range n {
		j := k + rng.IntN(len(p.keys)-k)
		p.keys[k], p.keys[j] = p.keys[j], p.keys[k]
	}
	p.keys = p.keys[:n]
	slices.Sort(p.keys)
	var last uint64
	for _, k := range p.keys {
		if k>>32 != last {
			last = k >> 32
			p.sizes = append(p.sizes, 0)
		}
		p.sizes[len(p.sizes)-1]++
		p.at = append(p.at, int(uint32(k)))
	}
}
