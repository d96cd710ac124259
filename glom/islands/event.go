package islands

// EventKind says what happened to an island.
type EventKind uint8

// What can happen to an island from one frame to the next.
const (
	Birth EventKind = iota // it came into view
	Split                  // it came out of Other, or came back out of it
	Merge                  // it went into Other, and may come back
	Lost                   // it went out of sight, and may come back
	Found                  // it came back into sight
	Death                  // it is not expected back any more
)

// Event is something that happened to the island ID. The life of an id begins with Birth or Split
// and ends with Death; each Merge or Lost is followed by Split, Found or Death.
type Event struct {
	Kind  EventKind
	ID    uint16
	Other uint16 // 0 unless Kind is Split or Merge
}

// String returns the name of the kind in small letters.
func (k EventKind) String() string {
	switch k {
	case Birth:
		return "birth"
	case Split:
		return "split"
	case Merge:
		return "merge"
	case Lost:
		return "lost"
	case Found:
		return "found"
	case Death:
		return "death"
	}
	return "unknown"
}
