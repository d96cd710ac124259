package clips

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// A store begins with a header of 32 bytes, little-endian:
//
//	 0  "GLOMCLIP"
//	 8  uint32 version, 1
//	12  uint32 CRC-32 (IEEE) of the index
//	16  uint64 offset of the index, which ends the file
//	24  uint32 number of entries
//	28  uint32 CRC-32 of the 28 bytes before
//
// The entries' data follow each other, then comes the index, for each entry:
//
//	 0  uint8  kind, 1 photo, 2 video
//	 1  uint8  flags: 1 the photo has objects, 2 it has parts
//	 2  uint16 length of the name
//	 4  uint16 T, H, W, FlowH, FlowW (T is 1 and the flow's sides 0 for a photo)
//	14  uint64 offset of the data
//	22  uint32 length of the data
//	26  uint32 CRC-32 of the data
//	30  the name
//
// Data of a photo: its JPEG, objects and parts; of a video: T JPEGs and the flow. Each of these
// has its length, uint32, before it. Masks are raw bytes, flow is the difference of each int16 to
// the one two before it in its row, both deflated.
const (
	magic      = "GLOMCLIP"
	version    = 1
	headerSize = 32
	entrySize  = 30

	kindPhoto, kindVideo = 1, 2
	hasObjects, hasParts = 1, 2

	maxSide    = 4096     // of a picture
	maxSamples = 64 << 20 // T*H*W of an entry
	maxIndex   = 256 << 20
	maxData    = 1 << 30 // of an entry
)

var (
	errNotStore = errors.New("it is not a clip store: make one with glom train prepare")
	errDamaged  = errors.New("it is cut off or damaged: make it again with glom train prepare")
)

// entry is a line of the index.
type entry struct {
	kind, flags           uint8
	name                  string
	t, h, w, flowH, flowW int
	offset                int64
	length                uint32
	sum                   uint32
}

// check refuses shapes that no Writer wrote.
func (e *entry) check() error {
	switch {
	case e.kind != kindPhoto && e.kind != kindVideo:
		return fmt.Errorf("entry %q is of unknown kind %d", e.name, e.kind)
	case e.t < 1 || e.h < 1 || e.w < 1 || e.h > maxSide || e.w > maxSide || e.t > maxSamples/(e.h*e.w):
		return fmt.Errorf("entry %q has an impossible size of %d frames of %dx%d pixels", e.name, e.t, e.w, e.h)
	case e.kind == kindPhoto && (e.t != 1 || e.flowH != 0 || e.flowW != 0):
		return fmt.Errorf("photo %q has frames or flow", e.name)
	case e.kind == kindVideo && (e.flowH < 1 || e.flowW < 1 || e.flowH > e.h || e.flowW > e.w):
		return fmt.Errorf("video %q has an impossible flow of %dx%d for %dx%d pixels", e.name, e.flowW, e.flowH, e.w, e.h)
	}
	return nil
}

func (e *entry) append(b []byte) []byte {
	b = append(b, e.kind, e.flags)
	for _, v := range []int{len(e.name), e.t, e.h, e.w, e.flowH, e.flowW} {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	b = binary.LittleEndian.AppendUint64(b, uint64(e.offset))
	b = binary.LittleEndian.AppendUint32(b, e.length)
	b = binary.LittleEndian.AppendUint32(b, e.sum)
	return append(b, e.name...)
}

// header returns the first bytes of a store.
func header(index []byte, offset int64, entries int) []byte {
	b := make([]byte, 0, headerSize)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(index))
	b = binary.LittleEndian.AppendUint64(b, uint64(offset))
	b = binary.LittleEndian.AppendUint32(b, uint32(entries))
	return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}

// readIndex checks the header and the index of a store of size bytes. Every entry that it
// returns lies inside the file and has a possible shape.
func readIndex(r io.ReaderAt, size int64) ([]entry, error) {
	var h [headerSize]byte
	if n, err := r.ReadAt(h[:], 0); n < len(h) || string(h[:8]) != magic {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		return nil, errNotStore
	}
	if v := binary.LittleEndian.Uint32(h[8:]); v != version {
		return nil, fmt.Errorf("it has version %d, this program reads %d: make it again with glom train prepare", v, version)
	}
	offset, count := binary.LittleEndian.Uint64(h[16:]), binary.LittleEndian.Uint32(h[24:])
	if crc32.ChecksumIEEE(h[:28]) != binary.LittleEndian.Uint32(h[28:]) ||
		offset < headerSize || offset > uint64(size) || size-int64(offset) > maxIndex ||
		int64(count) > (size-int64(offset))/entrySize {
		return nil, errDamaged
	}
	index := make([]byte, size-int64(offset))
	if _, err := r.ReadAt(index, int64(offset)); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if crc32.ChecksumIEEE(index) != binary.LittleEndian.Uint32(h[12:]) {
		return nil, errDamaged
	}
	entries := make([]entry, count)
	for i := range entries {
		var err error
		if index, err = entries[i].parse(index, int64(offset)); err != nil {
			return nil, err
		}
	}
	if len(index) > 0 {
		return nil, errDamaged
	}
	return entries, nil
}

// parse reads e from the start of b and returns the rest. The data lie before end.
func (e *entry) parse(b []byte, end int64) ([]byte, error) {
	if len(b) < entrySize {
		return nil, errDamaged
	}
	half := func(i int) int { return int(binary.LittleEndian.Uint16(b[i:])) }
	e.kind, e.flags = b[0], b[1]
	e.t, e.h, e.w, e.flowH, e.flowW = half(4), half(6), half(8), half(10), half(12)
	offset := binary.LittleEndian.Uint64(b[14:])
	e.length, e.sum = binary.LittleEndian.Uint32(b[22:]), binary.LittleEndian.Uint32(b[26:])
	name := half(2)
	if len(b) < entrySize+name || offset < headerSize || offset > uint64(end) ||
		e.length > maxData || int64(e.length) > end-int64(offset) {
		return nil, errDamaged
	}
	e.offset = int64(offset)
	e.name = string(b[entrySize : entrySize+name])
	return b[entrySize+name:], e.check()
}
