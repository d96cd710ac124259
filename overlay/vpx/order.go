package vpx

// order is the sequence of the temporal layers: 0, or 0 1, or 0 2 1 2, again and again.
//
// A frame of layer 0 refers to the one before it. Of three layers, layer 1 is kept as "golden" and
// refers to layer 0 only; the frame of layer 2 behind it refers to both, but the one before it
// to layer 0 only: whoever takes up the layers at that frame of layer 0 does not have the golden
// frame before.
type order struct {
	layers int
	at     int // in the period
}

// next returns the layer of the next frame, and whether it may refer to the golden frame. A key
// frame begins a period.
func (o *order) next(key bool) (layer int, golden bool) {
	if key {
		o.at = 0
	}
	at := o.at
	o.at = (o.at + 1) % (1 << (o.layers - 1))
	return [][]int{{0}, {0, 1}, {0, 2, 1, 2}}[o.layers-1][at], at == 3
}
