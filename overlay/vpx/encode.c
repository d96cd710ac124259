//go:build cgo && !novpx

#include "vpx.h"

#include <stdlib.h>
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

struct glom_vpx {
	vpx_codec_ctx_t ctx;
	vpx_codec_enc_cfg_t cfg;
	vpx_image_t img; // what libvpx reads; its pixels are ours
	int open, vp9;
};

static const char *text(vpx_codec_ctx_t *ctx, vpx_codec_err_t err)
{
	if (!err)
		return NULL;
	const char *detail = vpx_codec_error_detail(ctx);
	return detail && *detail ? detail : vpx_codec_err_to_string(err);
}

static void set_rates(vpx_codec_enc_cfg_t *c, const int rates[3])
{
	int n = c->ts_number_layers;
	c->rc_target_bitrate = rates[n - 1];
	for (int i = 0; i < n; i++)
		c->ts_target_bitrate[i] = c->layer_target_bitrate[i] = rates[i];
}

// What matters for a live viewer: nothing is looked at twice or ahead. The numbers of the rate
// control are near those of WebRTC's own encoder, with a smaller buffer, so that it follows a change
// sooner, and coarser pictures at 200 kbit/s and less, so that fewer are left out.
static void configure(vpx_codec_enc_cfg_t *c, const glom_vpx_config *cfg)
{
	c->g_w = cfg->w;
	c->g_h = cfg->h;
	c->g_threads = 1; // with two, VP8 waits in a loop for its helper, which live inference keeps off the processor
	c->g_timebase = (vpx_rational_t){1, 1000000};
	c->g_lag_in_frames = 0;
	// Without it, VP9 with layers takes its segments from a frame that the decoder does not take them from.
	c->g_error_resilient = cfg->vp9 && cfg->layers > 1;
	c->g_pass = VPX_RC_ONE_PASS;
	c->rc_end_usage = VPX_CBR;
	c->rc_resize_allowed = 0;
	c->rc_dropframe_thresh = 0; // see bucket.go
	c->rc_undershoot_pct = 100;
	c->rc_overshoot_pct = 15;
	c->rc_buf_initial_sz = 400; // ms, as the next two
	c->rc_buf_optimal_sz = 500;
	c->rc_buf_sz = 600;
	c->rc_min_quantizer = 2;
	c->rc_max_quantizer = 60;
	c->kf_mode = VPX_KF_DISABLED; // key frames are asked for

	static const int periods[3][4] = {{0}, {0, 1}, {0, 2, 1, 2}};
	c->ts_number_layers = cfg->layers;
	c->ts_periodicity = 1 << (cfg->layers - 1);
	for (int i = 0; i < cfg->layers; i++)
		c->ts_rate_decimator[i] = 1 << (cfg->layers - 1 - i);
	for (unsigned i = 0; i < c->ts_periodicity; i++)
		c->ts_layer_id[i] = periods[cfg->layers - 1][i];
	set_rates(c, cfg->rates);
}

static vpx_codec_err_t control_vp8(vpx_codec_ctx_t *ctx)
{
	vpx_codec_err_t err = vpx_codec_control(ctx, VP8E_SET_CPUUSED, -8); // negative: this speed, whatever the clock says
	if (!err)
		err = vpx_codec_control(ctx, VP8E_SET_NOISE_SENSITIVITY, 0);
	if (!err)
		err = vpx_codec_control(ctx, VP8E_SET_TOKEN_PARTITIONS, VP8_ONE_TOKENPARTITION);
	return err;
}

static vpx_codec_err_t control_vp9(vpx_codec_ctx_t *ctx, const vpx_codec_enc_cfg_t *cfg)
{
	vpx_codec_err_t err = vpx_codec_control(ctx, VP8E_SET_CPUUSED, 8);
	if (!err)
		err = vpx_codec_control(ctx, VP9E_SET_AQ_MODE, 3);
	if (!err)
		err = vpx_codec_control(ctx, VP9E_SET_COLOR_SPACE, VPX_CS_BT_601);
	if (err || cfg->ts_number_layers == 1)
		return err;
	vpx_svc_extra_cfg_t svc = {.scaling_factor_num = {1}, .scaling_factor_den = {1}};
	svc.temporal_layering_mode = cfg->temporal_layering_mode;
	for (unsigned i = 0; i < cfg->ts_number_layers; i++) {
		svc.min_quantizers[i] = cfg->rc_min_quantizer;
		svc.max_quantizers[i] = cfg->rc_max_quantizer;
		svc.scaling_factor_num[i] = svc.scaling_factor_den[i] = 1;
	}
	err = vpx_codec_control(ctx, VP9E_SET_SVC, 1);
	if (!err)
		err = vpx_codec_control(ctx, VP9E_SET_SVC_PARAMETERS, &svc);
	return err;
}

// The most that a key frame may take, in % of the mean frame. At 30 frames a second it then reaches
// a viewer, whose line has just the bitrate, a seventh of a second late. VP8 takes it as % of the mean
// frame of layer 0.
static int max_key(const glom_vpx_config *cfg)
{
	int top = cfg->layers - 1;
	int64_t percent = 450;
	return cfg->vp9 ? percent : percent * cfg->rates[top] / ((int64_t)cfg->rates[0] << top);
}

static const char *init(glom_vpx *e, const glom_vpx_config *cfg)
{
	vpx_codec_iface_t *iface = cfg->vp9 ? vpx_codec_vp9_cx() : vpx_codec_vp8_cx();
	vpx_codec_err_t err = vpx_codec_enc_config_default(iface, &e->cfg, 0);
	if (err)
		return vpx_codec_err_to_string(err);
	configure(&e->cfg, cfg);
	if (cfg->vp9) {
		static const int modes[3] = {VP9E_TEMPORAL_LAYERING_MODE_NOLAYERING, VP9E_TEMPORAL_LAYERING_MODE_0101,
		                             VP9E_TEMPORAL_LAYERING_MODE_0212};
		e->cfg.temporal_layering_mode = modes[cfg->layers - 1];
	}
	err = vpx_codec_enc_init(&e->ctx, iface, &e->cfg, 0);
	if (err)
		return text(&e->ctx, err);
	e->open = 1;
	err = cfg->vp9 ? control_vp9(&e->ctx, &e->cfg) : control_vp8(&e->ctx);
	if (!err)
		err = vpx_codec_control(&e->ctx, VP8E_SET_STATIC_THRESHOLD, 1);
	if (!err)
		err = vpx_codec_control(&e->ctx, VP8E_SET_MAX_INTRA_BITRATE_PCT, max_key(cfg));
	if (err)
		return text(&e->ctx, err);
	if (!vpx_img_alloc(&e->img, VPX_IMG_FMT_I420, cfg->w, cfg->h, 32))
		return "out of memory";
	e->img.cs = VPX_CS_BT_601;
	e->img.range = VPX_CR_STUDIO_RANGE;
	return NULL;
}

const char *glom_vpx_open(glom_vpx **out, const glom_vpx_config *cfg)
{
	glom_vpx *e = *out = calloc(1, sizeof *e);
	if (!e)
		return "out of memory";
	e->vp9 = cfg->vp9;
	return init(e, cfg);
}

const char *glom_vpx_encode(glom_vpx *e, glom_vpx_packet *out, const uint8_t *bgr, ptrdiff_t stride,
                            int64_t time, int64_t duration, int flags, int layer)
{
	*out = (glom_vpx_packet){.layer = layer};
	glom_bgr_to_i420(e->img.planes, e->img.stride, bgr, stride, e->cfg.g_w, e->cfg.g_h);
	vpx_codec_err_t err = VPX_CODEC_OK;
	if (!e->vp9 && e->cfg.ts_number_layers > 1)
		err = vpx_codec_control(&e->ctx, VP8E_SET_TEMPORAL_LAYER_ID, layer);
	if (!err)
		err = vpx_codec_encode(&e->ctx, &e->img, time, duration, flags, VPX_DL_REALTIME);
	if (err)
		return text(&e->ctx, err);
	vpx_codec_iter_t iter = NULL;
	for (const vpx_codec_cx_pkt_t *p; (p = vpx_codec_get_cx_data(&e->ctx, &iter));) {
		if (p->kind != VPX_CODEC_CX_FRAME_PKT)
			continue;
		out->data = p->data.frame.buf;
		out->size = p->data.frame.sz;
		out->key = !!(p->data.frame.flags & VPX_FRAME_IS_KEY);
	}
	if (e->vp9 && e->cfg.ts_number_layers > 1) {
		vpx_svc_layer_id_t id = {0};
		err = vpx_codec_control(&e->ctx, VP9E_GET_SVC_LAYER_ID, &id);
		out->layer = id.temporal_layer_id;
	}
	return text(&e->ctx, err);
}

const char *glom_vpx_set_rates(glom_vpx *e, const int rates[3])
{
	set_rates(&e->cfg, rates);
	return text(&e->ctx, vpx_codec_enc_config_set(&e->ctx, &e->cfg));
}

void glom_vpx_free(glom_vpx *e)
{
	if (!e)
		return;
	vpx_img_free(&e->img);
	if (e->open)
		vpx_codec_destroy(&e->ctx);
	free(e);
}
