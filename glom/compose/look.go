package compose

// finish gives the pictures the look of a camera: out of focus, light, noise. Where nothing moves they are
// all the same one in half of the cases, as those of a photo are.
func (w *worker) finish() {
	n := 3 * w.cfg.H * w.cfg.W
	soft := 0
	if w.Chance(0.5) {
		soft = 1 + w.Intn(3)
	}
	gain := float64(w.Range(0.6, 1.2) * w.Range(0.85, 1.05))
	drift := 0.0 // of the gain per frame
	if w.Chance(0.2) {
		drift = w.small(0.04)
	}
	offset := w.Range(-10, 14)
	var tint [3]float64
	for k := range tint {
		tint[k] = w.Range(0.9, 1.1)
	}
	noise := 0.0
	if w.Chance(0.7) {
		noise = float64(w.Range(0.3, 1) * w.Range(0.5, 7))
	}
	for i := range w.noise {
		w.noise[i] = int16(float64(noise*w.Normal()) + 0.5 + 64)
	}
	still := w.frozen && w.Chance(0.5)
	if still {
		drift = 0
	}
	random := w.Uint64()
	for t := range w.cfg.T {
		if t > 0 && !still {
			random = w.Uint64()
		}
		pix := w.dst.Pix[t*n:][:n]
		for range soft {
			w.soften(pix)
		}
		light := float64(gain * (1 + float64(drift*w.tau(t))))
		var curve [3][512]byte // of a value and its noise, 128 higher
		for k := range curve {
			for v := range curve[k] {
				f := float64(float64(tint[k]*light)*float64(v-128)) + offset
				curve[k][v] = byte(min(max(f, 0), 255))
			}
		}
		w.develop(pix, &curve, random|1)
	}
}

// develop adds noise, which random begins, and looks every value up.
func (w *worker) develop(pix []byte, curve *[3][512]byte, random uint64) {
	for i := 0; i+3 <= len(pix); i += 3 {
		// xorshift: one step gives the noise of three values.
		random ^= random << 13
		random ^= random >> 7
		random ^= random << 17
		pix[i] = curve[0][int16(pix[i])+w.noise[random&4095]+64]
		pix[i+1] = curve[1][int16(pix[i+1])+w.noise[random>>16&4095]+64]
		pix[i+2] = curve[2][int16(pix[i+2])+w.noise[random>>32&4095]+64]
	}
}

// soften blurs a picture by 1 2 1 in both directions.
func (w *worker) soften(pix []byte) {
	stride := 3 * w.cfg.W
	tmp := w.blend[0]
	for y := range w.cfg.H {
		row, out := pix[y*stride:][:stride], tmp[y*stride:][:stride]
		copy(out, row)
		for i := 3; i < stride-3; i++ {
			out[i] = byte((uint32(row[i-3]) + 2*uint32(row[i]) + uint32(row[i+3]) + 2) >> 2)
		}
	}
	for y := range w.cfg.H {
		above, here, below := tmp[max(y-1, 0)*stride:][:stride], tmp[y*stride:][:stride], tmp[min(y+1, w.cfg.H-1)*stride:][:stride]
		out := pix[y*stride:][:stride]
		for i := range out {
			out[i] = byte((uint32(above[i]) + 2*uint32(here[i]) + uint32(below[i]) + 2) >> 2)
		}
	}
}
