// Package stream shows encoded pictures to many viewers over WebRTC. It is a WHEP server
// (draft-ietf-wish-whep) as an http.Handler, and the only package that imports pion.
//
//	s, err := stream.New(stream.Config{KeyFrame: encoder.ForceKey})
//	mux.Handle("/whep", s)
//	mux.Handle("/whep/", s)
//	for each encoded frame {
//		s.Write(0, &stream.Frame{Data: packet.Data, Key: packet.Key, Timestamp: ts, Captured: at})
//	}
//
// A picture is encoded once, however many look at it: Write cuts the frame into RTP payloads once,
// and every viewer has a queue, a goroutine and an RTP packet writer of its own. A viewer that does
// not keep up loses frames until the next key frame; it never delays another one or Write.
//
// All viewers share one UDP port (and one TCP port, if that is wanted). Nothing leaves the machine
// but answers to viewers: no STUN server is asked and no mDNS name is looked up.
//
// Publish sends a picture to a WHIP endpoint instead (RFC 9725), such as that of an SFU, which has room
// for more viewers than one machine.
//
// pion's version 3 is the last of its line and carries three published advisories without a fix, which
// have little reach here. CVE-2026-26014 (random nonces of DTLS records) concerns data channels that
// stay open for days; GHSA-34rh-wp3j-6cxc (a crash by a STUN answer) only who asks a STUN server, which
// is Publish with UseICEServers; CVE-2026-54908 a DTLS client with PSK suites, which are never offered,
// and towards viewers the server is never the client, unless they insist on being the server.
//
// Bit rates are in bit/s, RTP time stamps in units of 1/90000 s. All methods may be called from
// many goroutines at a time; the callbacks in Config are called one at a time for each viewer, and
// must not wait for the Server.
package stream
