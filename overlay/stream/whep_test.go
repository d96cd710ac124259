package stream

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/sdp/v3"
)

// cases of requests that are answered without a session.
func TestRequests(t *testing.T) {
	_, url := serve(t, Config{Origins: []string{"https://player.example"}, ICEServers: []ICEServer{
		{URL: "stun:stun.example:3478"}, {URL: "turn:turn.example:3478?transport=udp", Username: "u", Credential: "c"},
	}})
	offer := newClient(t, clientOptions{}).offer()
	tests := []struct {
		name         string
		method, path string
		header       []string
		body         string
		status       int
		want         map[string]string // headers
	}{
		{"discover", "HEAD", "", nil, "", 200, map[string]string{"Content-Type": typeSDP}},
		{"get", "GET", "", nil, "", 204, nil},
		{"options", "OPTIONS", "", nil, "", 200, map[string]string{
			"Accept-Post": typeSDP, "Allow": "OPTIONS, GET, HEAD, POST",
			"Link": `<stun:stun.example:3478>; rel="ice-server"` + "\n" +
				`<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="c"; credential-type="password"`,
		}},
		{"options of a session", "OPTIONS", "/s/x", nil, "", 200, map[string]string{"Accept-Patch": typeFrag, "Link": ""}},
		{
			"preflight", "OPTIONS", "",
			[]string{"Origin", "https://player.example", "Access-Control-Request-Method", "POST"},
			"", 200,
			map[string]string{
				"Access-Control-Allow-Origin":   "https://player.example",
				"Access-Control-Allow-Methods":  "OPTIONS, GET, HEAD, POST, PATCH, DELETE",
				"Access-Control-Allow-Headers":  "Authorization, Content-Type, If-Match",
				"Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Post, Accept-Patch, Retry-After",
				"Link":                          "",
			},
		},
		{
			"preflight of a stranger", "OPTIONS", "",
			[]string{"Origin", "https://evil.example", "Access-Control-Request-Method", "POST"},
			"", 200,
			map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Link": ""},
		},
		{
			"null origin", "OPTIONS", "",
			[]string{"Origin", "null", "Access-Control-Request-Method", "POST"},
			"", 200,
			map[string]string{"Access-Control-Allow-Origin": ""},
		},
		{"put", "PUT", "", nil, "x", 405, map[string]string{"Allow": "OPTIONS, GET, HEAD, POST"}},
		{"patch the endpoint", "PATCH", "", nil, "x", 405, nil},
		{"post to a session", "POST", "/s/x", nil, "x", 405, map[string]string{"Allow": "OPTIONS, PATCH, DELETE"}},
		{"get a session", "GET", "/s/x", nil, "", 405, nil},
		{"delete what is not there", "DELETE", "/s/7c52c3b4-6b5e-4b0a-9f0a-0a0a0a0a0a0a", nil, "", 404, nil},
		{"delete with a path for an id", "DELETE", "/s/..%2f..%2fetc%2fpasswd", nil, "", 404, nil},
		{"patch what is not there", "PATCH", "/s/x", []string{"Content-Type", typeFrag, "If-Match", "*"}, "a=mid:0\r\n", 404, nil},

		{"no content type", "POST", "", nil, offer, 415, map[string]string{"Accept-Post": typeSDP}},
		{"JSON", "POST", "", []string{"Content-Type", "application/json"}, "{}", 415, nil},
		{"two content types", "POST", "", []string{"Content-Type", typeSDP, "Content-Type", "text/plain"}, offer, 400, nil},
		{"two tokens", "POST", "", []string{"Content-Type", typeSDP, "Authorization", "Bearer a", "Authorization", "Bearer b"}, offer, 400, nil},
		{"empty", "POST", "", []string{"Content-Type", typeSDP}, "", 400, nil},
		{"not UTF-8", "POST", "", []string{"Content-Type", typeSDP}, "v=0\r\n\xff\xfe", 400, nil},
		{"not SDP", "POST", "", []string{"Content-Type", typeSDP}, "hello", 400, nil},
		{"long", "POST", "", []string{"Content-Type", typeSDP}, strings.Repeat("a", 1<<20), 413, nil},
		{"no such picture", "POST", "?picture=x", []string{"Content-Type", typeSDP}, offer, 404, nil},
		{"charset", "POST", "", []string{"Content-Type", "Application/SDP; charset=utf-8"}, offer, 201, map[string]string{
			"Link": `<stun:stun.example:3478>; rel="ice-server"` + "\n" +
				`<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="u"; credential="c"; credential-type="password"`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := request(t, tt.method, url+tt.path, tt.body, tt.header...)
			if resp.StatusCode != tt.status {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, tt.status, body)
			}
			for k, v := range tt.want {
				if got := strings.Join(resp.Header.Values(k), "\n"); got != v {
					t.Errorf("%s: %q, want %q", k, got, v)
				}
			}
			checkProblem(t, resp, body)
		})
	}
}

// checkProblem checks that an error is told as RFC 9457 wants it, and that nothing else is.
func checkProblem(t *testing.T, resp *reply, body string) {
	t.Helper()
	if resp.StatusCode < 400 {
		return
	}
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q of an error", got)
	}
	var p struct {
		Type, Title, Detail string
		Status              int
	}
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("problem %q: %v", body, err)
	}
	if p.Status != resp.StatusCode || p.Detail == "" || p.Title == "" || p.Type != "about:blank" {
		t.Errorf("problem %+v", p)
	}
}

func TestSession(t *testing.T) {
	s, url := serve(t, Config{})
	c := dial(t, url, clientOptions{channels: true})
	until(t, "a viewer", func() bool { return s.Watching(0) == 1 })

	if !regexp.MustCompile(`^` + regexp.QuoteMeta(url) + `/s/[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(c.location) {
		t.Errorf("Location %q", c.location)
	}
	if !regexp.MustCompile(`^"[^"]+"$`).MatchString(c.etag) {
		t.Errorf("ETag %q is not a strong one", c.etag)
	}
	checkAnswer(t, c.answer)

	resp, _ := request(t, http.MethodDelete, c.location, "", "If-Match", `"whatever"`)
	if resp.StatusCode != http.StatusOK {
		t.Errorf("DELETE: %s, want 200", resp.Status)
	}
	until(t, "gone", func() bool { return s.Watching(0) == 0 && s.Stats().Sessions == 0 })
	resp, body := request(t, http.MethodDelete, c.location, "")
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("second DELETE: %s, want 404", resp.Status)
	}
	checkProblem(t, resp, body)
}

func checkAnswer(t *testing.T, answer string) {
	t.Helper()
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil {
		t.Fatal(err)
	}
	if len(d.MediaDescriptions) != 2 {
		t.Fatalf("%d media, want 2:\n%s", len(d.MediaDescriptions), answer)
	}
	msids := map[string]bool{}
	for _, m := range d.MediaDescriptions {
		if v, _ := m.Attribute("setup"); v != "passive" {
			t.Errorf("%s: a=setup:%s, want passive", m.MediaName.Media, v)
		}
		if n := count(m.Attributes, "msid"); n > 1 {
			t.Errorf("%d msid, want 1", n)
		}
		if v, ok := m.Attribute("msid"); ok {
			msids[v] = true
		}
	}
	video := d.MediaDescriptions[0]
	for _, key := range []string{"sendonly", "rtcp-mux", "rtcp-mux-only", "candidate", "end-of-candidates", "msid"} {
		if _, ok := video.Attribute(key); !ok {
			t.Errorf("the video of the answer lacks a=%s", key)
		}
	}
	if len(msids) != 1 {
		t.Errorf("msids %v, want one", msids)
	}
	var codecs, feedback []string
	for _, a := range video.Attributes {
		switch a.Key {
		case "rtpmap":
			codecs = append(codecs, strings.Fields(a.Value)[1])
		case "rtcp-fb":
			_, v, _ := strings.Cut(a.Value, " ")
			feedback = append(feedback, strings.TrimSpace(v))
		case "candidate":
			if f := strings.Fields(a.Value); f[4] != "127.0.0.1" || f[1] != "1" {
				t.Errorf("candidate %q: want component 1 on 127.0.0.1", a.Value)
			}
		}
	}
	if !slices.Equal(codecs, []string{"VP8/90000"}) {
		t.Errorf("codecs %q, want VP8 only", codecs)
	}
	for _, fb := range []string{"nack", "nack pli", "ccm fir", "transport-cc"} {
		if !slices.Contains(feedback, fb) {
			t.Errorf("feedback %q lacks %q", feedback, fb)
		}
	}
}

func TestOffers(t *testing.T) {
	_, url := serve(t, Config{})
	offer := newClient(t, clientOptions{channels: true}).offer()
	change := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if !strings.Contains(offer, pairs[i]) {
				t.Fatalf("the offer lacks %q:\n%s", pairs[i], offer)
			}
		}
		return strings.NewReplacer(pairs...).Replace(offer)
	}
	media := func(n int) string {
		_, application, _ := strings.Cut(offer, "m=application")
		return offer + strings.Repeat("m=application"+application, n)
	}
	candidate := "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
	tests := []struct {
		name, offer string
		status      int
		detail      string
	}{
		{"as it is", offer, 201, ""},
		{"sendrecv", change("a=recvonly", "a=sendrecv"), 201, ""},
		{"sendonly", change("a=recvonly", "a=sendonly"), 422, "sendonly"},
		{"inactive", change("a=recvonly", "a=inactive"), 422, "inactive"},
		{"audio only", change("m=video", "m=audio"), 422, "no video"},
		{"H264 only", change("VP8/90000", "H264/90000"), 406, "VP8"},
		{"no media", offer[:strings.Index(offer, "m=")], 422, "no media"},
		{"two videos", change("m=application 9 UDP/DTLS/SCTP", "m=video 9 UDP/TLS/RTP/SAVPF"), 422, "more than one video"},
		{"four media", media(2), 422, "at most 3"},
		{"hundreds of media", media((60_000 - len(offer)) / (len(offer) - strings.Index(offer, "m=application"))), 422, "at most 3"},
		{"64 candidates", offer + strings.Repeat(candidate, maxCandidates-strings.Count(offer, "a=candidate")), 201, ""},
		{"65 candidates", offer + strings.Repeat(candidate, maxCandidates-strings.Count(offer, "a=candidate")+1), 422, "candidates"},
		{"not bundled", change("a=group:BUNDLE", "a=group:LS"), 422, "BUNDLE"},
		{"without a mid", change("a=mid:", "a=mud:"), 422, "mid"},
		{"same mid", change("a=mid:1", "a=mid:0"), 422, "mid"},
		{"without rtcp-mux", change("a=rtcp-mux", "a=rtcp-max"), 422, "rtcp-mux"},
		{"without ICE", change("a=ice-ufrag", "a=ice-afrag"), 422, "ice-ufrag"},
		{"short ICE password", regexp.MustCompile("a=ice-pwd:.*").ReplaceAllString(offer, "a=ice-pwd:abc\r"), 422, "ice-pwd"},
		{"without a fingerprint", change("a=fingerprint", "a=fingerpaint"), 422, "fingerprint"},
		{"holdconn", change("a=setup:actpass", "a=setup:holdconn"), 422, "holdconn"},
		{"client is the server", change("a=setup:actpass", "a=setup:passive"), 201, ""},
		{"broken candidate", offer + "a=candidate:1 1 udp x 127.0.0.1 9 typ host\r\n", 422, "cannot be answered"},
		{"unknown candidate", offer + "a=candidate:1 1 udp 1 127.0.0.1 9 typ quantum\r\n", 201, ""},
		{"name for an address", offer + "a=candidate:1 1 udp 1 6ba7b810-9dad-11d1-80b4-00c04fd430c8.local 9 typ host\r\n", 201, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			resp, body := request(t, http.MethodPost, url, tt.offer, "Content-Type", typeSDP)
			if resp.StatusCode != tt.status || !strings.Contains(body, tt.detail) {
				t.Fatalf("%s, want %d and %q: %s", resp.Status, tt.status, tt.detail, body)
			}
			if d := time.Since(start); d > 2*time.Second {
				t.Errorf("took %s", d)
			}
			checkProblem(t, resp, body)
			if resp.StatusCode == http.StatusCreated {
				if !strings.Contains(body, "a=sendonly") || strings.Contains(body, "a=sendrecv\r\nm=") {
					t.Errorf("the answer is not sendonly:\n%s", body)
				}
				location, err := resp.Location()
				if err != nil {
					t.Fatal(err)
				}
				request(t, http.MethodDelete, location.String(), "")
			}
		})
	}
}

func TestAudioIsDeclined(t *testing.T) {
	_, url := serve(t, Config{})
	c := newClient(t, clientOptions{})
	offer := c.offer()
	_, video, _ := strings.Cut(offer, "m=video")
	audio := regexp.MustCompile(`(?m)^a=(rtpmap|fmtp|rtcp-fb|extmap|mid|ssrc|msid).*\r\n`).ReplaceAllString(video, "")
	_, audio, _ = strings.Cut(audio, "\r\n")
	offer = strings.Replace(offer, "BUNDLE 0", "BUNDLE 0 9", 1) +
		"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:9\r\na=rtpmap:111 opus/48000/2\r\n" + audio
	resp, body := request(t, http.MethodPost, url, offer, "Content-Type", typeSDP)
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s\n%s", resp.Status, body, offer)
	}
	if !strings.Contains(body, "m=audio 0 ") {
		t.Errorf("audio is not declined:\n%s", body)
	}
	if !strings.Contains(body, "a=group:BUNDLE 0\r\n") {
		t.Errorf("audio is in the bundle:\n%s", body)
	}
}

func TestPatch(t *testing.T) {
	_, url := serve(t, Config{})
	c := dial(t, url, clientOptions{})
	other := dial(t, url, clientOptions{})
	candidate := "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\n"
	var d sdp.SessionDescription
	if err := d.UnmarshalString(c.pc.LocalDescription().SDP); err != nil {
		t.Fatal(err)
	}
	ufrag, _ := d.MediaDescriptions[0].Attribute("ice-ufrag")
	pwd, _ := d.MediaDescriptions[0].Attribute("ice-pwd")
	own := "a=ice-ufrag:" + ufrag + "\r\na=ice-pwd:" + pwd + "\r\n"
	tests := []struct {
		name   string
		header []string
		body   string
		status int
	}{
		{"candidate", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "m=video 9 RTP/AVP 0\r\na=mid:0\r\n" + candidate, 204},
		{"with the credentials", []string{"If-Match", c.etag, "Content-Type", typeFrag}, own + candidate, 204},
		{"one of many tags", []string{"If-Match", `"x", ` + c.etag, "Content-Type", typeFrag}, candidate, 204},
		{"end", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "a=end-of-candidates\r\n", 204},
		{"unknown kind", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "a=candidate:1 1 udp 1 127.0.0.1 9 typ quantum\r\n", 204},
		{"nonsense for a candidate", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "a=candidate:x\r\n", 204},
		{"no tag", []string{"Content-Type", typeFrag}, candidate, 428},
		{"stale tag", []string{"If-Match", `"old"`, "Content-Type", typeFrag}, candidate, 412},
		{"weak tag", []string{"If-Match", "W/" + c.etag, "Content-Type", typeFrag}, candidate, 412},
		{"tag of another session", []string{"If-Match", other.etag, "Content-Type", typeFrag}, candidate, 412},
		{"two tags", []string{"If-Match", c.etag, "If-Match", `"x"`, "Content-Type", typeFrag}, candidate, 400},
		{"restart without the star", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n", 422},
		{"short password", []string{"If-Match", "*", "Content-Type", typeFrag}, "a=ice-ufrag:abcd\r\na=ice-pwd:0123\r\n", 400},
		{"no password", []string{"If-Match", "*", "Content-Type", typeFrag}, "a=ice-ufrag:abcd\r\n", 400},
		{"two users", []string{"If-Match", "*", "Content-Type", typeFrag}, "a=ice-ufrag:abcd\r\na=ice-ufrag:efgh\r\n", 400},
		{"not a fragment", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "hello\r\n", 400},
		{"nothing in it", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "a=mid:0\r\n", 422},
		{"empty", []string{"If-Match", c.etag, "Content-Type", typeFrag}, "", 400},
		{"an SDP answer", []string{"If-Match", c.etag, "Content-Type", typeSDP}, candidate, 415},
		{"long", []string{"If-Match", c.etag, "Content-Type", typeFrag}, strings.Repeat(candidate, 2000), 413},
		{"too many", []string{"If-Match", c.etag, "Content-Type", typeFrag}, strings.Repeat(candidate, 100), 422},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := request(t, http.MethodPatch, c.location, tt.body, tt.header...)
			if resp.StatusCode != tt.status {
				t.Fatalf("%s, want %d: %s", resp.Status, tt.status, body)
			}
			if got := resp.Header.Get("ETag"); got != "" {
				t.Errorf("ETag %s", got)
			}
			checkProblem(t, resp, body)
		})
	}
}

func TestRole(t *testing.T) {
	s, url := serve(t, Config{Role: func(r *http.Request) string {
		switch r.Header.Get("Authorization") {
		case "Bearer see":
			return RoleViewer
		case "Bearer do":
			return RoleOperator
		}
		return ""
	}})
	offer := newClient(t, clientOptions{}).offer()
	for _, header := range [][]string{{"Content-Type", typeSDP}, {"Content-Type", typeSDP, "Authorization", "Bearer x"}} {
		resp, body := request(t, http.MethodPost, url, offer, header...)
		if resp.StatusCode != http.StatusUnauthorized || !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s %q, want 401 Bearer", resp.Status, resp.Header.Get("WWW-Authenticate"))
		}
		checkProblem(t, resp, body)
	}
	for token, role := range map[string]string{"see": RoleViewer, "do": RoleOperator} {
		resp, body := request(t, http.MethodPost, url, offer, "Content-Type", typeSDP, "Authorization", "Bearer "+token)
		if resp.StatusCode != http.StatusCreated {
			t.Fatalf("%s: %s", resp.Status, body)
		}
		_, id, _ := strings.Cut(resp.Header.Get("Location"), sessionPath)
		if v := s.find(id); v == nil || v.Role() != role {
			t.Errorf("viewer %+v, want role %s", v, role)
		}
		if resp, _ := request(t, http.MethodDelete, url+sessionPath+id, ""); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("DELETE without a token: %s, want 401", resp.Status)
		}
	}
}
