package capture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
)

// openRegular opens a file that has contents. What is not a regular file is refused before it
// is opened, because opening a device can change it and opening a FIFO waits for a writer;
// O_NONBLOCK covers a FIFO that takes the file's place in between.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch mode := info.Mode(); {
	case mode.IsDir():
		return nil, errors.New("is a folder, not a file")
	case mode&fs.ModeNamedPipe != 0:
		return nil, errors.New("is a FIFO, not a file: send YUV4MPEG2 into the standard input and name it -")
	case mode&fs.ModeDevice != 0:
		return nil, errors.New("is a device, not a file: name a webcam by its number or /dev/videoN")
	case !mode.IsRegular():
		return nil, errors.New("is not a regular file")
	case info.Size() == 0:
		return nil, errors.New("the file is empty")
	}
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// openError names the source as the user did, once: the path that an error of package os
// repeats is dropped.
func openError(name string, err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fmt.Errorf("open %q: %w", name, err)
}

// isListed tells which files of a folder are meant: pictures, hidden ones aside, which are
// other programs' notes (._img.jpg).
func isListed(path string) bool {
	return isPicture(path) && !strings.HasPrefix(filepath.Base(path), ".")
}

// isPicture tells a still picture by its name. A GIF may move and is left to the video backend.
func isPicture(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".bmp", ".webp":
		return true
	}
	return false
}

// listPictures returns the pictures in a folder.
func listPictures(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if isListed(path) && isFile(path, e) {
			files = append(files, path)
		}
	}
	return files, nil
}

// isFile reports whether an entry is a regular file or a link to one.
func isFile(path string, e fs.DirEntry) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// listGlob returns the pictures that a glob matches. The pattern is used as given, since a
// current folder called a[1] would become part of an absolute one.
func listGlob(pattern string) ([]string, error) {
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, m := range matches {
		info, err := os.Stat(m)
		if err != nil || !info.Mode().IsRegular() || !isListed(m) {
			continue
		}
		if m, err = filepath.Abs(m); err != nil {
			return nil, err
		}
		files = append(files, m)
	}
	return files, nil
}

// numberVerb returns where in a file name its only printf verb is, as %05d in img_%05d.png, or
// nil if the name is no such pattern.
func numberVerb(base string) []int {
	// In the copy each %% is two bytes that are no verb, and all else is where it was.
	masked := strings.ReplaceAll(base, "%%", "\x00\x00")
	if strings.Count(masked, "%") != 1 {
		return nil
	}
	return regexp.MustCompile(`%0?[1-9]?d`).FindStringIndex(masked)
}

// listNumbered returns the pictures of dir whose names the pattern base, which has a number
// verb, can print: whatever number they start at, and whether or not some are missing.
func listNumbered(dir, base string) ([]string, error) {
	at := numberVerb(base)
	literal := func(s string) string { return strings.ReplaceAll(s, "%%", "%") }
	prefix, suffix, verb := literal(base[:at[0]]), literal(base[at[1]:]), base[at[0]:at[1]]

	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	all, err := listPictures(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, path := range all {
		name := filepath.Base(path)
		number, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		if number, ok = strings.CutSuffix(number, suffix); ok && prints(verb, number) {
			files = append(files, path)
		}
	}
	return files, nil
}

// prints reports whether the verb can print exactly this number.
func prints(verb, number string) bool {
	digits := strings.TrimLeft(number, " ") // %5d pads with blanks
	if !isDigits(digits) || len(digits) > 18 {
		return false
	}
	n := 0
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return fmt.Sprintf(verb, n) == number
}

// compareNatural orders names so that numbers in them count as numbers: f2 before f10.
// Names that differ in leading zeros only are ordered byte by byte.
func compareNatural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		nx, ny := leadingDigits(x), leadingDigits(y)
		if nx == 0 || ny == 0 {
			if x[0] != y[0] {
				return int(x[0]) - int(y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		dx, dy := strings.TrimLeft(x[:nx], "0"), strings.TrimLeft(y[:ny], "0")
		if len(dx) != len(dy) {
			return len(dx) - len(dy)
		}
		if c := strings.Compare(dx, dy); c != 0 {
			return c
		}
		x, y = x[nx:], y[ny:]
	}
	if c := len(x) - len(y); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

func leadingDigits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}
