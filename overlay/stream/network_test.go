package stream

import (
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v3"
)

// candidates returns protocol, address and port of those in an SDP.
func candidates(sdp string) (list [][3]string) {
	for _, m := range regexp.MustCompile(`(?m)^a=candidate:\S+ 1 (\S+) \S+ (\S+) (\S+) `).FindAllStringSubmatch(sdp, -1) {
		list = append(list, [3]string(m[1:4]))
	}
	return list
}

// answerOf returns the answer to an offer.
func answerOf(t *testing.T, url string, o clientOptions) string {
	t.Helper()
	resp, body := request(t, http.MethodPost, url, newClient(t, o).offer(), "Content-Type", typeSDP)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", resp.Status, body)
	}
	return body
}

func TestCandidates(t *testing.T) {
	t.Run("loopback", func(t *testing.T) {
		s, url := serve(t, Config{TCP: "127.0.0.1:0"})
		udp, tcp := s.Addr()
		_, udpPort, _ := net.SplitHostPort(udp)
		_, tcpPort, _ := net.SplitHostPort(tcp)
		want := [][3]string{{"tcp", "127.0.0.1", tcpPort}, {"udp", "127.0.0.1", udpPort}}
		for range 2 { // the same port for all
			answer := answerOf(t, url, clientOptions{})
			got := candidates(answer)
			slices.SortFunc(got, func(a, b [3]string) int { return strings.Compare(a[0], b[0]) })
			if !slices.Equal(got, want) {
				t.Errorf("candidates %v, want %v", got, want)
			}
			if !strings.Contains(answer, "tcptype passive") {
				t.Error("the candidate on TCP is not passive")
			}
		}
	})
	t.Run("public address", func(t *testing.T) {
		_, url := serve(t, Config{PublicIPs: []string{"203.0.113.7"}})
		got := candidates(answerOf(t, url, clientOptions{}))
		if len(got) != 1 || got[0][1] != "203.0.113.7" {
			t.Errorf("candidates %v, want one with 203.0.113.7", got)
		}
	})
	t.Run("IPv6", func(t *testing.T) {
		if l, err := net.Listen("tcp6", "[::1]:0"); err != nil {
			t.Skip("no IPv6:", err)
		} else {
			l.Close()
		}
		_, url := serve(t, Config{UDP: "[::1]:0"})
		got := candidates(answerOf(t, url, clientOptions{}))
		if len(got) != 1 || got[0][1] != "::1" {
			t.Errorf("candidates %v, want one on ::1", got)
		}
	})
	t.Run("all addresses", func(t *testing.T) {
		ips, err := addresses("", nil)
		if err != nil {
			t.Skip(err)
		}
		_, url := serve(t, Config{UDP: ":0", TCP: ":0"})
		for _, c := range candidates(answerOf(t, url, clientOptions{})) {
			ip := net.ParseIP(c[1])
			if ip.IsLoopback() || ip.IsUnspecified() || !slices.ContainsFunc(ips, ip.Equal) {
				t.Errorf("candidate %v, want one of %v", c, ips)
			}
		}
	})
	t.Run("interface", func(t *testing.T) {
		lo := loopback(t)
		_, url := serve(t, Config{UDP: "0.0.0.0:0", Interfaces: []string{lo}})
		got := candidates(answerOf(t, url, clientOptions{}))
		if len(got) == 0 {
			t.Error("no candidates")
		}
		for _, c := range got {
			if !net.ParseIP(c[1]).IsLoopback() {
				t.Errorf("candidate %v is not on %s", c, lo)
			}
		}
	})
}

// loopback returns the name of the loopback interface.
func loopback(t *testing.T) string {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if i.Flags&net.FlagLoopback != 0 {
			return i.Name
		}
	}
	t.Skip("no loopback interface")
	return ""
}

func TestConfigErrors(t *testing.T) {
	busy := listenUDP(t)
	defer busy.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	for want, cfg := range map[string]Config{
		"codec":               {Codec: "h264"},
		"open UDP port":       {UDP: busy.LocalAddr().String()},
		"open TCP port":       {TCP: tcp.Addr().String()},
		"UDP address":         {UDP: "127.0.0.1"},
		"TCP address":         {TCP: "x"},
		"no such address on":  {UDP: ":0", Interfaces: []string{"no-such-interface"}},
		"public address":      {PublicIPs: []string{"example.com"}},
		"scheme":              {ICEServers: []ICEServer{{URL: "http://x"}}},
		"Link header":         {ICEServers: []ICEServer{{URL: "turn:x", Username: `"`}}},
		"bit rate":            {MinBitrate: 2, MaxBitrate: 1},
		"a time limit":        {StallTimeout: -1},
		"viewers: at most -1": {MaxViewers: -1},
	} {
		s, err := New(cfg)
		if err == nil {
			_ = s.Close(t.Context())
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want one with %q", cfg, err, want)
		}
	}
}

// TestDefaults checks the numbers that hold where nothing else is said.
func TestDefaults(t *testing.T) {
	c, err := Config{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if c.Codec != VP8 || c.UDP != "127.0.0.1:0" || c.TCP != "" || len(c.ICEServers) != 0 || c.MaxViewers != 32 || c.Pictures[0] != "overlay" {
		t.Errorf("%+v, want VP8 for 32 viewers on a free UDP port of loopback, no TCP, no ICE server", c)
	}
	if c.ConnectTimeout != 10*time.Second || c.StallTimeout != 30*time.Second || c.CloseTimeout != 2*time.Second || c.MaxAge != 24*time.Hour {
		t.Errorf("half-open, stalled, closing and old viewers have %v, %v, %v and %v, want 10 s, 30 s, 2 s and a day", c.ConnectTimeout, c.StallTimeout, c.CloseTimeout, c.MaxAge)
	}
	if keyPeriod != 500*time.Millisecond || maxBody != 64<<10 || maxMedia != 3 || maxCandidates != 64 || controlSize != 4<<10 || controlRate != 20 || metaBuffer != 256<<10 {
		t.Error("a limit has changed")
	}
}

func TestVP9(t *testing.T) {
	s, url := serve(t, Config{Codec: "VP9"})
	c := dial(t, url, clientOptions{codec: VP9})
	if !strings.Contains(c.answer, "VP9/90000") || strings.Contains(c.answer, "VP8/90000") {
		t.Errorf("the answer is not for VP9:\n%s", c.answer)
	}
	until(t, "a viewer", func() bool { return s.Watching(0) == 1 })
	s.Write(0, &Frame{Data: vp9Frame(true, 3000), Key: true})
	until(t, "a track of VP9", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.mime == webrtc.MimeTypeVP9
	})
}

func TestTemporaryCredentials(t *testing.T) {
	s, url := serve(t, Config{ICEServers: []ICEServer{{URL: "turns:turn.example:5349", Username: "me", Secret: "north"}}})
	resp, _ := request(t, http.MethodOptions, url, "")
	link := resp.Header.Get("Link")
	if !regexp.MustCompile(`^<turns:turn\.example:5349>; rel="ice-server"; username="\d{10}:me"; credential="[A-Za-z0-9+/]{27}="; credential-type="password"$`).MatchString(link) {
		t.Errorf("Link %s", link)
	}
	if strings.Contains(link, "north") {
		t.Error("the secret is told")
	}
	_ = s
}
