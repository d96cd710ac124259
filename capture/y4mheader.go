package capture

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxLine bounds a header line of YUV4MPEG2: it is the size of the reader's buffer. Programs
// write some 60 bytes.
const maxLine = 1024

var errLongLine = fmt.Errorf("a header line is longer than %d bytes", maxLine)

// y4mColour is how a YUV4MPEG2 stream lays out its chroma.
type y4mColour int

const (
	y4m420 y4mColour = iota
	y4m422
	y4m444
	y4mMono
)

// y4mHeader is the first line of a YUV4MPEG2 stream.
type y4mHeader struct {
	w, h   int
	fps    float64
	colour y4mColour
	full   bool // range of Y'CbCr
}

// readY4MHeader reads the first line. After an error the size is 0.
func readY4MHeader(r *bufio.Reader) (y4mHeader, error) {
	line, err := readLine(r)
	switch {
	case err == io.EOF && len(line) == 0:
		return y4mHeader{}, fmt.Errorf("no data, want YUV4MPEG2: %w", io.ErrUnexpectedEOF)
	case err == io.EOF && hasWord(line, "YUV4MPEG2"):
		return y4mHeader{}, fmt.Errorf("the header is cut short: %w", io.ErrUnexpectedEOF)
	case err != nil && err != io.EOF && err != errLongLine:
		return y4mHeader{}, err
	case err == io.EOF || !hasWord(line, "YUV4MPEG2"):
		return y4mHeader{}, fmt.Errorf("not YUV4MPEG2, it begins with %.24q: write it with ffmpeg -f yuv4mpegpipe", line)
	case err != nil:
		return y4mHeader{}, err
	}
	return parseY4MHeader(string(line))
}

// parseY4MHeader reads the parameters: a letter each with its value, W H F I A C X.
func parseY4MHeader(line string) (y4mHeader, error) {
	h := y4mHeader{fps: DefaultFPS}
	for _, param := range strings.Fields(line)[1:] {
		var err error
		switch value := param[1:]; param[0] {
		case 'W':
			h.w, err = strconv.Atoi(value)
		case 'H':
			h.h, err = strconv.Atoi(value)
		case 'F':
			h.fps, err = parseRate(value)
		case 'C':
			h.colour, err = parseColour(value)
		case 'X':
			if rng, ok := strings.CutPrefix(value, "COLORRANGE="); ok {
				h.full = strings.EqualFold(rng, "FULL")
			}
		}
		if errors.Is(err, strconv.ErrSyntax) || errors.Is(err, strconv.ErrRange) {
			err = errors.New("not a whole number that fits")
		}
		if err != nil {
			return y4mHeader{}, fmt.Errorf("header parameter %.40q: %w", param, err)
		}
	}
	if err := checkSize(h.w, h.h); err != nil {
		return y4mHeader{}, err
	}
	return h, nil
}

// parseRate reads NUM:DEN frames per second.
func parseRate(s string) (float64, error) {
	num, den, _ := strings.Cut(s, ":")
	n, err := strconv.Atoi(num)
	if err != nil {
		return 0, err
	}
	d, err := strconv.Atoi(den)
	if err != nil {
		return 0, err
	}
	if fps := float64(n) / float64(d); plausibleRate(fps) { // 0:0 is NaN
		return fps, nil
	}
	return DefaultFPS, nil
}

func parseColour(s string) (y4mColour, error) {
	switch s {
	case "420jpeg", "420mpeg2", "420paldv", "420":
		// They differ in where chroma samples sit, by at most half a pixel.
		return y4m420, nil
	case "422":
		return y4m422, nil
	case "444":
		return y4m444, nil
	case "mono":
		return y4mMono, nil
	}
	return 0, errors.New("this colour space is not supported: convert it with ffmpeg -pix_fmt yuv420p")
}

// readLine returns a line without its end, or what there is of it and io.EOF. It must fit into
// the reader's buffer, and is valid until the next read.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		err = errLongLine
	}
	return bytes.TrimSuffix(line, []byte("\n")), err
}

// hasWord reports whether line is word, or begins with word and a blank.
func hasWord(line []byte, word string) bool {
	rest, ok := bytes.CutPrefix(line, []byte(word))
	return ok && (len(rest) == 0 || rest[0] == ' ')
}
