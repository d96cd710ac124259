package stream

import (
	"net/http"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// Limits of what a client may offer. Each candidate costs goroutines.
const (
	maxMedia      = 3
	maxCandidates = 64
)

// offer is what a client offers, checked and reduced to what the server takes part in.
type offer struct {
	sdp        sdp.SessionDescription
	channels   bool // it wants data channels
	candidates int
}

// parseOffer checks an SDP offer for codec. What it lets through asks for exactly one video, and is
// known to have what pion needs.
func parseOffer(body, codec string) (*offer, *problem) {
	o := &offer{}
	if err := o.sdp.UnmarshalString(body); err != nil {
		return nil, &problem{status: http.StatusBadRequest, detail: "the body is not an SDP offer: " + clip(err.Error())}
	}
	switch n := len(o.sdp.MediaDescriptions); {
	case n == 0:
		return nil, unprocessable("the offer has no media; want a video to receive")
	case n > maxMedia:
		return nil, unprocessable("the offer has %d media; at most %d are answered", n, maxMedia)
	}
	if p := o.checkTransport(); p != nil {
		return nil, p
	}
	var video *sdp.MediaDescription
	for _, m := range o.sdp.MediaDescriptions {
		switch m.MediaName.Media {
		case "video":
			if video != nil {
				return nil, unprocessable("the offer has more than one video")
			}
			video = m
		case "application":
			o.channels = slices.Contains(m.MediaName.Protos, "SCTP")
		}
	}
	if video == nil {
		return nil, unprocessable("the offer has no video; nothing but video is sent here")
	}
	if p := o.checkVideo(video, codec); p != nil {
		return nil, p
	}
	return o, nil
}

// checkVideo makes video one that is received only: the server never takes a picture from a viewer.
func (o *offer) checkVideo(video *sdp.MediaDescription, codec string) *problem {
	switch d := direction(&o.sdp, video); d {
	case "recvonly", "sendrecv":
	default:
		return unprocessable("the video of the offer is %s; want recvonly", d)
	}
	if _, ok := video.Attribute("rtcp-mux"); !ok {
		return unprocessable("the video of the offer lacks a=rtcp-mux")
	}
	if !offersCodec(video, codec) {
		return &problem{status: http.StatusNotAcceptable, detail: "the offer lacks the codec that is sent here: " + strings.ToUpper(codec)}
	}
	remove(&video.Attributes, "sendrecv", "recvonly", "simulcast", "rid", "ssrc", "ssrc-group", "msid")
	video.WithPropertyAttribute("recvonly")
	return nil
}

// checkTransport checks what all media have in common.
func (o *offer) checkTransport() *problem {
	var bundled []string
	for _, a := range o.sdp.Attributes {
		if group := strings.Fields(a.Value); a.Key == sdp.AttrKeyGroup && len(group) > 0 && group[0] == "BUNDLE" {
			bundled = append(bundled, group[1:]...)
		}
	}
	o.candidates = count(o.sdp.Attributes, "candidate")
	var mids []string
	for _, m := range o.sdp.MediaDescriptions {
		mid, ok := m.Attribute(sdp.AttrKeyMID)
		switch {
		case !ok || mid == "" || slices.Contains(mids, mid):
			return unprocessable("each medium of the offer needs an a=mid of its own")
		case len(o.sdp.MediaDescriptions) > 1 && !slices.Contains(bundled, mid):
			return unprocessable("the media of the offer are not all in one BUNDLE group")
		}
		mids = append(mids, mid)
		o.candidates += count(m.Attributes, "candidate")
		ufrag, pwd := o.attribute(m, "ice-ufrag"), o.attribute(m, "ice-pwd")
		if !validCredentials(ufrag, pwd) {
			return unprocessable("the offer lacks a valid a=ice-ufrag and a=ice-pwd")
		}
		if o.attribute(m, "fingerprint") == "" {
			return unprocessable("the offer lacks a=fingerprint")
		}
		if setup := o.attribute(m, "setup"); setup == "holdconn" {
			return unprocessable("the offer has a=setup:holdconn; want actpass")
		}
	}
	if o.candidates > maxCandidates {
		return unprocessable("the offer has %d candidates; at most %d are taken", o.candidates, maxCandidates)
	}
	return nil
}

// attribute returns the value that holds for m.
func (o *offer) attribute(m *sdp.MediaDescription, key string) string {
	if v, ok := m.Attribute(key); ok {
		return v
	}
	v, _ := o.sdp.Attribute(key)
	return v
}

// credentials returns the ICE user name and password of the first medium, which carries all others.
func (o *offer) credentials() (ufrag, pwd string) {
	m := o.sdp.MediaDescriptions[0]
	return o.attribute(m, "ice-ufrag"), o.attribute(m, "ice-pwd")
}

// mid returns that of the first medium.
func (o *offer) mid() string {
	mid, _ := o.sdp.MediaDescriptions[0].Attribute(sdp.AttrKeyMID)
	return mid
}

// restarted returns the offer with other ICE credentials and without candidates.
func (o *offer) restarted(ufrag, pwd string) *offer {
	next := *o
	d := o.sdp
	d.Attributes = slices.Clone(d.Attributes)
	d.MediaDescriptions = slices.Clone(d.MediaDescriptions)
	remove(&d.Attributes, "ice-ufrag", "ice-pwd", "candidate", "end-of-candidates")
	for i, old := range d.MediaDescriptions {
		m := *old
		m.Attributes = slices.Clone(old.Attributes)
		remove(&m.Attributes, "ice-ufrag", "ice-pwd", "candidate", "end-of-candidates")
		m.WithValueAttribute("ice-ufrag", ufrag).WithValueAttribute("ice-pwd", pwd)
		d.MediaDescriptions[i] = &m
	}
	next.sdp = d
	return &next
}

// direction returns that of m, which may be given for the session.
func direction(d *sdp.SessionDescription, m *sdp.MediaDescription) string {
	for _, attributes := range [][]sdp.Attribute{m.Attributes, d.Attributes} {
		for _, a := range attributes {
			switch a.Key {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				return a.Key
			}
		}
	}
	return "sendrecv" // RFC 8866, section 6.7
}

func offersCodec(m *sdp.MediaDescription, codec string) bool {
	return slices.ContainsFunc(m.Attributes, func(a sdp.Attribute) bool {
		_, name, _ := strings.Cut(a.Value, " ")
		return a.Key == "rtpmap" && strings.EqualFold(name, codec+"/90000")
	})
}

func count(attributes []sdp.Attribute, key string) (n int) {
	for _, a := range attributes {
		if a.Key == key {
			n++
		}
	}
	return n
}

func remove(attributes *[]sdp.Attribute, keys ...string) {
	*attributes = slices.DeleteFunc(*attributes, func(a sdp.Attribute) bool { return slices.Contains(keys, a.Key) })
}

// clip shortens what quotes the input.
func clip(s string) string {
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
