#include "libav.h"

#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>

struct libav_sizes {
	AVFormatContext *fmt;
	AVPacket *packet;
	AVStream *video; // the first of the file, as OpenCV takes it; NULL until it comes
};

static int open_sizes(libav_sizes *s, const char *url)
{
	AVDictionary *opts = NULL;
	av_dict_set(&opts, "protocol_whitelist", "file", 0);
	int ret = avformat_open_input(&s->fmt, url, NULL, &opts);
	av_dict_free(&opts);
	if (ret < 0)
		return ret;
	// No avformat_find_stream_info: it would parse ahead, and leave the parser behind the packets.
	s->packet = av_packet_alloc();
	return s->packet ? 0 : AVERROR(ENOMEM);
}

int libav_sizes_open(libav_sizes **out, const char *url)
{
	char note[LIBAV_NOTE];
	libav_listen(note);
	*out = calloc(1, sizeof **out);
	int ret = *out ? open_sizes(*out, url) : AVERROR(ENOMEM);
	if (ret < 0)
		libav_sizes_free(*out);
	libav_listen(NULL);
	return ret;
}

// jpeg_size finds the frame header, whose marker is one of SOF0 to SOF15 (ITU-T T.81, B.2.2).
static void jpeg_size(const uint8_t *p, int n, int *w, int *h)
{
	for (int i = 2; i + 9 <= n && p[i] == 0xff;) {
		int m = p[i + 1];
		if (m == 0xff) { // padding
			i++;
			continue;
		}
		if (m >= 0xc0 && m <= 0xcf && m != 0xc4 && m != 0xc8 && m != 0xcc) {
			*h = p[i + 5] << 8 | p[i + 6];
			*w = p[i + 7] << 8 | p[i + 8];
			return;
		}
		i += 2 + (p[i + 2] << 8 | p[i + 3]);
	}
}

static AVStream *first_video(AVFormatContext *fmt)
{
	for (unsigned i = 0; i < fmt->nb_streams; i++)
		if (fmt->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
			return fmt->streams[i];
	return NULL;
}

static int next_size(libav_sizes *s, int *w, int *h)
{
	for (;;) {
		int ret = av_read_frame(s->fmt, s->packet);
		if (ret < 0)
			return ret;
		if (!s->video)
			s->video = first_video(s->fmt);
		if (s->video && s->packet->stream_index == s->video->index)
			break;
		av_packet_unref(s->packet);
	}
	struct AVCodecParserContext *parser = av_stream_get_parser(s->video);
	if (s->video->codecpar->codec_id == AV_CODEC_ID_MJPEG)
		jpeg_size(s->packet->data, s->packet->size, w, h);
	else if (parser && parser->width > 0 && parser->height > 0) {
		*w = parser->width;
		*h = parser->height;
	}
	av_packet_unref(s->packet);
	return 0;
}

int libav_sizes_next(libav_sizes *s, int *w, int *h)
{
	char note[LIBAV_NOTE];
	libav_listen(note);
	*w = *h = 0;
	int ret = next_size(s, w, h);
	libav_listen(NULL);
	return ret;
}

void libav_sizes_free(libav_sizes *s)
{
	if (!s)
		return;
	av_packet_free(&s->packet);
	avformat_close_input(&s->fmt);
	free(s);
}
