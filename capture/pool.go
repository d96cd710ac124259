package capture

// Pool lends pixel buffers for frames and takes them back, so that a running video
// allocates nothing. It is safe for concurrent use. Make one with NewPool.
type Pool struct {
	free chan []byte
}

// NewPool returns a pool that keeps at most n buffers that nobody uses.
func NewPool(n int) *Pool {
	return &Pool{free: make(chan []byte, n)}
}

// Frame returns a frame of w by h pixels whose rows follow each other without a gap.
// Its pixels are not cleared.
func (p *Pool) Frame(w, h int) Frame {
	n := 3 * w * h
	var pix []byte
	select {
	case pix = <-p.free:
	default:
	}
	if cap(pix) < n {
		pix = make([]byte, n)
	}
	return Frame{W: w, H: h, Stride: 3 * w, Pix: pix[:n], pool: p}
}

// Release gives the pixels back to the pool that they came from, if any.
// The frame must not be used afterwards, nor any copy of it. Releasing the same variable twice
// is harmless.
func (f *Frame) Release() {
	if f.pool != nil {
		select {
		case f.pool.free <- f.Pix:
		default:
		}
	}
	f.pool, f.Pix = nil, nil
}
