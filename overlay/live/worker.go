package live

import (
	"fmt"
	"sync"
	"time"
)

const (
	look      = 250 * time.Millisecond // how often the worker looks at the clock
	again     = time.Second            // how often an old picture is shown
	patience  = 150 * time.Millisecond // how long a viewer waits for the next picture before the last one is shown once more
	fullEvery = 10                     // frames from one whole parse tree to the next
)

// run draws, encodes and tells, one picture after the other.
func (l *Live) run() {
	defer close(l.ended)
	tick := time.NewTicker(look)
	defer tick.Stop()
	var shown time.Time // when the last picture was
	for {
		select {
		case <-l.done:
			l.forget()
			return
		case <-l.wake:
		case <-tick.C:
			over := l.busy.since(&l.busy.send[pictures])
			for _, v := range l.room.owed() {
				l.room.answer(v, l.state())
			}
			over()
		}
		if s := l.fetch(); s != nil {
			if l.stalled.CompareAndSwap(true, false) {
				l.cfg.Log.Info("pictures come again")
				l.room.echo(l.state())
			}
			l.show(s, s.frame.Captured, "")
			s.release()
			shown = time.Now()
			continue
		}
		s, sign := l.old(shown)
		if sign != "" && l.stalled.CompareAndSwap(false, true) {
			l.cfg.Log.Warn("stalled: no new picture", "for", l.cfg.Stale)
			l.room.echo(l.state())
		}
		if s != nil {
			l.show(s, time.Now(), sign)
			s.release()
			shown = time.Now()
		}
	}
}

// forget gives back what is left.
func (l *Live) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range []**shot{&l.mail, &l.last} {
		if *s != nil {
			(*s).release()
			*s = nil
		}
	}
}

// fetch takes the newest shot, nil if there is none.
func (l *Live) fetch() *shot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.mail
	l.mail = nil
	return s
}

// old returns the last shot if it should be shown once more: with a sign because no newer one comes, or
// without because somebody waits for a picture to begin with. It is nil if not.
func (l *Live) old(shown time.Time) (s *shot, sign string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		return nil, ""
	}
	age, since := time.Since(l.arrived), time.Since(shown)
	stale := age > l.cfg.Stale-look // at the next look it would be too late
	waiting := since >= patience && l.waiting()
	switch {
	case !waiting && (!stale || since < again):
		return nil, ""
	case stale:
		sign = fmt.Sprintf("no new picture for %.0f s", age.Seconds())
		if sign != l.sign {
			l.sign = sign
			l.news()
		}
	}
	l.last.retain()
	return l.last, sign
}

// waiting tells whether a viewer waits for a key frame.
func (l *Live) waiting() bool {
	for i := range l.lanes {
		if l.lanes[i].key.Load() && l.wanted(i) {
			return true
		}
	}
	return false
}

// show gives a shot to all who watch. when is the time of capture, or now if it is shown once more.
func (l *Live) show(s *shot, when time.Time, sign string) {
	defer l.busy.since(&l.busy.work)()
	pts := max(when.Sub(l.epoch), l.pts+time.Millisecond)
	l.pts = pts
	at := moment{pts: pts, rtp: l.offset + uint32(pts.Microseconds()*9/100), captured: s.frame.Captured, sign: sign}
	var wg sync.WaitGroup
	some := false
	fresh := when.Equal(at.captured)
	for i := range l.lanes {
		if l.wanted(i) {
			some = true
			wg.Go(func() { l.lanes[i].show(s, at) })
		}
	}
	l.tell(s, at)
	wg.Wait()
	if some && fresh {
		l.cfg.Observe("age", time.Since(at.captured))
	}
}

// moment is when a picture is shown.
type moment struct {
	pts      time.Duration // since the start
	rtp      uint32
	captured time.Time
	sign     string // why the picture is old; empty if it is not
}

// wanted tells whether a picture has to be encoded.
func (l *Live) wanted(picture int) bool {
	return l.noVideo == nil && (picture == Overlay && l.recorder != nil || l.room.watching(picture) > 0)
}
