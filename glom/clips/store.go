package clips

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

// FlowUnit is how many units of Video.Flow make a pixel.
const FlowUnit = 16

// Photo is a still picture with what is known of its islands.
type Photo struct {
	Name    string // where it came from
	H, W    int
	Pix     []byte // (H, W, 3) uint8 BGR
	Objects []byte // (H, W) ids from 1, 0 = none of them; nil if no object is known
	Parts   []byte // (H, W) ids from 1, 0 = unknown; each lies in one object; nil if no part is known
}

// Video is some frames of a video that follow each other without a cut.
type Video struct {
	Name         string // the video that it stems from; several may share one
	T, H, W      int
	Pix          []byte  // (T, H, W, 3) uint8 BGR
	FlowH, FlowW int     // a coarser grid that covers the picture
	Flow         []int16 // (T, FlowH, FlowW, 2) motion dx, dy since the frame before in 1/FlowUnit pixels of Pix; frame 0 is zero
}

// Store gives the photos and videos of a file that a Writer made. It reads and decodes an entry
// when it is first asked for and keeps it while there is room. It is safe for concurrent use.
type Store struct {
	name   string
	r      io.ReaderAt
	file   *os.File // nil if r is not a file of ours
	photos shelf[Photo]
	videos shelf[Video]

	mu     sync.Mutex
	budget int64
	used   int64
	hand   int // the next entry that goes when there is no room; photos first, then videos
}

// shelf holds entries of one kind.
type shelf[T any] struct {
	entries []entry
	items   []atomic.Pointer[T] // nil until asked for
}

// defaultCache is how many bytes of decoded pictures a Store keeps if Open is not told.
const defaultCache = 1 << 30

// Open opens a clip store. Of what it decodes it keeps up to cache bytes, 0 = 1 GiB: where
// everything fits, nothing is decoded twice.
func Open(name string, cache int64) (*Store, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open clip store: %w", err)
	}
	info, err := f.Stat()
	if err == nil {
		var s *Store
		if s, err = newStore(f, info.Size(), name, cache); err == nil {
			s.file = f
			return s, nil
		}
	}
	f.Close()
	return nil, fmt.Errorf("open clip store %q: %w", name, err)
}

// newStore reads the index of size bytes in r.
func newStore(r io.ReaderAt, size int64, name string, cache int64) (*Store, error) {
	entries, err := readIndex(r, size)
	if err != nil {
		return nil, err
	}
	if cache <= 0 {
		cache = defaultCache
	}
	s := &Store{name: name, r: r, budget: cache}
	for _, e := range entries {
		switch e.kind {
		case kindPhoto:
			s.photos.entries = append(s.photos.entries, e)
		case kindVideo:
			s.videos.entries = append(s.videos.entries, e)
		}
	}
	s.photos.items = make([]atomic.Pointer[Photo], len(s.photos.entries))
	s.videos.items = make([]atomic.Pointer[Video], len(s.videos.entries))
	return s, nil
}

// Close closes the file. What the Store gave stays valid.
func (s *Store) Close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// Photos returns how many photos there are.
func (s *Store) Photos() int { return len(s.photos.entries) }

// Videos returns how many pieces of video there are.
func (s *Store) Videos() int { return len(s.videos.entries) }

// Labelled reports whether objects, and whether parts, are known in photo i, without decoding it.
func (s *Store) Labelled(i int) (objects, parts bool) {
	f := s.photos.entries[i].flags
	return f&hasObjects != 0, f&hasParts != 0
}

// Photo returns photo i, which is shared and must not be changed. An error names the file.
func (s *Store) Photo(i int) (*Photo, error) {
	if p := s.photos.items[i].Load(); p != nil {
		return p, nil
	}
	e := &s.photos.entries[i]
	data, err := s.read(e)
	if err == nil {
		var p *Photo
		if p, err = decodePhoto(e, data); err == nil {
			return keep(s, &s.photos.items[i], p, p.bytes()), nil
		}
	}
	return nil, fmt.Errorf("read photo %q of clip store %q: %w", e.name, s.name, err)
}

// Video returns video i, which is shared and must not be changed. An error names the file.
func (s *Store) Video(i int) (*Video, error) {
	if v := s.videos.items[i].Load(); v != nil {
		return v, nil
	}
	e := &s.videos.entries[i]
	data, err := s.read(e)
	if err == nil {
		var v *Video
		if v, err = decodeVideo(e, data); err == nil {
			return keep(s, &s.videos.items[i], v, v.bytes()), nil
		}
	}
	return nil, fmt.Errorf("read video %q of clip store %q: %w", e.name, s.name, err)
}

// read returns the stored bytes of e.
func (s *Store) read(e *entry) ([]byte, error) {
	data := make([]byte, e.length)
	if _, err := s.r.ReadAt(data, e.offset); err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(data) != e.sum {
		return nil, errDamaged
	}
	return data, nil
}

// keep puts item into slot, unless another goroutine was faster, and makes room.
func keep[T any](s *Store, slot *atomic.Pointer[T], item *T, size int64) *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := slot.Load(); other != nil {
		return other
	}
	if size > s.budget {
		return item
	}
	for s.used+size > s.budget {
		s.drop()
	}
	s.used += size
	slot.Store(item)
	return item
}

// drop takes the next entry off its shelf, if it is there. Entries go in turn, which needs no
// book-keeping when they are read; clips are drawn at random, so that none is dearer.
func (s *Store) drop() {
	i := s.hand
	s.hand = (s.hand + 1) % (s.Photos() + s.Videos())
	if i < s.Photos() {
		if p := s.photos.items[i].Swap(nil); p != nil {
			s.used -= p.bytes()
		}
	} else if v := s.videos.items[i-s.Photos()].Swap(nil); v != nil {
		s.used -= v.bytes()
	}
}

func (p *Photo) bytes() int64 { return int64(len(p.Pix) + len(p.Objects) + len(p.Parts)) }

func (v *Video) bytes() int64 { return int64(len(v.Pix) + 2*len(v.Flow)) }
