package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pion/webrtc/v3"
)

// outgoing is one session at a WHIP endpoint.
type outgoing struct {
	viewer   *Viewer // the picture's side of it
	location string  // of the session; "" if the endpoint told none
}

// refusedError is what an endpoint answered instead of 201.
type refusedError struct {
	status string
	code   int
	detail string
	after  time.Duration // Retry-After
}

func (e *refusedError) Error() string {
	if e.detail == "" {
		return "the endpoint answers " + e.status
	}
	return "the endpoint answers " + e.status + ": " + e.detail
}

// final reports whether the same offer would be refused again.
func (e *refusedError) final() bool {
	switch e.code {
	case http.StatusConflict, http.StatusTooManyRequests, http.StatusRequestTimeout, http.StatusTooEarly:
		return false
	}
	return e.code < 500
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
	if err := p.negotiate(ctx, session); err != nil {
		session.end(ctx, p, "not published: "+clip(err.Error()))
		return nil, err
	}
	return session, nil
}

// negotiate offers and takes the answer.
func (p *Publication) negotiate(ctx context.Context, session *outgoing) error {
	peer := session.viewer.peer
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(offer); err != nil {
		return fmt.Errorf("make an offer: %w", err)
	}
	limit, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	select {
	case <-gathered:
	case <-limit.Done(): // go on with what there is; a STUN server may not answer
	}
	answer, err := p.post(ctx, session, finish(peer.LocalDescription().SDP))
	if err != nil {
		return err
	}
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return fmt.Errorf("take the answer: %w", err)
	}
	return nil
}

// request sends a request to url.
func (p *Publication) request(ctx context.Context, method, url, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		r.Header.Set("Content-Type", typeSDP)
	}
	if p.cfg.Token != "" {
		r.Header.Set("Authorization", "Bearer "+p.cfg.Token) // net/http keeps it from other hosts
	}
	client := *p.cfg.Client
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.Method != method { // all but 307 and 308 make a GET of a POST
			return errors.New("redirected, but not by 307 or 308")
		}
		if len(via) > 5 {
			return errors.New("redirected too often")
		}
		return nil
	}
	return client.Do(r)
}

// post sends the offer and returns the answer.
func (p *Publication) post(ctx context.Context, session *outgoing, offer string) (string, error) {
	resp, err := p.request(ctx, http.MethodPost, p.cfg.URL, offer)
	if err != nil {
		return "", err // tells method and URL, without a password
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return "", fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusCreated {
		e := &refusedError{status: resp.Status, code: resp.StatusCode, detail: clip(strings.TrimSpace(string(body)))}
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			e.after = time.Duration(min(s, 3600)) * time.Second
		}
		return "", e
	}
	if len(body) > maxAnswer {
		return "", fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	if u, err := resp.Location(); err == nil { // relative to where the request was redirected to
		session.location = u.String()
	}
	return string(body), nil
}

// end tells the endpoint that the session is over and closes the connection, also when ctx has ended.
func (o *outgoing) end(ctx context.Context, p *Publication, reason string) {
	o.viewer.end(reason)
	if o.location == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	resp, err := p.request(ctx, http.MethodDelete, o.location, "")
	if err != nil {
		p.s.cfg.Log.Debug("end a publication", "err", err)
		return
	}
	resp.Body.Close()
}

// iceServers asks the endpoint for them.
func (p *Publication) iceServers(ctx context.Context) ([]webrtc.ICEServer, error) {
	resp, err := p.request(ctx, http.MethodOptions, p.cfg.URL, "")
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
