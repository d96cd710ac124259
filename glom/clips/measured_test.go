package clips

import (
	"errors"
	"sync"
	"testing"
)

// ramp is a source of clips whose frame t is all of the grey value 10 n + t, with a flow of 7.
type ramp struct{}

func (ramp) Clip(dst *Clip, n uint64) error {
	if n == 99 {
		return errors.New("no such clip")
	}
	dst.Reshape(3, 8, 16, true)
	size := dst.H * dst.W
	for i := range dst.Pix {
		dst.Pix[i] = byte(10*int(n) + i/3/size)
	}
	for i := range dst.Flow {
		dst.Flow[i] = 7
	}
	return nil
}

// difference says that what brightened moved by as many pixels.
type difference struct {
	open *int
	busy sync.Mutex
}

func (d *difference) Calc(dst []float32, prev, cur []byte, w, h int) error {
	if !d.busy.TryLock() {
		return errors.New("used twice at a time")
	}
	defer d.busy.Unlock()
	if len(prev) != w*h || len(cur) != w*h || len(dst) != 2*w*h {
		return errors.New("wrong size")
	}
	if cur[0] == 42 {
		return errors.New("boom")
	}
	for i := range cur {
		dst[2*i], dst[2*i+1] = float32(cur[i])-float32(prev[i]), float32(cur[i])
	}
	return nil
}

func (d *difference) Close() error { *d.open--; return nil }

func TestMeasured(t *testing.T) {
	var open int
	m := NewMeasured(ramp{}, func() (Flow, error) { open++; return &difference{open: &open}, nil })
	var wg sync.WaitGroup
	for n := range uint64(4) {
		wg.Go(func() {
			var c Clip
			for range 20 {
				if err := m.Clip(&c, n); err != nil {
					t.Error(err)
					return
				}
				for i, v := range c.Flow {
					frame, want := i/(2*8*16), float32(0)
					switch {
					case frame > 0 && i%2 == 0:
						want = 1
					case frame > 0:
						want = float32(10*int(n) + frame)
					}
					if v != want {
						t.Errorf("clip %d, frame %d: flow %v, want %v", n, frame, v, want)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	var c Clip
	for _, n := range []uint64{99, 4} { // the source fails, the flow fails
		if err := m.Clip(&c, n); err == nil {
			t.Errorf("clip %d: no error", n)
		}
	}
	if open == 0 || open > 4 {
		t.Errorf("%d flows for 4 goroutines", open)
	}
	if err := m.Close(); err != nil || open != 0 {
		t.Errorf("%d flows are left open, error %v", open, err)
	}
	broken := NewMeasured(ramp{}, func() (Flow, error) { return nil, errors.New("no flow") })
	if err := broken.Clip(&c, 1); err == nil {
		t.Error("without a flow: no error")
	}
}
