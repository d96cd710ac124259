package meta

import (
	"encoding/json"
	"fmt"
	"time"
)

// State is what the server tells a viewer on the channel control: when it joins, when something
// changes, and after each command, so that a viewer sees what was applied.
type State struct {
	Role   string   `json:"role"`          // "viewer" or "operator"
	Can    []string `json:"can,omitempty"` // types of commands that this server has and the role may give
	Names  []string `json:"names"`         // of the levels, finest first
	Level  int      `json:"level"`
	Paused bool     `json:"paused"`

	Follow  *Followed `json:"follow,omitempty"` // what is being followed, for all viewers
	Drawn   *Drawn    `json:"drawn,omitempty"`  // what the server draws, for all who get that picture
	Source  string    `json:"source,omitempty"` // what is shown, without credentials
	Stalled bool      `json:"stalled"`          // the source gives no new frames
	Viewers int       `json:"viewers"`

	Notice string `json:"notice,omitempty"` // what came of the last command, for people
	Error  string `json:"error,omitempty"`  // why the last command was refused
}

// Followed is the island that an operator chose.
type Followed struct {
	Level  int  `json:"level"`
	Island int  `json:"island"`         // its id in this frame
	Lost   bool `json:"lost,omitempty"` // out of view
}

// Drawn is how the islands are drawn into the picture that is not drawn by viewers.
type Drawn struct {
	Level   int     `json:"level"`
	All     bool    `json:"all,omitempty"` // all levels side by side, instead of Level
	Opacity float64 `json:"opacity"`
}

// AppendState appends the message of s: the fields above and "type":"state".
func AppendState(dst []byte, s *State) ([]byte, error) {
	return appendJSON(dst, struct {
		Type string `json:"type"`
		*State
	}{"state", s})
}

// AppendPong appends the answer to a Ping: its t and the server's clock, by which the viewer can tell
// how old a picture is although the clocks differ.
func AppendPong(dst []byte, t float64, now time.Time) ([]byte, error) {
	return appendJSON(dst, struct {
		Type string  `json:"type"`
		T    float64 `json:"t"`
		Time int64   `json:"time"` // microseconds since 1970
	}{"pong", t, now.UnixMicro()})
}

func appendJSON(dst []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("append state: %w", err)
	}
	return append(dst, b...), nil
}
