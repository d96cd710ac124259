package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/pion/webrtc/v3"
)

// outgoing is one session at a WHIP endpoint.
type outgoing struct {
	viewer   *Viewer // the picture's side of it
	location string  // of the session; "" if the endpoint told none
}

// endpoint is where the picture goes.
func (p *Publication) endpoint() *endpoint {
	return &endpoint{url: p.cfg.URL, token: p.cfg.Token, client: p.cfg.Client}
}

// open makes a session: an offer with all candidates, since nothing is trickled.
func (p *Publication) open(ctx context.Context) (*outgoing, error) {
	cfg := p.cfg
	if cfg.UseICEServers {
		var err error
		if cfg.ice, err = p.iceServers(ctx); err != nil {
			return nil, err
		}
	}
	v, err := p.s.newViewer("", cfg.Picture, &cfg)
	if err != nil {
		return nil, fmt.Errorf("make a connection: %w", err)
	}
	if err := p.s.admit(v); err != nil {
		return nil, errors.Join(err, v.peer.Close())
	}
	session := &outgoing{viewer: v}
	if !p.s.start(v) {
		session.end(ctx, p, "server closes")
		return nil, errClosed
	}
	if session.location, err = p.endpoint().negotiate(ctx, v.peer); err != nil {
		session.end(ctx, p, "not published: "+clip(err.Error()))
		return nil, err
	}
	return session, nil
}

// end tells the endpoint that the session is over and closes the connection, also when ctx has ended.
func (o *outgoing) end(ctx context.Context, p *Publication, reason string) {
	o.viewer.end(reason)
	if err := p.endpoint().end(ctx, o.location); err != nil {
		p.s.cfg.Log.Debug("end a publication", "err", err)
	}
}

// iceServers asks the endpoint for them.
func (p *Publication) iceServers(ctx context.Context) ([]webrtc.ICEServer, error) {
	resp, err := p.endpoint().request(ctx, http.MethodOptions, p.cfg.URL, "")
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	var list []webrtc.ICEServer
	for _, h := range resp.Header.Values("Link") {
		list = append(list, parseLinks(h)...)
	}
	return list, nil
}

// parseLinks returns the ICE servers in a Link header (RFC 8288), of which there may be more than one.
func parseLinks(header string) (list []webrtc.ICEServer) {
	for {
		_, rest, ok := strings.Cut(header, "<")
		if !ok {
			return list
		}
		target, rest, ok := strings.Cut(rest, ">")
		if !ok {
			return list
		}
		params, next := linkParams(rest)
		header = next
		scheme, _, _ := strings.Cut(target, ":")
		switch scheme {
		case "stun", "stuns", "turn", "turns":
		default:
			continue
		}
		if params["rel"] == "ice-server" {
			s := webrtc.ICEServer{URLs: []string{target}, Username: params["username"]}
			if c := params["credential"]; c != "" {
				s.Credential = c
			}
			list = append(list, s)
		}
	}
}

// linkParams reads ;name="value" or ;name=value up to the next comma.
func linkParams(s string) (params map[string]string, rest string) {
	params = map[string]string{}
	for {
		s = strings.TrimLeft(s, " \t")
		if !strings.HasPrefix(s, ";") {
			return params, s
		}
		name, value, ok := strings.Cut(strings.TrimLeft(s[1:], " \t"), "=")
		if !ok {
			return params, ""
		}
		if quoted, ok := strings.CutPrefix(value, `"`); ok {
			if value, s, ok = strings.Cut(quoted, `"`); !ok {
				return params, ""
			}
		} else {
			n := strings.IndexAny(value, ";, \t")
			if n < 0 {
				n = len(value)
			}
			value, s = value[:n], value[n:]
		}
		params[strings.ToLower(strings.TrimSpace(name))] = value
	}
}
