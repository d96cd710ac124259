package stream

import (
	"fmt"
	"strings"
)

// frag is the part of an SDP fragment (RFC 8840, section 9) that WHEP uses.
type frag struct {
	ufrag, pwd string   // the first ones
	candidates []string // values of a=candidate, without that prefix
	end        bool     // a=end-of-candidates
}

// parseFrag reads an SDP fragment. Lines that it does not know are skipped, as SDP wants it.
func parseFrag(body string) (*frag, error) {
	f := &frag{}
	for line := range strings.Lines(body) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' {
			return nil, fmt.Errorf("line %q: want TYPE=VALUE", clip(line))
		}
		if line[0] != 'a' {
			continue
		}
		key, value, _ := strings.Cut(line[2:], ":")
		switch key {
		case "ice-ufrag":
			if err := f.set(&f.ufrag, value); err != nil {
				return nil, err
			}
		case "ice-pwd":
			if err := f.set(&f.pwd, value); err != nil {
				return nil, err
			}
		case "candidate":
			f.candidates = append(f.candidates, value)
		case "end-of-candidates":
			f.end = true
		}
	}
	if (f.ufrag != "" || f.pwd != "") && !validCredentials(f.ufrag, f.pwd) {
		return nil, fmt.Errorf("a=ice-ufrag and a=ice-pwd are not both valid")
	}
	return f, nil
}

// set notes a credential, which is the same for all media since they are bundled.
func (f *frag) set(to *string, value string) error {
	if *to != "" && *to != value {
		return fmt.Errorf("more than one a=ice-ufrag or a=ice-pwd")
	}
	*to = value
	return nil
}

// validCredentials checks the grammar of RFC 8839, section 5.4.
func validCredentials(ufrag, pwd string) bool {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '+' && r != '/'
	}
	return len(ufrag) >= 4 && len(ufrag) <= 256 && len(pwd) >= 22 && len(pwd) <= 256 &&
		!strings.ContainsFunc(ufrag+pwd, other)
}

// format writes f for the medium mid of kind.
func (f *frag) format(mid, kind string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "m=%s 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:%s\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", kind, mid, f.ufrag, f.pwd)
	for _, c := range f.candidates {
		fmt.Fprintf(&b, "a=candidate:%s\r\n", c)
	}
	if f.end {
		b.WriteString("a=end-of-candidates\r\n")
	}
	return b.String()
}
