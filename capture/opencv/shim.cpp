#include "shim.h"
#include "guard.hpp"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>
#include <opencv2/videoio.hpp>
#include <opencv2/videoio/registry.hpp>

namespace {

// A setting that the user made in the environment wins.
void quiet() {
	setenv("OPENCV_FFMPEG_LOGLEVEL", "-8", 0);
	setenv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "5", 0); // seconds; OpenCV's own is 10
	if (!getenv("OPENCV_LOG_LEVEL"))
		cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
}

}  // namespace

struct shim_video {
	cv::VideoCapture cap;
	int turn = 0;              // degrees clockwise that put a picture upright
	cv::Mat decoded, upright;  // reused by every read
	cv::Mat *frame = &decoded; // the one that the last read filled
};

struct shim_flow {
	// Matched patches leave motion that runs over the borders of what moves. What DIS does about it
	// ends at half the size; the same once more at full size halves what is left.
	cv::Ptr<cv::DISOpticalFlow> dis = cv::DISOpticalFlow::create(cv::DISOpticalFlow::PRESET_MEDIUM);
	cv::Ptr<cv::VariationalRefinement> refine = cv::VariationalRefinement::create();
	cv::Mat flow;
};

struct shim_net {
	cv::dnn::Net net;
};

void shim_setup(void) {
	static const bool once = (quiet(), true);
	(void)once;
}

char *shim_video_open(shim_video **out, const char *path, shim_video_options o) {
	return guard([&] {
		auto v = std::make_unique<shim_video>();
		bool ok;
		if (o.device >= 0) {
			ok = v->cap.open(o.device, o.backend);
		} else {
			ok = v->cap.open(path, o.backend,
				{cv::CAP_PROP_OPEN_TIMEOUT_MSEC, o.open_ms, cv::CAP_PROP_READ_TIMEOUT_MSEC, o.read_ms});
		}
		if (!ok) {
			*out = nullptr;
			return;
		}
		// OpenCV 4.6 with FFmpeg 5 states the angle counterclockwise and turns clockwise by it,
		// so that portrait videos come out upside down. We turn them.
		v->cap.set(cv::CAP_PROP_ORIENTATION_AUTO, 0);
		int angle = cvRound(v->cap.get(cv::CAP_PROP_ORIENTATION_META));
		v->turn = ((-angle % 360) + 360) % 360;
		if (o.width > 0) v->cap.set(cv::CAP_PROP_FRAME_WIDTH, o.width);
		if (o.height > 0) v->cap.set(cv::CAP_PROP_FRAME_HEIGHT, o.height);
		if (o.fps > 0) v->cap.set(cv::CAP_PROP_FPS, o.fps);
		*out = v.release();
	});
}

shim_video_info shim_video_state(shim_video *v) {
	shim_video_info s = {0, 0, 0, 0};
	free(guard([&] {
		s.fps = v->cap.get(cv::CAP_PROP_FPS);
		s.frames = v->cap.get(cv::CAP_PROP_FRAME_COUNT);
		s.width = v->cap.get(cv::CAP_PROP_FRAME_WIDTH);
		s.height = v->cap.get(cv::CAP_PROP_FRAME_HEIGHT);
		if (v->turn % 180 == 90) std::swap(s.width, s.height);
	}));
	return s;
}

char *shim_video_read(shim_video *v, int *got, int *w, int *h, double *msec) {
	*got = 0;
	return guard([&] {
		if (!v->cap.read(v->decoded) || v->decoded.empty()) return;
		v->frame = &v->upright;
		switch (v->turn) {
		case 90: cv::rotate(v->decoded, v->upright, cv::ROTATE_90_CLOCKWISE); break;
		case 180: cv::rotate(v->decoded, v->upright, cv::ROTATE_180); break;
		case 270: cv::rotate(v->decoded, v->upright, cv::ROTATE_90_COUNTERCLOCKWISE); break;
		default: v->frame = &v->decoded;
		}
		*w = v->frame->cols;
		*h = v->frame->rows;
		*msec = v->cap.get(cv::CAP_PROP_POS_MSEC);  // of the picture just grabbed
		*got = 1;
	});
}

char *shim_video_copy(shim_video *v, uint8_t *dst, int w, int h) {
	return guard([&] {
		const cv::Mat &frame = *v->frame;
		CV_Assert(frame.cols == w && frame.rows == h && frame.depth() == CV_8U);
		cv::Mat d = wrap(dst, w, h, CV_8UC3);
		switch (frame.channels()) {
		case 1: cv::cvtColor(frame, d, cv::COLOR_GRAY2BGR); break;
		case 3: frame.copyTo(d); break;
		case 4: cv::cvtColor(frame, d, cv::COLOR_BGRA2BGR); break;
		default: CV_Error(cv::Error::StsUnsupportedFormat, "the picture has neither 1, 3 nor 4 channels");
		}
		CV_Assert(d.data == dst);
	});
}

void shim_video_close(shim_video *v) {
	free(guard([&] { delete v; }));
}

char *shim_resize(uint8_t *dst, int dw, int dh, const uint8_t *src, int w, int h, int stride) {
	return guard([&] {
		cv::Mat d = wrap(dst, dw, dh, CV_8UC3);
		// INTER_AREA averages what falls into a pixel; to enlarge it would repeat pixels.
		int how = dw <= w && dh <= h ? cv::INTER_AREA : cv::INTER_LINEAR;
		cv::resize(wrap(src, w, h, CV_8UC3, stride), d, d.size(), 0, 0, how);
	});
}

char *shim_gray(uint8_t *dst, const uint8_t *bgr, int w, int h) {
	return guard([&] {
		cv::Mat d = wrap(dst, w, h, CV_8UC1);
		cv::cvtColor(wrap(bgr, w, h, CV_8UC3), d, cv::COLOR_BGR2GRAY);
	});
}

char *shim_flow_new(shim_flow **out) {
	return guard([&] { *out = new shim_flow; });
}

char *shim_flow_calc(shim_flow *f, float *dst, const uint8_t *prev, const uint8_t *cur, int w, int h) {
	return guard([&] {
		// calc(a, b) answers at each pixel p of a where in b its content is: b(p + u) = a(p).
		// Asked from the current picture to the one before, p + u is where the content was,
		// so the motion that ended at p is -u.
		// DIS would start from what is in flow; zero makes a frame pair independent of history.
		f->flow.create(h, w, CV_32FC2);
		f->flow.setTo(0);
		cv::Mat from = wrap(cur, w, h, CV_8UC1), to = wrap(prev, w, h, CV_8UC1);
		f->dis->calc(from, to, f->flow);
		f->refine->calc(from, to, f->flow);
		cv::Mat d(h, w, CV_32FC2, dst);
		f->flow.convertTo(d, -1, -1);
	});
}

void shim_flow_close(shim_flow *f) {
	free(guard([&] { delete f; }));
}

char *shim_net_read(shim_net **out, const char *onnx, size_t size) {
	return guard([&] {
		auto n = std::make_unique<shim_net>();
		n->net = cv::dnn::readNetFromONNX(onnx, size);
		CV_Assert(!n->net.empty());
		n->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
		n->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
		*out = n.release();
	});
}

char *shim_net_forward(shim_net *n, void *in, void *out) {
	return guard([&] {
		n->net.setInput(*static_cast<cv::Mat *>(in));
		// The result lives in the net's own memory, which the next forward overwrites.
		n->net.forward().copyTo(*static_cast<cv::Mat *>(out));
	});
}

void shim_net_close(shim_net *n) {
	free(guard([&] { delete n; }));
}

void shim_set_threads(int n) {
	free(guard([&] { cv::setNumThreads(n); }));
}

int shim_threads(void) {
	int n = 0;
	free(guard([&] { n = cv::getNumThreads(); }));
	return n;
}

int shim_has_backend(int backend) {
	bool ok = false;
	free(guard([&] { ok = cv::videoio_registry::hasBackend(static_cast<cv::VideoCaptureAPIs>(backend)); }));
	return ok;
}

char *shim_build_information(void) {
	std::string s;
	free(guard([&] { s = cv::getBuildInformation(); }));
	return strdup(s.c_str());
}
