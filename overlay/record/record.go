package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Config of a Recorder. Dir is needed; the rest may be zero.
type Config struct {
	Dir     string        // folder of the files; made if it is not there
	Codec   string        // "vp8" (default) or "vp9"
	Segment time.Duration // length of a file, default 60 s; it ends at the first key frame after that
}

// What the queue holds at most: 8 seconds at 30 packets a second, unless they are large.
const (
	maxPackets = 256
	maxBytes   = 32 << 20
)

// Recorder writes the files. Its methods may be called by several goroutines; packets are
// written in the order of the calls. It must be closed.
type Recorder struct {
	files *files
	queue chan packet
	done  chan struct{} // closed when the queue is written

	mu      sync.Mutex
	closed  bool
	started bool     // a key frame came
	skip    bool     // leave out everything up to a key frame
	w, h    int      // of the last packet that was taken
	bytes   int      // in the queue
	free    [][]byte // buffers to use again
	dropped int
	err     error // the first of the disk
}

// packet is one entry of the queue.
type packet struct {
	data []byte
	key  bool
	pts  time.Duration
	w, h int
}

// New opens the folder. The first file is begun with the first key frame.
func New(cfg Config) (*Recorder, error) {
	r, err := prepare(cfg)
	if err == nil {
		go r.drain()
	}
	return r, err
}

// prepare is New without the goroutine.
func prepare(cfg Config) (*Recorder, error) {
	if cfg.Codec == "" {
		cfg.Codec = "vp8"
	}
	if cfg.Segment == 0 {
		cfg.Segment = time.Minute
	}
	if _, ok := codecIDs()[cfg.Codec]; !ok {
		return nil, fmt.Errorf("record: codec %q is neither %q nor %q", cfg.Codec, "vp8", "vp9")
	}
	if cfg.Segment < 0 {
		return nil, fmt.Errorf("record: files of %v are not possible", cfg.Segment)
	}
	if cfg.Dir == "" {
		return nil, errors.New("record: no folder was named")
	}
	if err := os.MkdirAll(cfg.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("record: make folder %q: %w", cfg.Dir, bare(err))
	}
	root, err := os.OpenRoot(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("record: open folder %q: %w", cfg.Dir, bare(err))
	}
	return &Recorder{
		files: &files{cfg: cfg, root: root},
		queue: make(chan packet, maxPackets),
		done:  make(chan struct{}),
	}, nil
}

// Write takes a packet of a picture of w x h, of which data stays the caller's. Packets before
// the first key frame, and from a change of size to the next one, are left out. An empty packet, which the rate
// control left out, is nothing.
func (r *Recorder) Write(data []byte, key bool, pts time.Duration, w, h int) error {
	if len(data) == 0 {
		return nil
	}
	if w < 1 || h < 1 {
		return fmt.Errorf("record: a picture of %dx%d cannot be recorded", w, h)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return fmt.Errorf("record: the recorder is %w", fs.ErrClosed)
	case r.err != nil:
		return r.err
	case key && r.room(len(data)):
		r.started, r.skip = true, false
	case !r.started:
		return nil
	case r.skip, w != r.w, h != r.h, !r.room(len(data)):
		r.skip = true
		r.dropped++
		return nil
	}
	r.w, r.h = w, h
	r.bytes += len(data)
	// There is room, and nobody else sends.
	r.queue <- packet{data: append(r.buffer(), data...), key: key, pts: pts, w: w, h: h}
	return nil
}

// room tells whether the queue takes a packet of n bytes, with the lock held. An empty one takes any.
func (r *Recorder) room(n int) bool {
	return len(r.queue) < maxPackets && (r.bytes == 0 || r.bytes+n <= maxBytes)
}

// buffer returns an empty buffer, with the lock held.
func (r *Recorder) buffer() []byte {
	n := len(r.free)
	if n == 0 {
		return nil
	}
	b := r.free[n-1]
	r.free = r.free[:n-1]
	return b[:0]
}

// drain writes the packets of the queue until it is closed. After an error it only empties it.
func (r *Recorder) drain() {
	defer close(r.done)
	failed := false
	for p := range r.queue {
		var err error
		if !failed {
			err = r.files.write(&p)
			failed = err != nil
		}
		r.written(p.data, err)
	}
	r.written(nil, r.files.close())
}

// written takes a buffer back and keeps the first error.
func (r *Recorder) written(data []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bytes -= len(data)
	if data != nil && len(r.free) < 8 {
		r.free = append(r.free, data)
	}
	if r.err == nil {
		r.err = err
	}
}

// Dropped returns how many packets were left out because the queue was full, or because the
// key frame before them was.
func (r *Recorder) Dropped() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}

// WantsKey tells that packets are left out until a key frame comes.
func (r *Recorder) WantsKey() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.closed && r.err == nil && (r.skip || !r.started)
}

// Close writes what is in the queue and ends the last file. It returns the first error of the
// recording, also when it is called again.
func (r *Recorder) Close() error {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue) // under the lock, so that no Write sends any more
	}
	r.mu.Unlock()
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// bare strips what os puts before an error, for texts that name the file already.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
