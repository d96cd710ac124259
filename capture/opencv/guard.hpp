// What the files of the shim share: exceptions end here, and Go's memory becomes a cv::Mat.
#ifndef GLOMSTREAM_OPENCV_GUARD_HPP
#define GLOMSTREAM_OPENCV_GUARD_HPP

#include <cstdint>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include <opencv2/core.hpp>

// one_line keeps the reason of an OpenCV message and drops where in OpenCV's sources it
// arose: "OpenCV(4.6.0) ./modules/dnn/src/a.cpp:90: error: (-215:Assertion failed) x > 0 in
// function 'f'" becomes "x > 0".
inline std::string one_line(std::string s) {
	const char *mark = "error: (";
	size_t at = s.find(mark);
	if (at != std::string::npos && s.compare(0, 6, "OpenCV") == 0) {
		size_t end = s.find(") ", at);
		if (end != std::string::npos) s = s.substr(end + 2);
		s = s.substr(0, s.rfind(" in function '"));
	}
	for (char &c : s)
		if (static_cast<unsigned char>(c) < 0x20) c = ' ';
	std::string t;
	for (char c : s)
		if (c != ' ' || (!t.empty() && t.back() != ' ')) t += c;
	while (!t.empty() && t.back() == ' ') t.pop_back();
	if (t.size() > 300) t = t.substr(0, 300) + "...";
	return t.empty() ? "unknown reason" : t;
}

// guard runs f and turns whatever it throws into a malloc'ed reason.
template <class F>
char *guard(F f) {
	try {
		f();
		return nullptr;
	} catch (const std::bad_alloc &) {
		return strdup("out of memory");
	} catch (const std::exception &e) {
		return strdup(one_line(e.what()).c_str());
	} catch (...) {
		return strdup("unknown reason");
	}
}

inline cv::Mat wrap(const uint8_t *p, int w, int h, int type, size_t stride = cv::Mat::AUTO_STEP) {
	return cv::Mat(h, w, type, const_cast<uint8_t *>(p), stride);
}

#endif
