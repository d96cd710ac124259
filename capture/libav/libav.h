// The C side of package libav: a recorder and a prober over FFmpeg's libraries.
//
// Every function returns 0 or a negative AVERROR code. Text that the libraries log during a
// call is put into the caller's note, one message a line; nothing is ever printed.
#ifndef GLOM_LIBAV_H
#define GLOM_LIBAV_H

#include <stddef.h>
#include <stdint.h>

enum { LIBAV_NOTE = 512 };

// libav_listen sends what the libraries log on this thread to note, a buffer of LIBAV_NOTE
// bytes, until the next call; NULL ends it. Other threads' messages are dropped.
void libav_listen(char *note);

typedef struct libav_recorder libav_recorder;

typedef struct {
	const char *muxer;    // "matroska", "webm", "mp4"
	const char *encoder;  // "libx264", ...
	const char *options;  // of the encoder, "key=value:key=value"
	const char *mux;      // of the muxer, the same form
	int w, h;             // of the frames
	int padded_w, padded_h; // of the coded picture: the same, or 1 more where that is odd
	int rgb;              // 1: keep the colours as they are (bgr0); 0: yuv420p
	int bt709;            // 1: BT.709; 0: BT.601
	int ticks;            // per second: the time base of pts and last
	int rate;             // frames per 1000 seconds, for the rate control
	int fd;               // open for writing, emptied here; stays the caller's
} libav_config;

// libav_create opens the encoder and writes the container's header to fd.
// *out is NULL after an error.
int libav_create(libav_recorder **out, const libav_config *cfg, char *note);

// libav_write encodes one picture. bgr is (h, w, 3) with rows stride bytes apart and is only
// read during the call. pts must rise from call to call.
int libav_write(libav_recorder *r, const uint8_t *bgr, int stride, int64_t pts, char *note);

// libav_finish drains the encoder, gives the last frame its duration and writes the trailer.
int libav_finish(libav_recorder *r, int64_t last, char *note);

void libav_free(libav_recorder *r);

typedef struct {
	char format[64], codec[32];
	int video, audio;         // streams of that kind; cover pictures are not video
	int encrypted, decoder;   // 1: is encrypted; 1: there is a decoder for it
	int picture;              // 1: a first picture was decoded
	int w, h, rotation;       // rotation in degrees clockwise: 0, 90, 180 or 270
	double fps;
	int64_t duration;         // microseconds, 0 if unknown
	int64_t packets;          // video packets that were read
	int64_t last;             // highest presentation time of these, microseconds
	char note[LIBAV_NOTE];
} libav_info;

// libav_probe opens url with the given protocols only, finds the video stream and decodes up
// to its first picture; with count it goes on to the end and counts packets. timeout is in
// microseconds, 0 for none; AVERROR_EXIT tells that it passed.
int libav_probe(libav_info *out, const char *url, const char *protocols, int64_t timeout, int count);

// libav_times fills out with the presentation times, in microseconds from the start of the video
// track, of the first n frames behind after, in the order of the file. It returns how many it
// found, or an AVERROR.
int libav_times(int64_t *out, int n, const char *url, int64_t after);

typedef struct libav_sizes libav_sizes;

// libav_sizes_open opens a file of which libav_sizes_next gives the size of one picture after the
// other, 0 where it is not known, without decoding them. Both return an AVERROR.
int libav_sizes_open(libav_sizes **out, const char *url);
int libav_sizes_next(libav_sizes *s, int *w, int *h);
void libav_sizes_free(libav_sizes *s);

#endif
