package stream

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/pion/webrtc/v3"
	"golang.org/x/time/rate"
)

// signalling is the ICE session of a viewer.
type signalling struct {
	limit *rate.Limiter

	mu         sync.Mutex // one request at a time
	offer      *offer
	etag       string // of the ICE session, quoted
	candidates int    // that were taken from the client
}

func (g *signalling) init() { g.limit = rate.NewLimiter(patchRate, patchBurst) }

// patch takes more candidates of the client, or restarts ICE (RFC 9725, section 4.3).
func (v *Viewer) patch(w http.ResponseWriter, r *http.Request) *problem {
	if !v.signal.limit.Allow() {
		return tooMany("this session")
	}
	if !isType(r, typeFrag) {
		w.Header().Set("Accept-Patch", typeFrag)
		return &problem{status: http.StatusUnsupportedMediaType, detail: "want Content-Type: " + typeFrag}
	}
	match := strings.TrimSpace(r.Header.Get("If-Match"))
	if match == "" {
		return &problem{status: http.StatusPreconditionRequired, detail: `want If-Match with the ETag of the session, or "*" to restart ICE`}
	}
	body, p := readBody(w, r)
	if p != nil {
		return p
	}
	f, err := parseFrag(body)
	if err != nil {
		return &problem{status: http.StatusBadRequest, detail: "the body is not an SDP fragment: " + err.Error()}
	}
	g := &v.signal
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.offer == nil {
		return &problem{status: http.StatusConflict, detail: "the session is not answered yet", retry: 1}
	}
	ufrag, pwd := g.offer.credentials()
	same := f.ufrag == "" || f.ufrag == ufrag && f.pwd == pwd
	anyTag := match == "*" || match == `"*"`
	switch {
	case !anyTag && !matches(match, g.etag):
		return &problem{status: http.StatusPreconditionFailed, detail: "the ETag is not that of the present ICE session"}
	case !same && !anyTag:
		return unprocessable(`other ICE credentials restart ICE, which wants If-Match: *`)
	case same && len(f.candidates) == 0 && !f.end:
		return unprocessable("the fragment has neither candidates nor other ICE credentials")
	case same:
		return v.trickle(w, f)
	}
	return v.restart(r.Context(), w, f)
}

// matches compares strongly (RFC 9110, section 13.1.1), so a weak tag never matches.
func matches(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		if strings.TrimSpace(tag) == etag {
			return true
		}
	}
	return false
}

// trickle takes candidates. Ones of an unknown kind are dropped, as the draft wants it.
func (v *Viewer) trickle(w http.ResponseWriter, f *frag) *problem {
	g := &v.signal
	if g.candidates += len(f.candidates); g.candidates > maxCandidates {
		g.candidates = maxCandidates
		return unprocessable("at most %d candidates are taken", maxCandidates)
	}
	v.addCandidates(f.candidates)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (v *Viewer) addCandidates(candidates []string) {
	mid := v.signal.offer.mid()
	for _, c := range candidates {
		if err := v.peer.AddICECandidate(webrtc.ICECandidateInit{Candidate: c, SDPMid: &mid}); err != nil {
			v.s.cfg.Log.Debug("candidate dropped", "id", v.id, "err", err)
		}
	}
}

// restart begins a new ICE session. What is wrong with the fragment is found before anything is
// changed, so that an error leaves the session as it was.
func (v *Viewer) restart(ctx context.Context, w http.ResponseWriter, f *frag) *problem {
	g := &v.signal
	if len(f.candidates) > maxCandidates {
		return unprocessable("at most %d candidates are taken", maxCandidates)
	}
	next := g.offer.restarted(f.ufrag, f.pwd)
	answer, err := v.negotiate(ctx, &next.sdp)
	if err != nil {
		return refusal(err)
	}
	g.offer, g.candidates, g.etag = next, len(f.candidates), newETag()
	v.addCandidates(f.candidates)

	local, err := parseFrag(answer) // an SDP is a fragment too
	if err != nil {
		return &problem{status: http.StatusInternalServerError, detail: "the answer cannot be read"}
	}
	local.end = true
	h := w.Header()
	h.Set("Content-Type", typeFrag)
	h.Set("ETag", g.etag)
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(local.format(next.mid(), next.sdp.MediaDescriptions[0].MediaName.Media)))
	return nil
}
