package stream

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v3"
)

// turnTime is how long made TURN passwords are good.
const turnTime = 10 * time.Minute

// gatherTime is for pion to list the addresses of its open sockets, which takes a millisecond.
const gatherTime = 5 * time.Second

// post starts a session.
func (s *Server) post(w http.ResponseWriter, r *http.Request, endpoint, role string) *problem {
	if !isType(r, typeSDP) {
		w.Header().Set("Accept-Post", typeSDP)
		return &problem{status: http.StatusUnsupportedMediaType, detail: "want Content-Type: " + typeSDP}
	}
	picture, p := s.pictureOf(r)
	if p != nil {
		return p
	}
	if s.full() { // before anything that costs
		return &problem{status: http.StatusServiceUnavailable, detail: errFull.Error(), retry: 5}
	}
	if !s.limits.posts.Allow() {
		return tooMany("sessions")
	}
	if !s.cfg.Ready(picture) {
		return &problem{status: http.StatusConflict, detail: "there is nothing to see at present", retry: 2}
	}
	body, p := readBody(w, r)
	if p != nil {
		return p
	}
	o, p := parseOffer(body, s.cfg.Codec)
	if p != nil {
		return p
	}
	v, answer, p := s.open(r.Context(), o, role, picture)
	if p != nil {
		return p
	}
	h := w.Header()
	h.Set("Content-Type", typeSDP)
	h.Set("Location", endpoint+sessionPath+v.id)
	h.Set("ETag", v.signal.etag)
	h.Set("Accept-Patch", typeFrag)
	h.Set("Cache-Control", "no-store")
	s.linkServers(h)
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write([]byte(answer)) // who has gone will not connect
	return nil
}

// pictureOf returns the index of the one that the request names.
func (s *Server) pictureOf(r *http.Request) (int, *problem) {
	name := r.URL.Query().Get("picture")
	if name == "" {
		return 0, nil
	}
	i := slices.Index(s.cfg.Pictures, name)
	if i < 0 {
		return 0, &problem{status: http.StatusNotFound, detail: "no such picture; there are: " + strings.Join(s.cfg.Pictures, ", ")}
	}
	return i, nil
}

func (s *Server) full() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed || s.places >= s.cfg.MaxViewers
}

// open makes the session for an offer and returns the answer.
func (s *Server) open(ctx context.Context, o *offer, role string, picture int) (*Viewer, string, *problem) {
	v, err := s.newViewer(role, picture, nil)
	if err != nil {
		s.cfg.Log.Error("make a connection", "err", err)
		return nil, "", &problem{status: http.StatusInternalServerError, detail: "no connection can be made"}
	}
	if err := s.admit(v); err != nil {
		_ = v.peer.Close() // it has no goroutines yet that could be left
		return nil, "", &problem{status: http.StatusServiceUnavailable, detail: err.Error(), retry: 5}
	}
	if !s.start(v) {
		v.end("server closes")
		return nil, "", &problem{status: http.StatusServiceUnavailable, detail: errClosed.Error(), retry: 5}
	}
	if o.channels {
		err = v.openChannels()
	}
	var answer string
	if err == nil {
		answer, err = v.negotiate(ctx, &o.sdp)
	}
	if err != nil {
		v.end("bad offer: " + clip(err.Error()))
		return nil, "", refusal(err)
	}
	v.signal.offer, v.signal.candidates, v.signal.etag = o, o.candidates, newETag()
	return v, answer, nil
}

// refusal says why pion did not take an offer.
func refusal(err error) *problem {
	switch {
	case errors.Is(err, webrtc.ErrUnsupportedCodec), errors.Is(err, webrtc.ErrSenderWithNoCodecs):
		return &problem{status: http.StatusNotAcceptable, detail: "the offer lacks the codec that is sent here, or its profile"}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &problem{status: http.StatusServiceUnavailable, detail: "no answer could be made in time", retry: 1}
	}
	return unprocessable("the offer cannot be answered: %s", clip(err.Error()))
}

// negotiate answers an offer, with all candidates of the server, which has no way to tell them later.
func (v *Viewer) negotiate(ctx context.Context, offer *sdp.SessionDescription) (string, error) {
	text, err := offer.Marshal()
	if err != nil {
		return "", err
	}
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: string(text)}
	if err := v.peer.SetRemoteDescription(remote); err != nil {
		return "", err
	}
	answer, err := v.peer.CreateAnswer(nil)
	if err != nil {
		return "", err
	}
	gathered := webrtc.GatheringCompletePromise(v.peer)
	if err := v.peer.SetLocalDescription(answer); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, gatherTime)
	defer cancel()
	select {
	case <-gathered:
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	return finish(v.peer.LocalDescription().SDP), nil
}

// finish adds what pion leaves out: RTP and RTCP share one port, for sure (RFC 8858). So there is no
// use for the candidates of a second one.
func finish(answer string) string {
	var b strings.Builder
	for line := range strings.Lines(answer) {
		if c, ok := strings.CutPrefix(line, "a=candidate:"); ok && strings.Fields(c)[1] != "1" {
			continue
		}
		b.WriteString(line)
		if line == "a=rtcp-mux\r\n" {
			b.WriteString("a=rtcp-mux-only\r\n")
		}
	}
	return b.String()
}

func newETag() string { return `"` + newID() + `"` }

// linkServers names the ICE servers that clients may use.
func (s *Server) linkServers(h http.Header) {
	for _, i := range s.cfg.ICEServers {
		user, password := i.Username, i.Credential
		if i.Secret != "" {
			user, password = i.temporary(time.Now())
		}
		link := fmt.Sprintf(`<%s>; rel="ice-server"`, i.URL)
		if user != "" {
			link += fmt.Sprintf(`; username="%s"; credential="%s"; credential-type="password"`, user, password)
		}
		h.Add("Link", link)
	}
}

// temporary makes a user name and a password as draft-uberti-behave-turn-rest does.
func (i ICEServer) temporary(now time.Time) (user, password string) {
	user = fmt.Sprintf("%d:%s", now.Add(turnTime).Unix(), or(i.Username, "glomstream"))
	mac := hmac.New(sha1.New, []byte(i.Secret))
	mac.Write([]byte(user))
	return user, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
