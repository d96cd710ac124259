package capture

import "testing"

func TestPoolWarmAllocatesNothing(t *testing.T) {
	p := NewPool(2)
	warm := p.Frame(64, 48)
	warm.Release()
	n := testing.AllocsPerRun(100, func() {
		f := p.Frame(64, 48)
		f.Pix[0] = 1
		f.Release()
	})
	if n != 0 {
		t.Errorf("a warm pool allocates %v times a frame, want 0", n)
	}
}

func TestPoolFrame(t *testing.T) {
	p := NewPool(1)
	for _, size := range [][2]int{{4, 3}, {2, 2}, {5, 7}, {1, 1}} {
		w, h := size[0], size[1]
		f := p.Frame(w, h)
		if f.W != w || f.H != h || f.Stride != 3*w || len(f.Pix) != 3*w*h {
			t.Errorf("%d x %d: got W %d, H %d, Stride %d, %d bytes", w, h, f.W, f.H, f.Stride, len(f.Pix))
		}
		f.Release()
	}
}

func TestReleaseTwice(t *testing.T) {
	p := NewPool(2)
	f := p.Frame(4, 4)
	f.Release()
	f.Release()
	if f.Pix != nil {
		t.Error("a released frame still has its pixels")
	}
	a, b := p.Frame(4, 4), p.Frame(4, 4)
	if &a.Pix[0] == &b.Pix[0] {
		t.Error("two frames share their pixels")
	}
	var zero Frame
	zero.Release() // of no pool
}

func TestPoolKeepsNoMoreThanAsked(t *testing.T) {
	p := NewPool(1)
	a, b := p.Frame(4, 4), p.Frame(4, 4)
	kept := &a.Pix[0]
	a.Release()
	b.Release() // the pool is full: this one is left to the garbage collector
	if len(p.free) != 1 {
		t.Fatalf("%d buffers kept, want 1", len(p.free))
	}
	if f := p.Frame(4, 4); &f.Pix[0] != kept {
		t.Error("the kept buffer was not lent again")
	}
}
