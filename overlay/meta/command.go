package meta

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The types of commands. Set, Keyframe and Ping are for everyone, the others need the role operator.
const (
	Set      = "set"      // Level, Paused: of this viewer alone
	Follow   = "follow"   // Island of Level, or what is at X, Y
	Unfollow = "unfollow" //
	Draw     = "draw"     // Level, Opacity: of the picture that the server draws, for all who get that
	Snapshot = "snapshot" // have the server write a picture
	Keyframe = "keyframe" // the viewer's decoder needs one
	Ping     = "ping"     // T comes back in a Pong
)

// Command is what a viewer asks for. Fields that the type does not need may be there.
type Command struct {
	Type    string   `json:"type"`
	Level   *int     `json:"level,omitempty"`   // 0 to MaxLevels-1; the server knows how many there are
	Paused  *bool    `json:"paused,omitempty"`  // send no video until this is false
	Opacity *float64 `json:"opacity,omitempty"` // over 0 up to 1
	Island  *int     `json:"island,omitempty"`  // id, 1 to 65535
	X       *float64 `json:"x,omitempty"`       // 0 to 1 across the picture
	Y       *float64 `json:"y,omitempty"`       // 0 to 1 down the picture
	T       *float64 `json:"t,omitempty"`       // the viewer's clock in milliseconds, for Ping
}

// ParseCommand reads a command: one JSON object of at most MaxCommand bytes, with no fields but
// these and all that its type needs.
func ParseCommand(b []byte) (Command, error) {
	var c Command
	if len(b) > MaxCommand {
		return Command{}, fmt.Errorf("parse command: %d bytes, more than %d", len(b), MaxCommand)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Command{}, fmt.Errorf("parse command: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return Command{}, errors.New("parse command: more than one object")
	}
	if err := c.check(); err != nil {
		return Command{}, fmt.Errorf("command %.20q: %w", c.Type, err)
	}
	return c, nil
}

func (c *Command) check() error {
	within := func(v *float64) bool { return v == nil || *v >= 0 && *v <= 1 }
	switch {
	case c.Level != nil && (*c.Level < 0 || *c.Level >= MaxLevels):
		return fmt.Errorf("level %d: want 0 to %d", *c.Level, MaxLevels-1)
	case c.Opacity != nil && !(*c.Opacity > 0 && *c.Opacity <= 1):
		return fmt.Errorf("opacity %v: want over 0 up to 1", *c.Opacity)
	case c.Island != nil && (*c.Island < 1 || *c.Island > 0xFFFF):
		return fmt.Errorf("island %d: want 1 to 65535", *c.Island)
	case !within(c.X) || !within(c.Y) || (c.X == nil) != (c.Y == nil):
		return errors.New("want x and y, both from 0 to 1, or none")
	}
	switch c.Type {
	case Set:
		if c.Level == nil && c.Paused == nil {
			return errors.New("want level or paused")
		}
	case Draw:
		if c.Level == nil && c.Opacity == nil {
			return errors.New("want level or opacity")
		}
	case Follow:
		if (c.Island == nil || c.Level == nil) && c.X == nil {
			return errors.New("want island and level, or x and y")
		}
	case Ping:
		if c.T == nil {
			return errors.New("want t")
		}
	case Unfollow, Snapshot, Keyframe:
	default:
		return errors.New("unknown, use set, follow, unfollow, draw, snapshot, keyframe or ping")
	}
	return nil
}
