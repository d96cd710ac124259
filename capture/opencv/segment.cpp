#include "segment.h"
#include "guard.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <vector>

#include <opencv2/imgproc.hpp>
#include <opencv2/video/background_segm.hpp>
#include <opencv2/ximgproc/seeds.hpp>
#include <opencv2/ximgproc/slic.hpp>

namespace {

cv::Mat mat(const shim_picture &p) { return wrap(p.bgr, p.w, p.h, CV_8UC3, p.stride); }

// to_lab smoothes before it converts, as OpenCV's manual advises for SLIC.
void to_lab(cv::Mat &dst, const shim_picture &p) {
	cv::Mat smooth;
	cv::GaussianBlur(mat(p), smooth, cv::Size(3, 3), 0, 0, cv::BORDER_REPLICATE);
	cv::cvtColor(smooth, dst, cv::COLOR_BGR2Lab);
}

// number gives the labels that occur the numbers from 1, in the order of a scan.
int number(uint16_t *dst, const cv::Mat &labels) {
	std::vector<uint16_t> name;
	int n = 0;
	for (int y = 0; y < labels.rows; y++) {
		const int *row = labels.ptr<int>(y);
		for (int x = 0; x < labels.cols; x++) {
			size_t k = row[x];
			if (k >= name.size()) name.resize(k + 1);
			if (name[k] == 0) {
				if (++n > std::numeric_limits<uint16_t>::max())
					CV_Error(cv::Error::StsOutOfRange, "more than 65535 superpixels");
				name[k] = n;
			}
			*dst++ = name[k];
		}
	}
	return n;
}

}  // namespace

struct shim_background {
	cv::Ptr<cv::BackgroundSubtractorMOG2> mog;
	cv::Mat mask;
};

char *shim_lab(uint8_t *dst, shim_picture p) {
	return guard([&] {
		cv::Mat d = wrap(dst, p.w, p.h, CV_8UC3);
		to_lab(d, p);
		CV_Assert(d.data == dst);
	});
}

char *shim_resize_flow(float *dst, int w, int h, const float *src, int sw, int sh) {
	return guard([&] {
		cv::Mat d(h, w, CV_32FC2, dst), s(sh, sw, CV_32FC2, const_cast<float *>(src));
		cv::resize(s, d, d.size(), 0, 0, cv::INTER_LINEAR);
		cv::multiply(d, cv::Scalar(double(w) / sw, double(h) / sh), d);
		CV_Assert(reinterpret_cast<float *>(d.data) == dst);
	});
}

char *shim_slic(uint16_t *dst, int *n, shim_picture p, int size) {
	return guard([&] {
		cv::Mat lab, labels;
		to_lab(lab, p);
		auto slic = cv::ximgproc::createSuperpixelSLIC(lab, cv::ximgproc::SLIC, size, 10);
		slic->iterate(5);
		slic->enforceLabelConnectivity(25);
		slic->getLabels(labels);
		*n = number(dst, labels);
	});
}

char *shim_seeds(uint16_t *dst, int *n, shim_picture p, int size) {
	return guard([&] {
		cv::Mat lab, labels;
		cv::cvtColor(mat(p), lab, cv::COLOR_BGR2Lab);
		// SEEDS cuts a superpixel into blocks by halving it levels - 1 times. From the number of
		// superpixels it works out the side of the smallest block and rounds that up, so that of
		// 600 superpixels 390 may be left. One more row than there should be makes it round up
		// to the block of 2 or 3 pixels that we mean.
		int levels = 1, block = size;
		for (; block >= 4; block /= 2) levels++;
		int64_t rows = p.h / (block << (levels - 1)) + 1;
		auto seeds = cv::ximgproc::createSuperpixelSEEDS(p.w, p.h, 3, rows * rows * p.w / p.h + 1, levels);
		seeds->iterate(lab, 4);
		seeds->getLabels(labels);
		*n = number(dst, labels);
	});
}

char *shim_kmeans(int32_t *labels, float *centres, const float *x, int n, int dim, int k) {
	return guard([&] {
		cv::setRNGSeed(1);
		cv::Mat data(n, dim, CV_32F, const_cast<float *>(x)), l(n, 1, CV_32S, labels), c;
		cv::kmeans(data, k, l, cv::TermCriteria(cv::TermCriteria::COUNT + cv::TermCriteria::EPS, 20, 0.1),
			1, cv::KMEANS_PP_CENTERS, c);
		CV_Assert(reinterpret_cast<int32_t *>(l.data) == labels);
		c.copyTo(cv::Mat(k, dim, CV_32F, centres));
	});
}

char *shim_background_new(shim_background **out) {
	return guard([&] { *out = new shim_background; });
}

char *shim_background_apply(shim_background *b, bool *dst, shim_picture p, bool fresh) {
	return guard([&] {
		if (fresh) b->mog = cv::createBackgroundSubtractorMOG2();
		b->mog->apply(mat(p), b->mask);
		cv::medianBlur(b->mask, b->mask, 5);
		for (int y = 0; y < p.h; y++) {
			const uint8_t *row = b->mask.ptr<uint8_t>(y);
			// 255 is foreground, 127 a shadow.
			dst = std::transform(row, row + p.w, dst, [](uint8_t v) { return v == 255; });
		}
	});
}

void shim_background_close(shim_background *b) {
	free(guard([&] { delete b; }));
}

char *shim_grabcut(uint8_t *mask, shim_picture p, int rounds) {
	return guard([&] {
		cv::setRNGSeed(1);
		cv::Mat m = wrap(mask, p.w, p.h, CV_8UC1), background, foreground;
		cv::grabCut(mat(p), m, cv::Rect(), background, foreground, rounds, cv::GC_INIT_WITH_MASK);
		CV_Assert(m.data == mask);
	});
}
