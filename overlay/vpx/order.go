package vpx

// order is the sequence of the temporal layers of VP8: 0, or 0 1, or 0 2 1 2, again and again.
//
// A frame of layer 0 refers to the one before it. Of three layers, layer 1 is kept as "golden" and
// refers to layer 0 only; the frame of layer 2 after it may refer to both. The frame of layer 2
// before it may not refer to golden, since whoever takes up the layers at the last frame of
// layer 0 does not have that.
type order struct {
	layers int
	at     int  // in the period
	golden bool // layer 1 was sent since the last frame of layer 0
}

// restart makes the next frame the first of a period.
func (o *order) restart() { *o = order{layers: o.layers} }

// next returns the layer of the next frame, and whether it may refer to the golden frame.
func (o *order) next() (layer int, golden bool) {
	layer = [][]int{{0}, {0, 1}, {0, 2, 1, 2}}[o.layers-1][o.at]
	o.at = (o.at + 1) % (1 << (o.layers - 1))
	if layer == 0 {
		o.golden = false
	}
	return layer, o.golden
}

// sent notes that a frame of a layer went out rather than being left out by the rate control.
func (o *order) sent(layer int) { o.golden = o.golden || layer == 1 && o.layers == 3 }
