package opencv

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"testing"
)

func box(kind string, n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+n))
	return append(append(b, kind...), make([]byte, n)...)
}

func longBox(kind string, n int) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, 1), kind...)
	return append(binary.BigEndian.AppendUint64(b, uint64(16+n)), make([]byte, n)...)
}

func riff(n int) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(n)), make([]byte, n)...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func matroska(size ...byte) []byte {
	ebml := []byte{0x1a, 0x45, 0xdf, 0xa3, 0x82, 1, 2}
	return join(ebml, []byte{0x18, 0x53, 0x80, 0x67}, size)
}

func TestEndingOf(t *testing.T) {
	mp4 := join(box("ftyp", 8), box("moov", 40), longBox("mdat", 100))
	avi := join(riff(100), riff(31), []byte{0}, riff(10))
	tests := []struct {
		name string
		data []byte
		want ending
	}{
		{"empty", nil, endUnknown},
		{"text", []byte("some words and some more"), endUnknown},
		{"mp4", mp4, endWhole},
		{"mp4 and three odd bytes", append(slices.Clip(mp4), 1, 2, 3), endWhole},
		{"mp4 cut in a box", mp4[:len(mp4)-1], endCut},
		{"mp4 cut in a long head", mp4[:16+48+12], endCut},
		{"mp4 with a last box of any size", join(box("ftyp", 8), []byte{0, 0, 0, 0, 'm', 'd', 'a', 't', 1}), endUnknown},
		{"mp4 with a box too small", join(box("ftyp", 8), []byte{0, 0, 0, 3, 'm', 'd', 'a', 't', 1}), endUnknown},
		{"mp4 with a negative size", join(box("ftyp", 8), []byte{0, 0, 0, 1, 'm', 'd', 'a', 't', 255, 0, 0, 0, 0, 0, 0, 0}), endUnknown},
		{"avi", avi, endWhole},
		{"avi cut", avi[:len(avi)-1], endCut},
		{"avi cut behind its first part", avi[:108], endWhole},
		{"avi never finished", riff(0)[:8:8], endUnknown},
		{"avi with size 0", append(riff(0), make([]byte, 20)...), endUnknown},
		{"mkv", join(matroska(0x88), make([]byte, 8)), endWhole},
		{"mkv with a long size", join(matroska(0x08, 0, 0, 0, 8), make([]byte, 8)), endWhole},
		{"mkv cut", join(matroska(0x89), make([]byte, 8)), endCut},
		{"mkv never finished", join(matroska(0x01, 255, 255, 255, 255, 255, 255, 255), make([]byte, 8)), endUnknown},
		{"mkv without a segment", join([]byte{0x1a, 0x45, 0xdf, 0xa3, 0x82, 1, 2}, make([]byte, 20)), endUnknown},
		{"mkv with a size of no length", join(matroska(0), make([]byte, 8)), endUnknown},
	}
	for _, test := range tests {
		if got := endingOf(bytes.NewReader(test.data), int64(len(test.data))); got != test.want {
			t.Errorf("%s: got %v, want %v", test.name, got, test.want)
		}
	}
}

// TestEndingOfGoodVideos: no real clip is called cut off.
func TestEndingOfGoodVideos(t *testing.T) {
	for _, path := range sharedVideos(t, "good") {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if endingOf(bytes.NewReader(data), int64(len(data))) == endCut {
			t.Errorf("%s is called cut off", path)
		}
	}
}

func FuzzEndingOf(f *testing.F) {
	f.Add(join(box("ftyp", 8), longBox("mdat", 9)))
	f.Add(riff(12))
	f.Add(join(matroska(0x88), make([]byte, 8)))
	f.Fuzz(func(t *testing.T, data []byte) {
		endingOf(bytes.NewReader(data), int64(len(data)))
	})
}
