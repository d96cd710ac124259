package clips

import (
	"fmt"

	"glomstream/glom/internal/dice"
)

// RealConfig says how clips are cut out of videos. T, H and W are needed; zero fields else have
// the stated default.
type RealConfig struct {
	T, H, W   int    // frames and size of a clip
	Seed      uint64 // which clips
	MaxStride int    // every frame to every MaxStride-th is used, default 3
}

// Real cuts clips without labels out of the videos of a Store: at a random place, mirrored or
// not, at a random size, brightness and speed.
type Real struct {
	cfg    RealConfig
	store  *Store
	pieces []int // videos of the store that are long enough
}

// NewReal returns a source of clips from store, which stays the caller's.
func NewReal(store *Store, cfg RealConfig) (*Real, error) {
	if cfg.T < 1 || cfg.H < 1 || cfg.W < 1 || cfg.H%Cell != 0 || cfg.W%Cell != 0 || cfg.MaxStride < 0 {
		return nil, fmt.Errorf("real clips: %d frames of %dx%d pixels: T must be positive, the sides positive multiples of %d, MaxStride %d not negative",
			cfg.T, cfg.W, cfg.H, Cell, cfg.MaxStride)
	}
	if cfg.MaxStride == 0 {
		cfg.MaxStride = 3
	}
	r := &Real{cfg: cfg, store: store}
	for i := range store.videos.entries {
		if store.videos.entries[i].t >= cfg.T {
			r.pieces = append(r.pieces, i)
		}
	}
	if len(r.pieces) == 0 {
		return nil, fmt.Errorf("real clips: no video of clip store %q has %d frames without a cut", store.name, cfg.T)
	}
	return r, nil
}

// Clip implements Source. Each piece of video is as likely as any other.
func (r *Real) Clip(dst *Clip, n uint64) error {
	d := dice.New(r.cfg.Seed, n)
	v, err := r.store.Video(r.pieces[d.Intn(len(r.pieces))])
	if err != nil {
		return err
	}
	dst.Reshape(r.cfg.T, r.cfg.H, r.cfg.W, false)
	dst.Source = v.Name
	c := r.throw(&d, v)
	for t := range dst.T {
		c.picture(dst, v, t)
		c.motion(dst, v, t)
	}
	return nil
}

// cut is where in a video a clip lies.
type cut struct {
	first, stride int
	x0, y0, step  int64 // place of the first pixel's centre and distance to the next, in 1/65536 pixels of the video
	mirrored      bool
	shade         [256]byte // what a value becomes
}

func (r *Real) throw(d *dice.Dice, v *Video) cut {
	c := cut{stride: 1, mirrored: d.Chance(0.5)}
	if r.cfg.T > 1 {
		c.stride += d.Intn(min(r.cfg.MaxStride, (v.T-1)/(r.cfg.T-1)))
	}
	c.first = d.Intn(v.T - (r.cfg.T-1)*c.stride)
	// From the whole picture to a quarter larger than it is.
	small := max(float64(r.cfg.H)/float64(v.H), float64(r.cfg.W)/float64(v.W))
	scale := d.Range(small, 1.25*max(small, 1))
	c.step = int64(65536 / scale)
	c.x0 = place(d, v.W, r.cfg.W, c.step)
	c.y0 = place(d, v.H, r.cfg.H, c.step)
	gain, offset := d.Range(0.75, 1.25), d.Range(-16, 16)
	for i := range c.shade {
		c.shade[i] = byte(min(max(float64(gain*float64(i))+offset, 0), 255))
	}
	return c
}

// place throws where out pixels, step apart, begin in a side of n pixels.
func place(d *dice.Dice, n, out int, step int64) int64 {
	room := max(int64(n)<<16-int64(out)*step, 0)
	return int64(float64(d.Float()*float64(room))) + (step-65536)/2
}

// at returns the place of pixel (x, y) of the clip in the video, in 1/65536 pixels.
func (c *cut) at(x, y, w int) (u, v int64) {
	if c.mirrored {
		x = w - 1 - x
	}
	return c.x0 + int64(x)*c.step, c.y0 + int64(y)*c.step
}

// picture samples frame t of dst.
func (c *cut) picture(dst *Clip, v *Video, t int) {
	n := 3 * v.H * v.W
	src := v.Pix[(c.first+t*c.stride)*n:][:n]
	for y := range dst.H {
		row := dst.Pix[3*dst.W*(t*dst.H+y):][:3*dst.W]
		for x := range dst.W {
			px, py := c.at(x, y, dst.W)
			x0, x1, fx := between(px, v.W)
			y0, y1, fy := between(py, v.H)
			a, b := src[3*(y0*v.W+x0):][:3], src[3*(y0*v.W+x1):][:3]
			e, f := src[3*(y1*v.W+x0):][:3], src[3*(y1*v.W+x1):][:3]
			for k := range 3 {
				top := int64(a[k])<<16 + fx*(int64(b[k])-int64(a[k]))
				low := int64(e[k])<<16 + fx*(int64(f[k])-int64(e[k]))
				row[3*x+k] = c.shade[(top<<16+fy*(low-top)+1<<31)>>32]
			}
		}
	}
}

// between returns the two of n samples around p, in 1/65536 of their distance, and how far p is
// from the first.
func between(p int64, n int) (i, j int, f int64) {
	p = min(max(p, 0), int64(n-1)<<16)
	i = int(p >> 16)
	return i, min(i+1, n-1), p & 65535
}

// motion writes the flow of frame t of dst: that of the frames since the one before it, one
// after the other.
func (c *cut) motion(dst *Clip, v *Video, t int) {
	out := dst.Flow[2*t*dst.H*dst.W:][:2*dst.H*dst.W]
	if t == 0 {
		clear(out)
		return
	}
	perPixel := float32(1) / float32(c.step)
	for y := range dst.H {
		for x := range dst.W {
			px, py := c.at(x, y, dst.W)
			qx, qy := px, py
			for s := range int64(c.stride) {
				dx, dy := v.flowAt(c.first+t*c.stride-int(s), qx, qy)
				qx, qy = qx-dx, qy-dy
			}
			i := 2 * (y*dst.W + x)
			out[i], out[i+1] = float32(px-qx)*perPixel, float32(py-qy)*perPixel
			if c.mirrored {
				out[i] = -out[i]
			}
		}
	}
}

// flowAt returns the flow of frame t at a place, both in 1/65536 pixels.
func (v *Video) flowAt(t int, px, py int64) (dx, dy int64) {
	// The centre of a flow sample lies in the middle of the pixels that it stands for.
	px = (2*px+65536)*int64(v.FlowW)/int64(2*v.W) - 32768
	py = (2*py+65536)*int64(v.FlowH)/int64(2*v.H) - 32768
	x0, x1, fx := between(px, v.FlowW)
	y0, y1, fy := between(py, v.FlowH)
	f := v.Flow[2*t*v.FlowH*v.FlowW:]
	a, b := f[2*(y0*v.FlowW+x0):][:2], f[2*(y0*v.FlowW+x1):][:2]
	e, g := f[2*(y1*v.FlowW+x0):][:2], f[2*(y1*v.FlowW+x1):][:2]
	mix := func(k int) int64 {
		top := int64(a[k])<<16 + fx*(int64(b[k])-int64(a[k]))
		low := int64(e[k])<<16 + fx*(int64(g[k])-int64(e[k]))
		return (top<<16 + fy*(low-top)) / (65536 * FlowUnit)
	}
	return mix(0), mix(1)
}
