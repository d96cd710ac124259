//go:build cgo && !novpx

#include "vpx.h"

#include <stdlib.h>
#include <vpx/vp8dx.h>
#include <vpx/vpx_decoder.h>

struct glom_vpx_decoder {
	vpx_codec_ctx_t ctx;
};

static const char *text(vpx_codec_ctx_t *ctx, vpx_codec_err_t err)
{
	if (!err)
		return NULL;
	const char *detail = vpx_codec_error_detail(ctx);
	return detail && *detail ? detail : vpx_codec_err_to_string(err);
}

const char *glom_vpx_decoder_open(glom_vpx_decoder **out, int vp9)
{
	*out = NULL;
	glom_vpx_decoder *d = calloc(1, sizeof *d);
	if (!d)
		return "out of memory";
	vpx_codec_dec_cfg_t cfg = {.threads = 1};
	vpx_codec_err_t err = vpx_codec_dec_init(&d->ctx, vp9 ? vpx_codec_vp9_dx() : vpx_codec_vp8_dx(), &cfg, 0);
	if (err) {
		free(d);
		return vpx_codec_err_to_string(err);
	}
	*out = d;
	return NULL;
}

const char *glom_vpx_decode(glom_vpx_decoder *d, glom_vpx_picture *out, const uint8_t *data, size_t size)
{
	*out = (glom_vpx_picture){0};
	vpx_codec_err_t err = vpx_codec_decode(&d->ctx, data, size, NULL, 0);
	if (err)
		return text(&d->ctx, err);
	vpx_codec_iter_t iter = NULL;
	for (vpx_image_t *img; (img = vpx_codec_get_frame(&d->ctx, &iter));) {
		if (img->fmt != VPX_IMG_FMT_I420)
			return "the picture is not 4:2:0 of 8 bits";
		out->w = img->d_w;
		out->h = img->d_h;
		for (int i = 0; i < 3; i++) {
			out->planes[i] = img->planes[i];
			out->strides[i] = img->stride[i];
		}
	}
	return NULL;
}

void glom_vpx_decoder_free(glom_vpx_decoder *d)
{
	if (!d)
		return;
	vpx_codec_destroy(&d->ctx);
	free(d);
}
