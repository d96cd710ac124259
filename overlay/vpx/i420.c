//go:build cgo && !novpx

#include "vpx.h"

// Rows of this many pixels at a time are taken apart into colours, so that the arithmetic runs over
// plain arrays, which the compiler turns into vectors.
enum { chunk = 64 };

#if defined(__x86_64__) && defined(__gnu_linux__)
#define VECTORS __attribute__((target_clones("avx2", "default")))
#else
#define VECTORS
#endif

// BT.601 with R, G, B of 0 ... 255, in whole numbers with 15 bits after the point:
//
//	Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255
//	U = 128 + (-37.797 R - 74.203 G + 112 B) / 255
//	V = 128 + (112 R - 93.786 G - 18.214 B) / 255
//
// U and V are of the sum of four pixels, so they have two bits more.
static inline uint8_t luma(int r, int g, int b)
{
	return (8414 * r + 16519 * g + 3208 * b + (16 << 15) + (1 << 14)) >> 15;
}

static inline uint8_t chroma(int pos, int neg1, int k1, int neg2, int k2)
{
	return (14392 * pos - k1 * neg1 - k2 * neg2 + (128 << 17) + (1 << 16)) >> 17;
}

VECTORS
static void two_rows(uint8_t *y0, uint8_t *y1, uint8_t *u, uint8_t *v, const uint8_t *p0, const uint8_t *p1, int w)
{
	for (int x = 0; x < w; x += 2) {
		const uint8_t *a = p0 + 3 * x, *b = p1 + 3 * x;
		y0[x] = luma(a[2], a[1], a[0]);
		y0[x + 1] = luma(a[5], a[4], a[3]);
		y1[x] = luma(b[2], b[1], b[0]);
		y1[x + 1] = luma(b[5], b[4], b[3]);
		int sb = a[0] + a[3] + b[0] + b[3];
		int sg = a[1] + a[4] + b[1] + b[4];
		int sr = a[2] + a[5] + b[2] + b[5];
		u[x / 2] = chroma(sb, sr, 4857, sg, 9535);
		v[x / 2] = chroma(sr, sg, 12051, sb, 2341);
	}
}

void glom_bgr_to_i420(uint8_t *const planes[3], const int strides[3], const uint8_t *bgr, ptrdiff_t stride, int w, int h)
{
	for (ptrdiff_t y = 0; y < h; y += 2) {
		uint8_t *luma = planes[0] + y * strides[0];
		two_rows(luma, luma + strides[0], planes[1] + y / 2 * strides[1], planes[2] + y / 2 * strides[2],
		         bgr + y * stride, bgr + (y + 1) * stride, w);
	}
}
