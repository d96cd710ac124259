// Package libav writes video files and says what is wrong with them. It binds FFmpeg's
// libavformat, libavcodec, libavutil and libswscale (5.1, as in Debian 12) and is the only
// package that links them. OpenCV's writer knows one constant frame rate and reports no errors;
// here each frame keeps its own presentation time and every write error comes back.
//
//	rec, err := libav.Create("out.mkv", libav.Options{W: 640, H: 360, FPS: 30})
//	if err != nil {
//		return err
//	}
//	for … {
//		if err := rec.Write(&frame); err != nil {
//			break // Close tells what the file still holds
//		}
//	}
//	return rec.Close()
//
// # Containers
//
// The ending of the name chooses the container: .mkv and .webm are flushed twice a second of
// video, so that after a crash or kill -9 the file plays up to its last second. An .mp4 gets
// its index only in Close and cannot be played without it.
//
// # Pictures and time
//
// Frames are BGR, 8 bits, and are stored as YUV 4:2:0 with limited range, BT.601 below 720 lines
// and BT.709 from there on (VP8 always BT.601, all that it knows), tagged in the file. 4:2:0
// needs even sizes: an odd width or height grows by one, by repeating the last column or row.
// FFV1 is the exception: it keeps size and colours exactly.
//
// Times are kept to 1 ms in Matroska and WebM and to 1/90000 s in MP4 (1/60000 s with mpeg4).
// They rise strictly in the file: a frame that is not later than the one before it is written
// one such tick after it, and where the time falls back by more than a second, as when a source
// starts again, the rest of the recording is moved behind what is there. Times below zero count
// as zero. Each frame lasts until the next; the last one as long as the one before it, at most
// a second.
//
// # Concurrency
//
// A Recorder is used by one goroutine; different ones are independent. All functions are safe
// for concurrent use. FFmpeg's log callback, one for the process, is taken: nothing is printed.
package libav
