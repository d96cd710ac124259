#include "libav.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/display.h>
#include <libavutil/time.h>

static _Thread_local char *current_note;

static void on_log(void *ctx, int level, const char *fmt, va_list args)
{
	(void)ctx;
	if (!current_note || level > AV_LOG_ERROR)
		return;
	size_t used = strlen(current_note);
	if (used < LIBAV_NOTE - 1)
		vsnprintf(current_note + used, LIBAV_NOTE - used, fmt, args);
}

// The callback is the process's, so it is set again each time: OpenCV may have put its own.
void libav_listen(char *note)
{
	if (note)
		note[0] = 0;
	current_note = note;
	av_log_set_callback(on_log);
}

typedef struct {
	int64_t deadline; // of av_gettime_relative, 0 for none
	AVFormatContext *fmt;
	AVCodecContext *dec;
	AVPacket *packet;
	AVFrame *frame;
} prober;

static int interrupted(void *opaque)
{
	prober *p = opaque;
	return p->deadline && av_gettime_relative() > p->deadline;
}

// clockwise gives the turn that the display matrix asks for, as a multiple of 90 degrees.
static int clockwise(AVStream *st)
{
	uint8_t *m = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, NULL);
	double turn = m ? -av_display_rotation_get((int32_t *)m) : 0;
	if (isnan(turn))
		return 0;
	return (((int)lround(turn / 90) % 4 + 4) % 4) * 90;
}

static int is_encrypted(AVStream *st)
{
	return st->codecpar->codec_tag == MKTAG('e', 'n', 'c', 'v') ||
	       av_stream_get_side_data(st, AV_PKT_DATA_ENCRYPTION_INIT_INFO, NULL);
}

static void describe(libav_info *out, prober *p, AVStream *st)
{
	AVCodecParameters *par = st->codecpar;
	av_strlcpy(out->codec, avcodec_get_name(par->codec_id), sizeof out->codec);
	out->w = par->width;
	out->h = par->height;
	out->rotation = clockwise(st);
	out->encrypted = is_encrypted(st);
	AVRational rate = av_guess_frame_rate(p->fmt, st, NULL);
	out->fps = rate.den ? av_q2d(rate) : 0;
	if (p->fmt->duration != AV_NOPTS_VALUE && p->fmt->duration > 0)
		out->duration = p->fmt->duration;
}

static int open_decoder(prober *p, AVStream *st)
{
	const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
	p->packet = av_packet_alloc();
	p->frame = av_frame_alloc();
	if (!p->packet || !p->frame)
		return AVERROR(ENOMEM);
	if (!codec)
		return 0;
	if (!(p->dec = avcodec_alloc_context3(codec)))
		return AVERROR(ENOMEM);
	p->dec->thread_count = 1; // one picture is wanted, and its messages on this thread
	int ret = avcodec_parameters_to_context(p->dec, st->codecpar);
	return ret < 0 ? ret : avcodec_open2(p->dec, codec, NULL);
}

// decode tries for a first picture; a packet that does not decode is passed over.
static void decode(libav_info *out, prober *p, const AVPacket *packet)
{
	avcodec_send_packet(p->dec, packet);
	if (avcodec_receive_frame(p->dec, p->frame) < 0)
		return;
	out->picture = 1;
	if (!out->w) { // some containers leave the size to the stream
		out->w = p->frame->width;
		out->h = p->frame->height;
	}
}

// enough_packets bounds the search for a first picture in a stream that never gives one.
enum { enough_packets = 300 };

static int read_packets(libav_info *out, prober *p, AVStream *st, int count)
{
	int ret = 0;
	out->note[0] = 0; // from here on it is about decoding
	while (count || (!out->picture && !out->encrypted && out->packets < enough_packets)) {
		if (interrupted(p))
			return AVERROR_EXIT;
		if ((ret = av_read_frame(p->fmt, p->packet)) < 0)
			break;
		AVPacket *k = p->packet;
		if (k->stream_index == st->index) {
			int64_t at = k->pts != AV_NOPTS_VALUE ? k->pts : k->dts;
			if (at != AV_NOPTS_VALUE)
				at = av_rescale_q(at, st->time_base, AV_TIME_BASE_Q);
			if (at != AV_NOPTS_VALUE && (!out->packets || at > out->last))
				out->last = at;
			out->packets++;
			out->encrypted |= av_packet_get_side_data(k, AV_PKT_DATA_ENCRYPTION_INFO, NULL) != NULL;
			if (p->dec && !out->picture && !out->encrypted)
				decode(out, p, k);
		}
		av_packet_unref(k);
	}
	if (p->dec && !out->picture && !out->encrypted) // a decoder that reorders may hold it
		decode(out, p, NULL);
	if (ret == AVERROR_EOF || (ret != AVERROR_EXIT && out->packets))
		return 0; // a file that breaks off still has what came before
	return ret;
}

static int open_input(prober *p, const char *url, const char *protocols)
{
	p->fmt = avformat_alloc_context();
	if (!p->fmt)
		return AVERROR(ENOMEM);
	p->fmt->interrupt_callback = (AVIOInterruptCB){interrupted, p};
	AVDictionary *opts = NULL;
	av_dict_set(&opts, "protocol_whitelist", protocols, 0);
	int ret = avformat_open_input(&p->fmt, url, NULL, &opts);
	av_dict_free(&opts);
	return ret;
}

static int probe(libav_info *out, prober *p, const char *url, const char *protocols, int count)
{
	int ret = open_input(p, url, protocols);
	if (ret < 0)
		return ret;
	av_strlcpy(out->format, p->fmt->iformat->name, sizeof out->format);
	if ((ret = avformat_find_stream_info(p->fmt, NULL)) < 0)
		return ret;
	for (unsigned i = 0; i < p->fmt->nb_streams; i++) {
		AVStream *st = p->fmt->streams[i];
		enum AVMediaType type = st->codecpar->codec_type;
		out->video += type == AVMEDIA_TYPE_VIDEO && !(st->disposition & AV_DISPOSITION_ATTACHED_PIC);
		out->audio += type == AVMEDIA_TYPE_AUDIO;
		st->discard = AVDISCARD_ALL;
	}
	int best = av_find_best_stream(p->fmt, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
	if (!out->video || best < 0)
		return 0;
	AVStream *st = p->fmt->streams[best];
	st->discard = AVDISCARD_DEFAULT;
	describe(out, p, st);
	if ((ret = open_decoder(p, st)) < 0)
		return ret;
	out->decoder = p->dec != NULL;
	return read_packets(out, p, st, count);
}

int libav_probe(libav_info *out, const char *url, const char *protocols, int64_t timeout, int count)
{
	memset(out, 0, sizeof *out);
	prober p = {.deadline = timeout ? av_gettime_relative() + timeout : 0};
	libav_listen(out->note);
	int ret = probe(out, &p, url, protocols, count);
	if (ret < 0 && interrupted(&p))
		ret = AVERROR_EXIT;
	av_frame_free(&p.frame);
	av_packet_free(&p.packet);
	avcodec_free_context(&p.dec);
	avformat_close_input(&p.fmt);
	libav_listen(NULL);
	return ret < 0 ? ret : 0;
}

static int times(int64_t *out, int n, prober *p, const char *url, int64_t after)
{
	int ret = open_input(p, url, "file");
	if (ret < 0 || (ret = avformat_find_stream_info(p->fmt, NULL)) < 0)
		return ret;
	int best = av_find_best_stream(p->fmt, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
	if (best < 0 || !(p->packet = av_packet_alloc()))
		return best < 0 ? best : AVERROR(ENOMEM);
	AVStream *st = p->fmt->streams[best];
	int64_t start = st->start_time != AV_NOPTS_VALUE ? st->start_time : 0;
	int64_t from = start + av_rescale_q(after, AV_TIME_BASE_Q, st->time_base);
	av_seek_frame(p->fmt, best, from, AVSEEK_FLAG_BACKWARD); // else from where it stands
	int found = 0;
	while (found < n && av_read_frame(p->fmt, p->packet) >= 0) {
		if (p->packet->stream_index == best && p->packet->pts != AV_NOPTS_VALUE) {
			int64_t at = av_rescale_q(p->packet->pts - start, st->time_base, AV_TIME_BASE_Q);
			if (at > after)
				out[found++] = at;
		}
		av_packet_unref(p->packet);
	}
	return found;
}

int libav_times(int64_t *out, int n, const char *url, int64_t after)
{
	prober p = {0};
	char note[LIBAV_NOTE];
	libav_listen(note);
	int ret = times(out, n, &p, url, after);
	av_packet_free(&p.packet);
	avformat_close_input(&p.fmt);
	libav_listen(NULL);
	return ret;
}
