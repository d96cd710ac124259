// Package livekit_test publishes with `glom serve --publish` to a LiveKit server, and watches there as
// one of LiveKit's clients does. It is a module of its own, so that glom's go.mod stays free of LiveKit's
// dependencies; `make livekit` builds both programs and runs it.
//
// LiveKit v1.13.5 is the last version that stands on pion's own releases. Later ones replace some of
// them with forks, which the Go module proxy does not serve everywhere.
package livekit_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/livekit/protocol/auth"
	"github.com/livekit/protocol/livekit"
)

const (
	patience = time.Minute // for what takes seconds on a quiet machine
	room     = "studio"
	key      = "dev"
	secret   = "known-to-all-and-good-for-this-test-only"
)

// program is one that runs until the test ends.
type program struct {
	cmd  *exec.Cmd
	log  *log
	done chan struct{} // closed when it has ended
}

// start starts bin/NAME.
func start(t *testing.T, name string, env []string, args ...string) *program {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", name))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &program{cmd: exec.CommandContext(ctx, path, args...), log: &log{}, done: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = append(os.Environ(), env...), p.log, p.log
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("%v: `make livekit` builds it", err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // ProcessState tells
	}()
	t.Cleanup(func() {
		cancel()
		<-p.done
		if t.Failed() {
			t.Logf("%s said:\n%s", name, p.log)
		}
	})
	return p
}

// ended waits until p has ended and returns its exit code, -1 after a signal.
func (p *program) ended(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatalf("%s does not end", p.cmd.Path)
	}
	return p.cmd.ProcessState.ExitCode()
}

// log keeps what a program says.
type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// sfu is a LiveKit server on loopback.
type sfu struct {
	*program
	addr, config string
	rooms        livekit.RoomService
}

// startSFU starts a server, on other ports for each test.
func startSFU(t *testing.T) *sfu {
	t.Helper()
	ports := freePorts(t, 3)
	s := &sfu{addr: fmt.Sprintf("127.0.0.1:%d", ports[0])}
	s.config = fmt.Sprintf(`
port: %d
bind_addresses: [127.0.0.1]
keys: {%s: %s}
logging: {level: info}
rtc:
  udp_port: %d
  tcp_port: %d
  node_ip: 127.0.0.1
  use_external_ip: false
  enable_loopback_candidate: true
  interfaces: {includes: [lo]}
  congestion_control: {allow_pause: false}
`, ports[0], key, secret, ports[1], ports[2])
	s.rooms = livekit.NewRoomServiceProtobufClient("http://"+s.addr, &http.Client{Timeout: patience, Transport: bearer(s.token(t, "", &auth.VideoGrant{
		RoomAdmin: true, Room: room,
	}))})
	s.start(t)
	return s
}

func (s *sfu) start(t *testing.T) {
	t.Helper()
	s.program = start(t, "livekit-server", []string{"LIVEKIT_CONFIG=" + s.config})
	until(t, "LiveKit answers", func() bool {
		resp, err := http.Get("http://" + s.addr)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// freePorts returns ports on loopback that nobody uses.
func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// token makes an access token.
func (s *sfu) token(t *testing.T, identity string, grant *auth.VideoGrant) string {
	t.Helper()
	token, err := auth.NewAccessToken(key, secret).SetIdentity(identity).SetValidFor(time.Hour).SetVideoGrant(grant).ToJWT()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// bearer adds itself as a token to requests.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

// participant returns what the server tells of a participant, or nil if there is none.
func (s *sfu) participant(t *testing.T, identity string) *livekit.ParticipantInfo {
	t.Helper()
	list, err := s.rooms.ListParticipants(t.Context(), &livekit.ListParticipantsRequest{Room: room})
	if err != nil {
		t.Fatalf("list participants: %v", err)
	}
	for _, p := range list.Participants {
		if p.Identity == identity {
			return p
		}
	}
	return nil
}

// until waits until ok returns true.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}
