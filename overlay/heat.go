package overlay

import "glomstream/capture"

// viridis holds ten colours of the map of that name (van der Walt and Smith, 2015), R, G, B each, at
// equal distances from 0 to 1. Its lightness rises evenly, also for eyes that do not see all colours.
const viridis = "\x44\x01\x54" + "\x48\x28\x78" + "\x3E\x4A\x89" + "\x31\x68\x8E" + "\x26\x82\x8E" +
	"\x1F\x9E\x89" + "\x35\xB7\x79" + "\x6D\xCD\x59" + "\xB4\xDE\x2C" + "\xFD\xE7\x25"

// heatColours returns the colours of 0/255 to 255/255.
func heatColours() (out [256]bgr) {
	const last = len(viridis)/3 - 1
	at := func(i int) bgr { return bgr{viridis[3*i+2], viridis[3*i+1], viridis[3*i]} }
	for v := range out {
		i := min(v*last/255, last-1)
		out[v] = mix(at(i), at(i+1), uint32(256*(v*last-i*255)/255))
	}
	return out
}

// values returns what the heat map shows.
func (d *Drawer) values(s *Scene) [][]float32 {
	if d.cfg.View == Unsettled {
		return s.Unrest
	}
	return s.Agreement
}

// heatIndex returns the index of the colour for a value. What is not a number counts as 0.
func heatIndex(v float32) float32 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1) * 255
}

// drawHeat draws values (rows, cols) over a grey src on dst, which has the same size. Without
// values it is a copy.
func (d *Drawer) drawHeat(dst, src *capture.Frame, s *Scene, values []float32) {
	if values == nil {
		copyFrame(dst, src)
		return
	}
	sc := d.scratch.Get().(*scratch)
	defer d.scratch.Put(sc)
	e := sc.enlarge(values, s.Rows, s.Cols, 1, src.W, src.H)
	for y := range src.H {
		line := e.row(y)
		for i, v := range line {
			line[i] = heatIndex(v)
		}
		to, from := row(dst, y), row(src, y)
		for x, st := range e.steps {
			a, b := line[st.i], line[st.i+1]
			i := uint8(int32(a + st.fraction*(b-a) + 0.5))
			d.washes[i].over(to[3*x:], from[3*x:])
		}
	}
}

// wash puts a colour over the grey of a pixel: a byte becomes (grey*keep + add) >> 8.
type wash struct {
	add  [3]uint16 // colour*weight + 128
	keep uint16    // 256 - weight
}

func newWash(c bgr, weight uint32) wash {
	w := wash{keep: uint16(256 - weight)}
	for i := range c {
		w.add[i] = uint16(uint32(c[i])*weight + 128)
	}
	return w
}

// over puts the wash over the first pixel of src into dst. The weights of grey are those of Rec. 601.
func (w *wash) over(dst, src []byte) {
	s, d := src[:3], dst[:3]
	grey := (29*uint32(s[0]) + 150*uint32(s[1]) + 77*uint32(s[2]) + 128) >> 8 * uint32(w.keep)
	d[0] = uint8((grey + uint32(w.add[0])) >> 8)
	d[1] = uint8((grey + uint32(w.add[1])) >> 8)
	d[2] = uint8((grey + uint32(w.add[2])) >> 8)
}

// heatLegend draws the colours from 0 to 1 in the bottom right corner.
func (d *Drawer) heatLegend(dst *capture.Frame) {
	l, ok := d.layout(dst)
	if !ok {
		return
	}
	low, high := []byte(d.cfg.View.String()+"  0"), []byte("1")
	gap, length := l.size/2, 9*l.size
	before, after := l.width(low)+gap, l.width(high)+gap
	in := l.legend(dst, before+length+after, l.capital)
	if in.Empty() {
		return
	}
	l.draw(dst, in.Min.X, in.Max.Y, low, textColour)
	l.draw(dst, in.Max.X-after+gap, in.Max.Y, high, textColour)
	for y := in.Min.Y; y < in.Max.Y; y++ {
		pix := row(dst, y)[3*(in.Min.X+before):]
		for i := range length {
			copy(pix[3*i:], d.heat[i*255/(length-1)][:])
		}
	}
}
