// The C face of what OpenCV has to divide pictures: superpixels, k-means, background subtraction
// and GrabCut. The rules of shim.h hold.
#ifndef GLOMSTREAM_OPENCV_SEGMENT_H
#define GLOMSTREAM_OPENCV_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// A picture of rows that are stride bytes apart.
typedef struct {
	const uint8_t *bgr;
	int w, h, stride;
} shim_picture;

char *shim_lab(uint8_t *dst, shim_picture p);
char *shim_resize_flow(float *dst, int w, int h, const float *src, int sw, int sh);

// Superpixels of about size by size pixels, size from 4 up to a quarter of the shorter side. dst
// (h, w) gets labels 1 to n in the order of a scan.
char *shim_slic(uint16_t *dst, int *n, shim_picture p, int size);
char *shim_seeds(uint16_t *dst, int *n, shim_picture p, int size);

// x is (n, dim), centres (k, dim), labels (n) from 0.
char *shim_kmeans(int32_t *labels, float *centres, const float *x, int n, int dim, int k);

typedef struct shim_background shim_background;
char *shim_background_new(shim_background **out);
// With fresh, as it must be the first time, all that was learnt is forgotten.
char *shim_background_apply(shim_background *b, bool *dst, shim_picture p, bool fresh);
void shim_background_close(shim_background *b);

// mask (h, w) holds cv::GrabCutClasses, in and out.
char *shim_grabcut(uint8_t *mask, shim_picture p, int rounds);

#ifdef __cplusplus
}
#endif
#endif
