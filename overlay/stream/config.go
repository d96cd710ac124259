package stream

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Codecs that the viewers get.
const (
	VP8 = "vp8"
	VP9 = "vp9"
)

// Roles of viewers.
const (
	RoleViewer   = "viewer"
	RoleOperator = "operator"
)

// Frame is one encoded picture.
type Frame struct {
	Data      []byte    // of the codec; Write copies it
	Key       bool      // can be decoded without an earlier frame
	Layer     int       // temporal layer: 0 is needed by all, frames of higher layers only by the same or higher ones
	Timestamp uint32    // RTP, 90 kHz
	Captured  time.Time // told to the viewers (abs-capture-time); zero: not told
}

// ICEServer is told to the clients in Link headers (RFC 9725, section 4.6). The server itself does not use it.
type ICEServer struct {
	URL                  string // "stun:host:port" or "turn:host:port?transport=udp"
	Username, Credential string // of a TURN server
	// Secret is shared with a TURN server that makes its own passwords (coturn's use-auth-secret):
	// every client gets a user name and a password that are good for ten minutes.
	Secret string
}

// Config is what New needs. The zero value serves one picture in VP8 on a free UDP port of 127.0.0.1.
type Config struct {
	Codec    string   // "vp8" (default) or "vp9"
	Pictures []string // names, asked for by ?picture=NAME; the first is the default one; default {"overlay"}

	// UDP is the one address for all viewers, default "127.0.0.1:0". Without a host (":8189") there is
	// one socket for each address of the machine that Interfaces allows, all with the same port.
	UDP string
	// TCP is the address for viewers that cannot use UDP; default none. Without a host as for UDP.
	TCP        string
	Interfaces []string    // only addresses of these network interfaces; default: all that UDP and TCP name
	PublicIPs  []string    // addresses that stand for the local ones: "ip", or "public/local" pairs
	ICEServers []ICEServer // default none
	Origins    []string    // web sites of which a page may use WHEP (CORS); default: only pages of this server

	MaxViewers             int // sessions at a time, those that are still connecting included; default 32
	MinBitrate, MaxBitrate int // of a picture; default 150_000 and 2_500_000
	// PlayoutDelay is the longest time that viewers may keep a frame to smooth the motion; default 200 ms.
	PlayoutDelay time.Duration

	ConnectTimeout time.Duration // until a new session must be connected; default 10 s
	StallTimeout   time.Duration // a viewer from which nothing was heard for so long is closed; default 30 s
	CloseTimeout   time.Duration // for the farewell to a viewer; default 2 s
	// MaxAge is how long a session may last; default a day. A client then connects anew, with other keys: pion's
	// DTLS numbers the records of the data channels by chance (CVE-2026-26014), so there must not be too many.
	MaxAge time.Duration

	Log *slog.Logger // default: nothing is logged

	// Role tells what the sender of a request may be: RoleViewer, RoleOperator, or "" for nothing at all.
	// Default: everybody is an operator.
	Role func(*http.Request) string
	// Ready reports whether there is something to see: if not, new viewers are told to come back. Default: always.
	Ready func(picture int) bool
	// KeyFrame is called when somebody needs a key frame of the picture, at most twice a second.
	KeyFrame func(picture int)
	// Bitrate is called when the bit rate that suits the viewers of the picture has changed.
	Bitrate func(picture, bps int)
	// Joined is called when a viewer is connected, before anything else of that viewer; Left when it has gone.
	Joined, Left func(*Viewer)
	// Control is called with each text message from the control channel: at most 4 KiB, at most 20 a second.
	Control func(v *Viewer, msg []byte)
}

// startBitrate is the rate of a picture before anything is known of its viewers.
const startBitrate = 1_500_000

// withDefaults checks c and fills in what was left at zero.
func (c Config) withDefaults() (Config, error) {
	c.Codec = or(strings.ToLower(c.Codec), VP8)
	if c.Codec != VP8 && c.Codec != VP9 {
		return c, fmt.Errorf("codec %q: want vp8 or vp9", c.Codec)
	}
	if len(c.Pictures) == 0 {
		c.Pictures = []string{"overlay"}
	}
	c.UDP = or(c.UDP, "127.0.0.1:0")
	c.MaxViewers = or(c.MaxViewers, 32)
	c.MinBitrate = or(c.MinBitrate, 150_000)
	c.MaxBitrate = or(c.MaxBitrate, max(2_500_000, c.MinBitrate))
	c.PlayoutDelay = or(c.PlayoutDelay, 200*time.Millisecond)
	c.ConnectTimeout = or(c.ConnectTimeout, 10*time.Second)
	c.StallTimeout = or(c.StallTimeout, 30*time.Second)
	c.CloseTimeout = or(c.CloseTimeout, 2*time.Second)
	c.MaxAge = or(c.MaxAge, 24*time.Hour)
	switch {
	case c.MaxViewers < 0:
		return c, fmt.Errorf("viewers: at most %d: want 1 or more", c.MaxViewers)
	case c.MinBitrate < 0 || c.MaxBitrate < c.MinBitrate:
		return c, fmt.Errorf("bit rate from %d to %d: want 0 < from <= to", c.MinBitrate, c.MaxBitrate)
	case c.PlayoutDelay < 0 || c.ConnectTimeout < 0 || c.StallTimeout < 0 || c.CloseTimeout < 0 || c.MaxAge < 0:
		return c, fmt.Errorf("a time limit is negative")
	}
	for _, ip := range c.PublicIPs {
		for part := range strings.SplitSeq(ip, "/") {
			if net.ParseIP(part) == nil {
				return c, fmt.Errorf("public address %q: want IP or PUBLIC/LOCAL", ip)
			}
		}
	}
	for _, s := range c.ICEServers {
		if err := s.check(); err != nil {
			return c, err
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Role == nil {
		c.Role = func(*http.Request) string { return RoleOperator }
	}
	if c.Ready == nil {
		c.Ready = func(int) bool { return true }
	}
	if c.KeyFrame == nil {
		c.KeyFrame = func(int) {}
	}
	if c.Bitrate == nil {
		c.Bitrate = func(int, int) {}
	}
	if c.Joined == nil {
		c.Joined = func(*Viewer) {}
	}
	if c.Left == nil {
		c.Left = func(*Viewer) {}
	}
	if c.Control == nil {
		c.Control = func(*Viewer, []byte) {}
	}
	return c, nil
}

// or returns v, or def if v is zero.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// check keeps characters out that would end the Link header.
func (i ICEServer) check() error {
	scheme, _, _ := strings.Cut(i.URL, ":")
	switch scheme {
	case "stun", "stuns", "turn", "turns":
	default:
		return fmt.Errorf("ICE server %q: the scheme is none of stun, stuns, turn, turns", i.URL)
	}
	bad := func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' || r == '<' || r == '>' }
	if strings.ContainsFunc(i.URL+i.Username+i.Credential, bad) {
		return fmt.Errorf("ICE server %q: a character that a Link header cannot hold", i.URL)
	}
	return nil
}
