#include "stages/capture/pattern_source.h"

#include <algorithm>
#include <array>
#include <opencv2/imgproc.hpp>
#include <regex>

#include "config/redact.h"
#include "config/user_error.h"

namespace gradcam {
namespace {

constexpr int kPixelsPerFrame = 4;
constexpr int kColours = 8;

cv::Mat make_bars(cv::Size size) {
  const std::array<cv::Scalar, kColours> colours = {
      cv::Scalar(255, 255, 255), cv::Scalar(0, 255, 255), cv::Scalar(255, 255, 0),
      cv::Scalar(0, 255, 0),     cv::Scalar(255, 0, 255), cv::Scalar(0, 0, 255),
      cv::Scalar(255, 0, 0),     cv::Scalar(0, 0, 0)};
  cv::Mat bars(size.height, 2 * size.width, CV_8UC3);
  for (int i = 0; i < 2 * kColours; ++i) {
    const int left = size.width * i / kColours;
    const int right = size.width * (i + 1) / kColours;
    bars.colRange(left, right) = colours[static_cast<std::size_t>(i % kColours)];
  }
  return bars;
}

int bounded(const std::string& digits, int least, int most, int otherwise) {
  if (digits.empty()) return otherwise;
  const int value = digits.size() > 6 ? -1 : std::stoi(digits);
  return value >= least && value <= most ? value : -1;
}

}  // namespace

PatternFormat parse_pattern(const std::string& text) {
  static const std::regex kForm("test(:(([0-9]+)x([0-9]+))?(@([0-9]+))?)?");
  std::smatch parts;
  PatternFormat format;
  if (std::regex_match(text, parts, kForm)) {
    format.width = bounded(parts[3], 16, 7680, format.width);
    format.height = bounded(parts[4], 16, 7680, format.height);
    format.frames_per_second = bounded(parts[6], 1, 1000, format.frames_per_second);
    if (std::min({format.width, format.height, format.frames_per_second}) > 0) return format;
  }
  throw UserError(ExitCode::kSource, "source " + quoted(text) +
                                         " is no test pattern: give test, test:WIDTHxHEIGHT (16 to "
                                         "7680) or test:WIDTHxHEIGHT@RATE (1 to 1000)");
}

PatternSource::PatternSource(const PatternFormat& format, const std::string& name)
    : bars_(make_bars({format.width, format.height})) {
  info_.name = name;
  info_.width = format.width;
  info_.height = format.height;
  info_.frames_per_second = format.frames_per_second;
}

Capture PatternSource::next(std::chrono::milliseconds /*timeout*/) {
  const cv::Size size(info_.width, info_.height);
  const int shift = static_cast<int>(seq_ * kPixelsPerFrame % size.width);
  const double scale = size.height / 480.0;
  cv::Mat image = bars_(cv::Rect({shift, 0}, size)).clone();
  cv::circle(image, {shift, size.height / 2}, size.height / 8, cv::Scalar(64, 128, 192),
             cv::FILLED);
  const cv::Rect plate(0, size.height - cvRound(60 * scale), cvRound(240 * scale), size.height);
  cv::rectangle(image, plate, cv::Scalar(0, 0, 0), cv::FILLED);
  cv::putText(image, std::to_string(seq_), {cvRound(12 * scale), size.height - cvRound(16 * scale)},
              cv::FONT_HERSHEY_SIMPLEX, 1.4 * scale, cv::Scalar(255, 255, 255),
              std::max(1, cvRound(2 * scale)));
  // Times are rounded each by itself, so that they do not drift.
  const std::chrono::nanoseconds second = std::chrono::seconds(1);
  const auto rate = static_cast<std::int64_t>(info_.frames_per_second);
  Captured captured;
  captured.image = Picture(image);
  captured.pts = seq_ * second / rate;
  captured.duration = (seq_ + 1) * second / rate - captured.pts;
  ++seq_;
  return captured;
}

}  // namespace gradcam
