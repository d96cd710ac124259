package clips

import "sync"

// Flow finds the motion between two pictures, as a front end does. It is used by one goroutine at a time.
type Flow interface {
	// Calc writes into dst (h, w, 2) the motion dx, dy in pixels from prev to cur, two grey
	// pictures (h, w): what is at p in cur was at p - dst(p) in prev.
	Calc(dst []float32, prev, cur []byte, w, h int) error
	Close() error
}

// Measured gives the clips of a Source the flow that is found in their pictures, with the faults that a front
// end will meet, instead of the flow that they came with. Make one with NewMeasured.
type Measured struct {
	src     Source
	newFlow func() (Flow, error)

	mu   sync.Mutex
	idle []*meter
}

// meter is the memory in which the flow of one clip at a time is found.
type meter struct {
	Flow
	grey [2][]byte // (H, W) of the frame before and of this one
}

// NewMeasured returns the clips of src, which stays the caller's. newFlow is called once for each goroutine that
// calls Clip at the same time.
func NewMeasured(src Source, newFlow func() (Flow, error)) *Measured {
	return &Measured{src: src, newFlow: newFlow}
}

// Clip implements Source.
func (m *Measured) Clip(dst *Clip, n uint64) error {
	if err := m.src.Clip(dst, n); err != nil {
		return err
	}
	f, err := m.take()
	if err != nil {
		return err
	}
	defer m.give(f)
	size := dst.H * dst.W
	for t := range dst.T {
		f.grey[0], f.grey[1] = f.grey[1], greys(f.grey[0], dst.Pix[3*t*size:][:3*size])
		flow := dst.Flow[2*t*size:][:2*size]
		if t == 0 {
			clear(flow)
		} else if err := f.Calc(flow, f.grey[0], f.grey[1], dst.W, dst.H); err != nil {
			return err
		}
	}
	return nil
}

// Close closes what newFlow made. No call of Clip may be under way.
func (m *Measured) Close() error {
	var first error
	for _, f := range m.idle {
		if err := f.Close(); first == nil {
			first = err
		}
	}
	m.idle = nil
	return first
}

func (m *Measured) take() (*meter, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n := len(m.idle); n > 0 {
		f := m.idle[n-1]
		m.idle = m.idle[:n-1]
		return f, nil
	}
	f, err := m.newFlow()
	if err != nil {
		return nil, err
	}
	return &meter{Flow: f}, nil
}

func (m *Measured) give(f *meter) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idle = append(m.idle, f)
}

// greys writes the luma of ITU-R BT.601 of BGR pixels into dst.
func greys(dst, pix []byte) []byte {
	dst = grow(dst, len(pix)/3)
	for i := range dst {
		p := pix[3*i : 3*i+3 : 3*i+3]
		dst[i] = byte((29*uint32(p[0]) + 150*uint32(p[1]) + 77*uint32(p[2]) + 128) >> 8)
	}
	return dst
}
