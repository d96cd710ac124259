#include "libav.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>

// A recorder owns everything below but the file descriptor.
struct libav_recorder {
	AVFormatContext *mux;
	AVIOContext *io;
	AVCodecContext *enc;
	struct SwsContext *sws;
	AVFrame *input; // a copy of the picture, with the slack behind it that swscale reads into
	AVFrame *frame;
	AVPacket *packet; // what the encoder gives
	AVPacket *held;   // the packet before it, waiting for its duration; empty when buf is NULL
	AVStream *stream;
	AVRational base;
	int w, h, fd;
};

// A full disk, a size limit (Go ignores its SIGXFSZ) and the like end here, as an errno.
static int write_all(void *opaque, uint8_t *buf, int size)
{
	libav_recorder *r = opaque;
	for (int done = 0; done < size;) {
		ssize_t n = write(r->fd, buf + done, size - done);
		if (n > 0)
			done += n;
		else if (n == 0 || errno != EINTR)
			return AVERROR(n == 0 ? ENOSPC : errno);
	}
	return size;
}

static int64_t seek(void *opaque, int64_t offset, int whence)
{
	libav_recorder *r = opaque;
	if (whence == AVSEEK_SIZE) {
		struct stat st;
		return fstat(r->fd, &st) ? AVERROR(errno) : st.st_size;
	}
	off_t at = lseek(r->fd, offset, whence & ~AVSEEK_FORCE);
	return at < 0 ? AVERROR(errno) : at;
}

void libav_free(libav_recorder *r)
{
	if (!r)
		return;
	sws_freeContext(r->sws);
	av_frame_free(&r->frame);
	av_frame_free(&r->input);
	av_packet_free(&r->packet);
	av_packet_free(&r->held);
	avcodec_free_context(&r->enc);
	avformat_free_context(r->mux);
	if (r->io)
		av_freep(&r->io->buffer);
	avio_context_free(&r->io);
	av_free(r);
}

static int open_encoder(libav_recorder *r, const libav_config *cfg)
{
	const AVCodec *codec = avcodec_find_encoder_by_name(cfg->encoder);
	if (!codec)
		return AVERROR_ENCODER_NOT_FOUND;
	AVCodecContext *c = r->enc = avcodec_alloc_context3(codec);
	if (!c)
		return AVERROR(ENOMEM);
	c->width = cfg->padded_w;
	c->height = cfg->padded_h;
	c->pix_fmt = cfg->rgb ? AV_PIX_FMT_BGR0 : AV_PIX_FMT_YUV420P;
	c->time_base = r->base = (AVRational){1, cfg->ticks};
	c->framerate = (AVRational){cfg->rate, 1000};
	c->sample_aspect_ratio = (AVRational){1, 1};
	if (!cfg->rgb) {
		c->color_range = AVCOL_RANGE_MPEG;
		c->colorspace = cfg->bt709 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
		c->color_primaries = cfg->bt709 ? AVCOL_PRI_BT709 : AVCOL_PRI_SMPTE170M;
		c->color_trc = cfg->bt709 ? AVCOL_TRC_BT709 : AVCOL_TRC_SMPTE170M;
	}
	if (r->mux->oformat->flags & AVFMT_GLOBALHEADER)
		c->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;

	AVDictionary *opts = NULL;
	int ret = av_dict_parse_string(&opts, cfg->options, "=", ":", 0);
	if (ret >= 0)
		ret = avcodec_open2(c, codec, &opts);
	if (ret >= 0 && av_dict_count(opts) > 0)
		ret = AVERROR_OPTION_NOT_FOUND; // an option that nobody took is our own mistake
	av_dict_free(&opts);
	return ret;
}

static int open_picture(libav_recorder *r, const libav_config *cfg)
{
	AVFrame *f = r->frame = av_frame_alloc();
	AVFrame *in = r->input = av_frame_alloc();
	r->packet = av_packet_alloc();
	r->held = av_packet_alloc();
	if (!f || !in || !r->packet || !r->held)
		return AVERROR(ENOMEM);
	in->width = r->w + 1; // a column and a row more, for the colour of odd sizes, see fill
	in->height = r->h + 1;
	in->format = AV_PIX_FMT_BGR24;
	f->width = cfg->padded_w;
	f->height = cfg->padded_h;
	f->format = r->enc->pix_fmt;
	f->quality = r->enc->global_quality; // mpeg4 looks here only
	int ret = av_frame_get_buffer(f, 0);
	if (ret >= 0)
		ret = av_frame_get_buffer(in, 0);
	if (ret < 0)
		return ret;
	// Accurate rounding also keeps swscale from its short cut for this pair of formats, which
	// takes the colour of one pixel for each 2x2 block and so frays coloured edges.
	int flags = cfg->rgb ? SWS_POINT : SWS_AREA | SWS_ACCURATE_RND;
	r->sws = sws_getContext(r->w, r->h, AV_PIX_FMT_BGR24, r->w, r->h, f->format, flags, NULL, NULL, NULL);
	if (!r->sws)
		return AVERROR(EINVAL);
	const int *table = sws_getCoefficients(cfg->bt709 ? SWS_CS_ITU709 : SWS_CS_ITU601);
	sws_setColorspaceDetails(r->sws, table, 1, table, cfg->rgb, 0, 1 << 16, 1 << 16);
	return 0;
}

static int open_file(libav_recorder *r, const libav_config *cfg)
{
	r->stream = avformat_new_stream(r->mux, NULL);
	uint8_t *buf = av_malloc(1 << 16);
	r->io = buf ? avio_alloc_context(buf, 1 << 16, 1, r, NULL, write_all, seek) : NULL;
	if (!r->io)
		av_free(buf);
	if (!r->io || !r->stream)
		return AVERROR(ENOMEM);
	r->mux->pb = r->io;
	r->stream->time_base = r->base;
	r->stream->sample_aspect_ratio = r->enc->sample_aspect_ratio;
	int ret = avcodec_parameters_from_context(r->stream->codecpar, r->enc);
	if (ret < 0)
		return ret;
	if (ftruncate(r->fd, 0) && errno != EINVAL) // EINVAL: a device
		return AVERROR(errno);
	AVDictionary *opts = NULL;
	ret = av_dict_parse_string(&opts, cfg->mux, "=", ":", 0);
	if (ret >= 0)
		ret = avformat_write_header(r->mux, &opts);
	if (ret >= 0 && av_dict_count(opts) > 0)
		ret = AVERROR_OPTION_NOT_FOUND;
	av_dict_free(&opts);
	return ret < 0 ? ret : r->io->error;
}

int libav_create(libav_recorder **out, const libav_config *cfg, char *note)
{
	*out = NULL;
	libav_recorder *r = av_mallocz(sizeof *r);
	if (!r)
		return AVERROR(ENOMEM);
	r->w = cfg->w;
	r->h = cfg->h;
	r->fd = cfg->fd;
	libav_listen(note);
	int ret = avformat_alloc_output_context2(&r->mux, NULL, cfg->muxer, NULL);
	if (ret >= 0)
		ret = open_encoder(r, cfg);
	if (ret >= 0)
		ret = open_picture(r, cfg);
	if (ret >= 0)
		ret = open_file(r, cfg);
	if (ret < 0)
		libav_free(r);
	else
		*out = r;
	libav_listen(NULL);
	return ret < 0 ? ret : 0;
}

// release_held gives the held packet its duration, in ticks, and hands it to the muxer.
static int release_held(libav_recorder *r, int64_t duration)
{
	r->held->duration = duration;
	av_packet_rescale_ts(r->held, r->base, r->stream->time_base);
	int ret = av_write_frame(r->mux, r->held);
	av_packet_unref(r->held);
	return ret < 0 ? ret : r->io->error; // a muxer may keep a write error to itself
}

// encode sends one frame, or NULL to drain, and takes what comes out. Without B frames the
// packets come in order of presentation, so each one's duration is known when the next is there.
static int encode(libav_recorder *r, const AVFrame *f)
{
	int ret = avcodec_send_frame(r->enc, f);
	while (ret >= 0) {
		ret = avcodec_receive_packet(r->enc, r->packet);
		if (ret == AVERROR(EAGAIN) || ret == AVERROR_EOF)
			return 0;
		if (ret < 0)
			break;
		r->packet->stream_index = 0;
		if (r->held->buf)
			ret = release_held(r, r->packet->pts - r->held->pts);
		av_packet_move_ref(r->held, r->packet);
	}
	return ret;
}

// pad repeats the last column and row of the brightness where the size is odd. The colour
// planes, half the size rounded up, are whole already.
static void pad(AVFrame *f, int w, int h)
{
	uint8_t *y = f->data[0];
	int stride = f->linesize[0];
	if (w < f->width)
		for (int i = 0; i < h; i++)
			y[i * stride + w] = y[i * stride + w - 1];
	if (h < f->height)
		memcpy(y + h * stride, y + (h - 1) * stride, f->width);
}

// fill copies the picture and repeats its last column and row: the colour of an odd last pixel is
// the mean with the one after it.
static void fill(AVFrame *in, const uint8_t *bgr, int stride, int w, int h)
{
	for (int y = 0; y <= h; y++) {
		uint8_t *to = in->data[0] + y * in->linesize[0];
		memcpy(to, bgr + (y < h ? y : h - 1) * (int64_t)stride, 3 * w);
		memcpy(to + 3 * w, to + 3 * w - 3, 3);
	}
}

int libav_write(libav_recorder *r, const uint8_t *bgr, int stride, int64_t pts, char *note)
{
	libav_listen(note);
	int ret = av_frame_make_writable(r->frame);
	if (ret >= 0) {
		// The vector code of swscale reads up to a register beyond the last pixel, where the
		// caller's memory may end.
		AVFrame *in = r->input;
		fill(in, bgr, stride, r->w, r->h);
		ret = sws_scale(r->sws, (const uint8_t *const *)in->data, in->linesize, 0, r->h, r->frame->data, r->frame->linesize);
	}
	if (ret >= 0) {
		pad(r->frame, r->w, r->h);
		r->frame->pts = pts;
		ret = encode(r, r->frame);
	}
	libav_listen(NULL);
	return ret < 0 ? ret : 0;
}

int libav_finish(libav_recorder *r, int64_t last, char *note)
{
	libav_listen(note);
	int ret = encode(r, NULL);
	if (ret >= 0 && r->held->buf)
		ret = release_held(r, last);
	int end = av_write_trailer(r->mux); // after an error too, so that what is there can be sought
	if (ret >= 0)
		ret = end < 0 ? end : r->io->error;
	libav_listen(NULL);
	return ret < 0 ? ret : 0;
}
