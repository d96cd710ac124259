package stream

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"
	"golang.org/x/net/netutil"
)

const (
	socketBuffer = 2 << 20 // of the shared UDP sockets, bytes
	// tcpBuffer is how many bytes may wait for a viewer on TCP: some seconds. When it is full, packets
	// are dropped; without it the one that writes would wait for a viewer that does not read.
	tcpBuffer = 512 << 10
	tcpStart  = 5 * time.Second // until a new TCP connection must have named its session
)

// network is the ports that all viewers share.
type network struct {
	udp              *ice.MultiUDPMuxDefault
	tcp              *ice.TCPMuxDefault // or nil
	udpAddr, tcpAddr string             // of the first socket
	ips              []net.IP           // local addresses that viewers may be told of
}

func listen(cfg *Config, log pionLog) (_ *network, err error) {
	n := &network{}
	host, port, err := net.SplitHostPort(cfg.UDP)
	if err != nil {
		return nil, fmt.Errorf("UDP address: %w", err)
	}
	ips, err := addresses(host, cfg.Interfaces)
	if err != nil {
		return nil, fmt.Errorf("UDP address %q: %w", cfg.UDP, err)
	}
	var muxes []ice.UDPMux
	defer func() {
		if err != nil {
			for _, m := range muxes {
				m.Close()
			}
		}
	}()
	for _, ip := range ips {
		addr, err := net.ResolveUDPAddr("udp", net.JoinHostPort(ip.String(), port))
		if err != nil {
			return nil, fmt.Errorf("UDP address %q: %w", cfg.UDP, err)
		}
		conn, err := net.ListenUDP("udp", addr)
		if err != nil {
			return nil, fmt.Errorf("open UDP port: %w", err)
		}
		// Smaller buffers than asked for are no fault.
		_ = conn.SetReadBuffer(socketBuffer)
		_ = conn.SetWriteBuffer(socketBuffer)
		if len(muxes) == 0 {
			n.udpAddr = conn.LocalAddr().String()
			_, port, _ = net.SplitHostPort(n.udpAddr) // the same for the next, if any was free
		}
		muxes = append(muxes, ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: conn, Logger: log.NewLogger("udp")}))
	}
	n.udp, n.ips = ice.NewMultiUDPMuxDefault(muxes...), ips
	if cfg.TCP != "" {
		if err := n.listenTCP(cfg, log); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *network) listenTCP(cfg *Config, log pionLog) error {
	host, _, err := net.SplitHostPort(cfg.TCP)
	if err != nil {
		return fmt.Errorf("TCP address: %w", err)
	}
	ips, err := addresses(host, cfg.Interfaces)
	if err != nil {
		return fmt.Errorf("TCP address %q: %w", cfg.TCP, err)
	}
	l, err := net.Listen("tcp", cfg.TCP)
	if err != nil {
		return fmt.Errorf("open TCP port: %w", err)
	}
	n.tcpAddr = l.Addr().String()
	n.ips = ips // pion tells of the UDP sockets' addresses without looking at these
	n.tcp = ice.NewTCPMuxDefault(ice.TCPMuxParams{
		// A viewer may try more than one connection before it settles for one.
		Listener: netutil.LimitListener(l, 4*cfg.MaxViewers),
		Logger:   log.NewLogger("tcp"), ReadBufferSize: 8, WriteBufferSize: tcpBuffer,
		FirstStunBindTimeout: tcpStart, AliveDurationForConnFromStun: tcpStart,
	})
	return nil
}

// apply tells pion to use these ports and no other.
func (n *network) apply(e *webrtc.SettingEngine, publicIPs []string) {
	e.SetICEUDPMux(n.udp)
	types := []webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6}
	if n.tcp != nil {
		e.SetICETCPMux(n.tcp)
		types = append(types, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(types)
	e.DisableActiveTCP(true) // never dial to where a client says
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(func(ip net.IP) bool { return slices.ContainsFunc(n.ips, ip.Equal) })
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if len(publicIPs) > 0 {
		e.SetNAT1To1IPs(publicIPs, webrtc.ICECandidateTypeHost)
	}
}

func (n *network) close() error {
	err := n.udp.Close()
	if n.tcp != nil {
		err = errors.Join(err, n.tcp.Close())
	}
	return err
}

// addresses returns the IP of host, or, if that is empty or unspecified, all addresses of the machine
// but loopback and link-local ones; only those of the named interfaces, if there are names.
func addresses(host string, interfaces []string) ([]net.IP, error) {
	var only net.IP
	if host != "" {
		addr, err := net.ResolveIPAddr("ip", host)
		if err != nil {
			return nil, err
		}
		if !addr.IP.IsUnspecified() {
			only = addr.IP
		}
	}
	if only != nil && len(interfaces) == 0 {
		return []net.IP{only}, nil
	}
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var ips []net.IP
	for _, i := range all {
		named := slices.Contains(interfaces, i.Name)
		if i.Flags&net.FlagUp == 0 || len(interfaces) > 0 && !named {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", i.Name, err)
		}
		for _, a := range addrs {
			ip, _, err := net.ParseCIDR(a.String())
			switch {
			case err != nil, ip.IsLinkLocalUnicast(), ip.IsMulticast():
			case only != nil && !ip.Equal(only), only == nil && ip.IsLoopback() && !named:
			default:
				ips = append(ips, ip)
			}
		}
	}
	switch {
	case len(ips) > 0:
	case len(interfaces) > 0:
		return nil, fmt.Errorf("no such address on the interfaces %q", interfaces)
	default:
		return nil, errors.New("this machine is on no network: name an address, as 127.0.0.1")
	}
	return ips, nil
}
