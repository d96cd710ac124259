// Package web is the HTTP side of the viewer: who may see what, over which addresses, within which
// limits. What there is to see comes from others, as handlers and functions.
//
//	s, err := web.New(web.Config{Listen: "127.0.0.1:8080", Page: page.Handler(), WHEP: server, JPEG: live.JPEG})
//	fmt.Println(s.URLs())
//	err = s.Run(ctx)
//
//	/              the page, open to all: it holds no secret
//	/whep          WHEP, see package stream
//	/frame.jpg     the newest picture: ?picture=overlay|plain&level=N
//	/stream.mjpeg  the same, one after the other, for what cannot do WebRTC
//	/api/status    JSON
//	/healthz       200 as long as the program answers and no stage hangs, else 503 and which one
//	/readyz        200 if there are new pictures, else 503 and why
//
// # Who may
//
// Without tokens everybody is an operator; New allows that on a loopback address, and elsewhere only
// if Config.NoAuth says so. With tokens a request needs "Authorization: Bearer TOKEN". Tokens are
// never accepted in an address, where they would end in logs; the page takes its own from the part
// behind #, which browsers do not send.
//
// # What is refused
//
// A Host header that names neither an address nor a known name (DNS rebinding), an Origin that is
// not this server or listed, tokens over plain HTTP from other machines unless Config.Insecure
// allows it, bodies over 64 KiB, headers over 16 KiB, slow senders, and floods from one address.
//
// Metrics and profiles are on a listener of their own, which must be on loopback: Config.Admin.
//
// A Server is safe for concurrent use.
package web
