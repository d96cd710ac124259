package clips

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// Writer makes a clip store. It writes into a file beside the named one, which takes its place
// when all is well. It is used by one goroutine; make one with Create.
type Writer struct {
	name    string
	f       *os.File
	offset  int64
	entries []entry
	enc     encoder
	err     error // the first; nothing is written after it
}

// Create begins a store that Commit will name so. The name may exist.
func Create(name string) (*Writer, error) {
	f, err := os.CreateTemp(dir(name), ".clips-*")
	if err != nil {
		return nil, fmt.Errorf("write clip store %q: %w", name, err)
	}
	w := &Writer{name: name, f: f, offset: headerSize}
	if _, err := f.Write(make([]byte, headerSize)); err != nil {
		w.Close()
		return nil, fmt.Errorf("write clip store %q: %w", name, err)
	}
	return w, nil
}

// dir returns the folder of a file's name.
func dir(name string) string {
	for i := len(name) - 1; i >= 0; i-- {
		if os.IsPathSeparator(name[i]) {
			return name[:i+1]
		}
	}
	return "."
}

// AddPhoto stores p. Pixels are compressed with loss, masks without. It panics if a slice does
// not fit the size.
func (w *Writer) AddPhoto(p *Photo) error {
	n := p.H * p.W
	if len(p.Pix) != 3*n || p.Objects != nil && len(p.Objects) != n || p.Parts != nil && len(p.Parts) != n {
		panic("clips: slices of a photo do not fit its size")
	}
	e := entry{kind: kindPhoto, name: p.Name, t: 1, h: p.H, w: p.W}
	return w.add(&e, func() error {
		if err := w.enc.picture(p.Pix, p.H, p.W, photoQuality); err != nil {
			return err
		}
		if p.Objects != nil {
			e.flags |= hasObjects
			if err := w.enc.deflate(p.Objects); err != nil {
				return err
			}
		}
		if p.Parts != nil {
			e.flags |= hasParts
			return w.enc.deflate(p.Parts)
		}
		return nil
	})
}

// AddVideo stores v. Pixels are compressed with loss, the flow without. It panics if a slice
// does not fit the size.
func (w *Writer) AddVideo(v *Video) error {
	if len(v.Pix) != 3*v.T*v.H*v.W || len(v.Flow) != 2*v.T*v.FlowH*v.FlowW {
		panic("clips: slices of a video do not fit its size")
	}
	e := entry{kind: kindVideo, name: v.Name, t: v.T, h: v.H, w: v.W, flowH: v.FlowH, flowW: v.FlowW}
	return w.add(&e, func() error {
		n := 3 * v.H * v.W
		for t := range v.T {
			if err := w.enc.picture(v.Pix[t*n:][:n], v.H, v.W, frameQuality); err != nil {
				return err
			}
		}
		raw := make([]byte, 0, 2*len(v.Flow))
		for i, x := range v.Flow {
			if i%(2*v.FlowW) >= 2 {
				x -= v.Flow[i-2]
			}
			raw = binary.LittleEndian.AppendUint16(raw, uint16(x))
		}
		return w.enc.deflate(raw)
	})
}

// add writes what encode makes of an entry.
func (w *Writer) add(e *entry, encode func() error) error {
	if w.err != nil {
		return w.err
	}
	if err := e.check(); err != nil {
		return err
	}
	if len(e.name) > 1<<16-1 || e.t > 1<<16-1 {
		return fmt.Errorf("entry %.40q…: its name or its frames are too many", e.name)
	}
	w.enc.out = w.enc.out[:0]
	err := encode()
	if err == nil && len(w.enc.out) > maxData {
		err = errors.New("it is too large")
	}
	if err == nil {
		_, err = w.f.Write(w.enc.out)
	}
	if err != nil {
		w.err = fmt.Errorf("write %q to clip store %q: %w", e.name, w.name, err)
		return w.err
	}
	e.offset, e.length, e.sum = w.offset, uint32(len(w.enc.out)), crc32.ChecksumIEEE(w.enc.out)
	w.offset += int64(e.length)
	w.entries = append(w.entries, *e)
	return nil
}

// Size returns how many bytes of pictures were written.
func (w *Writer) Size() int64 { return w.offset }

// Commit finishes the store and gives it its name.
func (w *Writer) Commit() error {
	if w.err != nil {
		return w.err
	}
	if w.f == nil {
		panic("clips: Commit after Close")
	}
	if err := w.finish(); err != nil {
		w.err = fmt.Errorf("write clip store %q: %w", w.name, err)
		return w.err
	}
	w.f = nil
	return nil
}

func (w *Writer) finish() error {
	var index []byte
	for i := range w.entries {
		index = w.entries[i].append(index)
	}
	if len(index) > maxIndex {
		return errors.New("too many entries")
	}
	if _, err := w.f.Write(index); err != nil {
		return err
	}
	if _, err := w.f.WriteAt(header(index, w.offset, len(w.entries)), 0); err != nil {
		return err
	}
	if err := w.f.Chmod(0o644); err != nil {
		return err
	}
	if err := w.f.Close(); err != nil {
		return err
	}
	return os.Rename(w.f.Name(), w.name)
}

// Close gives up a store that Commit did not finish. It may be called always, and twice.
func (w *Writer) Close() error {
	if w.f == nil {
		return nil
	}
	f := w.f
	w.f = nil
	f.Close()
	return os.Remove(f.Name())
}
