package live

import (
	"fmt"
	"time"

	"glomstream/overlay"
	"glomstream/overlay/meta"
	"glomstream/overlay/stream"
)

// state is what holds for all viewers.
func (l *Live) state() meta.State {
	st := meta.State{
		Names: make([]string, l.cfg.Levels), Source: l.cfg.Source, Stalled: l.stalled.Load(),
		Viewers: l.room.count(), Follow: l.follow.now(),
		Can:   []string{meta.Set, meta.Keyframe, meta.Ping, meta.Follow, meta.Unfollow, meta.Draw},
		Drawn: l.drawers.now(),
	}
	if l.folder != nil {
		st.Can = append(st.Can, meta.Snapshot)
	}
	for i := range st.Names {
		st.Names[i] = overlay.LevelName(i, l.cfg.Levels)
	}
	return st
}

// joined and left keep the list of viewers; everybody is told how many there are.
func (l *Live) joined(v viewer) {
	l.room.join(v)
	l.room.echo(l.state())
	l.nudge()
}

func (l *Live) left(v viewer) {
	l.room.leave(v)
	l.room.echo(l.state())
}

// control does what a viewer asks for and tells what came of it.
func (l *Live) control(v viewer, msg []byte) {
	c, err := meta.ParseCommand(msg)
	if err == nil && c.Type == meta.Ping {
		if b, err := meta.AppendPong(nil, *c.T, time.Now()); err == nil {
			v.Send(b)
		}
		return
	}
	notice, all := "", false
	if err == nil {
		notice, all, err = l.command(v, &c)
	}
	st := l.state()
	if all && err == nil {
		l.room.echo(st)
	}
	st.Notice = notice
	if err != nil {
		st.Error = err.Error()
	}
	if !all || notice != "" {
		l.room.answer(v, st)
	}
}

// command does it. all means that it concerns everybody.
func (l *Live) command(v viewer, c *meta.Command) (notice string, all bool, err error) {
	if forOperators(c.Type) && v.Role() != stream.RoleOperator {
		return "", false, fmt.Errorf("%s: only an operator may", c.Type)
	}
	if c.Level != nil && *c.Level >= l.cfg.Levels {
		return "", false, fmt.Errorf("level %d: there are levels 0 to %d", *c.Level, l.cfg.Levels-1)
	}
	switch c.Type {
	case meta.Set:
		l.room.set(v, func(w *watcher) {
			if c.Level != nil {
				w.level = *c.Level
			}
			if c.Paused != nil {
				w.paused = *c.Paused
			}
		})
		if c.Paused != nil {
			v.SetPaused(*c.Paused)
		}
	case meta.Keyframe:
		l.KeyFrame(v.Picture())
	case meta.Follow:
		l.follow.want(c)
	case meta.Unfollow:
		l.follow.stop()
		return "", true, nil
	case meta.Draw:
		l.draw(c)
		return "", true, nil
	case meta.Snapshot:
		name, err := l.snapshot()
		return name, false, err
	}
	return notice, false, nil
}

// draw changes what is drawn for all who do not draw themselves. The last one who wants something gets it.
func (l *Live) draw(c *meta.Command) {
	l.drawers.change(c.Level, c.Opacity)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last != nil {
		l.news() // single pictures of it are made again
	}
}

// KeyFrame has the next picture be one that needs no other. If the source is slow, the last picture
// is shown once more.
func (l *Live) KeyFrame(picture int) {
	if picture < 0 || picture >= len(l.lanes) {
		return
	}
	l.lanes[picture].key.Store(true)
	l.nudge()
}

// SetBitrate changes the bit rate of a picture, in bit/s, from its next frame on.
func (l *Live) SetBitrate(picture, bps int) {
	if picture >= 0 && picture < len(l.lanes) && bps > 0 {
		l.lanes[picture].bitrate.Store(int64(bps))
	}
}

// Stream starts a server for viewers. The fields of c that say what to do about viewers are filled in here.
// It must be called once, before the first Write.
func (l *Live) Stream(c stream.Config) (*stream.Server, error) {
	if l.noVideo != nil {
		return nil, l.noVideo
	}
	c.Codec, c.Pictures = string(l.cfg.Codec), Pictures()
	c.KeyFrame, c.Bitrate = l.KeyFrame, l.SetBitrate
	c.Ready = func(int) bool { return l.hasPicture() }
	c.Joined = func(v *stream.Viewer) { l.joined(v) }
	c.Left = func(v *stream.Viewer) { l.left(v) }
	c.Control = func(v *stream.Viewer, msg []byte) { l.control(v, msg) }
	s, err := stream.New(c)
	if err != nil {
		return nil, err
	}
	l.room.open(s, l.cfg.Draw.Level)
	return s, nil
}
