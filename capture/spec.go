package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Kind tells which backend opens a source.
type Kind int

// The kinds of source.
const (
	Webcam    Kind = iota // a camera of this machine, by its number
	File                  // a video file, an animated GIF among them
	Stream                // rtsp, rtsps, http or https
	Images                // still pictures in natural order, see OpenImages
	Y4M                   // YUV4MPEG2 on the standard input, see NewY4M
	Synthetic             // a scene drawn by the program, with known truth
)

// String returns the kind in one lower-case word.
func (k Kind) String() string {
	names := [...]string{"webcam", "file", "stream", "images", "y4m", "synthetic"}
	if k < 0 || int(k) >= len(names) {
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
	return names[k]
}

const (
	maxDevice = 255  // the highest number that Linux gives a video device
	maxSource = 4096 // bytes in what the user may write; Linux has no longer path
)

// Spec says which source is meant. Raw and Path may hold credentials: show Name to people.
type Spec struct {
	Kind   Kind
	Raw    string     // as the user gave it
	Path   string     // absolute path of a file, folder or pattern; device path; URL; scene name; "-" for Y4M
	Device int        // Webcam: its number, 0 to 255
	Files  []string   // Images: absolute paths, 2 before 10
	Seed   uint64     // Synthetic: the parameter seed, 0 if not given
	Params url.Values // Synthetic: the other parameters, each at most once
}

// ParseSpec says what source s names:
//
//	0, 1, …  /dev/video0       webcam
//	-                          YUV4MPEG2 on the standard input
//	synthetic:NAME?seed=1&…    a scene with known truth
//	rtsp:// rtsps://           network stream
//	http:// https://
//	frames/  frames/*.png      pictures: a folder, a glob, a printf pattern or one file
//	img_%05d.png  cat.jpg      (jpg, jpeg, png, bmp, webp)
//	any other path             video file
//
// A path that exists is that file, whatever * or % it contains, and ./0 is a file. Files are
// looked up and their paths made absolute, so that no library takes a name for a protocol;
// every other scheme: form and pipeline strings are refused. Nothing that could block is
// opened: a FIFO or a device is an error, as are a missing, empty or unreadable file and a
// folder without pictures. The presence of a webcam is left to its backend.
func ParseSpec(s string) (Spec, error) {
	spec := Spec{Raw: s}
	switch {
	case s == "":
		return Spec{}, errors.New("no source given: name a video file, a folder of pictures, a webcam (0), a URL, synthetic:NAME or -")
	case len(s) > maxSource:
		return Spec{}, fmt.Errorf("open %q: a name of %d bytes is longer than any path", s[:32]+"…", len(s))
	case s == "-":
		spec.Kind, spec.Path = Y4M, s
		return spec, nil
	case isDigits(s) || isDigits(strings.TrimPrefix(s, "/dev/video")):
		return spec.webcam(strings.TrimPrefix(s, "/dev/video"))
	}
	switch scheme := schemeOf(s); scheme {
	case "":
		return spec.path()
	case "synthetic":
		return spec.synthetic()
	case "rtsp", "rtsps", "http", "https":
		return spec.stream(scheme)
	default:
		return Spec{}, refused(s, scheme)
	}
}

func (s Spec) webcam(number string) (Spec, error) {
	n, err := strconv.Atoi(number)
	if err != nil || n > maxDevice {
		return Spec{}, fmt.Errorf("open webcam %q: its number is not in 0 to %d (a file of that name is %q)", s.Raw, maxDevice, "./"+s.Raw)
	}
	s.Kind, s.Device, s.Path = Webcam, n, "/dev/video"+strconv.Itoa(n)
	return s, nil
}

func (s Spec) synthetic() (Spec, error) {
	name, query, _ := strings.Cut(s.Raw[len("synthetic:"):], "?")
	if name == "" {
		return Spec{}, fmt.Errorf("open %q: the name of the scene is missing: write synthetic:NAME", s.Raw)
	}
	params, err := url.ParseQuery(query)
	if err != nil {
		return Spec{}, fmt.Errorf("open %q: read its parameters: %w", s.Raw, err)
	}
	for key, values := range params {
		if len(values) > 1 {
			return Spec{}, fmt.Errorf("open %q: the parameter %q is given twice", s.Raw, key)
		}
	}
	if params.Has("seed") {
		s.Seed, err = strconv.ParseUint(params.Get("seed"), 10, 64)
		if err != nil {
			return Spec{}, fmt.Errorf("open %q: seed %q is not a whole number from 0", s.Raw, params.Get("seed"))
		}
		params.Del("seed")
	}
	s.Kind, s.Path, s.Params = Synthetic, name, params
	return s, nil
}

func (s Spec) stream(scheme string) (Spec, error) {
	// url.Parse's own error repeats the URL with its password, so it is not passed on.
	u, err := url.Parse(s.Raw)
	if err != nil {
		return Spec{}, fmt.Errorf("open %q: not a valid URL (write %%40 for @, %%3A for :, %%2F for / in a password)", s.Name())
	}
	if u.Hostname() == "" {
		return Spec{}, fmt.Errorf("open %q: the host is missing: write %s://HOST/…", s.Name(), scheme)
	}
	s.Kind, s.Path = Stream, scheme+s.Raw[len(scheme):]
	return s, nil
}

func (s Spec) path() (Spec, error) {
	info, err := os.Stat(s.Raw)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.pattern(err)
	case err != nil:
		return Spec{}, openError(s.Raw, err)
	}
	if s.Path, err = filepath.Abs(s.Raw); err != nil {
		return Spec{}, fmt.Errorf("open %q: %w", s.Raw, err)
	}
	if info.IsDir() {
		s.Files, err = listPictures(s.Path)
		if err != nil {
			return Spec{}, openError(s.Raw, err)
		}
		return s.images("the folder holds no picture")
	}
	f, err := openRegular(s.Path)
	if err != nil {
		return Spec{}, openError(s.Raw, err)
	}
	f.Close()
	if isPicture(s.Path) {
		s.Kind, s.Files = Images, []string{s.Path}
		return s, nil
	}
	s.Kind = File
	return s, nil
}

// pattern is for a path that does not exist, which missing says.
func (s Spec) pattern(missing error) (Spec, error) {
	var err error
	switch dir, base := filepath.Split(s.Raw); {
	case strings.Contains(s.Raw, " ! "):
		return Spec{}, fmt.Errorf("open %q: pipelines are not accepted: name a file, a webcam or a URL", s.Raw)
	case numberVerb(base) != nil:
		s.Files, err = listNumbered(dir, base)
	case strings.ContainsAny(s.Raw, "*?["):
		s.Files, err = listGlob(s.Raw)
	default:
		err = missing
	}
	if err != nil {
		return Spec{}, openError(s.Raw, err)
	}
	if s.Path, err = filepath.Abs(s.Raw); err != nil {
		return Spec{}, fmt.Errorf("open %q: %w", s.Raw, err)
	}
	return s.images("no such file, and no picture matches it as a pattern")
}

// images ends the work on a list of files; none is what an empty one means.
func (s Spec) images(none string) (Spec, error) {
	if len(s.Files) == 0 {
		return Spec{}, fmt.Errorf("open %q: %s (jpg, jpeg, png, bmp, webp)", s.Raw, none)
	}
	slices.SortFunc(s.Files, compareNatural)
	s.Kind = Images
	return s, nil
}

// Name returns the source as people may see it, in one line: what the user gave, but of a URL
// neither user nor password nor the values of its query.
func (s Spec) Name() string {
	name := s.Raw
	if scheme := schemeOf(name); scheme != "" && scheme != "synthetic" {
		name = redact(scheme, name)
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, name)
}

// String returns the name, so that printing a Spec shows no credentials.
func (s Spec) String() string { return s.Name() }

// redact hides what may be a secret in raw, rather too much than too little.
func redact(scheme, raw string) string {
	const hidden = "xxxxx"
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return scheme + "://" + hidden
	}
	// An @ past the host is most often a password whose / ? or # was not escaped, so that
	// what looks like the host is part of it.
	path := u.EscapedPath()
	if strings.Contains(path+u.RawQuery+u.Fragment, "@") {
		return scheme + "://" + hidden
	}
	name := scheme + "://"
	if u.User != nil {
		name += hidden + "@"
	}
	name += u.Host
	// Some cameras want the password in the path: /user=admin_password=1234_channel=1.
	if lower := strings.ToLower(path); strings.Contains(lower, "pass") || strings.Contains(lower, "pwd") || strings.Contains(lower, "token") {
		path = "/" + hidden
	}
	name += path
	if u.RawQuery != "" {
		name += "?" + hidden
	}
	return name
}

// schemeOf returns the lower-case scheme that s begins with, or "". Commas count as part of
// it, because FFmpeg takes subfile,,start,0,end,9,,:NAME.
func schemeOf(s string) string {
	scheme, _, found := strings.Cut(s, ":")
	if !found {
		return ""
	}
	for i, c := range scheme {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.,", c)) {
			return ""
		}
	}
	return strings.ToLower(scheme)
}

// refused is the error for a scheme that is not on the list. What follows the scheme is not
// shown: it may be a password, or a megabyte of data.
func refused(s, scheme string) error {
	hint := ""
	if _, err := os.Lstat(s); err == nil {
		hint = "; for the file of that name write ./ before it"
	}
	if len(scheme) > 32 {
		scheme = scheme[:32] + "…"
	}
	return fmt.Errorf("open %q: this scheme is not accepted, only rtsp, rtsps, http, https and synthetic are%s", scheme+":…", hint)
}

func isDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
