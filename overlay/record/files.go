package record

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// files makes one file after the other of the packets. It belongs to one goroutine.
type files struct {
	cfg   Config
	root  *os.Root
	count int   // of files that were begun
	file  *file // nil before the first packet and after an error

	started bool
	last    time.Duration // as the packet before stated it
	gap     time.Duration // between the two before
	at      time.Duration // of the packet before, without jumps
}

// longestGap is kept as it is; beyond it a clock was set.
const longestGap = time.Hour

// time returns the time of a packet, which rises whatever its pts does.
func (f *files) time(pts time.Duration) time.Duration {
	if f.started {
		// The difference of two wild times may not fit.
		if gap := pts - f.last; pts > f.last && gap > 0 && gap <= longestGap {
			f.gap = gap
		}
		f.at += max(f.gap, time.Millisecond)
	}
	f.started, f.last = true, pts
	return f.at
}

// write writes a packet, into a new file where one is due.
func (f *files) write(p *packet) error {
	at := f.time(p.pts)
	if p.key && f.file != nil && (f.file.w != p.w || f.file.h != p.h || at-f.file.start+f.gap/2 >= f.cfg.Segment) {
		if err := f.close(); err != nil {
			return err
		}
	}
	if f.file == nil {
		if err := f.begin(p, at); err != nil {
			return err
		}
	}
	if err := f.file.write(p, at); err != nil {
		return f.fail(err)
	}
	return nil
}

// begin makes the next file. A name that is taken, also by a link, is not touched.
func (f *files) begin(p *packet, at time.Duration) error {
	const tries = 1000
	now := time.Now()
	for try := 1; ; try++ {
		f.count++
		name := fmt.Sprintf("%s-%04d.webm", now.Format("20060102-150405"), f.count)
		osFile, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) && try < tries {
			continue
		}
		if err != nil {
			return fmt.Errorf("record: make %q: %w", filepath.Join(f.cfg.Dir, name), bare(err))
		}
		f.file = &file{File: osFile, name: name, root: f.root, start: at, w: p.w, h: p.h, info: info(f.cfg.Codec, p.w, p.h, now)}
		if err := f.file.begin(); err != nil {
			return f.fail(err)
		}
		return nil
	}
}

// fail gives the file up after a write error, but keeps it: it can be read up to there.
func (f *files) fail(err error) error {
	err = fmt.Errorf("record: write %q: %w (the file is kept, with %d frames)", filepath.Join(f.cfg.Dir, f.file.name), bare(err), f.file.frames)
	_ = f.file.Close() // the first error is the one to tell
	f.file = nil
	return err
}

// close ends the file, if there is one.
func (f *files) close() error {
	if f.file == nil {
		return nil
	}
	err := f.file.end()
	if err == nil {
		err = f.file.Sync()
	}
	if err != nil {
		return f.fail(err)
	}
	err = f.file.Close()
	name := f.file.name
	f.file = nil
	if err != nil {
		return fmt.Errorf("record: close %q: %w", filepath.Join(f.cfg.Dir, name), bare(err))
	}
	return nil
}
