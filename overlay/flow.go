package overlay

import (
	"image"
	"math"
	"strconv"

	"glomstream/capture"
)

// Flow is shown as in Baker et al., "A Database and Evaluation Methodology for Optical Flow" (2011):
// the direction is the hue, the length the strength of the colour. Lengths are bent by a power,
// so that slow motion is seen beside fast motion, up to fullFlow of the width of the picture per
// frame. The strength is how opaque the colour is over the grey picture, where the paper has white.
const (
	fullFlow   = 1.0 / 64
	flowPower  = 2.0 / 3
	wheelSide  = 129 // odd, so that no motion has an entry of its own
	wheelReach = wheelSide / 2
)

// wheel holds how to draw each motion from -full to full in x and y.
type wheel [wheelSide * wheelSide]wash

func newWheel(opacity float64) *wheel {
	w := new(wheel)
	for i := range w {
		dx := float64(i%wheelSide-wheelReach) / wheelReach
		dy := float64(i/wheelSide-wheelReach) / wheelReach
		strength := math.Pow(min(math.Hypot(dx, dy), 1), flowPower)
		w[i] = newWash(hue(math.Atan2(dy, dx)), weightOf(opacity*strength))
	}
	return w
}

// hue returns the colour of a direction, an angle in radians from right to down: red to the right,
// yellow below, cyan to the left, violet above, as in the paper.
func hue(angle float64) bgr {
	// The 55 steps of the paper's wheel, with more of them between corners where eyes see more.
	const corners = 7
	at := [corners]float64{0, 15, 21, 25, 36, 49, 55}
	rgb := [corners][3]float64{{255, 0, 0}, {255, 255, 0}, {0, 255, 0}, {0, 255, 255}, {0, 0, 255}, {255, 0, 255}, {255, 0, 0}}
	turn := angle / (2 * math.Pi)
	t := (turn - math.Floor(turn)) * 55
	k := 0
	for k < corners-2 && t >= at[k+1] {
		k++
	}
	f := (t - at[k]) / (at[k+1] - at[k])
	var c bgr
	for i := range c {
		c[2-i] = uint8(math.Round(rgb[k][i] + f*(rgb[k+1][i]-rgb[k][i])))
	}
	return c
}

// limit returns a motion shortened to at most 1 in x and y; its direction stays. What is not a number
// counts as no motion.
func limit(dx, dy float32) (float32, float32) {
	m := max(dx, -dx, dy, -dy)
	switch {
	case m <= 1:
		return dx, dy
	case m <= math.MaxFloat32:
		return dx / m, dy / m
	}
	return 0, 0
}

// at returns the entry of a motion within the limit, in units of the full one.
func (w *wheel) at(dx, dy float32) *wash {
	x := int(dx*wheelReach + wheelReach + 0.5)
	y := int(dy*wheelReach + wheelReach + 0.5)
	return &w[y*wheelSide+x]
}

// drawFlow draws the flow of s over its grey picture on dst. Without flow it is a copy.
func (d *Drawer) drawFlow(dst *capture.Frame, s *Scene) {
	src := s.Frame
	if s.Flow == nil {
		copyFrame(dst, src)
		return
	}
	sc := d.scratch.Get().(*scratch)
	defer d.scratch.Put(sc)
	unit := float32(1 / (fullFlow * float64(s.FlowW)))
	e := sc.enlarge(s.Flow, s.FlowH, s.FlowW, 2, src.W, src.H)
	for y := range src.H {
		line := e.row(y)
		for i := 0; i < len(line); i += 2 {
			line[i], line[i+1] = limit(line[i]*unit, line[i+1]*unit)
		}
		to, from := row(dst, y), row(src, y)
		for x, st := range e.steps {
			v := line[2*st.i:][:4]
			dx := v[0] + st.fraction*(v[2]-v[0])
			dy := v[1] + st.fraction*(v[3]-v[1])
			d.wheel.at(dx, dy).over(to[3*x:], from[3*x:])
		}
	}
}

// flowLegend draws the wheel of directions in the bottom right corner, beside it the motion at its
// rim in pixels of the picture per frame.
func (d *Drawer) flowLegend(dst *capture.Frame) {
	l, ok := d.layout(dst)
	if !ok {
		return
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], math.Round(fullFlow*float64(dst.W)), 'f', -1, 64)
	text = append(text, " px"...)
	side, gap := 4*l.size, l.size/2
	in := l.legend(dst, side+gap+l.width(text), side)
	if in.Empty() {
		return
	}
	d.drawWheel(dst, in.Min.Add(image.Pt(side/2, side/2)), side/2)
	l.draw(dst, in.Min.X+side+gap, in.Min.Y+(side+l.capital)/2, text, textColour)
}

// drawWheel draws a disc with the colours of all motions over middle grey.
func (d *Drawer) drawWheel(dst *capture.Frame, centre image.Point, radius int) {
	grey := bgr{128, 128, 128}
	for y := -radius; y < radius; y++ {
		pix := row(dst, centre.Y+y)
		for x := -radius; x < radius; x++ {
			dx, dy := (float64(x)+0.5)/float64(radius), (float64(y)+0.5)/float64(radius)
			cover := min(max((1-math.Hypot(dx, dy))*float64(radius)+0.5, 0), 1)
			var c bgr
			d.wheel.at(float32(dx), float32(dy)).over(c[:], grey[:])
			p := pix[3*(centre.X+x):][:3]
			for i := range c {
				p[i] = blend(p[i], c[i], weightOf(cover))
			}
		}
	}
}
