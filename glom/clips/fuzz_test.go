package clips

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"
)

// FuzzStore opens a file that anybody may have made, and reads all that it says it holds. Half of
// the files get right checksums, since no others come past the first lines.
func FuzzStore(f *testing.F) {
	name := filepath.Join(f.TempDir(), "seed.clips")
	w, err := Create(name)
	if err != nil {
		f.Fatal(err)
	}
	p := &Photo{Name: "p", H: 16, W: 9, Pix: make([]byte, 432), Objects: make([]byte, 144), Parts: make([]byte, 144)}
	v := &Video{Name: "v", T: 2, H: 8, W: 8, Pix: make([]byte, 384), FlowH: 2, FlowW: 2, Flow: make([]int16, 16)}
	if err := w.AddPhoto(p); err != nil {
		f.Fatal(err)
	}
	if err := w.AddVideo(v); err != nil {
		f.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		f.Fatal(err)
	}
	seed, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, true)
	f.Add(seed[:len(seed)/2], false)
	f.Add(seed[:headerSize], true)
	f.Fuzz(func(t *testing.T, data []byte, mend bool) {
		if mend {
			data = mended(data)
		}
		s, err := newStore(bytes.NewReader(data), int64(len(data)), "fuzz", 1<<20)
		if err != nil {
			return
		}
		for i := range s.Photos() {
			// A few bytes may claim a picture of 64 Mi pixels, which is right but slow.
			if e := &s.photos.entries[i]; e.h*e.w > 1<<16 {
				continue
			}
			if p, err := s.Photo(i); err == nil && (len(p.Pix) != 3*p.H*p.W || p.Objects != nil && len(p.Objects) != p.H*p.W) {
				t.Errorf("photo %d has %d bytes for %dx%d pixels", i, len(p.Pix), p.W, p.H)
			}
		}
		for i := range s.Videos() {
			if e := &s.videos.entries[i]; e.t*e.h*e.w > 1<<16 {
				continue
			}
			if v, err := s.Video(i); err == nil && (len(v.Pix) != 3*v.T*v.H*v.W || len(v.Flow) != 2*v.T*v.FlowH*v.FlowW) {
				t.Errorf("video %d has %d bytes for %d frames of %dx%d pixels", i, len(v.Pix), v.T, v.W, v.H)
			}
		}
	})
}

// mended returns data with checksums that are right, as far as it has places for them.
func mended(data []byte) []byte {
	data = bytes.Clone(data)
	if len(data) < headerSize {
		return data
	}
	offset := binary.LittleEndian.Uint64(data[16:])
	if offset >= headerSize && offset <= uint64(len(data)) {
		index := data[offset:]
		for at := 0; at+entrySize <= len(index); {
			e := index[at:]
			begin, length := binary.LittleEndian.Uint64(e[14:]), uint64(binary.LittleEndian.Uint32(e[22:]))
			if begin <= offset && length <= offset-begin {
				binary.LittleEndian.PutUint32(e[26:], crc32.ChecksumIEEE(data[begin:begin+length]))
			}
			at += entrySize + int(binary.LittleEndian.Uint16(e[2:]))
		}
		binary.LittleEndian.PutUint32(data[12:], crc32.ChecksumIEEE(index))
	}
	binary.LittleEndian.PutUint32(data[28:], crc32.ChecksumIEEE(data[:28]))
	return data
}
