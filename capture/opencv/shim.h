// The C face of our OpenCV shim. Every call that can throw is caught here, because an
// exception that crosses cgo aborts the process.
//
// A function that returns char* returns NULL when all went well, else a one-line reason
// that the caller frees. Pictures are rows of 8-bit samples, BGR when they have 3 channels.
#ifndef GLOMSTREAM_OPENCV_SHIM_H
#define GLOMSTREAM_OPENCV_SHIM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Video.
typedef struct shim_video shim_video;

typedef struct {
	double fps, frames, width, height; // as the container or the driver states them, unchecked
} shim_video_info;

typedef struct {
	int backend;             // cv::VideoCaptureAPIs, never CAP_ANY
	int device;              // camera number, or -1 to open path
	int open_ms, read_ms;    // time-outs
	int width, height;       // wishes for a camera, 0 = as it comes
	double fps;
} shim_video_options;

char *shim_video_open(shim_video **out, const char *path, shim_video_options opt);
shim_video_info shim_video_state(shim_video *v);

// shim_video_read decodes the next picture into the video's own buffer. got is 0 when the
// backend had none: OpenCV does not tell an end from a decode error or a time-out.
char *shim_video_read(shim_video *v, int *got, int *w, int *h, double *msec);

// shim_video_copy writes the picture of the last read as packed BGR rows.
char *shim_video_copy(shim_video *v, uint8_t *dst, int w, int h);
void shim_video_close(shim_video *v);

// Pictures.
char *shim_resize(uint8_t *dst, int dw, int dh, const uint8_t *src, int w, int h, int stride);
char *shim_gray(uint8_t *dst, const uint8_t *bgr, int w, int h);

// Optical flow.
typedef struct shim_flow shim_flow;
char *shim_flow_new(shim_flow **out);
// dst is (h, w, 2): the motion since prev of what is at each pixel of cur.
char *shim_flow_calc(shim_flow *f, float *dst, const uint8_t *prev, const uint8_t *cur, int w, int h);
void shim_flow_close(shim_flow *f);

// Nets. in and out are cv::Mat*.
typedef struct shim_net shim_net;
char *shim_net_read(shim_net **out, const char *onnx, size_t size);
char *shim_net_forward(shim_net *n, void *in, void *out);
void shim_net_close(shim_net *n);

// The build.
void shim_setup(void);
void shim_set_threads(int n);
int shim_threads(void);
int shim_has_backend(int backend);
char *shim_build_information(void); // malloc'ed text, not an error

#ifdef __cplusplus
}
#endif
#endif
