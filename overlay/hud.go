package overlay

import (
	"image"
	"math"
	"strconv"

	"glomstream/capture"
)

// layout is a font and the distances of text and legends that follow from its size, in pixels.
type layout struct {
	*face
	margin     int // from the border of the picture to a panel
	padX, padY int // from the border of a panel to what is in it
}

// layout returns the layout for a picture, and whether anything shall be written on it.
func (d *Drawer) layout(dst *capture.Frame) (layout, bool) {
	f := d.face(dst.W, dst.H)
	if d.cfg.NoHUD || f == nil {
		return layout{}, false
	}
	return layout{face: f, margin: f.size / 2, padX: f.size/2 + 1, padY: f.size / 2}, true
}

// fits tells whether a panel with content of w by h pixels fits on dst.
func (l *layout) fits(dst *capture.Frame, w, h int) bool {
	return w+2*(l.padX+l.margin) <= dst.W && h+2*(l.padY+l.margin) <= dst.H
}

// status is what the title says of the frame.
type status struct {
	fps       float64
	cut       bool
	unsettled float64
}

func (s *Scene) status() status { return status{s.FPS, s.Cut, s.Unsettled} }

// warnFrom is how unsettled a frame must be for a warning. What walks and a camera that pans mostly stay below.
const warnFrom = 0.25

// warning appends what the viewer should not rely on, nothing if all is well.
func (s status) warning(text []byte) []byte {
	switch {
	case s.cut:
		return append(text, "   cut: settling anew"...)
	case s.unsettled >= warnFrom:
		return strconv.AppendFloat(append(text, "   unsettled "...), s.unsettled, 'f', 2, 64)
	}
	return text
}

// title writes what is shown, a note about it, the frame rate and a warning in the top left corner. It
// leaves out the frame rate, then the warning, and then everything, if the picture is too small.
func (d *Drawer) title(dst *capture.Frame, name, note string, s status) {
	l, ok := d.layout(dst)
	if !ok {
		return
	}
	var buf [64]byte
	var warn [32]byte
	text := append(buf[:0], name...)
	text = append(text, note...)
	short := len(text)
	text = appendRate(text, s.fps)
	warning := s.warning(warn[:0])
	fits := func() bool { return l.fits(dst, l.width(text)+l.width(warning), l.capital) }
	if !fits() {
		text = text[:short]
	}
	if !fits() {
		warning = nil
	}
	if !fits() {
		return
	}
	width := l.width(text)
	in := image.Rect(0, 0, width+l.width(warning), l.capital).Add(image.Pt(l.margin+l.padX, l.margin+l.padY))
	l.panel(dst, in)
	l.draw(dst, in.Min.X, in.Max.Y, text, textColour)
	l.draw(dst, in.Min.X+width, in.Max.Y, warning, warnColour)
}

// legend draws the panel of a legend with content of w by h pixels in the bottom right corner and
// returns where the content goes. It is empty if the panel would take more than a third of the height.
func (l *layout) legend(dst *capture.Frame, w, h int) (in image.Rectangle) {
	if !l.fits(dst, w, h) || h+2*l.padY > dst.H/3 {
		return in
	}
	in = image.Rect(dst.W-w, dst.H-h, dst.W, dst.H).Sub(image.Pt(l.margin+l.padX, l.margin+l.padY))
	l.panel(dst, in)
	return in
}

// appendRate appends "   31 fps", with one decimal below 10, nothing if the rate is unknown or absurd.
func appendRate(text []byte, fps float64) []byte {
	if !(fps > 0 && fps < 1e5) {
		return text
	}
	decimals := 0
	if fps < 9.95 {
		decimals = 1
	}
	text = strconv.AppendFloat(append(text, "   "...), fps, 'f', decimals, 64)
	return append(text, " fps"...)
}

// panel darkens what is behind and around the content in, with round corners.
func (l *layout) panel(dst *capture.Frame, in image.Rectangle) {
	const opacity = 0.62
	t := newTint(bgr{16, 14, 14}, opacity)
	r := image.Rect(in.Min.X-l.padX, in.Min.Y-l.padY, in.Max.X+l.padX, in.Max.Y+l.padY)
	radius := l.size / 3
	for y := r.Min.Y; y < r.Max.Y; y++ {
		dy := max(r.Min.Y+radius-y, y-(r.Max.Y-1-radius), 0)
		inset := radius - int(math.Sqrt(float64(radius*radius-dy*dy))+0.5)
		pix := row(dst, y)[3*(r.Min.X+inset) : 3*(r.Max.X-inset)]
		t.over(pix, pix)
	}
}

// Sign writes a warning on a dark band across the middle of a picture that is otherwise left as it is,
// such as one that is no longer new. A picture that is too small for the text gets the band only.
func (d *Drawer) Sign(canvas *capture.Frame, text string) {
	checkFrame("canvas", canvas)
	l := layout{face: d.face(canvas.W, canvas.H)}
	if l.face == nil {
		l.face = &d.faces[0]
	}
	high := l.size + l.size/2
	band := image.Rect(0, 0, canvas.W, high).Add(image.Pt(0, (canvas.H-high)/2)).Intersect(image.Rect(0, 0, canvas.W, canvas.H))
	t := newTint(bgr{16, 14, 14}, 0.8)
	for y := band.Min.Y; y < band.Max.Y; y++ {
		pix := row(canvas, y)
		t.over(pix, pix)
	}
	if w := l.width([]byte(text)); w <= canvas.W {
		l.draw(canvas, (canvas.W-w)/2, band.Min.Y+(high+l.capital)/2, []byte(text), warnColour)
	}
}
