package opencv

import (
	"bytes"
	"encoding/binary"
	"io"
)

// ending says whether a file ends where its own structure says that it ends. A stated length
// alone does not tell a file that was cut off from one whose sound goes on longer.
type ending int

const (
	endUnknown ending = iota // the container does not say, or is not one that we know
	endWhole
	endCut // bytes are missing
)

// endingOf looks at the outermost blocks of ISO media (mp4, mov, 3gp), Matroska (mkv, webm)
// and RIFF (avi). It reads a few bytes of each and nothing of what they hold.
func endingOf(r io.ReaderAt, size int64) ending {
	head := make([]byte, 12)
	if _, err := r.ReadAt(head, 0); err != nil {
		return endUnknown
	}
	switch {
	case bytes.HasPrefix(head, []byte("RIFF")):
		return riffEnding(r, size)
	case bytes.HasPrefix(head, []byte{0x1a, 0x45, 0xdf, 0xa3}):
		return matroskaEnding(r, size)
	}
	switch string(head[4:8]) {
	case "ftyp", "styp", "moov", "mdat", "free", "skip", "wide":
		return boxEnding(r, size)
	}
	return endUnknown
}

// boxEnding walks ISO boxes: 32-bit big-endian size with header, type, 64-bit size if it is 1
// (ISO/IEC 14496-12, 4.2).
func boxEnding(r io.ReaderAt, size int64) ending {
	const maxBoxes = 1 << 20
	head := make([]byte, 16)
	at := int64(0)
	for range maxBoxes {
		if at >= size-7 {
			return endWhole
		}
		n, err := r.ReadAt(head, at)
		if err != nil && n < 8 {
			return endUnknown
		}
		length, least := int64(binary.BigEndian.Uint32(head)), int64(8)
		if length == 1 {
			if n < 16 {
				return endCut
			}
			length, least = int64(binary.BigEndian.Uint64(head[8:])), 16
		}
		switch {
		case length < least: // 0 means up to the end of the file
			return endUnknown
		case length > size-at:
			return endCut
		}
		at += length
	}
	return endUnknown
}

// matroskaEnding reads the size of the Segment that follows the EBML header (RFC 8794, 4).
func matroskaEnding(r io.ReaderAt, size int64) ending {
	const segment = 0x18538067
	at := int64(4) // behind the id of the EBML header
	length, n, ok := ebmlSize(r, at)
	if !ok || length > size {
		return endUnknown
	}
	at += n + length
	id := make([]byte, 4)
	if _, err := r.ReadAt(id, at); err != nil || binary.BigEndian.Uint32(id) != segment {
		return endUnknown
	}
	length, n, ok = ebmlSize(r, at+4)
	switch {
	case !ok:
		return endUnknown
	case length > size-at-4-n:
		return endCut
	}
	return endWhole
}

// ebmlSize reads a variable-length size: as many leading zero bits as bytes follow. All ones
// means unknown, which writers leave until they finish.
func ebmlSize(r io.ReaderAt, at int64) (value, length int64, ok bool) {
	var b [8]byte
	if _, err := r.ReadAt(b[:1], at); err != nil || b[0] == 0 {
		return 0, 0, false
	}
	length = 1
	for mask := byte(0x80); b[0]&mask == 0; mask >>= 1 {
		length++
	}
	if _, err := r.ReadAt(b[:length], at); err != nil {
		return 0, 0, false
	}
	full := int64(1)<<(7*length) - 1
	for _, c := range b[:length] {
		value = value<<8 | int64(c)
	}
	value &= full
	return value, length, value != full
}

// riffEnding walks RIFF chunks, of which long AVI files have several.
func riffEnding(r io.ReaderAt, size int64) ending {
	head := make([]byte, 8)
	for at := int64(0); ; {
		if _, err := r.ReadAt(head, at); err != nil || !bytes.HasPrefix(head, []byte("RIFF")) {
			return endWhole // nothing, or something that is not ours, follows
		}
		length := int64(binary.LittleEndian.Uint32(head[4:]))
		switch {
		case length == 0: // never finished
			return endUnknown
		case length > size-at-8:
			return endCut
		}
		at += 8 + length + length%2
	}
}
