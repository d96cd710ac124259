package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"glomstream/overlay/stream"
	"glomstream/overlay/vpx"
	"glomstream/overlay/web"
)

// siteFlags say who may come.
type siteFlags struct {
	listen, admin        string
	token, viewerToken   string
	tokenFile            string
	noAuth, insecure     bool
	tls, tlsCert, tlsKey string
	hosts, origins       []string
}

func (f *siteFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.listen, "listen", "127.0.0.1:8080", "address of the page; :8080 for all addresses of this machine")
	fs.StringVar(&f.token, "token", "", "token of operators, who may do everything (default on a network: a new one); also in GLOM_TOKEN")
	fs.StringVar(&f.tokenFile, "token-file", "", "file that holds the token of operators")
	fs.StringVar(&f.viewerToken, "viewer-token", "", "token of viewers, who may change nothing for others")
	fs.BoolVar(&f.noAuth, "no-auth", false, "need no token, not even on a network")
	fs.StringVar(&f.tls, "tls", "", "self: encrypt with a certificate that is made now")
	fs.StringVar(&f.tlsCert, "tls-cert", "", "encrypt with the certificate in this PEM file")
	fs.StringVar(&f.tlsKey, "tls-key", "", "PEM file with the key of --tls-cert")
	fs.BoolVar(&f.insecure, "insecure", false, "allow tokens to go over a network in the clear")
	fs.StringSliceVar(&f.hosts, "host", nil, "name by which this server is known beside its addresses (may be repeated)")
	fs.StringSliceVar(&f.origins, "allow-origin", nil, "web site of which a page may use this server, as https://example.org (may be repeated)")
	fs.StringVar(&f.admin, "admin", "", "loopback address for metrics and profiles, as 127.0.0.1:9090 (default: none)")
}

// minToken is the length from which on a token counts as one.
const minToken = 8

// config checks the flags, and makes a token if one is needed.
func (f *siteFlags) config() (web.Config, error) {
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return web.Config{}, usagef("--listen %q: want ADDRESS:PORT or :PORT", f.listen)
	}
	if f.tls != "" && f.tls != "self" {
		return web.Config{}, usagef("--tls %q: want self, or give --tls-cert and --tls-key", f.tls)
	}
	if (f.tlsCert == "") != (f.tlsKey == "") || f.tls != "" && f.tlsCert != "" {
		return web.Config{}, usagef("give --tls-cert and --tls-key together, or --tls self")
	}
	if f.token == "" && f.tokenFile == "" {
		f.token = os.Getenv("GLOM_TOKEN")
	}
	if f.token != "" && f.tokenFile != "" {
		return web.Config{}, usagef("give --token or --token-file, not both")
	}
	if f.tokenFile != "" {
		if f.token, err = readToken(f.tokenFile); err != nil {
			return web.Config{}, err
		}
		if f.token = strings.TrimSpace(f.token); f.token == "" {
			return web.Config{}, fmt.Errorf("read the token %q: the file is empty", f.tokenFile)
		}
	}
	if err := f.checkNames(); err != nil {
		return web.Config{}, err
	}
	network := !isLoopback(host)
	if network && !f.noAuth {
		if f.token == "" {
			f.token = web.NewToken()
		}
		if f.tls == "" && f.tlsCert == "" && !f.insecure {
			return web.Config{}, usagef("--listen %s: the token would go over the network in the clear: give --tls self (or --insecure, or --no-auth)", f.listen)
		}
	}
	for flag, token := range map[string]string{"--token": f.token, "--viewer-token": f.viewerToken} {
		if token != "" && (len(token) < minToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' })) {
			return web.Config{}, usagef("%s: want at least %d letters, digits or signs, without blanks", flag, minToken)
		}
	}
	if f.token == "" && f.viewerToken != "" {
		return web.Config{}, usagef("--viewer-token: give --token for operators too")
	}
	if f.token != "" && f.token == f.viewerToken {
		return web.Config{}, usagef("--token and --viewer-token are the same")
	}
	return web.Config{
		Listen: f.listen, Admin: f.admin, OperatorToken: f.token, ViewerToken: f.viewerToken, NoAuth: f.noAuth, Insecure: f.insecure,
		SelfSigned: f.tls == "self", CertFile: f.tlsCert, KeyFile: f.tlsKey, Hosts: f.hosts, Origins: f.origins,
	}, nil
}

// checkNames checks the names and sites, and writes the latter as browsers do.
func (f *siteFlags) checkNames() error {
	for _, h := range f.hosts {
		if h == "" || strings.ContainsAny(h, " /:@") {
			return usagef("--host %q: want a name without a port, as camera.example", h)
		}
	}
	for i, o := range f.origins {
		u, err := url.Parse(strings.ToLower(o))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
			return usagef("--allow-origin %q: want a site, as https://example.org", o)
		}
		if port := u.Port(); u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
			u.Host = strings.TrimSuffix(u.Host, ":"+port)
		}
		f.origins[i] = u.Scheme + "://" + u.Host
	}
	return nil
}

// isLoopback tells whether only this machine can reach an address with that host.
func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// mediaFlags say how the video goes to the viewers.
type mediaFlags struct {
	codec                 string
	bitrate, maxViewers   int
	udp, tcp              string
	interfaces, publicIPs []string
	iceServers            []string
	publish, publishToken string
}

func (f *mediaFlags) register(fs *pflag.FlagSet) {
	fs.StringVar(&f.codec, "codec", "vp8", "codec of the video: vp8 or vp9")
	fs.IntVar(&f.bitrate, "bitrate", 2500, "most kbit/s of a picture; less is sent if the viewers' lines need it")
	fs.IntVar(&f.maxViewers, "max-viewers", 32, "viewers at a time")
	fs.StringVar(&f.udp, "udp", "", "UDP address of the video (default: a free port on loopback, port 8189 on a network)")
	fs.StringVar(&f.tcp, "tcp", "", "TCP address of the video, for viewers who cannot use UDP (default: none)")
	fs.StringSliceVar(&f.interfaces, "interface", nil, "send video over this network interface only (may be repeated)")
	fs.StringSliceVar(&f.publicIPs, "public-ip", nil, "address of this machine as viewers see it, IP or PUBLIC/LOCAL (may be repeated)")
	fs.StringArrayVar(&f.iceServers, "ice-server", nil, "STUN or TURN server that viewers are told: URL[,USER,PASSWORD] or URL,secret=SECRET (may be repeated)")
	fs.StringVar(&f.publish, "publish", "", "send what is drawn to this WHIP endpoint too, for audiences that a media server serves")
	fs.StringVar(&f.publishToken, "publish-token", "", "token of the WHIP endpoint; also in GLOM_PUBLISH_TOKEN")
}

func (f *mediaFlags) check() error {
	if f.publishToken == "" {
		f.publishToken = os.Getenv("GLOM_PUBLISH_TOKEN")
	}
	if f.codec != string(vpx.VP8) && f.codec != string(vpx.VP9) {
		return usagef("--codec %q: want vp8 or vp9", f.codec)
	}
	if f.bitrate < 100 || f.bitrate > 100_000 {
		return usagef("--bitrate %d: want 100 to 100000 kbit/s", f.bitrate)
	}
	if f.maxViewers < 1 {
		return usagef("--max-viewers %d: want at least 1", f.maxViewers)
	}
	for flag, addr := range map[string]string{"udp": f.udp, "tcp": f.tcp} {
		if addr != "" && !isAddress(addr) {
			return usagef("--%s %q: want HOST:PORT or :PORT", flag, addr)
		}
	}
	for _, s := range f.publicIPs {
		public, local, both := strings.Cut(s, "/")
		if net.ParseIP(public) == nil || both && net.ParseIP(local) == nil {
			return usagef("--public-ip %q: want IP or PUBLIC/LOCAL", s)
		}
	}
	for _, s := range f.iceServers {
		if n := strings.Count(s, ","); n > 2 || n == 1 && !strings.Contains(s, ",secret=") {
			return usagef("--ice-server: want URL, URL,USER,PASSWORD or URL,secret=SECRET")
		}
		server, _, _ := strings.Cut(s, ",") // what follows is secret
		if scheme, _, ok := strings.Cut(server, ":"); !ok || !slices.Contains([]string{"stun", "stuns", "turn", "turns"}, scheme) {
			return usagef("--ice-server %q: want a URL that begins with stun:, stuns:, turn: or turns:", server)
		}
	}
	return nil
}

// isAddress tells whether addr is HOST:PORT, of which the host may be missing.
func isAddress(addr string) bool {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}

// config is for a page at an address.
func (f *mediaFlags) config(listen string) stream.Config {
	c := stream.Config{
		UDP: f.udp, TCP: f.tcp, Interfaces: f.interfaces, PublicIPs: f.publicIPs, MaxViewers: f.maxViewers, MaxBitrate: f.bitrate * 1000,
		MinBitrate: min(150_000, f.bitrate*1000),
	}
	if host, _, _ := net.SplitHostPort(listen); c.UDP == "" {
		switch {
		case strings.EqualFold(host, "localhost"):
		case isLoopback(host):
			c.UDP = net.JoinHostPort(host, "0")
		case net.ParseIP(host) == nil || net.ParseIP(host).IsUnspecified(): // a name, or all addresses
			c.UDP = ":8189"
		default:
			c.UDP = net.JoinHostPort(host, "8189")
		}
	}
	for _, s := range f.iceServers {
		p := strings.SplitN(s, ",", 3)
		ice := stream.ICEServer{URL: p[0]}
		if len(p) == 2 {
			ice.Secret = strings.TrimPrefix(p[1], "secret=")
		} else if len(p) == 3 {
			ice.Username, ice.Credential = p[1], p[2]
		}
		c.ICEServers = append(c.ICEServers, ice)
	}
	return c
}
