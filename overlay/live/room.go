package live

import (
	"slices"
	"sync"

	"glomstream/overlay/meta"
	"glomstream/overlay/stream"
)

// viewer is one who watches: a *stream.Viewer.
type viewer interface {
	ID() string
	Role() string
	Picture() int
	SetPaused(bool)
	HasChannels() bool    // whether it takes data
	Meta(msg []byte) bool // data of a frame
	Send(msg []byte) bool // control
}

// server sends pictures: a *stream.Server.
type server interface {
	Write(picture int, f *stream.Frame)
	Watching(picture int) int
}

// watcher is a viewer and what it has set.
type watcher struct {
	viewer
	level  int
	paused bool
	owed   bool // the state could not be sent: its channel is not open yet
}

// room holds those who watch. The zero value is empty, and nobody serves them.
type room struct {
	mu     sync.Mutex
	server server // nil before Stream
	all    []*watcher
	level  int // of those who come
}

func (m *room) open(s server, level int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.server, m.level = s, level
}

func (m *room) served() server {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.server
}

func (m *room) watching(picture int) int {
	if s := m.served(); s != nil {
		return s.Watching(picture)
	}
	return 0
}

func (m *room) write(picture int, f *stream.Frame) {
	if s := m.served(); s != nil {
		s.Write(picture, f)
	}
}

func (m *room) join(v viewer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, &watcher{viewer: v, level: m.level})
}

func (m *room) leave(v viewer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = slices.DeleteFunc(m.all, func(w *watcher) bool { return w.ID() == v.ID() })
}

// set changes what a viewer has set, and returns whether the viewer is there.
func (m *room) set(v viewer, change func(*watcher)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.all {
		if w.ID() == v.ID() {
			change(w)
			return true
		}
	}
	return false
}

// count returns how many watch.
func (m *room) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.all)
}

// levels marks which of n levels are watched, and returns whether any is.
func (m *room) levels(dst *[]bool, n int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(*dst) != n {
		*dst = make([]bool, n)
	}
	clear(*dst)
	some := false
	for _, w := range m.all {
		if !w.paused && w.level < n && w.HasChannels() {
			(*dst)[w.level], some = true, true
		}
	}
	return some
}

// tell sends data to those who watch a level. A message that a viewer has no room for is lost.
func (m *room) tell(level int, msg []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.all {
		if w.level == level && !w.paused {
			w.Meta(msg)
		}
	}
}

// echo tells everybody what holds now.
func (m *room) echo(common meta.State) {
	m.mu.Lock()
	all := slices.Clone(m.all)
	m.mu.Unlock()
	for _, w := range all {
		m.answer(w.viewer, common)
	}
}

// answer tells one viewer what holds now.
func (m *room) answer(v viewer, st meta.State) {
	found := m.set(v, func(w *watcher) { st.Level, st.Paused = w.level, w.paused })
	if !found {
		return
	}
	st.Role = v.Role()
	st.Can = slices.DeleteFunc(slices.Clone(st.Can), func(c string) bool { return st.Role != stream.RoleOperator && forOperators(c) })
	msg, err := meta.AppendState(nil, &st)
	if err != nil {
		panic(err) // plain numbers and strings
	}
	sent := v.Send(msg)
	m.set(v, func(w *watcher) { w.owed = !sent && v.HasChannels() })
}

// owed returns those who wait for the state.
func (m *room) owed() (some []viewer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.all {
		if w.owed {
			some = append(some, w.viewer)
		}
	}
	return some
}

// forOperators tells whether a command concerns all viewers.
func forOperators(command string) bool {
	return command == meta.Follow || command == meta.Unfollow || command == meta.Draw || command == meta.Snapshot
}
