package capture

import (
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// tree makes the files, each with one byte in it, in a new current folder. A name that ends in
// a slash is an empty folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, "/") {
			continue
		}
		if err := os.WriteFile(name, []byte{1}, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestParseSpec(t *testing.T) {
	dir := tree(t, "clip.mp4", "anim.gif", "12:30 clip.mp4", "a ! b.avi", "0", "data:x",
		"frames/f10.png", "frames/f2.PNG", "frames/f1.jpeg", "frames/notes.txt", "frames/.f3.png", "frames/sub.png/",
		"n/i_09.png", "n/i_10.png", "n/i_100.png", "n/i_1.png", "n/i_x.png", "n/i_08.txt", "n/50%3.webp",
		"weird/x[1].bmp", "weird/img_%05d.png", "weird/y*.jpg", "weird/yes.jpg",
		"a[1]/p.png", "a1/q.png")
	abs := func(names ...string) []string {
		for i, name := range names {
			names[i] = filepath.Join(dir, name)
		}
		return names
	}
	images := func(path string, files ...string) Spec {
		return Spec{Kind: Images, Path: filepath.Join(dir, path), Files: abs(files...)}
	}
	for _, c := range []struct {
		in   string
		want Spec // without Raw
	}{
		{"0", Spec{Kind: Webcam, Path: "/dev/video0"}},
		{"12", Spec{Kind: Webcam, Path: "/dev/video12", Device: 12}},
		{"/dev/video3", Spec{Kind: Webcam, Path: "/dev/video3", Device: 3}},
		{"./0", Spec{Kind: File, Path: dir + "/0"}},
		{"-", Spec{Kind: Y4M, Path: "-"}},

		{"synthetic:twins", Spec{Kind: Synthetic, Path: "twins", Params: url.Values{}}},
		{"synthetic:pan?seed=7&frames=40", Spec{Kind: Synthetic, Path: "pan", Seed: 7, Params: url.Values{"frames": {"40"}}}},
		{"SYNTHETIC:pan?seed=18446744073709551615", Spec{Kind: Synthetic, Path: "pan", Seed: 1<<64 - 1, Params: url.Values{}}},

		{"rtsp://cam/1", Spec{Kind: Stream, Path: "rtsp://cam/1"}},
		{"RTSPS://me:pw@cam:554/1?a=b", Spec{Kind: Stream, Path: "rtsps://me:pw@cam:554/1?a=b"}},
		{"http://[::1]:8080/x.m3u8", Spec{Kind: Stream, Path: "http://[::1]:8080/x.m3u8"}},
		{"https://h/a b.mp4", Spec{Kind: Stream, Path: "https://h/a b.mp4"}},

		{"clip.mp4", Spec{Kind: File, Path: dir + "/clip.mp4"}},
		{dir + "/clip.mp4", Spec{Kind: File, Path: dir + "/clip.mp4"}},
		{"./frames/../clip.mp4", Spec{Kind: File, Path: dir + "/clip.mp4"}},
		{"anim.gif", Spec{Kind: File, Path: dir + "/anim.gif"}},
		{"12:30 clip.mp4", Spec{Kind: File, Path: dir + "/12:30 clip.mp4"}},
		{"a ! b.avi", Spec{Kind: File, Path: dir + "/a ! b.avi"}},
		{"./data:x", Spec{Kind: File, Path: dir + "/data:x"}},

		{"frames", images("frames", "frames/f1.jpeg", "frames/f2.PNG", "frames/f10.png")},
		{"frames/", images("frames", "frames/f1.jpeg", "frames/f2.PNG", "frames/f10.png")},
		{"frames/f1.jpeg", images("frames/f1.jpeg", "frames/f1.jpeg")},
		{"frames/*", images("frames/*", "frames/f1.jpeg", "frames/f2.PNG", "frames/f10.png")},
		{"frames/*.png", images("frames/*.png", "frames/f10.png")},
		{"fr*/f[12].*", images("fr*/f[12].*", "frames/f1.jpeg", "frames/f2.PNG")},
		{"n/i_%02d.png", images("n/i_%02d.png", "n/i_09.png", "n/i_10.png", "n/i_100.png")},
		{"n/i_%d.png", images("n/i_%d.png", "n/i_1.png", "n/i_10.png", "n/i_100.png")},
		{"n/50%%%d.webp", images("n/50%%%d.webp", "n/50%3.webp")},

		// A file that exists is meant, whatever its name would match.
		{"weird/x[1].bmp", images("weird/x[1].bmp", "weird/x[1].bmp")},
		{"weird/img_%05d.png", images("weird/img_%05d.png", "weird/img_%05d.png")},
		{"weird/y*.jpg", images("weird/y*.jpg", "weird/y*.jpg")},
		{"a[1]", images("a[1]", "a[1]/p.png")},
	} {
		got, err := ParseSpec(c.in)
		c.want.Raw = c.in
		if err != nil {
			t.Errorf("ParseSpec(%q): %v", c.in, err)
		} else if !reflect.DeepEqual(got, c.want) {
			t.Errorf("ParseSpec(%q)\n got %#v\nwant %#v", c.in, got, c.want)
		}
	}
}

// A current folder whose name is a pattern must not become part of one.
func TestParseSpecInFolderWithBrackets(t *testing.T) {
	dir := tree(t, "a[1]/p.png", "a1/q.png")
	t.Chdir("a[1]")
	for _, in := range []string{"*.png", "p%02d.png", "."} {
		got, err := ParseSpec(in)
		if in == "p%02d.png" {
			if err == nil {
				t.Errorf("%q: got %v, want an error", in, got.Files)
			}
			continue
		}
		if want := []string{dir + "/a[1]/p.png"}; err != nil || !slices.Equal(got.Files, want) {
			t.Errorf("%q: got %v, %v, want %v", in, got.Files, err, want)
		}
	}
}

// A folder of links to pictures is a folder of pictures; a link to anything else is not one.
func TestParseSpecLinks(t *testing.T) {
	dir := tree(t, "real/a.png", "links/")
	for name, to := range map[string]string{"b.png": "../real/a.png", "c.png": "../real", "d.png": "nothing", "e.png": "/dev/zero"} {
		if err := os.Symlink(to, "links/"+name); err != nil {
			t.Fatal(err)
		}
	}
	for _, in := range []string{"links", "links/*.png"} {
		got, err := ParseSpec(in)
		if want := []string{dir + "/links/b.png"}; err != nil || !slices.Equal(got.Files, want) {
			t.Errorf("%q: got %v, %v, want %v", in, got.Files, err, want)
		}
	}
}

func TestParseSpecRefuses(t *testing.T) {
	tree(t, "empty/", "texts/a.txt", "data:there", "clip.mp4", "loop.png")
	for name, make := range map[string]func(string) error{
		"void.mp4": func(n string) error { return os.WriteFile(n, nil, 0o644) },
		"void.png": func(n string) error { return os.WriteFile(n, nil, 0o644) },
		"fifo.mp4": func(n string) error { return syscall.Mkfifo(n, 0o644) },
		"self.mp4": func(n string) error { return os.Symlink(n, n) },
		"gone.mp4": func(n string) error { return os.Symlink("nothing", n) },
		"zero.jpg": func(n string) error { return os.Symlink("/dev/zero", n) },
		"links/fifo.png": func(n string) error {
			if err := os.MkdirAll("links", 0o755); err != nil {
				return err
			}
			return syscall.Mkfifo(n, 0o644)
		},
	} {
		if err := make(name); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
	}
	socket, err := net.Listen("unix", "socket.mp4")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	long := strings.Repeat("x", 5000)
	for _, c := range []struct {
		in   string
		want string // part of the error
		is   error
	}{
		{in: "", want: "no source given"},
		{in: "256", want: "not in 0 to 255"},
		{in: "99999999999999999999", want: "not in 0 to 255"},
		{in: "/dev/video256", want: "not in 0 to 255"},
		{in: long, want: "longer than any path"},

		{in: "synthetic:", want: "synthetic:NAME"},
		{in: "synthetic:?seed=1", want: "synthetic:NAME"},
		{in: "synthetic:a?seed=-1", want: `seed "-1" is not`},
		{in: "synthetic:a?seed=", want: `seed "" is not`},
		{in: "synthetic:a?seed=1&seed=2", want: "given twice"},
		{in: "synthetic:a?x=%zz", want: "invalid URL escape"},

		{in: "data:image/png;base64,AAAA", want: `"data:…"`},
		{in: "data:there", want: "write ./ before it"},
		{in: "concat:a.mp4|b.mp4", want: "not accepted"},
		{in: "pipe:0", want: "not accepted"},
		{in: "subfile,,start,0,end,9,,:/etc/passwd", want: "not accepted"},
		{in: "crypto+file:/etc/passwd", want: "not accepted"},
		{in: "file:clip.mp4", want: "not accepted"},
		{in: "file://../clip.mp4", want: "not accepted"},
		{in: "FILE:///etc/passwd", want: "not accepted"},
		{in: "udp://1.2.3.4:5", want: "not accepted"},
		{in: "rtmp://u:secret@host/x", want: `"rtmp:…"`},
		{in: "user:secret@host/x", want: `"user:…"`},
		{in: strings.Repeat("s", 999) + ":", want: "not accepted"},
		{in: "videotestsrc ! appsink", want: "pipelines are not accepted"},
		{in: "v4l2src device=/dev/video0 ! filesink location=x", want: "pipelines are not accepted"},

		{in: "rtsp://", want: "host is missing"},
		{in: "rtsp://:554/x", want: "host is missing"},
		{in: "http:clip.mp4", want: "host is missing"},
		{in: "http:///etc/passwd", want: "host is missing"},
		{in: "rtsp://u:pa%ss@h/", want: "not a valid URL"},
		{in: "rtsp://u:secret#1@h/", want: "not a valid URL"},
		{in: "http://h/\r\nX: y", want: "not a valid URL"},

		{in: "nothing.mp4", want: "no such file", is: fs.ErrNotExist},
		{in: "nothing\nat all.mp4", want: "no such file", is: fs.ErrNotExist},
		{in: "a\x00b", want: "invalid argument"},
		{in: "clip.mp4/x.mp4", want: "not a directory"},
		{in: strings.Repeat("x", 300), want: "file name too long"},
		{in: "empty", want: "folder holds no picture"},
		{in: "texts", want: "folder holds no picture"},
		{in: "links", want: "folder holds no picture"},
		{in: "texts/*", want: "no picture matches"},
		{in: "*.png.mp4", want: "no picture matches"},
		{in: "links/*.png", want: "no picture matches"},
		{in: "[", want: "syntax error in pattern"},
		{in: "texts/i_%d.png", want: "no picture matches"},
		{in: "nowhere/i_%d.png", want: "no such file", is: fs.ErrNotExist},
		{in: "texts/i_%s.png", want: "no such file", is: fs.ErrNotExist},
		{in: "texts/i_%d_%d.png", want: "no such file", is: fs.ErrNotExist},
		{in: "texts/i_%0%%5d.png", want: "no such file", is: fs.ErrNotExist},

		{in: "void.mp4", want: "the file is empty"},
		{in: "void.png", want: "the file is empty"},
		{in: "fifo.mp4", want: "is a FIFO"},
		{in: "self.mp4", want: "too many levels"},
		{in: "gone.mp4", want: "no such file", is: fs.ErrNotExist},
		{in: "/dev/zero", want: "is a device"},
		{in: "/dev/null", want: "is a device"},
		{in: "zero.jpg", want: "is a device"},
		{in: "socket.mp4", want: "is not a regular file"},
	} {
		got, err := ParseSpec(c.in)
		switch {
		case err == nil:
			t.Errorf("ParseSpec(%.40q) = %#v, want an error", c.in, got)
		case !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\r\n"):
			t.Errorf("ParseSpec(%.40q): %q, want one line with %q", c.in, err, c.want)
		case c.is != nil && !errors.Is(err, c.is):
			t.Errorf("ParseSpec(%.40q): %v does not wrap %v", c.in, err, c.is)
		case strings.Contains(err.Error(), "secret"):
			t.Errorf("ParseSpec(%.40q): %q shows a password", c.in, err)
		case len(err.Error()) > 600:
			t.Errorf("ParseSpec(%.40q): an error of %d bytes", c.in, len(err.Error()))
		case !reflect.DeepEqual(got, Spec{}):
			t.Errorf("ParseSpec(%.40q): %#v beside an error", c.in, got)
		}
	}
}

func TestSpecName(t *testing.T) {
	for _, c := range []struct{ raw, want string }{
		{"frames/img_%05d.png", "frames/img_%05d.png"},
		{"0", "0"},
		{"synthetic:pan?seed=7", "synthetic:pan?seed=7"},
		{"a\nb\x1b[31m\xff.mp4", "a�b�[31m�.mp4"},
		{"rtsp://cam:554/live/1", "rtsp://cam:554/live/1"},
		{"rtsp://me:pw@cam:554/live", "rtsp://xxxxx@cam:554/live"},
		{"rtsp://me@cam/live", "rtsp://xxxxx@cam/live"},
		{"RTSP://me:pw@cam/", "rtsp://xxxxx@cam/"},
		{"http://cam/v.cgi?user=me&pwd=pw#x", "http://cam/v.cgi?xxxxx"},
		{"rtsp://cam/user=me_password=pw_channel=1", "rtsp://cam/xxxxx"},
		// An @, / # or ? in a password makes a part of it look like host and path.
		{"rtsp://me:p@w@cam/", "rtsp://xxxxx@cam/"},
		{"rtsp://me:12/pw@cam/", "rtsp://xxxxx"},
		{"rtsp://me:12#pw@cam/", "rtsp://xxxxx"},
		{"rtsp://me:12?pw@cam/", "rtsp://xxxxx"},
		{"rtsp://me:12@3/pw@cam/", "rtsp://xxxxx"},
		{"rtsp://me:p%w@cam/", "rtsp://xxxxx"},
	} {
		s := Spec{Raw: c.raw}
		if got := s.Name(); got != c.want {
			t.Errorf("%q: got %q, want %q", c.raw, got, c.want)
		}
		if s.String() != s.Name() {
			t.Errorf("%q: String is %q", c.raw, s.String())
		}
	}
}

func TestKindString(t *testing.T) {
	for k, want := range map[Kind]string{
		Webcam: "webcam", File: "file", Stream: "stream", Images: "images", Y4M: "y4m", Synthetic: "synthetic",
		-1: "kind(-1)", 6: "kind(6)",
	} {
		if got := k.String(); got != want {
			t.Errorf("Kind(%d): got %q, want %q", int(k), got, want)
		}
	}
}

func TestCompareNatural(t *testing.T) {
	sorted := []string{
		"", "01", "1", "2", "10", "a", "a/1", "a/1b", "a/2/9", "a/2/10", "a/10", "a1", "a001.png", "a01.png", "a1.png",
		"a2.png", "a9.png", "a10.png", "a18446744073709551616.png", "a99999999999999999999999.png", "ab", "b",
	}
	sign := func(n int) int { return min(max(n, -1), 1) }
	for i, a := range sorted {
		for j, b := range sorted {
			if got := compareNatural(a, b); sign(got) != sign(i-j) {
				t.Errorf("compareNatural(%q, %q) = %d, want the sign of %d", a, b, got, i-j)
			}
		}
	}
}

func FuzzParseSpec(f *testing.F) {
	for _, s := range []string{
		"0", "./0", "/dev/video0", "-", "synthetic:twins?seed=1&frames=9", "rtsp://u:p@h/x?y#z", "data:,x", "a%05d.png",
		"*.png", "frames", "x.gif", "a ! b", "http://[::1]/", "\x00", "subfile,,:x", "50%%%d.png",
	} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Chdir(dir)
	for _, name := range []string{"x.gif", "a1.png", "a00002.png", "50%1.png"} {
		if err := os.WriteFile(name, []byte{1}, 0o644); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.HasPrefix(s, "/") || strings.Contains(s, "..") {
			t.Skip("a glob over the whole machine takes its time")
		}
		spec, err := ParseSpec(s)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("the error has several lines: %q", err)
			}
			return
		}
		if strings.ContainsFunc(spec.Name(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("the name %q has control characters", spec.Name())
		}
		switch spec.Kind {
		case File, Images:
			for _, path := range append([]string{spec.Path}, spec.Files...) {
				if !filepath.IsAbs(path) {
					t.Errorf("the path %q is not absolute", path)
				}
			}
			if !slices.IsSortedFunc(spec.Files, compareNatural) || (spec.Kind == Images) != (len(spec.Files) > 0) {
				t.Errorf("%v: files %q", spec.Kind, spec.Files)
			}
		case Stream:
			u, err := url.Parse(spec.Path)
			if err != nil || !slices.Contains([]string{"rtsp", "rtsps", "http", "https"}, u.Scheme) {
				t.Errorf("the stream %q has a bad URL: %v", spec.Path, err)
			}
			if password, ok := u.User.Password(); ok && len(password) > 5 && strings.Contains(spec.Name(), password) && !strings.Contains(u.Host+u.Path, password) {
				t.Errorf("the name %q shows the password %q", spec.Name(), password)
			}
		}
	})
}
