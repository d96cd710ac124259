package livekit_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
)

const (
	publisher     = "glom"
	width, height = 320, 180
)

// publish starts glom, which sends a scene without end to the server.
func (s *sfu) publish(t *testing.T, token string) *program {
	t.Helper()
	return start(t, "glom", []string{"GLOM_PUBLISH_TOKEN=" + token},
		"serve", fmt.Sprintf("synthetic:demo?size=%dx%d&frames=-1", width, height), "--weights", "none",
		"--listen", "127.0.0.1:0", "--interface", "lo", "--publish", "http://"+s.addr+"/whip/v1")
}

func (s *sfu) publishToken(t *testing.T) string {
	t.Helper()
	return s.token(t, publisher, &auth.VideoGrant{RoomJoin: true, Room: room})
}

// What is published comes to viewers who were there before and to those who come later, can be decoded,
// and ends when glom does.
func TestPublish(t *testing.T) {
	s := startSFU(t)
	first := s.join(t, "first")
	glom := s.publish(t, s.publishToken(t))
	first.watch(t, 30)

	p := s.participant(t, publisher)
	if p == nil || len(p.Tracks) != 1 {
		t.Fatalf("participant %v, want one with one track", p)
	}
	track := p.Tracks[0]
	if track.Type != livekit.TrackType_VIDEO || track.Muted || !strings.EqualFold(track.MimeType, "video/vp8") {
		t.Errorf("track %v", track)
	}

	late := s.join(t, "late")
	late.watch(t, 1)
	t.Logf("the first frame comes %v after joining", time.Since(late.joined).Round(time.Millisecond))
	decode(t, late.watch(t, 15))
	decode(t, first.watch(t, 1))

	if err := glom.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	if code := glom.ended(t); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	until(t, "the server sees glom leave", func() bool { return s.participant(t, publisher) == nil })
	t.Logf("glom has ended and left the room %v after SIGINT", time.Since(stopped).Round(time.Millisecond))
	var reason livekit.DisconnectReason
	until(t, "viewers see glom leave", func() (ok bool) {
		reason, ok = first.sawLeave(publisher)
		return ok
	})
	if reason != livekit.DisconnectReason_CLIENT_INITIATED { // not that the server missed it
		t.Errorf("glom left for the reason %v", reason)
	}
}

// glom publishes again when the server does after it was away.
func TestPublishAgain(t *testing.T) {
	s := startSFU(t)
	s.publish(t, s.publishToken(t))
	s.join(t, "before").watch(t, 5)
	until(t, "LiveKit stops", func() bool {
		_ = s.cmd.Process.Signal(syscall.SIGTERM) // at the second one it does not wait for its participants
		select {
		case <-s.done:
			return true
		default:
			return false
		}
	})
	stopped := time.Now()
	s.start(t)
	s.join(t, "after").watch(t, 5)
	t.Logf("published again %v after LiveKit stopped", time.Since(stopped).Round(time.Millisecond))
}

// A token that the server refuses is told at once.
func TestPublishRefused(t *testing.T) {
	s := startSFU(t)
	for _, tt := range []struct{ name, token string }{
		{"no token", ""},
		{"no right to join", s.token(t, publisher, &auth.VideoGrant{RoomList: true})},
	} {
		glom := s.publish(t, tt.token)
		if code := glom.ended(t); code != 1 || !strings.Contains(glom.log.String(), "401") {
			t.Errorf("%s: exit code %d, %s", tt.name, code, glom.log)
		}
	}
}

// decode checks that FFmpeg's decoder, in glom, makes a picture of each frame, and that there is
// something in it.
func decode(t *testing.T, frames []frame) {
	t.Helper()
	if !frames[0].isKey() {
		t.Fatal("the first frame that came is no key frame")
	}
	name := filepath.Join(t.TempDir(), "seen.ivf")
	if err := os.WriteFile(name, ivf(frames), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join("..", "..", "bin", "glom"), "process", name, "--weights", "none", "--json", "-", "--quiet")
	var says log
	cmd.Stderr = &says
	out, err := cmd.Output()
	if err != nil || says.String() != "" {
		t.Fatalf("decode: %v, %s", err, says.String())
	}
	n := 0
	for line := range strings.Lines(string(out)) {
		var picture struct {
			Width, Height int
			Levels        []struct{ Islands []struct{ Area int } }
		}
		if err := json.Unmarshal([]byte(line), &picture); err != nil {
			t.Fatal(err)
		}
		if parts := picture.Levels[0].Islands; picture.Width != width || picture.Height != height || len(parts) < 5 {
			t.Errorf("picture %d of %dx%d with %d islands, want some in %dx%d", n, picture.Width, picture.Height, len(parts), width, height)
		}
		n++
	}
	if n != len(frames) {
		t.Errorf("%d of %d frames could be decoded", n, len(frames))
	}
	t.Logf("%d frames could be decoded, of %d bytes", n, len(ivf(frames)))
}
