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

// endpoint is a WHIP or WHEP server of which sessions are asked.
type endpoint struct {
	url, token string
	client     *http.Client
}

// newHTTPClient returns what endpoints are asked with by default.
func newHTTPClient() *http.Client {
	return &http.Client{
		Timeout:   requestTime,
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
	}
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

// negotiate makes a session: an offer of peer with all candidates, since nothing is trickled, and the
// endpoint's answer. It returns where the session is, "" if the endpoint told nothing, also beside an error.
func (e *endpoint) negotiate(ctx context.Context, peer *webrtc.PeerConnection) (location string, err error) {
	offer, err := peer.CreateOffer(nil)
	if err != nil {
		return "", fmt.Errorf("make an offer: %w", err)
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(offer); err != nil {
		return "", fmt.Errorf("make an offer: %w", err)
	}
	limit, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	select {
	case <-gathered:
	case <-limit.Done(): // go on with what there is; a STUN server may not answer
	}
	answer, location, err := e.post(ctx, finish(peer.LocalDescription().SDP))
	if err != nil {
		return location, err
	}
	if err := peer.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		return location, fmt.Errorf("take the answer: %w", err)
	}
	return location, nil
}

// request sends a request to url.
func (e *endpoint) request(ctx context.Context, method, url, body string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		r.Header.Set("Content-Type", typeSDP)
	}
	if e.token != "" {
		r.Header.Set("Authorization", "Bearer "+e.token) // net/http keeps it from other hosts
	}
	client := *e.client
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

// post sends an offer and returns the answer and where the session is.
func (e *endpoint) post(ctx context.Context, offer string) (answer, location string, err error) {
	resp, err := e.request(ctx, http.MethodPost, e.url, offer)
	if err != nil {
		return "", "", err // tells method and URL, without a password
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return "", "", fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusCreated {
		e := &refusedError{status: resp.Status, code: resp.StatusCode, detail: clip(strings.TrimSpace(string(body)))}
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			e.after = time.Duration(min(s, 3600)) * time.Second
		}
		return "", "", e
	}
	if len(body) > maxAnswer {
		return "", "", fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	if u, err := resp.Location(); err == nil { // relative to where the request was redirected to
		location = u.String()
	}
	return string(body), location, nil
}

// end tells the endpoint that a session is over, also when ctx has ended.
func (e *endpoint) end(ctx context.Context, location string) error {
	if location == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	resp, err := e.request(ctx, http.MethodDelete, location, "")
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
