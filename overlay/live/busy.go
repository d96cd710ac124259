package live

import (
	"sync"
	"time"
)

// busy knows since when the worker has been at the same piece of work. The zero value is idle. Its lock
// is held for no longer than it takes to read a clock, so that it can be asked whatever hangs.
type busy struct {
	mu   sync.Mutex
	work time.Time               // since when a picture is made and encoded; zero: not now
	send [pictures + 1]time.Time // since when a picture, or data (the last one), is handed to the server; zero: not now
}

// since notes that something begins, and returns what is to be called when it is over.
func (b *busy) since(at *time.Time) (over func()) {
	b.set(at, time.Now())
	return func() { b.set(at, time.Time{}) }
}

func (b *busy) set(at *time.Time, t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*at = t
}

// Busy returns for how long the present picture has been drawn and encoded, and for how long it, or its
// data, has been handed to the server of the viewers: 0 if nothing of that is going on. Both take
// milliseconds; something that takes seconds hangs. It never waits.
func (l *Live) Busy() (encode, send time.Duration) {
	b := &l.busy
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for _, t := range b.send {
		if !t.IsZero() {
			send = max(send, now.Sub(t))
		}
	}
	if !b.work.IsZero() {
		encode = now.Sub(b.work) - send // which it waits for
	}
	return encode, send
}
