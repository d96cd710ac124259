package record

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"time"

	"github.com/at-wat/ebml-go"
	"github.com/at-wat/ebml-go/webm"
)

// A file is, in EBML (RFC 8794, RFC 9559): a header, and a segment of
//
//	SeekHead   where the cues are, once they are written
//	Info       with the duration, once it is known
//	Tracks
//	Void       so that all up to here has headerSize bytes before and after
//	Cluster    of up to a second, each with its packets
//	Cues       where the key frames are, once the file ends
//
// Sizes of the segment and the clusters are "unknown" until they end, which a reader takes
// as "up to what cannot be inside".
const (
	headerSize  = 512
	idSize      = 4    // bytes of the ids of Segment and Cluster
	sizeSize    = 8    // bytes of an unknown size
	clusterTime = 1000 // ms; at most 32767
)

// header is everything before the first cluster.
type header struct {
	EBML    *webm.EBMLHeader `ebml:"EBML"`
	Segment segment          `ebml:"Segment,size=unknown"`
}

type segment struct {
	SeekHead *webm.SeekHead `ebml:"SeekHead,omitempty"`
	Info     webm.Info      `ebml:"Info"`
	Tracks   webm.Tracks    `ebml:"Tracks"`
	Void     []byte         `ebml:"Void,omitempty"`
}

type cluster struct {
	Cluster struct {
		Timecode uint64 `ebml:"Timecode"`
	} `ebml:"Cluster,size=unknown"`
}

type block struct {
	Block ebml.Block `ebml:"SimpleBlock"`
}

type cues struct {
	Cues webm.Cues `ebml:"Cues"`
}

// codecIDs are the names that Matroska has for the codecs.
func codecIDs() map[string]string { return map[string]string{"vp8": "V_VP8", "vp9": "V_VP9"} }

// info describes a file that begins now.
func info(codec string, w, h int, now time.Time) segment {
	const video = 1 // a track's type
	return segment{
		Info: webm.Info{TimecodeScale: 1e6, MuxingApp: "glom", WritingApp: "glom", DateUTC: now.UTC()},
		Tracks: webm.Tracks{TrackEntry: []webm.TrackEntry{{
			TrackNumber: 1, TrackUID: 1, TrackType: video, CodecID: codecIDs()[codec],
			Video: &webm.Video{PixelWidth: uint64(w), PixelHeight: uint64(h)},
		}}},
	}
}

// file is one WebM file that is being written. Times in it are milliseconds from its start.
type file struct {
	*os.File
	root  *os.Root
	name  string
	start time.Duration // time of the first packet
	w, h  int
	info  segment

	frames    int
	size      int64 // bytes written
	content   int64 // where the segment's content begins
	cluster   int64 // where the last cluster begins, 0 before the first
	clusterAt int64 // and its time
	last, gap int64 // time of the last packet, and since the one before
	cues      []webm.CuePoint

	buf bytes.Buffer
}

// begin writes the header.
func (f *file) begin() error {
	if err := ebml.Marshal(&struct {
		EBML *webm.EBMLHeader `ebml:"EBML"`
	}{webm.DefaultEBMLHeader}, &f.buf); err != nil {
		return err
	}
	f.content = int64(f.buf.Len()) + idSize + sizeSize
	f.last = -1
	head, err := f.header()
	if err != nil {
		return err
	}
	return f.append(head)
}

// header returns the header, filled up to headerSize.
func (f *file) header() ([]byte, error) {
	h := header{EBML: webm.DefaultEBMLHeader, Segment: f.info}
	f.buf.Reset()
	if err := ebml.Marshal(&h, &f.buf); err != nil {
		return nil, err
	}
	const overhead = 3 // of a Void of over 126 bytes
	h.Segment.Void = make([]byte, headerSize-f.buf.Len()-overhead)
	f.buf.Reset()
	err := ebml.Marshal(&h, &f.buf)
	if err == nil && f.buf.Len() != headerSize {
		err = errors.New("the header does not fit")
	}
	return f.buf.Bytes(), err
}

// write writes a packet whose time is at.
func (f *file) write(p *packet, at time.Duration) error {
	t := max((at - f.start).Round(time.Millisecond).Milliseconds(), f.last+1)
	f.buf.Reset()
	if p.key || f.cluster == 0 || t-f.clusterAt >= clusterTime {
		if err := f.next(p.key, t); err != nil {
			return err
		}
	}
	b := block{ebml.Block{TrackNumber: 1, Timecode: int16(t - f.clusterAt), Keyframe: p.key, Data: [][]byte{p.data}}}
	if err := ebml.Marshal(&b, &f.buf); err != nil {
		return err
	}
	if err := f.append(f.buf.Bytes()); err != nil {
		return err
	}
	f.gap, f.last = t-f.last, t
	f.frames++
	return nil
}

// next ends the cluster and puts the head of the one at t into the buffer.
func (f *file) next(key bool, t int64) error {
	if err := f.endCluster(); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	f.cluster, f.clusterAt = f.size, t
	if key {
		f.cues = append(f.cues, webm.CuePoint{
			CueTime:           uint64(t),
			CueTrackPositions: []webm.CueTrackPosition{{CueTrack: 1, CueClusterPosition: uint64(f.size - f.content)}},
		})
	}
	var c cluster
	c.Cluster.Timecode = uint64(t)
	return ebml.Marshal(&c, &f.buf)
}

// check finds out whether the file still has its name: the system goes on writing into one that was
// removed, to no avail.
func (f *file) check() error {
	ours, err := f.Stat()
	if err != nil {
		return err
	}
	if named, err := f.root.Lstat(f.name); err != nil || !os.SameFile(ours, named) {
		return errors.New("the file was removed or replaced meanwhile")
	}
	return nil
}

// end writes the cues and what the header was lacking.
func (f *file) end() error {
	if err := f.endCluster(); err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	at := f.size
	f.buf.Reset()
	if err := ebml.Marshal(&cues{webm.Cues{CuePoint: f.cues}}, &f.buf); err != nil {
		return err
	}
	if err := f.append(f.buf.Bytes()); err != nil {
		return err
	}
	f.info.Info.Duration = float64(f.last + f.gap)
	f.info.SeekHead = &webm.SeekHead{Seek: []webm.Seek{{SeekID: ebml.ElementCues.Bytes(), SeekPosition: uint64(at - f.content)}}}
	head, err := f.header()
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(head, 0); err != nil {
		return err
	}
	return f.setSize(f.content-sizeSize, f.size-f.content)
}

// endCluster writes the size of the last cluster, if there is one.
func (f *file) endCluster() error {
	if f.cluster == 0 {
		return nil
	}
	at := f.cluster + idSize
	return f.setSize(at, f.size-at-sizeSize)
}

// setSize replaces an unknown size.
func (f *file) setSize(at, size int64) error {
	var b [sizeSize]byte
	binary.BigEndian.PutUint64(b[:], 1<<56|uint64(size)) // the first bit that is set tells how long the number is
	_, err := f.WriteAt(b[:], at)
	return err
}

// append writes at the end of the file.
func (f *file) append(b []byte) error {
	n, err := f.Write(b)
	f.size += int64(n)
	return err
}
