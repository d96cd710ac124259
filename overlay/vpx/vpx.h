// The C side of package vpx: an encoder and a decoder over libvpx.
//
// Functions that return a text return NULL when all went well, else what went wrong; the text
// is libvpx's or constant, and is not freed.
#ifndef GLOM_VPX_H
#define GLOM_VPX_H

#include <stddef.h>
#include <stdint.h>

typedef struct glom_vpx glom_vpx;

typedef struct {
	int vp9;
	int w, h;         // of the compressed picture, even
	int layers;       // temporal, 1 to 3
	int rates[3];     // kbit/s of each layer with those below it
} glom_vpx_config;

typedef struct {
	const uint8_t *data; // libvpx's until the next call; NULL if there is none
	size_t size;
	int key, layer;
} glom_vpx_packet;

// What glom_vpx_open puts into *out must be freed after an error as well, but not before its text was
// read, which may lie in it.
const char *glom_vpx_open(glom_vpx **out, const glom_vpx_config *cfg);

// glom_vpx_encode compresses a picture of the size of glom_vpx_open, at least. bgr has rows stride
// bytes apart and is only read during the call. time and duration are in microseconds, and time
// must rise from call to call. flags are libvpx's, layer the temporal layer of a VP8 frame.
const char *glom_vpx_encode(glom_vpx *e, glom_vpx_packet *out, const uint8_t *bgr, ptrdiff_t stride,
                            int64_t time, int64_t duration, int flags, int layer);

const char *glom_vpx_set_rates(glom_vpx *e, const int rates[3]);

void glom_vpx_free(glom_vpx *e);

// glom_bgr_to_i420 makes BT.601 of 16 ... 235 of w x h pixels, both even. A chroma sample is the
// mean of its 2x2 pixels.
void glom_bgr_to_i420(uint8_t *const planes[3], const int strides[3], const uint8_t *bgr, ptrdiff_t stride, int w, int h);

typedef struct glom_vpx_decoder glom_vpx_decoder;

typedef struct {
	const uint8_t *planes[3]; // planes[0] is NULL if the data held no picture to show; libvpx's until the next call
	int strides[3];
	int w, h;
} glom_vpx_picture;

const char *glom_vpx_decoder_open(glom_vpx_decoder **out, int vp9);
const char *glom_vpx_decode(glom_vpx_decoder *d, glom_vpx_picture *out, const uint8_t *data, size_t size);
void glom_vpx_decoder_free(glom_vpx_decoder *d);

#endif
