#include "stages/preprocess/preprocess.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <opencv2/imgproc.hpp>

#include "stages/picture/plane_resizer.h"
#include "stages/picture/recent.h"
#include "stages/preprocess/resize.h"

namespace gradcam {
namespace {

cv::Rect crop_of(cv::Size frame, const ModelDescription& description) {
  const auto [top, left, bottom, right] = description.crop;
  const int x0 = std::min(static_cast<int>(std::lround(left * frame.width)), frame.width - 1);
  const int y0 = std::min(static_cast<int>(std::lround(top * frame.height)), frame.height - 1);
  const int x1 = std::max(x0 + 1, static_cast<int>(std::lround(right * frame.width)));
  const int y1 = std::max(y0 + 1, static_cast<int>(std::lround(bottom * frame.height)));
  return cv::Rect(x0, y0, x1 - x0, y1 - y0) & cv::Rect({0, 0}, frame);
}

/// As Pillow's convert("L"), but still in three channels, which are equal.
cv::Mat gray(const cv::Mat& picture) {
  cv::Mat luma;
  cv::cvtColor(picture, luma, cv::COLOR_BGR2GRAY);
  cv::Mat result;
  cv::cvtColor(luma, result, cv::COLOR_GRAY2BGR);
  return result;
}

void put(const cv::Mat& picture, ColorOrder color, cv::Mat target) {
  switch (color) {
    case ColorOrder::kRgb:
      return cv::cvtColor(picture, target, cv::COLOR_BGR2RGB);
    case ColorOrder::kBgr:
      return picture.copyTo(target);
    case ColorOrder::kGray:
      return cv::extractChannel(picture, target, 0);
  }
}

cv::Mat resized(const cv::Mat& picture, cv::Size size, bool antialias) {
  if (picture.size() == size) return picture;
  if (antialias) return resize_antialiased(picture, size);
  cv::Mat result;
  cv::resize(picture, result, size, 0, 0, cv::INTER_LINEAR);
  return result;
}

/// The resized picture and where it goes: `target` in the blob shows `used` of the picture.
struct Placement {
  cv::Size scaled;  ///< size the picture is resized to
  cv::Rect used;    ///< the part of the scaled picture that is shown
  cv::Point at;     ///< where it lies in the blob
};

Placement place(cv::Size picture, cv::Size blob, const ModelDescription& description) {
  const double scale_x = static_cast<double>(blob.width) / picture.width;
  const double scale_y = static_cast<double>(blob.height) / picture.height;
  const auto round = [](double value) { return std::max(1, static_cast<int>(std::lround(value))); };
  switch (description.resize) {
    case ResizeMode::kStretch:
      break;
    case ResizeMode::kLetterbox: {
      const double scale = std::min(scale_x, scale_y);
      const cv::Size scaled(std::min(blob.width, round(picture.width * scale)),
                            std::min(blob.height, round(picture.height * scale)));
      const bool center = description.pad_align == PadAlign::kCenter;
      const cv::Point at =
          center ? cv::Point((blob.width - scaled.width) / 2, (blob.height - scaled.height) / 2)
                 : cv::Point(0, 0);
      return {scaled, cv::Rect({0, 0}, scaled), at};
    }
    case ResizeMode::kCenterCrop: {
      // torchvision: the longer side is truncated, the offset is rounded half to even.
      const double scale = std::max(scale_x, scale_y);
      const cv::Size scaled(std::max(blob.width, static_cast<int>(picture.width * scale)),
                            std::max(blob.height, static_cast<int>(picture.height * scale)));
      const cv::Point offset(static_cast<int>(std::nearbyint((scaled.width - blob.width) / 2.0)),
                             static_cast<int>(std::nearbyint((scaled.height - blob.height) / 2.0)));
      return {scaled, cv::Rect(offset, blob), {0, 0}};
    }
  }
  return {blob, cv::Rect({0, 0}, blob), {0, 0}};
}

/// In BGR, as Pillow does it.
void put_exactly(const cv::Mat& picture, const Placement& placement,
                 const ModelDescription& description, const cv::Mat& target) {
  const bool is_gray = description.color == ColorOrder::kGray;
  const cv::Mat scaled =
      resized(is_gray ? gray(picture) : picture, placement.scaled, description.antialias);
  put(scaled(placement.used), description.color, target);
}

PixelOrder order_of(ColorOrder color) {
  return color == ColorOrder::kRgb   ? PixelOrder::kRgb
         : color == ColorOrder::kBgr ? PixelOrder::kBgr
                                     : PixelOrder::kGray;
}

/// Frames of a stream, and of several, want the same few again and again.
std::shared_ptr<const PlaneResizer> resizer_of(const ResizePlan& plan) {
  // Never destroyed: exit() may be called while other threads are at work.
  static auto& recent = *new Recent<ResizePlan, PlaneResizer>;
  return recent.get(plan, [&] { return PlaneResizer(plan); });
}

}  // namespace

NetworkInput to_network_input(const cv::Mat& frame, const ModelDescription& description) {
  return to_network_input(Picture(frame), description);
}

NetworkInput to_network_input(const Picture& frame, const ModelDescription& description) {
  const cv::Rect crop = crop_of(frame.size(), description);
  const cv::Size size(description.input_width, description.input_height);
  const Placement placement = place(crop.size(), size, description);

  NetworkInput input;
  input.blob.height = size.height;
  input.blob.width = size.width;
  input.blob.channels = description.channels();
  input.blob.pixels.assign(static_cast<std::size_t>(size.area()) * input.blob.channels,
                           static_cast<std::uint8_t>(description.pad_value));
  const cv::Mat blob(size, CV_8UC(input.blob.channels), input.blob.pixels.data());
  const cv::Mat target = blob(cv::Rect(placement.at, placement.used.size()));
  if (frame.format() == PixelFormat::kBgr || format_info(frame.format()).bits > 8) {
    put_exactly(frame.bgr()(crop), placement, description, target);
  } else {
    const auto resizer =
        resizer_of({frame.size(), crop, placement.scaled, placement.used, description.antialias});
    (*resizer)(frame.planes(), order_of(description.color), target);
  }

  const double to_frame_x = static_cast<double>(crop.width) / placement.scaled.width;
  const double to_frame_y = static_cast<double>(crop.height) / placement.scaled.height;
  input.mapping.frame_width = frame.width();
  input.mapping.frame_height = frame.height();
  input.mapping.in_blob = {static_cast<double>(placement.at.x), static_cast<double>(placement.at.y),
                           static_cast<double>(placement.used.width),
                           static_cast<double>(placement.used.height)};
  input.mapping.in_frame = {crop.x + placement.used.x * to_frame_x,
                            crop.y + placement.used.y * to_frame_y,
                            placement.used.width * to_frame_x, placement.used.height * to_frame_y};
  return input;
}

Picture shrink(const Picture& frame, int max_dim) {
  const int longer = std::max(frame.width(), frame.height());
  if (max_dim <= 0 || longer <= max_dim) return frame;
  const double scale = static_cast<double>(max_dim) / longer;
  const cv::Size size(std::max(1, static_cast<int>(frame.width() * scale)),
                      std::max(1, static_cast<int>(frame.height() * scale)));
  if (frame.format() == PixelFormat::kBgr || format_info(frame.format()).bits > 8) {
    return Picture(resize_antialiased(frame.bgr(), size), frame.color());
  }
  cv::Mat smaller(size, CV_8UC3);
  const auto resizer = resizer_of({frame.size(), {{0, 0}, frame.size()}, size, {{0, 0}, size}});
  (*resizer)(frame.planes(), PixelOrder::kBgr, smaller);
  return Picture(smaller, frame.color());
}

}  // namespace gradcam
