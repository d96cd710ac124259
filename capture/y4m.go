package capture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// y4m reads YUV4MPEG2. A goroutine reads and converts one frame ahead of Next.
type y4m struct {
	name   string
	header y4mHeader     // valid once ready is closed
	ready  chan struct{} // closed by the goroutine after the header
	frames chan Frame    // closed by the goroutine after the last frame
	err    error         // why there are no more frames; valid once frames is closed
	done   chan struct{} // closed by Close
	stop   sync.Once
}

// NewY4M reads video in the YUV4MPEG2 format, as ffmpeg -f yuv4mpegpipe and mjpegtools write
// it, and waits for its first line, so that Info is complete. The name is for errors and Info.
//
// The colour spaces are 420jpeg, 420mpeg2, 420paldv, 420, 422, 444 and mono, 8 bits each;
// none given means 420jpeg. Colours are BT.601 in limited range, or in full range after
// XCOLORRANGE=FULL. Frame i is due at i/F; a rate that is missing, 0:0 or not in 1 to 240
// counts as DefaultFPS. Interlaced pictures are taken as they are.
//
// Bytes that are no YUV4MPEG2 are an error, and so is a last frame that is cut short, after
// the frames before it: it wraps io.ErrUnexpectedEOF.
//
// Since a read from a pipe cannot be interrupted, a goroutine of the source does it: a
// cancelled ctx ends the wait of NewY4M or Next, and Close returns at once, while the
// goroutine stays until its read returns; at the standard input that may be the end of the
// process. The reader r must not be used by others, and is not closed.
func NewY4M(ctx context.Context, r io.Reader, name string) (Source, error) {
	s := &y4m{
		name:   name,
		ready:  make(chan struct{}),
		frames: make(chan Frame),
		done:   make(chan struct{}),
	}
	go s.run(bufio.NewReaderSize(r, maxLine))
	select {
	case <-s.ready:
	case <-ctx.Done():
		s.Close()
		return nil, fmt.Errorf("open %q: %w", name, context.Cause(ctx))
	}
	if s.header.w == 0 {
		<-s.frames // closed: the header was the last that could be read
		return nil, fmt.Errorf("open %q: %w", name, s.err)
	}
	return s, nil
}

// run is the goroutine of the source.
func (s *y4m) run(r *bufio.Reader) {
	defer close(s.frames)
	s.header, s.err = readY4MHeader(r)
	close(s.ready)
	if s.err != nil {
		return
	}
	pool := NewPool(8)
	d := newY4MDecoder(s.header, r)
	for i := 0; ; i++ {
		var f Frame
		f, s.err = d.frame(pool)
		if s.err != nil {
			if s.err != io.EOF {
				s.err = fmt.Errorf("read %q: frame %d: %w", s.name, i, s.err)
			}
			return
		}
		f.Seq, f.PTS, f.Captured = uint64(i), due(i, s.header.fps), time.Now()
		select {
		case s.frames <- f:
		case <-s.done:
			f.Release()
			return
		}
	}
}

func (s *y4m) Info() Info {
	return Info{Name: s.name, W: s.header.w, H: s.header.h, FPS: s.header.fps}
}

func (s *y4m) Next(ctx context.Context) (Frame, error) {
	// A select takes any of the cases that are ready: the end must win over a frame.
	frames := s.frames
	if s.isClosed() || ctx.Err() != nil {
		frames = nil
	}
	select {
	case f, ok := <-frames:
		if !ok {
			return Frame{}, s.err
		}
		return f, nil
	case <-s.done:
		return Frame{}, fmt.Errorf("read %q: %w", s.name, os.ErrClosed)
	case <-ctx.Done():
		return Frame{}, fmt.Errorf("read %q: %w", s.name, context.Cause(ctx))
	}
}

func (s *y4m) isClosed() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

func (s *y4m) Close() error {
	s.stop.Do(func() { close(s.done) })
	return nil
}

// y4mDecoder turns the frames of a stream into BGR.
type y4mDecoder struct {
	y4mHeader
	r   *bufio.Reader
	t   *yuv
	raw []byte // the planes of one frame
}

func newY4MDecoder(h y4mHeader, r *bufio.Reader) *y4mDecoder {
	t := limitedRange()
	if h.full {
		t = fullRange()
	}
	return &y4mDecoder{y4mHeader: h, r: r, t: t}
}

// frame reads one frame. It returns io.EOF only where a frame would begin.
func (d *y4mDecoder) frame(pool *Pool) (Frame, error) {
	line, err := readLine(d.r)
	switch {
	case err != nil && err != io.EOF:
		return Frame{}, err
	case err == io.EOF && len(line) == 0:
		return Frame{}, io.EOF
	case err == io.EOF:
		return Frame{}, fmt.Errorf("cut short in its header: %w", io.ErrUnexpectedEOF)
	case !hasWord(line, "FRAME"):
		return Frame{}, fmt.Errorf("want FRAME, got %.24q", line)
	}
	// Planes longer than the buffer go past it, straight into raw.
	p, n := d.layout()
	if d.raw == nil {
		d.raw = make([]byte, n)
	}
	if got, err := io.ReadFull(d.r, d.raw); err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return Frame{}, err
		}
		return Frame{}, fmt.Errorf("cut short, %d of %d bytes: %w", got, n, io.ErrUnexpectedEOF)
	}
	luma := d.w * d.h
	p.y = d.raw[:luma]
	if n > luma {
		half := (n - luma) / 2
		p.cb, p.cr = d.raw[luma:luma+half], d.raw[luma+half:]
	}
	f := pool.Frame(d.w, d.h)
	d.t.fill(&f, &p)
	return f, nil
}

// layout returns the strides and shifts of a frame's planes, and its bytes.
func (h *y4mHeader) layout() (planes, int) {
	p := planes{yStride: h.w}
	luma := h.w * h.h
	switch h.colour {
	case y4mMono:
		return p, luma
	case y4m420:
		p.shiftX, p.shiftY = 1, 1
	case y4m422:
		p.shiftX = 1
	}
	p.cStride = (h.w-1)>>p.shiftX + 1
	return p, luma + 2*p.cStride*((h.h-1)>>p.shiftY+1)
}
