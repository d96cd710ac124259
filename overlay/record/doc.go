// Package record writes a stream that is compressed already, VP8 or VP9, into WebM files, without
// compressing it again.
//
//	rec, err := record.New(record.Config{Dir: "recordings"})
//	if err != nil { … }
//	for each packet p {
//		err := rec.Write(p.Data, p.Key, p.PTS, p.W, p.H)
//		if err != nil { … } // once, then stop writing
//	}
//	err = rec.Close()
//
// # Files
//
// A file begins with a key frame and can be played alone. The next one is begun at the first key frame
// after Config.Segment, or when the size of the picture changes. Names are the local time, and a number that
// counts the files: 20261126-153012-0001.webm. A name that is taken, be it by a link to elsewhere, is
// left alone and the next number is tried.
//
// Every packet is handed to the system at once, and nothing that a player needs comes later: if the
// program is killed, the file can be read up to the last packet. When a file ends in order, its length
// and an index of the key frames are added.
//
// # A slow or broken disk
//
// Write only puts the packet into a queue; a goroutine writes. When the queue is full,
// packets are left out up to a key frame that finds room, and counted. The first error of the disk
// is final and names the file, which is kept: Write and Close return it from then on.
//
// # Times
//
// Times of packets are those of the capture clock, wherever it starts. One that does not rise, or that jumps by
// over an hour, counts as one more interval like the last.
package record
