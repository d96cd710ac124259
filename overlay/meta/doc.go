// Package meta is what goes over a viewer's two data channels beside the video.
//
// On the channel "meta" the server sends, for each frame of the video, one binary message with the
// islands that were found in it: Append writes a Frame, Parse reads it. The RTP time stamp of the
// video frame is the key that brings the two together again. On the channel "control" go small
// JSON objects: viewers send commands, see ParseCommand, and the server answers with a State.
//
// A message of the channel meta, all numbers big endian:
//
//	0   u8   version, 1
//	1   u8   flags: 1 full, 2 cut, 4 stale, 8 reduced
//	2   u16  length of the header, 24; a reader skips what it does not know
//	4   u32  RTP time stamp of the video frame
//	8   u64  number of the frame
//	16  u64  time of capture, microseconds since 1970
//
// Sections follow, each a u8 that tells its kind, a u16 with the length of what comes, and that.
// A reader passes over kinds that it does not know, and over what a section has at its end that it
// does not know.
//
//	1 frame    u16 width, u16 height, u8 levels, u8 level of the labels, u16 unsettled,
//	           u16 frames per second · 100, u32 dropped frames, u8 steps
//	2 labels   u16 columns, u16 rows, then the coded map of island ids, see Labels
//	3 islands  u8 level, u16 nesting, u16 agreement, then islands of 28 bytes: u16 id,
//	           u16 parent, u32 area, u16 x, y, width and height of the box, u16 x, y of the centroid,
//	           u16 confidence, u16 agreement, u16 nesting, u16 age
//
// Lengths and areas are pixels of the frame; shares and scores are 1/10000.
//
// Everything here is pure and safe for concurrent use on different values.
package meta
