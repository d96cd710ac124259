package capture

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// short is a source of some frames, a tenth of a second apart, that ends with an error.
type short struct {
	frames int
	end    error
	next   int
	closed bool
	live   bool
}

func (s *short) Next(ctx context.Context) (Frame, error) {
	if s.next == s.frames {
		return Frame{}, s.end
	}
	f := Frame{Seq: uint64(s.next), PTS: time.Duration(s.next) * 100 * time.Millisecond, W: 1, H: 1, Stride: 3, Pix: make([]byte, 3)}
	if s.live {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return Frame{}, err
		}
	}
	s.next++
	f.Captured = time.Now()
	return f, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *short) Info() Info   { return Info{Name: "short", FPS: 10, Frames: s.frames, Live: s.live} }
func (s *short) Close() error { s.closed = true; return nil }

func TestLoop(t *testing.T) {
	var opened []*short
	open := func(context.Context) (Source, error) {
		s := &short{frames: 3, end: io.EOF}
		opened = append(opened, s)
		return s, nil
	}
	first, _ := open(t.Context())
	l := Loop(first, open)
	if info := l.Info(); info.Frames != 0 || info.FPS != 10 {
		t.Errorf("info %+v, want no end and 10 frames/s", info)
	}
	var anew []int
	for i := range 8 {
		f, err := l.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if f.Seq != uint64(i) || f.PTS != time.Duration(i)*100*time.Millisecond {
			t.Errorf("frame %d: number %d at %v", i, f.Seq, f.PTS)
		}
		if f.Anew {
			anew = append(anew, i)
		}
	}
	if !slices.Equal(anew, []int{0, 3, 6}) {
		t.Errorf("began anew at %v", anew)
	}
	if err := l.Close(); err != nil || len(opened) != 3 {
		t.Errorf("%v, opened %d times, want 3", err, len(opened))
	}
	for i, s := range opened {
		if !s.closed {
			t.Errorf("source %d is open", i)
		}
	}
}

func TestLoopEnds(t *testing.T) {
	boom := errors.New("boom")
	l := Loop(&short{end: io.EOF}, func(context.Context) (Source, error) { t.Error("opened again"); return nil, boom })
	if _, err := l.Next(t.Context()); err != io.EOF {
		t.Errorf("a source without frames: %v, want EOF", err)
	}
	l = Loop(&short{end: boom, frames: 1}, func(context.Context) (Source, error) { t.Error("opened again"); return nil, boom })
	_, _ = l.Next(t.Context())
	if _, err := l.Next(t.Context()); err != boom {
		t.Errorf("got %v, want the error of the source", err)
	}
	l = Loop(&short{end: io.EOF, frames: 1}, func(context.Context) (Source, error) { return nil, boom })
	_, _ = l.Next(t.Context())
	if _, err := l.Next(t.Context()); err != boom {
		t.Errorf("got %v, want the error of opening", err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// Fault 4: waits double up to half a minute and start over once the source has worked; PTS goes on
// with the clock.
func TestReconnectBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		dead := 9
		var waits []time.Duration
		open := func(context.Context) (Source, error) {
			if dead--; dead >= 0 {
				return nil, boom
			}
			return &short{frames: 400, end: io.ErrUnexpectedEOF, live: true}, nil
		}
		r := Reconnect(&short{frames: 1, end: boom, live: true}, open, func(_ error, w time.Duration) { waits = append(waits, w) })
		start := time.Now()
		var frames []Frame
		for len(frames) < 402 {
			f, err := r.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			frames = append(frames, f)
			if want := time.Since(start) - 100*time.Millisecond; f.PTS != want {
				t.Fatalf("frame %d at %v, want %v", f.Seq, f.PTS, want)
			}
		}
		want := minWait
		for i, w := range waits {
			if i == 10 {
				want = minWait // it had worked
			}
			if w < want*3/4 || w > want*5/4 {
				t.Errorf("wait %d is %v, want about %v", i, w, want)
			}
			want = min(2*want, maxWait)
		}
		if len(waits) != 11 || frames[401].Seq != 401 || !frames[401].Anew || frames[400].Anew || !frames[1].Anew {
			t.Errorf("%d waits, last frame %+v", len(waits), frames[401])
		}
	})
}

// Fault 5: a source that flaps leaves nothing open.
func TestReconnectFlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		open := 1
		var all []*short
		opener := func(context.Context) (Source, error) {
			s := &short{frames: 1, end: io.ErrUnexpectedEOF, live: true}
			all = append(all, s)
			open++
			return s, nil
		}
		r := Reconnect(&short{frames: 1, end: io.EOF}, opener, nil)
		for range 101 {
			if _, err := r.Next(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for i, s := range all[:len(all)-1] {
			if !s.closed {
				t.Errorf("source %d is open", i)
			}
		}
		if err := r.Close(); err != nil || len(all) != 100 || !all[99].closed {
			t.Errorf("%v: opened %d times, want 100, all closed", err, len(all))
		}
	})
}

func TestReconnectHeedsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom, stop := errors.New("boom"), errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		r := Reconnect(&short{end: boom}, func(context.Context) (Source, error) { return nil, boom }, nil)
		time.AfterFunc(100*time.Second, func() { cancel(stop) })
		start := time.Now()
		if _, err := r.Next(ctx); err != stop || time.Since(start) != 100*time.Second {
			t.Errorf("%v after %v, want the cause after 100 s", err, time.Since(start))
		}
		if err := r.Close(); err != nil || r.Info().Name != "short" {
			t.Error(err, r.Info())
		}
	})
}

func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Pace(&short{frames: 20, end: io.EOF})
		start := time.Now()
		for i := range 10 {
			f, err := p.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if now := time.Since(start); now != f.PTS || f.Captured.Sub(start) != f.PTS {
				t.Errorf("frame %d at %v, captured at %v, want %v", i, now, f.Captured.Sub(start), f.PTS)
			}
		}
		time.Sleep(150 * time.Millisecond) // late by 50 ms: the next one is on time again
		if f, _ := p.Next(t.Context()); time.Since(start) != 1050*time.Millisecond || f.Captured.Sub(start) != time.Second {
			t.Errorf("late frame at %v", time.Since(start))
		}
		if _, err := p.Next(t.Context()); err != nil || time.Since(start) != 1100*time.Millisecond {
			t.Errorf("%v: next frame at %v", err, time.Since(start))
		}
		time.Sleep(5 * time.Second) // the clock moves
		_, _ = p.Next(t.Context())
		if _, err := p.Next(t.Context()); err != nil || time.Since(start) != 6200*time.Millisecond {
			t.Errorf("%v: frame at %v, want 6.2 s", err, time.Since(start))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(io.ErrClosedPipe)
		if _, err := p.Next(ctx); err != io.ErrClosedPipe {
			t.Errorf("got %v, want the cause", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}
